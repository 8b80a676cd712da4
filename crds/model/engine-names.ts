import { canonicalHash } from './hash.js';
import { childName, networkName, volumeName } from './names.js';
import { referencesOf } from './references.js';
import type { AppNetwork, AppSpec, AppVolume, ServiceFields } from './types.js';

/** The names of a network or volume of an App. */
export interface EngineName {
  /** Of its document. One with another name on the engine is another document: the one before goes, or keeps its data. */
  readonly document: string;
  /** On the engine. */
  readonly engine: string;
  /** False for the name that it has where the App says none. */
  readonly isUsual: boolean;
}

type DeclaredName = Pick<AppNetwork & AppVolume, 'name' | 'external'> | null | undefined;

/** Returns the names of a network of an App. Pure. */
export const networkNames = (app: string, uuid: string, key: string, declared: DeclaredName): EngineName =>
  namesOf(app, key, networkName(uuid, key), declared);

/** Returns the names of a volume of an App. Pure. */
export const volumeNames = (app: string, appId: number, key: string, declared: DeclaredName): EngineName =>
  namesOf(app, key, volumeName(appId, key), declared);

function namesOf(app: string, key: string, usual: string, declared: DeclaredName): EngineName {
  const engine = declared?.name ?? (declared?.external === true ? key : usual);
  const isUsual = engine === usual;
  return {
    document: childName(app, isUsual ? key : `${key}-${canonicalHash(engine).slice(0, DIGITS)}`),
    engine,
    isUsual,
  };
}
/** How much of the hash the name of such a document holds. */
const DIGITS = 8;
/** By how much that makes the name of a document longer. */
export const LONGER_BY = DIGITS + 1;

/** Names on the engine of the networks and volumes that a service uses, where they are not the usual ones. */
export interface UnusualNames {
  readonly networkNames?: Readonly<Record<string, string>>;
  readonly volumeNames?: Readonly<Record<string, string>>;
}

/** Returns those names for a service of an App; nothing where all are the usual ones. Pure. */
export function unusualNames(
  fields: ServiceFields,
  { networks, volumes }: Pick<AppSpec, 'networks' | 'volumes'>,
  { appId, uuid }: { readonly appId: number; readonly uuid: string },
): UnusualNames {
  const { networks: joined = [], mode, volumes: mounted } = referencesOf(fields);
  const used = mode.is === 'network' ? [...joined, mode.network] : joined;
  const names = {
    networkNames: unusual(used.length > 0 ? used : ['default'], (key) => networkNames('', uuid, key, networks?.[key])),
    volumeNames: unusual(mounted, (key) => volumeNames('', appId, key, volumes?.[key])),
  };
  return Object.fromEntries(Object.entries(names).filter(([, map]) => Object.keys(map).length > 0));
}

const unusual = (keys: readonly string[], of: (key: string) => EngineName): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...new Set(keys)].flatMap((key) => {
      const { engine, isUsual } = of(key);
      return isUsual ? [] : [[key, engine]];
    }),
  );

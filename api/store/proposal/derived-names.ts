import { type EngineName, networkNames, volumeNames } from '../../../crds/model/engine-names.js';
import { type Path, pathText } from '../../../crds/model/issue.js';
import type { AnyDeclared, AnyResource, Key } from '../../../crds/model/kinds.js';
import { allottedId, childName } from '../../../crds/model/names.js';
import { type NumberedRelease, releaseOf, usualContainerName } from '../../../crds/model/release.js';
import type { AppService, ServiceFields } from '../../../crds/model/types.js';

/** Returns the number of an App, declared or allotted; undefined for other kinds. Pure. */
export const appIdOf = (document: AnyDeclared | AnyResource): number | undefined =>
  document.kind === 'App' ? (document.spec.appId ?? allottedId(document.metadata.name)) : undefined;

/** A name that a document uses on this device, and the field that changes it. */
export interface DerivedName {
  /** As in `network u_default`. Two documents with the same name would work on the same object. */
  readonly name: string;
  readonly field: string;
  /** Where that stands in the document, where it is not the field of its spec of that name. */
  readonly path?: string;
}

type Documents = AnyDeclared | AnyResource;

/**
 * Returns every name that the fields of a document produce: of an App its number and uuid, its networks, volumes and
 * containers on the engine, its services and its own documents; the folder of its update locks has the number. Of a
 * standalone Service, Network or Volume its name on the engine: of a Service the place in its App, by which containers
 * are found, and the container where the document itself sets its release. The children of an App have the names of
 * their App. Pure.
 */
export function derivedNames(document: Documents, owner?: Key): readonly DerivedName[] {
  if (owner !== undefined) return [];
  switch (document.kind) {
    case 'App': {
      const before = made.get(document.spec);
      if (before?.of === document.metadata.name) return before.names;
      const names = ofApp(document);
      made.set(document.spec, { of: document.metadata.name, names });
      return names;
    }
    case 'Network':
      return document.spec.external ? [] : [{ name: `network ${document.spec.networkName}`, field: 'networkName' }];
    case 'Volume':
      return document.spec.external ? [] : [{ name: `volume ${document.spec.volumeName}`, field: 'volumeName' }];
    case 'Service':
      return ofService(document);
    default:
      return [];
  }
}

/** By spec: specs in the store are frozen, and every proposal needs their names. */
const made = new WeakMap<object, { readonly of: string; readonly names: readonly DerivedName[] }>();

function ofApp(app: Extract<Documents, { kind: 'App' }>): readonly DerivedName[] {
  const { metadata, spec } = app;
  const appId = appIdOf(app) ?? 0;
  const uuid = spec.uuid ?? String(appId);
  const release = releaseOf(spec.release);
  const networks = Object.entries({ default: null, ...spec.networks }).map(([key, declared]) => ({
    ...{ key, declared, part: 'networks' as const },
    ...networkNames(metadata.name, uuid, key, declared),
  }));
  const volumes = Object.entries(spec.volumes ?? {}).map(([key, declared]) => ({
    ...{ key, declared, part: 'volumes' as const },
    ...volumeNames(metadata.name, appId, key, declared),
  }));
  const services = Object.entries(spec.services ?? {});
  const children = [
    ...networks.map(({ document }) => `Network/${document}`),
    ...volumes.map(({ document }) => `Volume/${document}`),
    ...services.map(([name]) => `Service/${childName(metadata.name, name)}`),
  ];
  const own = [
    { name: `appId ${appId}`, field: 'appId' },
    { name: `uuid ${uuid}`, field: 'uuid' },
  ];
  if (release === null) return own; // it has no children
  return [
    ...own,
    ...networks.flatMap((one) => madeUnder(`network ${one.engine}`, 'uuid', one)),
    ...volumes.flatMap((one) => madeUnder(`volume ${one.engine}`, 'appId', one)),
    ...services.map(([name]) => ({
      ...{ name: serviceOf(metadata.name, name), field: 'name for that service' },
      path: pathText(['spec', 'services', name]),
    })),
    ...services.map(([name, ids]) => containerOf(metadata.name, name, ids, release)),
    ...children.map((name) => ({ name: `document ${name}`, field: 'metadata.name' })),
  ];
}

/** Returns the name on the engine of a network or volume, unless somebody else makes it. */
function madeUnder(
  name: string,
  field: string,
  {
    key,
    part,
    declared,
    isUsual,
  }: Pick<EngineName, 'isUsual'> & {
    readonly key: string;
    readonly part: 'networks' | 'volumes';
    readonly declared: { readonly external?: boolean } | null;
  },
): readonly DerivedName[] {
  if (declared?.external === true) return [];
  if (isUsual) return [{ name, field }];
  return [{ name, field: 'name, or external: true', path: pathText(['spec', part, key, 'name']) }];
}

function ofService({ spec }: Extract<Documents, { kind: 'Service' }>): readonly DerivedName[] {
  const { app, serviceName } = spec;
  const release = spec.release && releaseOf(spec.release);
  return [
    { name: serviceOf(app, serviceName), field: 'serviceName' },
    ...(spec.containerName !== undefined
      ? [namedContainer(spec.containerName, ['spec', 'containerName'])]
      : release
        ? [containerOf(app, serviceName, spec, release)]
        : []),
  ];
}

const serviceOf = (app: string, service: string): string => `service ${service} of App ${app}`;

function containerOf(
  app: string,
  service: string,
  fields: Pick<ServiceFields & AppService, 'serviceId' | 'imageId' | 'containerName'>,
  release: NumberedRelease,
): DerivedName {
  const { containerName: declared } = fields;
  if (declared !== undefined) return namedContainer(declared, ['spec', 'services', service, 'containerName']);
  return { name: `container ${usualContainerName(app, service, fields, release)}`, field: 'release' };
}

const namedContainer = (name: string, path: Path): DerivedName => ({
  name: `container ${name}`,
  field: 'containerName',
  path: pathText(path),
});

/** Knows which document has which of those names. */
export class NameHolders {
  readonly #holders = new Map<string, Key>();

  add(names: readonly DerivedName[], key: Key): void {
    for (const { name } of names) if (!this.#holders.has(name)) this.#holders.set(name, key);
  }

  /** Returns the first of the names that another document has. */
  otherHolder(
    names: readonly DerivedName[],
    key: Key,
  ): { readonly taken: DerivedName; readonly holder: Key } | undefined {
    for (const taken of names) {
      const holder = this.#holders.get(taken.name);
      if (holder !== undefined && holder !== key) return { taken, holder };
    }
    return undefined;
  }
}

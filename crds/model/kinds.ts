import type { Descriptor } from './descriptor.js';
import { DESCRIPTORS, type Kinds } from './descriptors.js'; // generated from crds/*.yaml; do not edit

export const GROUP = 'supercargo.io';
export const VERSION = 'v1';
export const API_VERSION = 'supercargo.io/v1';

export type { Kinds };
export type Kind = keyof Kinds;
/** Every kind, in the order in which kinds are listed. */
export const KINDS = Object.keys(DESCRIPTORS) as readonly Kind[];

/** Returns the properties of a kind from its CRD: names, columns, requests, finalizers. Pure. */
export const descriptorOf = (kind: Kind): Descriptor => DESCRIPTORS[kind];

/** Kinds that people and sources declare; the others are the agent's own to write. */
export const WRITABLE_KINDS: readonly Kind[] = KINDS.filter((kind) => !descriptorOf(kind).readOnly);

/** Plural, as in `/apis/supercargo.io/v1/<plural>` and `crds/*.yaml`. */
export const PLURALS = Object.fromEntries(KINDS.map((kind) => [kind, DESCRIPTORS[kind].plural])) as Readonly<
  Record<Kind, string>
>;

/** Returns the requests that documents of the kind take; empty: none. Pure. */
export const requestsOf = (kind: Kind): readonly RequestName[] => DESCRIPTORS[kind].requests;

/** Identifies a document, as in `Network/hello.default`; it travels through queues, events and logs instead of objects. */
export type Key = `${Kind}/${string}`;

export const keyOf = (kind: Kind, name: string): Key => `${kind}/${name}`;

/** Splits a key. Pure; throws on a text that `keyOf` cannot have made. */
export function splitKey(key: Key): { kind: Kind; name: string } {
  const slash = key.indexOf('/');
  const kind = key.slice(0, slash);
  if (!Object.hasOwn(PLURALS, kind)) throw new Error(`Not a key: ${key}`);
  return { kind: kind as Kind, name: key.slice(slash + 1) };
}

/**
 * Who declared a document. `agent` is supercargo itself (the shared network `supervisor0`); `images`, the files of
 * images on the device, declares none and only has problems. One origin writes a spec; a second one that claims the
 * same name is refused.
 */
export type Origin =
  | 'files'
  | 'images'
  | 'engine'
  | `git/${string}`
  | 'local'
  | 'api'
  | 'cloud'
  | 'agent'
  | `App/${string}`;

/** Where a text was read. Lines and columns count from 1. */
export interface Source {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** In git: the commit by which the spec came that the document has now. */
  readonly commit?: { readonly hash: string; readonly author?: string; readonly subject?: string };
  /** It was a Supervisor's target state and not a document of ours. */
  readonly isTargetState?: true;
  /** It was a Compose project, and these are all its Compose files. */
  readonly composeFiles?: readonly string[];
}

/** Why a declaration was not accepted. */
export interface Problem {
  /** One sentence: what is wrong and what would be right. No secrets. */
  readonly message: string;
  /** Path inside the document, as in `spec.services.web.ports[0]`. */
  readonly path?: string;
  readonly source?: Source;
  readonly kind?: Kind;
  readonly name?: string;
  /** What was declared was taken nevertheless. Left out: it was not. */
  readonly severity?: 'warning';
}

/** A command as data: a controller acts while `id` is not the one that its status calls handled. */
export interface Request {
  readonly id: string;
  /** RFC 3339, ms. A later request has a later time, whatever the clock says: that is the order of commands. */
  readonly at: string;
  readonly force?: boolean;
  /** Of `rollback`: name of the Revision that is to run. Of `approve`: name of the one that may be promoted, and no other. */
  readonly to?: string;
  /** Of `adopt`: the service that takes over these containers; a whole project where they are absent. */
  readonly service?: string;
  readonly containers?: readonly string[];
  /** Who asked: what the request says of itself, and where it came from. */
  readonly by?: string;
}
export type RequestName = (typeof DESCRIPTORS)[Kind]['requests'][number];
export type Requests = Readonly<Partial<Record<RequestName, Request>>>;

export interface Metadata {
  readonly name: string;
  readonly uid: string;
  /** Goes up when the spec changes, and only then. Starts at 1. */
  readonly generation: number;
  /** Opaque, ordered: changed by every write of any part. */
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  /** Set by a deletion; the document stays until its controller has cleaned up and released it. */
  readonly deletionTimestamp?: string;
  readonly finalizers: readonly string[];
  readonly origin: Origin;
  /** The document that this one belongs to. */
  readonly owner?: Key;
  readonly source?: Source;
  /** Who declared the present spec, where it came by the API: what the caller says of itself, and where it called from. */
  readonly declaredBy?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The last declaration of this document by its origin that was not accepted. In memory only: sources declare again at the start. */
  readonly problem?: Problem;
}

/** A document with its four parts: spec (its origin), metadata (the store), requests (the API), status (its controller). Frozen. */
export interface Resource<K extends Kind = Kind> {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: K;
  readonly metadata: Metadata;
  readonly spec: Kinds[K]['spec'];
  readonly requests: Requests;
  readonly status?: Kinds[K]['status'];
}
/** Short names for kinds that much of the code uses; another kind is `Resource<'Kind'>`. */
export type App = Resource<'App'>;
export type Image = Resource<'Image'>;
export type Network = Resource<'Network'>;
export type Volume = Resource<'Volume'>;
export type Service = Resource<'Service'>;
export type HostConfig = Resource<'HostConfig'>;
export type GitSource = Resource<'GitSource'>;
export type AnyResource = { [K in Kind]: Resource<K> }[Kind];

/** A document as an origin declares it, without the parts that others write. */
export interface Declared<K extends Kind = Kind> {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: K;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Kinds[K]['spec'];
}
export type AnyDeclared = { [K in Kind]: Declared<K> }[Kind];

/** Names of images: `registry.example.com:5000/team/web:1.2@sha256:…`. */

/** Docker's own registry, for references without a host. */
export const HUB = 'docker.io';
/** The key under which Docker keeps the credentials of its hub, for historical reasons. */
export const HUB_KEY = 'https://index.docker.io/v1/';
const HUB_PREFIX = /^(?:index\.)?docker\.io\/(?:library\/)?(?=[^/])/;

export interface ImageReference {
  /** With the registry, where the reference names one: `registry.example.com/web`. */
  readonly name: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Splits a reference as it is written. Pure. */
export function parseReference(reference: string): ImageReference {
  const [tagged = reference, digest] = reference.split('@');
  const colon = tagged.lastIndexOf(':');
  if (colon <= tagged.lastIndexOf('/')) return { name: tagged, tag: undefined, digest };
  return { name: tagged.slice(0, colon), tag: tagged.slice(colon + 1), digest };
}

/** Adds the default tag: `busybox` becomes `busybox:latest`; with a digest the tag has no meaning and is dropped. Pure. */
export function normalizeReference(reference: string): string {
  const { name, tag = 'latest', digest } = parseReference(reference);
  return digest === undefined ? `${name}:${tag}` : `${name}@${digest}`;
}

/**
 * Returns one spelling for every way to write an image's name: `docker.io/library/busybox`, `library/busybox` and
 * `busybox` become `busybox:latest`. Ids (`sha256:…`) stay as they are. Pure.
 */
export function imageKey(reference: string): string {
  const known = keys.get(reference);
  if (known !== undefined) return known;
  const key = normalizeReference(reference.replace(HUB_PREFIX, '').replace(/^library\/(?=[^/]+$)/, ''));
  if (keys.size >= KEYS_KEPT) keys.clear();
  keys.set(reference, key);
  return key;
}
/** A pass of an App with 200 services asks 1,600 times, for few references. */
const keys = new Map<string, string>();
const KEYS_KEPT = 1_000;

/** Returns the part of an image's key before tag or digest: `registry.example.com/web`. Pure. */
export const repositoryOf = (reference: string): string => parseReference(imageKey(reference)).name;

/**
 * Returns the digest by which an image came from the reference's repository; undefined for one that was built or loaded
 * here. Of several it is `known`, as long as that is one of them. Pure.
 */
export function digestOf(
  image: { readonly digests: readonly string[] },
  reference: string,
  known?: string,
): string | undefined {
  const repository = repositoryOf(reference);
  const own = image.digests.map(parseReference).filter(({ name }) => name === repository);
  const digests = own.flatMap(({ digest }) => digest ?? []).sort();
  return known !== undefined && digests.includes(known) ? known : digests[0];
}

export interface RegistryName {
  /** With its port: `registry.example.com:5000`. */
  readonly registry: string;
  /** The registry's name for it: `library/busybox`. */
  readonly repository: string;
  /** Tag or digest; `latest` when the reference has neither. */
  readonly version: string;
}

/** Returns the registry of a reference as Docker does: what is before the first slash is a host if it looks like one. Pure. */
export function registryName(reference: string): RegistryName {
  const [first = '', ...rest] = reference.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const registry = hasHost ? hostOf(first) : HUB;
  const { name, tag = 'latest', digest } = parseReference(hasHost ? rest.join('/') : reference);
  return {
    registry,
    repository: registry === HUB && !name.includes('/') ? `library/${name}` : name,
    version: digest ?? tag,
  };
}

/** Returns the host of any form under which credentials are stored: `docker.io` for `https://index.docker.io/v1/`. Pure. */
export function hostOf(text: string): string {
  const host = (text.replace(/^[a-z]+:\/\//i, '').split('/')[0] ?? '').toLowerCase();
  return ['index.docker.io', 'registry-1.docker.io'].includes(host) ? HUB : host;
}

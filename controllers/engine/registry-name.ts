/** Docker's own registry, where references without a host live. */
export const HUB = 'docker.io';
/** The key under which Docker keeps the credentials of its hub, for historical reasons. */
export const HUB_KEY = 'https://index.docker.io/v1/';

export interface RegistryName {
  /** With its port: `registry.example.com:5000`. */
  readonly registry: string;
  /** As the registry calls it: `library/busybox`. */
  readonly repository: string;
  /** Tag or digest; `latest` when the reference has neither. */
  readonly version: string;
}

/** Takes a reference apart as Docker does: what stands before the first slash is a host if it looks like one. Pure. */
export function registryName(reference: string): RegistryName {
  const [first = '', ...rest] = reference.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const registry = hasHost ? hostOf(first) : HUB;
  const [name = '', digest] = (hasHost ? rest.join('/') : reference).split('@');
  const colon = name.lastIndexOf(':');
  const tagged = colon > name.lastIndexOf('/');
  const path = tagged ? name.slice(0, colon) : name;
  return {
    registry,
    repository: registry === HUB && !path.includes('/') ? `library/${path}` : path,
    version: digest ?? (tagged ? name.slice(colon + 1) : 'latest'),
  };
}

/** The host in any of the forms in which credentials are filed: `https://index.docker.io/v1/` is `docker.io`. Pure. */
export function hostOf(text: string): string {
  const host = (text.replace(/^[a-z]+:\/\//i, '').split('/')[0] ?? '').toLowerCase();
  return ['index.docker.io', 'registry-1.docker.io'].includes(host) ? HUB : host;
}

import { canonicalHash } from './hash.js';

/** Pattern of a name: of a document, or of a service, network or volume in an App. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
export const NAME_RULE = 'letters, digits, _ . - are allowed, and a letter or digit comes first';
/** Longest name of a document, as in Kubernetes. */
export const NAME_LIMIT = 253;

/**
 * Names of Docker objects, as `balena-supervisor` 19.0.5 has them: existing devices keep their data, tools find their
 * containers. (docs/reference/composition.md §4.1.)
 */
export const containerName = (service: string, imageId: number, releaseId: number, commit: string): string =>
  `${service}_${imageId}_${releaseId}_${commit}`;
export const networkName = (appUuid: string, network: string): string => `${appUuid}_${network}`;
export const volumeName = (appId: number, volume: string): string => `${appId}_${volume}`;

/** A device's name until somebody sets one. (docs/reference/http-api.md §7.8.) */
export const DEFAULT_DEVICE_NAME = 'local';

/** The shared network over which containers reach the API. */
export const API_NETWORK = 'supervisor0';

/** The HostConfig with the device's name and its configuration variables. */
export const DEVICE_DOCUMENT = 'device';

/** The HostConfig with the host's name and its proxy. */
export const NETWORK_DOCUMENT = 'network';

/** Returns the name of an App's child document. */
export const childName = (app: string, child: string): string => `${app}.${child}`;

/** Longest readable part of an Image's name; the hash keeps it unique. */
const READABLE_LIMIT = 40;

/** Returns the name of the Image document for a reference: readable, unique, stable. `hello.busybox-1a2b3c4d`. */
export function imageDocumentName(app: string, reference: string): string {
  const last = reference.split('@')[0]?.split('/').at(-1)?.split(':')[0] ?? 'image';
  const readable = last
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .slice(0, READABLE_LIMIT);
  return childName(app, `${readable}-${canonicalHash(reference).slice(0, 8)}`);
}

/**
 * Returns the number for a name where a Supervisor has one from its cloud (appId, serviceId, imageId). Derived from the
 * name, so it cannot be lost or given twice; ten digits, so it does not meet small ids that people chose.
 */
export const allottedId = (name: string): number =>
  1_000_000_000 + (Number.parseInt(canonicalHash(name).slice(0, 12), 16) % 1_000_000_000);

/** Longest host name that the kernel takes (sethostname(2)), characters. */
const HOST_NAME_LIMIT = 64;

export const HOST_NAME_RULE = `letters, digits and hyphens, in parts of at most 63 between dots, at most ${HOST_NAME_LIMIT} together`;

/** Tells whether it is a valid host name: labels of RFC 1123 (2.1) between dots. Pure. */
export const isHostName = (name: string): boolean =>
  name.length <= HOST_NAME_LIMIT &&
  name.split('.').every((part) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(part));

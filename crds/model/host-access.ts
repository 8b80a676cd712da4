import { type Path, shorten } from './issue.js';
import { isMap } from './maps.js';
import { onceForFrozen } from './once.js';
import { labelsOf, referencesOf } from './references.js';
import type { AppService, ServiceFields, VolumeDefinition } from './types.js';

/** A way into the host, besides a path under `volumes`. */
export interface HostAccess {
  /** The field with it, below the service or the volume. */
  readonly path: Path;
  /** As in `the label … mounts /sys of the host`. */
  readonly does: string;
  /** What to write if that was not intended. */
  readonly instead: string;
}

/** Features that mount parts of the host, and which. */
const HOST_FEATURES = {
  'balena-socket': 'the socket of its engine',
  dbus: '/run/dbus',
  'kernel-modules': '/lib/modules',
  firmware: '/lib/firmware',
  'journal-logs': '/var/log/journal',
  sysfs: '/sys',
  procfs: '/proc',
} as const;
export type HostFeature = keyof typeof HOST_FEATURES;

type Labels = Readonly<Record<string, string>>;

/** Tells whether `1`, `true` or `on` switches a feature on; everything else, also `yes`, does not. Pure. */
export const isOn = (value: string | undefined): boolean => /^(?:1|true|on)$/i.test(value ?? '');

/** Returns the ways into the host by a service's labels, namespaces and logs; those of frozen fields are found once. Pure. */
export const accessOfService: (fields: ServiceFields) => readonly HostAccess[] = onceForFrozen(findAccess);

function findAccess(fields: ServiceFields): readonly HostAccess[] {
  const labels = mounting(labelsOf(fields.labels)).map(({ label, mounts }) => ({
    path: ['labels', label],
    does: `the label ${label} ${mounts}`,
    instead: 'leave the label out',
  }));
  const foreign = referencesOf(fields).foreign.map(({ field, container }) => ({
    path: [field],
    does: `${field} shares the namespace of container ${container}`,
    instead: 'use service:<name>',
  }));
  return [...labels, ...foreign, ...accessOfLogging(fields.logging?.options)];
}

/** Options of log drivers whose value is a file that the engine reads, wherever its path begins. */
const LOG_FILES = new Set(['syslog-tls-ca-cert', 'syslog-tls-cert', 'syslog-tls-key', 'splunk-capath']);
/** Options whose value is a text of its own and may look like a path: names of groups, tags and patterns. */
const LOG_TEXTS = new Set([
  ...['tag', 'labels', 'labels-regex', 'env', 'env-regex', 'splunk-source', 'splunk-sourcetype', 'splunk-index'],
  ...['awslogs-group', 'awslogs-stream', 'awslogs-datetime-format', 'awslogs-multiline-pattern'],
]);
/** Matches an absolute path, or an address that is a socket or a file of this machine: Docker takes both as a server. */
const OF_THIS_MACHINE = /^(?:\/(?!\/)|(?:unix|unixgram|unixpacket|file|fd|npipe):)/i;

/** Returns sockets and files of the host that the engine opens for a log driver. Reads leniently: the schema checks shapes. Pure. */
function accessOfLogging(options: unknown): readonly HostAccess[] {
  return Object.entries(isMap(options) ? options : {}).flatMap(([name, given]) => {
    const value = String(given ?? '');
    const isOfHost = LOG_FILES.has(name) ? value !== '' : !LOG_TEXTS.has(name) && OF_THIS_MACHINE.test(value);
    if (!isOfHost) return [];
    const does = `the option ${name} opens ${shorten(value, 80)} of the host`;
    return [{ path: ['logging', 'options', name], does, instead: 'name a server by tcp, udp or https' }];
  });
}

/** Returns what an image's own labels mount of the host where the service does not set the same ones. Pure. */
export function accessOfImage(fields: AppService, ofImage: Labels): readonly HostAccess[] {
  const own = labelsOf(fields.labels);
  return mounting(labelsOf(ofImage))
    .filter(({ label }) => !Object.hasOwn(own, label))
    .map(({ label, mounts }) => ({
      path: ['image'],
      does: `the label ${label} of image ${fields.image} ${mounts}`,
      instead: `say ${label}: "0" under labels`,
    }));
}

const MOUNTING = Object.entries(HOST_FEATURES).map(([feature, path]) => ({
  label: `io.balena.features.${feature}`,
  mounts: `mounts ${path} of the host`,
}));
const mounting = (labels: Labels): typeof MOUNTING => MOUNTING.filter(({ label }) => isOn(labels[label]));

/** File systems of Docker's `local` driver without anything of the host in them: in memory, or from another machine. */
const NOT_OF_THE_HOST = new Set(['tmpfs', 'ramfs', 'nfs', 'nfs4', 'cifs', 'smb3', 'ceph']);

/**
 * Returns the ways into the host by a volume: `local` is mount(8), so it binds a path with `o: bind`, mounts a disk, or
 * the kernel's own file systems. Of other drivers only paths among their options are known. Pure.
 */
export function accessOfVolume({ driver, driver_opts: given }: VolumeDefinition): readonly HostAccess[] {
  const options: Readonly<Record<string, unknown>> = given ?? {};
  const instead = 'leave the option out for a volume that the engine keeps';
  const access = (name: string, what: string): readonly HostAccess[] => [
    { path: ['driver_opts', name], does: `the option ${name} mounts ${what} of the host`, instead },
  ];
  if ((driver ?? 'local') !== 'local' && driver !== '') {
    const path = Object.entries(options).find(([, value]) => /^(?:\/(?!\/)|file:)/.test(String(value)));
    return path === undefined ? [] : access(path[0], String(path[1]));
  }
  const { type, o, device } = options;
  if (device === undefined && type === undefined && o === undefined) return [];
  const binds = /(?:^|,)\s*r?bind\s*(?:,|$)/i.test(String(o ?? ''));
  if (NOT_OF_THE_HOST.has(String(type)) && !binds) return [];
  if (device === undefined || device === '') return access(type === undefined ? 'o' : 'type', String(type ?? o));
  return access('device', String(device));
}

/** Returns why that needs permission, and how an App gives it; `app`: the name of the App that decides about another document. Pure. */
export const missingPermission = ({ does, instead }: HostAccess, app?: string): string =>
  app === undefined
    ? `${does} only with spec.allowHostBinds: true; say so, or ${instead}`
    : `${does} only where App ${app} says allowHostBinds: true; say so there, or ${instead}`;

import type { ContainerOptions } from '../docker/engine.js';
import { isAbsent, isRecord } from './fields.js';
import type { Findings } from './findings.js';
import { parseBytes } from './units.js';

export type Mounts = NonNullable<NonNullable<ContainerOptions['HostConfig']>['Mounts']>;
export type Mount = Mounts[number];

/** The volumes of a service, named as in its document. */
export interface VolumeUse {
  /** Short form: a named volume, where it goes, and its mode. */
  readonly named: readonly { readonly volume: string; readonly target: string; readonly mode?: string }[];
  /** Long form; `Source` is still the name in the document. */
  readonly mounts: readonly Mount[];
  /** Paths with a volume of their own, which goes with the container. */
  readonly anonymous: readonly string[];
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const HOST_PATH = /^(?:\/|~|\.\.?(?:\/|$))/;
const NO_HOST_PATHS = 'paths of the host are not mounted; left out';

/** Reads `volumes`. Paths of the host are left out with a warning, whoever asks. Pure. */
export function readVolumes(value: unknown, findings: Findings): VolumeUse {
  const named: VolumeUse['named'][number][] = [];
  const mounts: Mount[] = [];
  const anonymous: string[] = [];
  if (!isAbsent(value) && !Array.isArray(value)) findings.issue('volumes', 'must be a list');
  for (const [at, entry] of Array.isArray(value) ? value.entries() : []) {
    const path = `volumes[${at}]`;
    if (typeof entry === 'string') {
      const read = shortForm(entry, path, findings);
      if (read?.volume !== undefined) named.push({ ...read, volume: read.volume });
      else if (read) anonymous.push(read.target);
    } else if (isRecord(entry)) {
      const mount = longForm(entry, path, findings);
      if (mount) mounts.push(mount);
    } else findings.issue(path, 'must be a text or a map');
  }
  return { named, mounts, anonymous };
}

function shortForm(
  entry: string,
  path: string,
  findings: Findings,
): { volume?: string; target: string; mode?: string } | undefined {
  const [first = '', target, mode] = entry.split(':').map((part) => part.trim());
  if (target === undefined) {
    return first.startsWith('/') ? { target: first } : findings.issue(path, 'must be name:/path or an absolute path');
  }
  if (HOST_PATH.test(first)) return findings.warn(path, `${first}: ${NO_HOST_PATHS}`);
  if (!NAME.test(first)) return findings.issue(path, `${JSON.stringify(first)} is not a name of a volume`);
  if (!target.startsWith('/')) return findings.issue(path, `${JSON.stringify(target)} is not an absolute path`);
  return { volume: first, target, ...(mode ? { mode } : {}) };
}

function longForm(entry: Readonly<Record<string, unknown>>, path: string, findings: Findings): Mount | undefined {
  const { type, source, target } = entry;
  if (type === 'bind') return findings.warn(path, `${String(source)}: ${NO_HOST_PATHS}`);
  if (type !== 'volume' && type !== 'tmpfs') {
    return findings.warn(path, `type ${JSON.stringify(type ?? null)} is not volume or tmpfs; left out`);
  }
  if (typeof target !== 'string' || !target.startsWith('/')) {
    return findings.issue(`${path}.target`, 'must be an absolute path');
  }
  const readOnly = (entry.read_only ?? entry.readOnly) === true ? { ReadOnly: true } : {};
  if (type === 'tmpfs') {
    if (!isAbsent(source)) return findings.warn(path, 'a tmpfs has no source; left out');
    return { Type: 'tmpfs', Target: target, ...readOnly, ...tmpfsOptions(entry.tmpfs, path, findings) } as Mount;
  }
  if (!isAbsent(source) && (typeof source !== 'string' || !NAME.test(source))) {
    return findings.warn(path, `${JSON.stringify(source)} is not a name of a volume; left out`);
  }
  const noCopy = isRecord(entry.volume) && entry.volume.nocopy === true ? { VolumeOptions: { NoCopy: true } } : {};
  const from = typeof source === 'string' ? { Source: source } : {};
  // dockerode's type wants a Source and all volume options; Docker does not
  return { Type: 'volume', ...from, Target: target, ...readOnly, ...noCopy } as Mount;
}

function tmpfsOptions(value: unknown, path: string, findings: Findings): object {
  if (!isRecord(value) || isAbsent(value.size)) return {};
  const SizeBytes = parseBytes(value.size);
  if (SizeBytes !== undefined) return { TmpfsOptions: { SizeBytes } };
  findings.issue(`${path}.tmpfs.size`, 'must be a number of bytes, or such as 64m');
  return {};
}

/** Names of the volumes that must exist before a container does. Pure. */
export const volumeNames = ({ named, mounts }: VolumeUse): readonly string[] => [
  ...new Set([
    ...named.map(({ volume }) => volume),
    ...mounts.flatMap(({ Type, Source }) => (Type === 'volume' && Source ? [Source] : [])),
  ]),
];

/** Docker's view of them; `nameOf` gives the name on the engine. Pure. */
export function volumeOptions(
  { named, mounts, anonymous }: VolumeUse,
  nameOf: (volume: string) => string,
): { Binds: string[]; Mounts: Mounts; Volumes: Record<string, object> } {
  return {
    Binds: named.map(({ volume, target, mode }) => [nameOf(volume), target, ...(mode ? [mode] : [])].join(':')),
    Mounts: mounts.map((mount) =>
      mount.Type === 'volume' && mount.Source ? { ...mount, Source: nameOf(mount.Source) } : mount,
    ),
    Volumes: Object.fromEntries(anonymous.map((path) => [path, {}])),
  };
}

import { isMap } from '../../../crds/model/maps.js';
import { parseBytes } from '../../../crds/model/units.js';
import type { HostOptions, Mount } from '../../engine/engine.js';
import { bindMount, bindText, type HostBind, isHostPath, longBind, shortBind } from './binds.js';
import type { Findings } from './fields.js';
import { isAbsent } from './fields.js';

export type Mounts = NonNullable<HostOptions['Mounts']>;

/** The volumes of a service, by their names in its document. */
export interface VolumeUse {
  /** Named volumes of the short form, with target and mode. */
  readonly named: readonly { readonly volume: string; readonly target: string; readonly mode?: string }[];
  /** Volumes of the long form; `Source` is the name in the document. */
  readonly mounts: readonly Mount[];
  /** Targets of anonymous volumes, which are removed with the container. */
  readonly anonymous: readonly string[];
  /** Bind mounts of either form; whether they are permitted is checked elsewhere. */
  readonly binds: readonly HostBind[];
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** Reads `volumes`. Pure. (docs/reference/composition.md §1.8.) */
export function readVolumes(value: unknown, findings: Findings): VolumeUse {
  const named: VolumeUse['named'][number][] = [];
  const mounts: Mount[] = [];
  const anonymous: string[] = [];
  const binds: HostBind[] = [];
  if (!isAbsent(value) && !Array.isArray(value)) findings.issue('volumes', 'must be a list');
  for (const [at, entry] of Array.isArray(value) ? value.entries() : []) {
    const path = `volumes[${at}]`;
    if (typeof entry === 'string') {
      const read = shortForm(entry, path, findings);
      if (read?.bind) binds.push(read.bind);
      else if (read?.volume !== undefined) named.push({ ...read, volume: read.volume });
      else if (read) anonymous.push(read.target);
    } else if (isMap(entry) && entry.type === 'bind') {
      const bind = longBind(entry, path, findings);
      if (bind) binds.push(bind);
    } else if (isMap(entry)) {
      const mount = longForm(entry, path, findings);
      if (mount) mounts.push(mount);
    } else findings.issue(path, 'must be a text or a map');
  }
  return { named, mounts, anonymous, binds };
}

function shortForm(
  entry: string,
  path: string,
  findings: Findings,
): { volume?: string; target: string; mode?: string; bind?: HostBind } | undefined {
  const [first = '', target, mode] = entry.split(':').map((part) => part.trim());
  if (target === undefined) {
    return first.startsWith('/') ? { target: first } : findings.issue(path, 'must be name:/path or an absolute path');
  }
  if (!target.startsWith('/')) return findings.issue(path, `${JSON.stringify(target)} is not an absolute path`);
  if (isHostPath(first)) {
    const bind = shortBind(first, target, mode ?? '', path, findings);
    return bind && { target, bind };
  }
  if (!NAME.test(first)) return findings.issue(path, `${JSON.stringify(first)} is not a name of a volume`);
  return { volume: first, target, ...(mode ? { mode } : {}) };
}

function longForm(entry: Readonly<Record<string, unknown>>, path: string, findings: Findings): Mount | undefined {
  const { type, source, target } = entry;
  if (type !== 'volume' && type !== 'tmpfs') {
    return findings.warn(path, `type ${JSON.stringify(type ?? null)} is not volume, tmpfs or bind; left out`);
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
  const noCopy = isMap(entry.volume) && entry.volume.nocopy === true ? { VolumeOptions: { NoCopy: true } } : {};
  const from = typeof source === 'string' ? { Source: source } : {};
  // dockerode's type wants a Source and all volume options; Docker does not
  return { Type: 'volume', ...from, Target: target, ...readOnly, ...noCopy } as Mount;
}

function tmpfsOptions(value: unknown, path: string, findings: Findings): object {
  if (!isMap(value)) return {};
  const SizeBytes = isAbsent(value.size) ? undefined : parseBytes(value.size);
  if (SizeBytes === undefined && !isAbsent(value.size)) {
    findings.issue(`${path}.tmpfs.size`, 'must be a number of bytes, or such as 64m');
  }
  const Mode = isAbsent(value.mode) ? undefined : modeBits(value.mode);
  if (Mode === undefined && !isAbsent(value.mode)) {
    findings.issue(`${path}.tmpfs.mode`, 'must be a number, or octal digits such as "1770"');
  }
  const options = { ...(SizeBytes === undefined ? {} : { SizeBytes }), ...(Mode === undefined ? {} : { Mode }) };
  return Object.keys(options).length > 0 ? { TmpfsOptions: options } : {};
}

const modeBits = (mode: unknown): number | undefined =>
  typeof mode === 'number' && Number.isInteger(mode)
    ? mode
    : typeof mode === 'string' && /^[0-7]+$/.test(mode)
      ? Number.parseInt(mode, 8)
      : undefined;

/** Returns the names of the volumes that must exist before the container is created. Pure. */
export const volumeNames = ({ named, mounts }: VolumeUse): readonly string[] => [
  ...new Set([
    ...named.map(({ volume }) => volume),
    ...mounts.flatMap(({ Type, Source }) => (Type === 'volume' && Source ? [Source] : [])),
  ]),
];

/** Writes Docker's options for the volumes; `nameOf` returns the name on the engine. Pure. */
export function volumeOptions(
  { named, mounts, anonymous, binds }: VolumeUse,
  nameOf: (volume: string) => string,
): { Binds: string[]; Mounts: Mounts; Volumes: Record<string, object> } {
  return {
    Binds: [
      ...named.map(({ volume, target, mode }) => [nameOf(volume), target, ...(mode ? [mode] : [])].join(':')),
      // As a bind and not as a mount, because the engine creates a missing folder for a bind only.
      ...binds.filter(({ mustExist }) => !mustExist).map(bindText),
    ],
    Mounts: [
      ...mounts.map((mount) =>
        mount.Type === 'volume' && mount.Source ? { ...mount, Source: nameOf(mount.Source) } : mount,
      ),
      ...binds.filter(({ mustExist }) => mustExist).map(bindMount),
    ],
    Volumes: Object.fromEntries(anonymous.map((path) => [path, {}])),
  };
}

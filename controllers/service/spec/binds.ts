import { isMap } from '../../../crds/model/maps.js';
import type { Mount } from '../../engine/engine.js';
import type { Findings } from './fields.js';

/** A bind mount: a path of the host and its target in the container. */
export interface HostBind {
  readonly source: string;
  readonly target: string;
  readonly readOnly?: true;
  /** Absent means Docker's default, `rprivate`. */
  readonly propagation?: string;
  /** SELinux label: shared (`z`) or private (`Z`). */
  readonly relabel?: 'z' | 'Z';
  /** The path must exist: the engine does not create a folder in its place. */
  readonly mustExist?: true;
}

/** Tells whether the source of a short form is a path and not the name of a volume. Pure. */
export const isHostPath = (source: string): boolean => /^[/.~]/.test(source);

/** Reads the short form `/host:/container[:modes]`. Pure. */
export function shortBind(
  source: string,
  target: string,
  modes: string,
  path: string,
  findings: Findings,
): HostBind | undefined {
  const bind = hostBind(source, target, path, findings);
  return bind && { ...bind, ...modesOf(modes, path, findings) };
}

function hostBind(source: string, target: string, path: string, findings: Findings): HostBind | undefined {
  if (source.startsWith('/')) return { source: withoutEnd(source), target: withoutEnd(target) };
  return findings.issue(path, `${source} must begin with /: documents have no folder that it could start from`);
}

const withoutEnd = (path: string): string => (path.length > 1 ? path.replace(/\/+$/, '') || '/' : path);

/** Reads the modes of Docker's short form; those for file sharing with a virtual machine have no meaning on a device. */
function modesOf(mode: string, path: string, findings: Findings): Partial<HostBind> {
  let read: Partial<HostBind> = {};
  for (const word of mode.split(',').filter((one) => one !== '')) {
    if (word === 'ro') read = { ...read, readOnly: true };
    else if (word === 'z' || word === 'Z') read = { ...read, relabel: word };
    else if (/^r?(shared|slave|private)$/.test(word)) read = { ...read, ...propagation(word) };
    else if (!/^(rw|cached|delegated|consistent)$/.test(word)) findings.issue(path, `${word} is no mode of a bind`);
  }
  return read;
}

/** Returns nothing for the default, so that spelling it out does not change the hash. */
const propagation = (word: unknown): Partial<HostBind> =>
  typeof word === 'string' && word !== 'rprivate' ? { propagation: word } : {};

/** Reads the long form. Pure. */
export function longBind(
  entry: Readonly<Record<string, unknown>>,
  path: string,
  findings: Findings,
): HostBind | undefined {
  const { source, target } = entry;
  if (typeof source !== 'string' || source === '')
    return findings.issue(`${path}.source`, 'must be a path of the host');
  if (typeof target !== 'string' || !target.startsWith('/')) {
    return findings.issue(`${path}.target`, 'must be an absolute path');
  }
  const options = isMap(entry.bind) ? entry.bind : {};
  const bind = hostBind(source, target, path, findings);
  return (
    bind && {
      ...bind,
      ...((entry.read_only ?? entry.readOnly) === true ? { readOnly: true } : {}),
      ...propagation(options.propagation),
      ...(options.create_host_path === false ? { mustExist: true } : {}),
    }
  );
}

/** Writes it as an entry of Docker's `Binds`. Pure. */
export function bindText({ source, target, readOnly, propagation: how, relabel }: HostBind): string {
  const modes = [...(readOnly ? ['ro'] : []), ...(how === undefined ? [] : [how]), ...(relabel ? [relabel] : [])];
  return [source, target, ...(modes.length > 0 ? [modes.join(',')] : [])].join(':');
}

/** Writes it as an entry of Docker's `Mounts`, which fail where the path is missing. Pure. */
export const bindMount = ({ source, target, readOnly, propagation: how }: HostBind): Mount =>
  ({
    Type: 'bind',
    Source: source,
    Target: target,
    ...(readOnly ? { ReadOnly: true } : {}),
    ...(how === undefined ? {} : { BindOptions: { Propagation: how } }),
  }) as Mount;

import { isMap } from '../../../crds/model/maps.js';
import type { Mount } from '../../engine/engine.js';
import type { Findings } from './findings.js';

/** A path of the host and where it goes. */
export interface HostBind {
  readonly source: string;
  readonly target: string;
  readonly readOnly?: true;
  /** Docker's default is `rprivate`. */
  readonly propagation?: string;
  /** For SELinux: shared (`z`) or private (`Z`) label. */
  readonly relabel?: 'z' | 'Z';
  /** The path must be there: the engine does not make a folder in its place. */
  readonly mustExist?: true;
}

/** Whether the source of a short form is a path rather than the name of a volume. Pure. */
export const isHostPath = (source: string): boolean => /^[/.~]/.test(source);

/** `/host:/container[:modes]`. Pure. */
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

/** Modes as Docker's short form has them; those of file sharing with a virtual machine mean nothing on a device. */
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

/** Saying the default is saying nothing. */
const propagation = (word: unknown): Partial<HostBind> =>
  typeof word === 'string' && word !== 'rprivate' ? { propagation: word } : {};

/** The long form. Pure. */
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

/** As one of Docker's binds. Pure. */
export function bindText({ source, target, readOnly, propagation: how, relabel }: HostBind): string {
  const modes = [...(readOnly ? ['ro'] : []), ...(how === undefined ? [] : [how]), ...(relabel ? [relabel] : [])];
  return [source, target, ...(modes.length > 0 ? [modes.join(',')] : [])].join(':');
}

/** As one of Docker's mounts, which fail where the path is missing. Pure. */
export const bindMount = ({ source, target, readOnly, propagation: how }: HostBind): Mount =>
  ({
    Type: 'bind',
    Source: source,
    Target: target,
    ...(readOnly ? { ReadOnly: true } : {}),
    ...(how === undefined ? {} : { BindOptions: { Propagation: how } }),
  }) as Mount;

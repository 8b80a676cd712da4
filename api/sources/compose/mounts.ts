import { posix } from 'node:path';
import { isNull, type Node, type Place, type Scalar } from './node.js';
import { bool, fields, list, oneOf, type Read, type Reading, size, text, textOrNumber, unique, whole } from './read.js';

/** A mount as Compose's long form has it; the source of a bind is absolute. */
export interface Mount {
  readonly type: string;
  readonly source?: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly volume?: { readonly nocopy?: boolean; readonly subpath?: string };
  readonly bind?: { readonly create_host_path?: boolean; readonly propagation?: string; readonly selinux?: string };
  readonly tmpfs?: { readonly size?: number; readonly mode?: number };
}

const PROPAGATION = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];
const WINDOWS = /^[A-Za-z]:[\\/]/;

/** Returns an absolute path: relative ones start at the folder of the file in which they are written. Pure. */
export function pathFrom(written: string, at: Place, home: string): string {
  if (WINDOWS.test(written)) return written;
  const path = written.startsWith('~') ? posix.join(home, written.slice(1)) : posix.resolve(at.text.base, written);
  return path.length > 1 ? path.replace(/\/$/, '') : path;
}

const isPath = (source: string): boolean => /^[./~\\]/.test(source) || WINDOWS.test(source);

/** Splits at colons, but for one behind a single letter: Compose takes that for a drive of Windows. Pure. */
function sections(written: string): readonly string[] {
  const parts: string[] = [''];
  for (const one of written) {
    const last = parts[parts.length - 1] ?? '';
    if (one === ':' && !/^[A-Za-z]$/.test(last)) parts.push('');
    else parts[parts.length - 1] = last + one;
  }
  return parts;
}

const cleanTarget = (target: string): string => (target.length > 1 ? target.replace(/\/+$/, '') : target);

function shortMount(node: Scalar, at: Reading): Mount | undefined {
  const written = node.text;
  const parts = sections(written);
  if (written === '' || parts.some((part) => part === '')) {
    const instead = 'a volume and a path such as data:/var/lib/data';
    return at.problem(node, `Expected ${instead}; a part of it is empty`);
  }
  const [first = '', second, options, more] = parts;
  if (more !== undefined) return at.problem(node, 'Expected source:target:options; there are too many colons');
  if (second === undefined) return { type: 'volume', target: cleanTarget(first), volume: {} };
  const modes = (options ?? '').split(',');
  const selinux = modes.find((mode) => /^z$/i.test(mode));
  const shared = {
    target: cleanTarget(second),
    ...(modes.includes('ro') ? { read_only: true } : {}),
  };
  if (!isPath(first)) {
    const volume = modes.includes('nocopy') ? { nocopy: true } : {};
    return { type: 'volume', source: first, ...shared, volume, ...(selinux ? { bind: { selinux } } : {}) };
  }
  const propagation = modes.find((mode) => PROPAGATION.includes(mode));
  const bind = { ...(selinux && { selinux }), ...(propagation && { propagation }), create_host_path: true };
  return { type: 'bind', source: pathFrom(first, node.at, at.context.home), ...shared, bind };
}

const longMount = fields<Mount>({
  type: oneOf('volume', 'bind', 'tmpfs', 'npipe', 'cluster', 'image'),
  source: text,
  target: text,
  read_only: bool,
  volume: fields<NonNullable<Mount['volume']>>({ nocopy: bool, subpath: text }),
  bind: fields<NonNullable<Mount['bind']>>({ create_host_path: bool, propagation: text, selinux: text }),
  tmpfs: fields<NonNullable<Mount['tmpfs']>>({ size, mode: octal }),
});

/** Rights of a file: a number, which YAML reads as octal when it begins with 0; a text is octal too. */
function octal(node: Node, at: Reading): number | undefined {
  if (node.is === 'scalar' && node.type === 'text' && /^0?[0-7]{1,4}$/.test(node.text))
    return Number.parseInt(node.text, 8);
  return whole(node, at);
}

const oneMount: Read<Mount> = (node, at) => {
  if (node.is === 'scalar') {
    return node.type === 'text'
      ? shortMount(node, at)
      : at.expected(node, 'a volume and a path such as data:/var/lib/data');
  }
  const mount = longMount(node, at);
  if (mount === undefined || node.is !== 'map') return undefined;
  const { type, target, source, bind, ...rest } = mount;
  if (type === undefined || target === undefined)
    return at.problem(node, `Missing: ${type === undefined ? 'type' : 'target'}`);
  const sourceNode = node.entries.get('source')?.node;
  const isEmpty = source === undefined || source === '';
  if (type === 'bind' && isEmpty)
    return at.in('source').problem(sourceNode ?? node, 'A bind needs a source: a path of the host');
  if (isEmpty && sourceNode?.is === 'scalar' && sourceNode.unset !== undefined)
    return at.in('source').problem(sourceNode, 'The source is empty');
  const path = type === 'bind' && source && sourceNode ? pathFrom(source, sourceNode.at, at.context.home) : source;
  return {
    ...{ type, target: cleanTarget(target), ...rest },
    ...(isEmpty ? {} : { source: path ?? '' }),
    ...(type === 'bind' ? { bind: { ...bind, create_host_path: bind?.create_host_path ?? true } } : {}),
    ...(type === 'volume' && bind?.selinux ? { bind: { selinux: bind.selinux } } : {}),
  };
};

const all = list(oneMount);

/** The mounts of a service; of two for one path the later one counts. */
export const mounts: Read<Mount[]> = unique(
  (node, at) => (isNull(node) ? undefined : all(node, at)),
  ({ target }) => target,
);

/** A device as Compose's long form has it. */
export interface Device {
  readonly source: string;
  readonly target: string;
  readonly permissions: string;
}

const longDevice = fields<Device>({ source: text, target: text, permissions: text });

const oneDevice: Read<Device> = (node, at) => {
  if (node.is === 'scalar' && node.type === 'text') {
    const [source = '', target = source, permissions = 'rwm', more] = node.text.split(':');
    if (source === '' || target === '' || more !== undefined)
      return at.problem(node, 'Expected a device such as /dev/ttyS0:/dev/ttyS0:rwm');
    return { source, target, permissions };
  }
  const { source, target, permissions } = longDevice(node, at) ?? {};
  if (source === undefined) return node.is === 'map' ? at.problem(node, 'Missing: source') : undefined;
  return { source, target: target ?? source, permissions: permissions ?? 'rwm' };
};

export const devices: Read<Device[]> = unique(list(oneDevice), ({ target }) => target);

/** A secret or config that a service is given. */
export interface Grant {
  readonly source: string;
  readonly target?: string;
  readonly uid?: string;
  readonly gid?: string;
  readonly mode?: number;
}

const longGrant = fields<Grant>({ source: text, target: text, uid: textOrNumber, gid: textOrNumber, mode: octal });

const oneGrant =
  (folder: string | undefined): Read<Grant> =>
  (node, at) => {
    if (node.is === 'scalar' && node.type === 'text') {
      return { source: node.text, ...(folder === undefined ? {} : { target: `${folder}/${node.text}` }) };
    }
    const grant = longGrant(node, at);
    if (grant === undefined) return undefined;
    const { source, ...rest } = grant;
    if (source === undefined) return at.problem(node, 'Missing: source');
    const target = rest.target ?? (folder === undefined ? undefined : `${folder}/${source}`);
    return { source, ...rest, ...(target === undefined ? {} : { target }) };
  };

const grantKey = ({ source, target = `/${source}` }: Grant): string => target;
export const secrets: Read<Grant[]> = unique(list(oneGrant('/run/secrets')), grantKey);
export const configs: Read<Grant[]> = unique(list(oneGrant(undefined)), grantKey);

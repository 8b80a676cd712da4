import { isIP } from 'node:net';
import { isNull, type Node, type Scalar } from './node.js';
import { fields, list, oneOf, type Read, type Reading, textOrNumber, unique, whole } from './read.js';

/** A port as Compose's long form has it. */
export interface Port {
  readonly mode: string;
  readonly target: number;
  readonly published?: string;
  readonly host_ip?: string;
  readonly protocol: string;
  readonly name?: string;
  readonly app_protocol?: string;
}

const RANGE = /^(\d+)(?:-(\d+))?$/;

function rangeOf(written: string): { readonly from: number; readonly to: number } | undefined {
  const [, from, to = from] = RANGE.exec(written) ?? [];
  if (from === undefined || Number(from) > 65535 || Number(to) > 65535 || Number(from) > Number(to)) return undefined;
  return { from: Number(from), to: Number(to) };
}

/** Returns address, host port and container port of a short form; a bare IPv6 address has too many colons to tell. Pure. */
function partsOf(written: string): readonly [address: string, host: string, container: string] | undefined {
  const [, bracketed, rest = written] = /^\[([0-9A-Fa-f:.]*)\]:(.*)$/.exec(written) ?? [];
  const parts = rest.split(':');
  if (bracketed !== undefined) return parts.length === 2 ? [bracketed, parts[0] ?? '', parts[1] ?? ''] : undefined;
  if (parts.length === 1) return ['', '', parts[0] ?? ''];
  if (parts.length === 2) return ['', parts[0] ?? '', parts[1] ?? ''];
  return parts.length === 3 ? [parts[0] ?? '', parts[1] ?? '', parts[2] ?? ''] : undefined;
}

const PROTOCOLS = ['tcp', 'udp', 'sctp'];

function shortPorts(node: Scalar, at: Reading): readonly Port[] | undefined {
  const expected = (why: string): undefined =>
    at.problem(node, `Expected [address:][host[-end]:]container[-end][/protocol]: ${why}`);
  if (node.type !== 'text' && node.type !== 'integer')
    return expected(`this is ${node.type === 'float' ? 'no whole number' : 'no text'}`);
  const [ports = '', protocol = 'tcp'] = node.text.split('/');
  const parts = partsOf(ports);
  if (parts === undefined) return expected('put an IPv6 address in brackets');
  const [address, host, container] = parts;
  if (address !== '' && isIP(address) === 0) return expected(`${JSON.stringify(address)} is no address`);
  if (node.unset !== undefined && (host === '' || container === '')) return expected('a part of it is empty');
  const target = rangeOf(container);
  if (target === undefined) return expected(`${JSON.stringify(container)} is no port of the container`);
  const published = host === '' ? undefined : rangeOf(host);
  if (host !== '' && published === undefined) return expected(`${JSON.stringify(host)} is no port of the host`);
  if (target.from === 0) return expected('0 is no port');
  if (!PROTOCOLS.includes(protocol.toLowerCase())) return expected(`${JSON.stringify(protocol)} is no protocol`);
  const shared = { mode: 'ingress', ...(address === '' ? {} : { host_ip: address }), protocol: protocol.toLowerCase() };
  const count = target.to - target.from + 1;
  const hosts = published && published.to - published.from + 1;
  if (published !== undefined && hosts !== count) {
    if (count > 1) return expected('the ranges are not equally long');
    return [{ ...shared, target: target.from, published: `${published.from}-${published.to}` }];
  }
  return Array.from({ length: count }, (_, index) => ({
    ...shared,
    target: target.from + index,
    ...(published === undefined ? {} : { published: String(published.from + index) }),
  }));
}

const longPort = fields<Port>({
  mode: textOrNumber,
  target: whole,
  published: textOrNumber,
  host_ip: textOrNumber,
  protocol: oneOf(...PROTOCOLS),
  name: textOrNumber,
  app_protocol: textOrNumber,
});

const onePort: Read<readonly Port[]> = (node, at) => {
  if (node.is === 'scalar') return shortPorts(node, at);
  const port = longPort(node, at);
  if (port === undefined) return undefined;
  const { published, target, ...rest } = port;
  if (target === undefined) return at.problem(node, 'Missing: target, the port of the container');
  if (published === '')
    return at.problem(publishedOf(node), 'A port of the host is empty; leave published out for a free one');
  return [{ mode: 'ingress', protocol: 'tcp', target, ...(published === undefined ? {} : { published }), ...rest }];
};

const publishedOf = (node: Node): Node => (node.is === 'map' ? (node.entries.get('published')?.node ?? node) : node);

/** Largest number of ports of one service: an App has no ranges, and its engine starts a program for each published port. */
const LIMIT_PORTS = 2000;

/** Reads ports until there are too many; a range of a few characters may be tens of thousands. */
const all: Read<Port[]> = (node, at) => {
  let left = LIMIT_PORTS;
  return list<readonly Port[]>((item, here) => {
    const found = left < 0 ? undefined : onePort(item, here);
    left -= found?.length ?? 0;
    if (found === undefined || left >= 0) return found;
    return here.problem(item, `Expected at most ${LIMIT_PORTS} ports of a service, all together`);
  })(node, at)?.flat();
};

/** The ports of a service, one entry each; a port that is there twice counts once. */
export const ports: Read<Port[]> = unique(
  (node, at) => (isNull(node) ? undefined : all(node, at)),
  (port) => JSON.stringify(Object.entries(port).sort()),
);

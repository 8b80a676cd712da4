import { isIP } from 'node:net';
import { isMap } from '../../../crds/model/maps.js';
import { bareAddress, portParts } from '../../../crds/model/port-text.js';
import type { Findings } from './fields.js';
import { isAbsent, texts } from './fields.js';

/** A published port. */
export interface PortBinding {
  /** '' means every address. */
  readonly hostIp: string;
  /** 0: the engine picks a free one whenever the container starts. */
  readonly host: number;
  readonly container: number;
  readonly protocol: 'tcp' | 'udp';
}

/**
 * Reads `ports`: one entry for each port, sorted, without duplicates, so that ranges and order have no meaning. Takes
 * the short form, numbers, and the long form `{target, published, host_ip, protocol}`. `isFree`: a port without one of the
 * host gets a free one, as with Compose; otherwise the same number, as with a Supervisor. Pure.
 */
export function readPorts(value: unknown, findings: Findings, { isFree = false } = {}): readonly PortBinding[] {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) return findings.issue('ports', 'must be a list') ?? [];
  const all = value.flatMap((entry: unknown, at): readonly PortBinding[] => {
    const isShort = typeof entry === 'number' || typeof entry === 'string';
    const read = isShort ? shortForm(String(entry), isFree) : longForm(entry, isFree);
    return typeof read === 'string' ? (findings.issue(`ports[${at}]`, read) ?? []) : read;
  });
  const distinct = new Map(
    all.map((port) => [JSON.stringify([port.hostIp, port.host, port.container, port.protocol]), port]),
  );
  return [...distinct.values()].sort(
    (a, b) =>
      a.container - b.container || compare(a.protocol, b.protocol) || compare(a.hostIp, b.hostIp) || a.host - b.host,
  );
}

/** Reads `expose`, as in `80`, `8000-8010`, `53/udp`: one entry for each port, sorted, without duplicates. Pure. */
export function readExposed(value: unknown, findings: Findings): readonly string[] {
  const entries = texts(value, 'expose', findings) ?? [];
  const all = entries.flatMap((entry, at) => {
    const [, ports = '', protocol = 'tcp'] = /^\s*([\d-]+)(?:\/(tcp|udp|sctp))?\s*$/.exec(entry) ?? [];
    const numbers = range(ports);
    if (numbers?.length && numbers.every((port) => port >= 1 && port <= 65_535)) {
      return numbers.map((port) => `${port}/${protocol}`);
    }
    return findings.issue(`expose[${at}]`, 'must be a port or an upward range such as 80, 8000-8010 or 53/udp') ?? [];
  });
  return [...new Set(all)].sort();
}

/** Returns Docker's two representations of the same ports. Pure. */
export function portOptions(ports: readonly PortBinding[]): {
  ExposedPorts: Record<string, object>;
  PortBindings: Record<string, { HostIp: string; HostPort: string }[]>;
} {
  const PortBindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { hostIp, host, container, protocol } of ports) {
    const name = `${container}/${protocol}`;
    PortBindings[name] = [...(PortBindings[name] ?? []), { HostIp: hostIp, HostPort: host === 0 ? '' : String(host) }];
  }
  return { ExposedPorts: Object.fromEntries(Object.keys(PortBindings).map((name) => [name, {}])), PortBindings };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

type Read = readonly PortBinding[] | string;
const GRAMMAR = 'must be [ip:][host[-end]:]container[-end][/tcp|/udp]';

function shortForm(entry: string, isFree: boolean): Read {
  const parts = portParts(entry);
  if (!parts || (parts.host === '' && !isFree)) return GRAMMAR;
  const { address, host, container, protocol } = parts;
  if (protocol !== 'tcp' && protocol !== 'udp') return GRAMMAR;
  return pair(bareAddress(address), host || (isFree ? FREE : container), container, protocol);
}

function longForm(entry: unknown, isFree: boolean): Read {
  if (!isMap(entry)) return `${GRAMMAR}, a number, or {target, published}`;
  const { target, published, protocol = 'tcp', host_ip: hostIp = '' } = entry;
  if (protocol !== 'tcp' && protocol !== 'udp') return 'protocol must be tcp or udp';
  if (typeof hostIp !== 'string' || (hostIp !== '' && !isIP(bareAddress(hostIp)))) return 'host_ip must be an address';
  return pair(bareAddress(hostIp), String(published ?? (isFree ? FREE : target)), String(target), protocol);
}

const RANGE = /^\d+(?:-\d+)?$/;
/** The port of the host that stands for a free one. */
const FREE = '0';

function pair(hostIp: string, host: string, container: string, protocol: 'tcp' | 'udp'): Read {
  const [from, to] = [range(host), range(container)];
  if (!from || !to) return GRAMMAR;
  if (host === FREE) return to.map((port) => ({ hostIp, host: 0, container: port, protocol }));
  if (from.length !== to.length) return `${host} and ${container} are ranges of different length`;
  if (from.length === 0) return 'a range must go upwards';
  const wrong = [...from, ...to].find((port) => port < 1 || port > 65_535);
  if (wrong !== undefined) return `${wrong} is not a port`;
  return to.map((port, at) => ({ hostIp, host: from[at] ?? port, container: port, protocol }));
}

function range(text: string): readonly number[] | undefined {
  if (!RANGE.test(text)) return undefined;
  const [first = 0, last = first] = text.split('-').map(Number);
  return last > 65_535 ? [last] : Array.from({ length: Math.max(last - first + 1, 0) }, (_, at) => first + at);
}

import { isIP } from 'node:net';

/** The parts of a published port in the short form, as they are written. */
export interface PortText {
  /** '' where none is written; an IPv6 address may stand in brackets. */
  readonly address: string;
  /** Undefined: no port of the host is written; '': it is empty, as in `127.0.0.1::80`. */
  readonly host: string | undefined;
  readonly container: string;
  readonly protocol: string;
}

const RANGE = /^\d+(?:-\d+)?$/;

/** Returns an address without its brackets. Pure. */
export const bareAddress = (ip: string): string => ip.replace(/^\[(.*)\]$/, '$1');

/**
 * Reads `[ip:][host[-end]:]container[-end][/protocol]` from its end, because an IPv6 address has colons as well; undefined for
 * any other text. Pure.
 */
export function portParts(text: string): PortText | undefined {
  const [, ports = '', protocol = 'tcp'] = /^(.*?)(?:\/(\w+))?$/.exec(text.trim()) ?? [];
  const colon = ports.lastIndexOf(':');
  const container = ports.slice(colon + 1);
  if (!RANGE.test(container)) return undefined;
  if (colon < 0) return { address: '', host: undefined, container, protocol };
  const rest = ports.slice(0, colon);
  if (RANGE.test(rest)) return { address: '', host: rest, container, protocol };
  const before = rest.lastIndexOf(':');
  const [address, host] = [rest.slice(0, Math.max(before, 0)), rest.slice(before + 1)];
  const isAddress = isIP(bareAddress(address)) > 0;
  if (isAddress && RANGE.test(host)) return { address, host, container, protocol };
  if (isIP(bareAddress(rest)) > 0) return { address: rest, host: undefined, container, protocol };
  return isAddress && host === '' ? { address, host, container, protocol } : undefined;
}

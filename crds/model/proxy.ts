import { isIP } from 'node:net';

export const PROXY_TYPES: readonly string[] = ['socks4', 'socks5', 'http-connect', 'http-relay'];
const LAST_PORT = 65_535;
/** Bits of an IPv4 and an IPv6 address. */
const BITS: Readonly<Record<number, number>> = { 4: 32, 6: 128 };

/** Returns the mistakes in well-formed settings of the proxy, with their places below `proxy`. Pure. */
export function proxyIssues(
  proxy: Readonly<Record<string, unknown>>,
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  const { type, port, dns, noProxy } = proxy;
  const issues: { path: readonly (string | number)[]; message: string }[] = [];
  if (isGiven(type) && !PROXY_TYPES.includes(String(type))) {
    issues.push({ path: ['type'], message: 'Expected socks4, socks5, http-connect or http-relay' });
  }
  if (isGiven(port) && !isPort(String(port))) {
    issues.push({ path: ['port'], message: `Expected a port, from 1 to ${LAST_PORT}` });
  }
  if (typeof dns === 'string' && !isServer(dns)) {
    issues.push({ path: ['dns'], message: 'Expected the address of a name server and its port, such as 8.8.8.8:53' });
  }
  for (const [at, entry] of (Array.isArray(noProxy) ? noProxy : []).entries()) {
    if (isDestination(String(entry))) continue;
    issues.push({ path: ['noProxy', at], message: 'Expected an address, a subnet such as 10.0.0.0/8, or a host name' });
  }
  return issues;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

const isPort = (text: string): boolean => /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= LAST_PORT;

function isServer(text: string): boolean {
  const colon = text.lastIndexOf(':');
  return /^(\[[0-9A-Fa-f:.]+\]|[\w.:-]+)$/.test(text.slice(0, colon)) && isPort(text.slice(colon + 1));
}

/** Tells whether iptables takes it behind `-d`; a name may begin with a dot or an asterisk, as lists of other programs have it. */
function isDestination(text: string): boolean {
  const [address = '', mask, ...more] = text.split('/');
  if (more.length > 0) return false;
  if (mask === undefined) return isIP(address) !== 0 || /^(\*?\.)?[A-Za-z0-9_]([\w.-]*\w)?\.?$/.test(address);
  const bits = BITS[isIP(address)];
  return bits !== undefined && ((/^\d{1,3}$/.test(mask) && Number(mask) <= bits) || isIP(mask) === isIP(address));
}

import { isIPv6 } from 'node:net';

/** Where to listen. */
export type Address =
  | { readonly is: 'tcp'; readonly host: string; readonly port: number }
  | { readonly is: 'unix'; readonly path: string };

/**
 * Reads `host:port`, `[::1]:port` or `unix:/path`, several of them separated by commas or blanks; leaves out those that
 * another one covers. Pure; throws on anything else, and when there is none.
 */
export function parseAddresses(text: string): readonly Address[] {
  const addresses = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map(parseAddress);
  if (addresses.length === 0) throw new Error(`There is no address to listen on in "${text}": ${FORMS}`);
  return addresses.filter((one, place) => {
    const isCovered = (other: Address, at: number): boolean =>
      at !== place && covers(other, one) && !(covers(one, other) && at > place);
    return (one.is === 'tcp' && one.port === 0) || !addresses.some(isCovered);
  });
}

const FORMS = 'use host:port (127.0.0.1:48484, [::1]:48484) or unix:/path, and commas between several';

/** Reads one address. Pure; throws with a sentence that shows the accepted forms. */
export function parseAddress(text: string): Address {
  if (text.startsWith('unix:/')) return { is: 'unix', path: text.slice('unix:'.length) };
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[\w.-]+)):(?<port>\d{1,5})$/.exec(text);
  const { v6, host, port } = match?.groups ?? {};
  const isUnfit = (v6 !== undefined && !isIPv6(v6)) || !(Number(port) <= 65535);
  if (isUnfit) throw new Error(`Cannot listen on "${text}": ${FORMS}`);
  return { is: 'tcp', host: v6 ?? host ?? '', port: Number(port) };
}

/** Returns the text that `parseAddress` reads. Pure. */
export function addressText(address: Address): string {
  if (address.is === 'unix') return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Tells whether a listener at `one` already receives what is sent to `other`. Pure. */
export function covers(one: Address, other: Address): boolean {
  if (one.is === 'unix' || other.is === 'unix') return one.is === other.is && addressText(one) === addressText(other);
  const isEverywhere = one.host === '::' || (one.host === '0.0.0.0' && !other.host.includes(':'));
  return one.port === other.port && (one.host === other.host || isEverywhere);
}

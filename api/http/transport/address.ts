/** Where to listen. */
export type Address =
  | { readonly is: 'tcp'; readonly host: string; readonly port: number }
  | { readonly is: 'unix'; readonly path: string };

/** `host:port`, `[::1]:port` or `unix:/path`; several of them separated by commas or blanks. Pure; throws on anything else. */
export function parseAddresses(text: string): readonly Address[] {
  return text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map(parseAddress);
}

/** One address. Pure; throws with a sentence that shows the accepted forms. */
export function parseAddress(text: string): Address {
  if (text.startsWith('unix:/')) return { is: 'unix', path: text.slice('unix:'.length) };
  const match = /^(?:\[(?<v6>[0-9a-f:.%\w]+)\]|(?<host>[^:[\]]+)):(?<port>\d{1,5})$/i.exec(text);
  const host = match?.groups?.v6 ?? match?.groups?.host;
  const port = Number(match?.groups?.port);
  if (host === undefined || !(port <= 65535)) {
    throw new Error(`Cannot listen on "${text}": use host:port (127.0.0.1:48484, [::1]:48484) or unix:/path`);
  }
  return { is: 'tcp', host, port };
}

/** The text that `parseAddress` reads. Pure. */
export function addressText(address: Address): string {
  if (address.is === 'unix') return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Whether a listener at `one` already receives what is sent to `other`. Pure. */
export function covers(one: Address, other: Address): boolean {
  if (one.is === 'unix' || other.is === 'unix') return one.is === other.is && addressText(one) === addressText(other);
  return one.port === other.port && (one.host === other.host || one.host === '0.0.0.0' || one.host === '::');
}

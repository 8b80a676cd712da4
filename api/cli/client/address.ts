import { usageError } from '../failure.js';

/** Where an agent answers. */
export type Address =
  | { readonly is: 'socket'; readonly path: string }
  | { readonly is: 'tcp'; readonly secure: boolean; readonly host: string; readonly port: number };

export const DEFAULT_HOST = 'http://127.0.0.1:48484';
const DEFAULT_PORT = 48484;

/** Reads `host`, `host:port`, `[::1]:port`, `http://…`, `https://…`, `unix:/path`. Pure; throws for anything else. */
export function parseHost(text: string): Address {
  if (/^unix:(?:\/\/)?\//.test(text)) return { is: 'socket', path: text.replace(/^unix:(?:\/\/)?(?=\/)/, '') };
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const url = tryUrl(hasScheme ? text : `http://${text}`);
  const isKnown = url && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '';
  if (!isKnown || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw usageError(
      `"${text}" is no address of an agent`,
      `Expected host:port, http://host:port, https://host or unix:/path`,
    );
  }
  const secure = url.protocol === 'https:';
  const usual = secure ? 443 : hasScheme && /^http:\/\/[^/]*:80(?:\/|$)/i.test(text) ? 80 : DEFAULT_PORT;
  return {
    is: 'tcp',
    secure,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? usual : Number(url.port),
  };
}

function tryUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** Returns the address for people. Pure. */
export function addressText(address: Address): string {
  if (address.is === 'socket') return `unix:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${address.secure ? 'https' : 'http'}://${host}:${address.port}`;
}

/** Tells whether it is certainly this machine. Pure. */
export const isLocal = (address: Address): boolean =>
  address.is === 'socket' || address.host === 'localhost' || address.host === '::1' || /^127\./.test(address.host);

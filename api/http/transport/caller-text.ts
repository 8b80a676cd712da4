import type { Request } from '@hapi/hapi';
import { isForwarded, isLoopback } from './trust.js';

/** Says who sent a request, for events: the name that it gives, which nobody has checked, and what is known of where it came from. */
export function callerText({ headers, info, auth }: Request, name = 'somebody'): string {
  const key = auth.credentials?.app?.key === undefined ? '' : 'with a key, ';
  const address = info.remoteAddress?.replace(/^::ffff:/, '') ?? '';
  const here = address === '' || isLoopback(address);
  const from = isForwarded(headers)
    ? `through a proxy${here ? '' : ` at ${address}`}`
    : here
      ? 'from this device'
      : `from ${address}`;
  return `${name} (${key}${from})`;
}

/** Tells whether a caller may call itself that: one line of at most 100 characters that can be shown. Pure. */
export const isCallerName = (text: string): boolean => /^\P{C}{1,100}$/u.test(text);

/** Returns what the caller calls itself in `fieldManager`, as `kubectl` does; undefined for none, and for what is no name. Pure. */
export function managerOf({ query }: Request): string | undefined {
  const { fieldManager } = query as { readonly fieldManager?: unknown };
  return typeof fieldManager === 'string' && isCallerName(fieldManager) ? fieldManager : undefined;
}

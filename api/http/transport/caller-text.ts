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

import { createHash } from 'node:crypto';

/** Returns JSON with object keys sorted at every depth and `undefined` left out, so that equal values give equal text. Pure. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/** Returns the SHA-256 of the canonical text, as 64 hex digits. Pure. */
export const canonicalHash = (value: unknown): string =>
  createHash('sha256')
    .update(canonical(value) ?? 'undefined')
    .digest('hex');

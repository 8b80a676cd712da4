import { createHash } from 'node:crypto';

/** Returns JSON with object keys sorted at every depth and `undefined` left out, so that equal values give equal text. Pure. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner) && !isSorted(Object.keys(inner))
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

const isSorted = (keys: readonly string[]): boolean => {
  for (let at = 1; at < keys.length; at += 1) if ((keys[at - 1] ?? '') > (keys[at] ?? '')) return false;
  return true;
};

/** Returns the SHA-256 of the canonical text, as 64 hex digits. Pure. */
export const canonicalHash = (value: unknown): string =>
  createHash('sha256')
    .update(canonical(value) ?? 'undefined')
    .digest('hex');

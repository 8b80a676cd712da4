import { canonical, canonicalHash } from '../../crds/model/hash.js';

/** Values that `frozen` made: may be shared instead of copied. */
const known = new WeakSet<object>();

/**
 * Returns a deep copy of plain JSON data, frozen at every depth, without members that are `undefined`. A value that
 * this function has frozen already is returned as it is, so versions of a document share unchanged parts.
 */
export function frozen<T>(value: T): T;
export function frozen(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || known.has(value)) return value;
  const copy = Array.isArray(value)
    ? value.map((item) => frozen(item))
    : Object.fromEntries(
        Object.entries(value)
          .filter(([, member]) => member !== undefined)
          .map(([name, member]) => [name, frozen(member)]),
      );
  known.add(Object.freeze(copy));
  return copy;
}

const hashes = new WeakMap<object, string>();
const texts = new WeakMap<object, string>();

/** `canonicalHash`, remembered for frozen values. Pure. */
export const hashOf = (value: object): string => remembered(hashes, value, canonicalHash);

/** `canonical`, remembered for frozen values. Pure. */
export const textOf = (value: object): string => remembered(texts, value, canonical);

function remembered(memory: WeakMap<object, string>, value: object, compute: (value: object) => string): string {
  if (!known.has(value)) return compute(value);
  const before = memory.get(value);
  if (before !== undefined) return before;
  const text = compute(value);
  memory.set(value, text);
  return text;
}

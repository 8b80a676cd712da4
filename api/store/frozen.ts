import { canonical, canonicalHash } from '../../crds/model/hash.js';

/** Made by `frozen`: may be shared instead of copied. */
const known = new WeakSet<object>();

/**
 * A deep copy of plain JSON data, frozen at every depth, members that are `undefined` left out. What is frozen by this
 * function already is returned as it is, so unchanged parts are shared between versions of a document.
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

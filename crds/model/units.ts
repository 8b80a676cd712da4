/** The engine counts in integers of 64 bits with a sign: bytes, and ns of a duration. */
const LIMIT = 2 ** 63;

/** Returns the number if the engine can count it. Pure. */
export const countable = (number: number): number | undefined => (Math.abs(number) < LIMIT ? number : undefined);

const BYTES: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/**
 * Reads bytes: `96m`, `1Gb`, `33554432` or a number; whole numbers, powers of 1024, any case, no spaces. Undefined for
 * anything else, and for more than the engine can count. Pure. (docs/reference/composition.md §1.5.)
 */
export function parseBytes(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 ? countable(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const [, digits, unit = 'b'] = /^(\d+)([bkmg])?b?$/i.exec(value) ?? [];
  if (digits === undefined) return undefined;
  return countable(Number(digits) * (BYTES[unit.toLowerCase()] ?? 1));
}

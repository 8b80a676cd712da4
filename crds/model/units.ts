/** The engine counts everything in whole numbers of 64 bits with a sign: bytes, and ns of a duration. */
const LIMIT = 2 ** 63;

/** The number, as long as the engine can take it. Pure. */
export const countable = (number: number): number | undefined => (Math.abs(number) < LIMIT ? number : undefined);

const BYTES: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/**
 * Bytes of `96m`, `1Gb`, `33554432` or a number: whole numbers, powers of 1024, any case, no spaces. Undefined for
 * anything else, and for more than the engine can count. Pure. (docs/reference/composition.md §1.5.)
 */
export function parseBytes(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 ? countable(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const [, digits, unit = 'b'] = /^(\d+)([bkmg])?b?$/i.exec(value) ?? [];
  if (digits === undefined) return undefined;
  return countable(Number(digits) * (BYTES[unit.toLowerCase()] ?? 1));
}

const MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const TERM = /\s*(\d+(?:\.\d*)?|\.\d+)\s*(ns|us|µs|ms|s|m|h|d|w)(?![a-zµ])/y;
/** The Greek letter beside the sign of the unit, which look the same. */
const MU = /μ/g;

const countableMs = (ms: number): number | undefined => (countable(ms * 1e6) === undefined ? undefined : ms);

/**
 * Whole milliseconds of `1m30s`, `750ms`, `1 h 5 m`; a bare number is milliseconds, and a number without a unit after a
 * valid term is ignored (`1m30` is a minute). Undefined for anything else, and for the 292 years whose ns the engine cannot
 * count. Pure. (docs/reference/composition.md §1.5.)
 */
export function parseDurationMs(given: unknown): number | undefined {
  if (typeof given === 'number') return given >= 0 ? countableMs(Math.floor(given)) : undefined;
  if (typeof given !== 'string') return undefined;
  if (/^\s*0\s*$/.test(given)) return 0;
  const value = given.replace(MU, 'µ');
  const term = new RegExp(TERM);
  let total: number | undefined;
  let end = 0;
  for (let found = term.exec(value); found; found = term.exec(value)) {
    total = (total ?? 0) + Number(found[1]) * (MS[found[2] ?? ''] ?? 0);
    end = term.lastIndex;
  }
  if (total === undefined || !/^\s*[\d.]*\s*$/.test(value.slice(end))) return undefined;
  return countableMs(Math.floor(total + 1e-6)); // 1.001 s is 1000.9999… in binary
}

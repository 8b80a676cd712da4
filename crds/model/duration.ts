import { countable } from './units.js';

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
/** The Greek letter, which looks like the micro sign. */
const MU = /μ/g;

/** Reads the terms with which a text begins, ms, and returns the rest; undefined when it begins with none. Pure. */
function termsOf(text: string): { readonly ms: number; readonly rest: string } | undefined {
  const term = new RegExp(TERM);
  let ms: number | undefined;
  let end = 0;
  for (let found = term.exec(text); found; found = term.exec(text)) {
    ms = (ms ?? 0) + Number(found[1]) * (MS[found[2] ?? ''] ?? 0);
    end = term.lastIndex;
  }
  return ms === undefined ? undefined : { ms, rest: text.slice(end) };
}

/** Reads a duration of our own fields, as in `1m30s`; returns ms. Undefined for other texts. Pure. */
export const durationMs = (text: string): number | undefined =>
  /^(?:\d+(?:ms|s|m|h|d))+$/.test(text) ? termsOf(text)?.ms : undefined;

/** Reads a duration as people type it, `90`, `90s`, `1.5h` or `1h30m`; returns seconds. Undefined for other texts. Pure. */
export function durationSeconds(text: string): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  const ms = /^(?:\d+(?:\.\d+)?[smhdw])+$/.test(text) ? termsOf(text)?.ms : undefined;
  return ms === undefined ? undefined : ms / 1000;
}

const countableMs = (ms: number): number | undefined => (countable(ms * 1e6) === undefined ? undefined : ms);

/**
 * Reads a duration of Compose files, `1m30s`, `750ms`, `1 h 5 m`; returns whole ms. A bare number is milliseconds, and
 * a number without a unit after a valid term is ignored (`1m30` is a minute). Undefined for anything else, and for the
 * 292 years whose ns the engine cannot count. Pure. (docs/reference/composition.md §1.5.)
 */
export function composeDurationMs(given: unknown): number | undefined {
  if (typeof given === 'number') return given >= 0 ? countableMs(Math.floor(given)) : undefined;
  if (typeof given !== 'string') return undefined;
  if (/^\s*0\s*$/.test(given)) return 0;
  const { ms, rest } = termsOf(given.replace(MU, 'µ')) ?? {};
  if (ms === undefined || !/^\s*[\d.]*\s*$/.test(rest ?? '')) return undefined;
  return countableMs(Math.floor(ms + 1e-6)); // 1.001 s is 1000.9999… in binary
}

/** A time that is kept on disk: not before it, and when it was decided. Both are ms since the epoch, by the clock of the device. */
export interface Due {
  readonly notBeforeMs: number;
  readonly madeAtMs: number;
}

/**
 * Returns how long to wait for it, ms; 0 when it is due. Never longer than from its decision: a clock that is behind
 * that moment was set back, and what was due later by the old time is due now. Pure.
 */
export const dueInMs = ({ notBeforeMs, madeAtMs }: Due, nowMs: number): number =>
  nowMs >= madeAtMs ? Math.max(0, notBeforeMs - nowMs) : 0;

/** Differences below this count as none, ms: a time that is computed again differs by some ms. */
const SAME_MS = 100;

/** Returns a time for a status, RFC 3339: the one shown before, unless it has moved. Pure. */
export function shownTime(before: string | undefined, atMs: number): string {
  const isSame = before !== undefined && Math.abs(Date.parse(before) - atMs) < SAME_MS;
  return isSame ? before : new Date(atMs).toISOString();
}

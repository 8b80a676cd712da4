/** A time kept on disk: not before it, and when that was laid down. Both are ms since the epoch, by the clock of the device. */
export interface Due {
  readonly notBeforeMs: number;
  readonly madeAtMs: number;
}

/**
 * How long to wait for it, ms; 0 when it is due. Never longer than was meant when it was laid down: a clock that is
 * behind that moment has been set back, and what was due later by the old time is due now. Pure.
 */
export const dueInMs = ({ notBeforeMs, madeAtMs }: Due, nowMs: number): number =>
  nowMs >= madeAtMs ? Math.max(0, notBeforeMs - nowMs) : 0;

/** Times that are computed anew differ by some ms each time: less than this is the same, ms. */
const SAME_MS = 100;

/** A time as a status shows it, RFC 3339: as it was shown before, unless it has moved. Pure. */
export function shownTime(before: string | undefined, atMs: number): string {
  const isSame = before !== undefined && Math.abs(Date.parse(before) - atMs) < SAME_MS;
  return isSame ? before : new Date(atMs).toISOString();
}

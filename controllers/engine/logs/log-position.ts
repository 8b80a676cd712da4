import type { Clock } from '../../../api/platform/clock.js';

/**
 * How far a container's log was read: lines up to `atMs`, ms since the epoch by the engine's clock, and `count` of
 * those at `atMs` itself; or `now`: nothing yet, and only later lines are wanted.
 */
export type LogPosition = 'now' | { readonly atMs: number; readonly count: number };

export const LOG_START: LogPosition = { atMs: 0, count: 0 };

/** A line that is older than its predecessor by more than this was printed after the clock had been set back, ms. */
const OUT_OF_ORDER_MS = 2_000;

/** Returns the start time to request, s since the epoch. Pure. */
export const sinceOf = (position: LogPosition): number | 'now' => (position === 'now' ? 'now' : position.atMs / 1000);

/** Returns where to go on in a run that has begun since; its own beginning when the clock was set back before it. Pure. */
export function intoRun(position: LogPosition, startedAt: string): LogPosition {
  const startedMs = Date.parse(startedAt);
  return position === 'now' || position.atMs > startedMs ? { atMs: startedMs, count: 0 } : position;
}

/** Returns where to go on when a stream that was opened at `openedMs` of the monotonic clock broke before its first line. */
export const resumed = (
  position: LogPosition,
  openedMs: number,
  clock: Pick<Clock, 'now' | 'monotonic'>,
): LogPosition =>
  position === 'now' ? { atMs: Math.floor(clock.now() - (clock.monotonic() - openedMs)), count: 0 } : position;

/**
 * Tells new lines from repeated ones on a stream that begins at a position: the engine repeats that millisecond, in the
 * same order. Call `isNew` once for each line; `position` is where to go on after it.
 */
export class LogReader {
  /** Number of lines of the first millisecond that were read before. */
  #repeated: number;
  #position: LogPosition;
  #hasStarted = false;

  constructor(private readonly from: LogPosition) {
    this.#repeated = from === 'now' ? 0 : from.count;
    this.#position = from;
  }

  get position(): LogPosition {
    return this.#position;
  }

  isNew(timestamp: number): boolean {
    if (this.from !== 'now' && !this.#hasStarted && timestamp < this.from.atMs) return false;
    if (this.from !== 'now' && timestamp === this.from.atMs && this.#repeated > 0) {
      this.#repeated -= 1;
      return false;
    }
    this.#hasStarted = true;
    const atMs = this.#position === 'now' ? Number.NEGATIVE_INFINITY : this.#position.atMs;
    const count = this.#position === 'now' ? 0 : this.#position.count;
    // A line that is a little older than its predecessor (stdout and stderr may change places) does not move the
    // position back.
    if (timestamp === atMs) this.#position = { atMs, count: count + 1 };
    else if (timestamp > atMs || timestamp < atMs - OUT_OF_ORDER_MS) this.#position = { atMs: timestamp, count: 1 };
    return true;
  }
}

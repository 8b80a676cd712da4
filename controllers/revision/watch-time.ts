import { Ages } from '../runtime/ages.js';

/** Time is noted in the status at least this often, ms: an agent that ends loses no more of it. */
export const NOTE_MS = 60_000;
/** And no more often than this, ms: each time is a write to the disk. */
const FIRST_NOTE_MS = 10_000;

const between = (ms: number): number => Math.min(NOTE_MS, Math.max(FIRST_NOTE_MS, ms));

/**
 * How much of the time may be unnoted, ms: half of what this process has watched. A device that restarts every half minute
 * comes to its deadline, too, and one that goes on writes once a minute. Pure.
 */
export const mayBeUnnotedMs = ({ ownMs }: Pick<Watched, 'ownMs'>): number => between(ownMs / 2);

/** When it is to be noted next, ms from now. Pure. */
export const nextNoteMs = ({ ownMs }: Pick<Watched, 'ownMs'>): number => between(ownMs);

interface Times {
  /** The time of day, ms since the epoch. */
  readonly now: () => number;
  /** Of a clock that is never set, ms. */
  readonly monotonic: () => number;
}

/** For how long a release has been watched. */
export interface Watched {
  readonly ms: number;
  /** By this process alone, ms. */
  readonly ownMs: number;
}

/**
 * For how long releases have been watched on their way to be good: time in which nothing stood in their way. It goes on by
 * the monotonic clock from look to look. What an earlier process noted counts, and nothing of the time since then: in that no
 * agent may have run. Neither does the time count in which the machine slept: who watches looks at least once a minute.
 */
export class WatchTime {
  readonly #watched = new Map<string, Watched & { readonly seenMs: number; readonly goesOn: boolean }>();
  readonly #ages: Ages;

  constructor(private readonly times: Times) {
    this.#ages = new Ages(times);
  }

  /** The time until now. `notedMs`: of earlier processes. `goesOn`: whether the time from now on counts. */
  look(key: string, notedMs: number, goesOn: boolean): Watched {
    const seenMs = this.times.monotonic();
    const known = this.#watched.get(key);
    const sinceMs = known?.goesOn ? Math.min(NOTE_MS, seenMs - known.seenMs) : 0;
    const { ms, ownMs } = known ?? { ms: notedMs, ownMs: 0 };
    const watched = { ms: ms + sinceMs, ownMs: ownMs + sinceMs };
    this.#watched.set(key, { ...watched, seenMs, goesOn });
    return watched;
  }

  /** For how long something has been so, ms. */
  since(key: string, at: string): number {
    return this.#ages.since(key, Date.parse(at));
  }

  forget(name: string): void {
    for (const key of this.#watched.keys()) if (key.startsWith(`${name}/`)) this.#watched.delete(key);
  }
}

import { Ages } from '../runtime/ages.js';

/** Time is noted in the status this often, ms: an agent that ends loses no more of it. */
export const NOTE_MS = 60_000;

interface Times {
  /** The time of day, ms since the epoch. */
  readonly now: () => number;
  /** Of a clock that is never set, ms. */
  readonly monotonic: () => number;
}

interface Noted {
  readonly seconds: number;
  /** ms since the epoch */
  readonly atMs: number;
}

/**
 * For how long releases have been watched on their way to be good: time in which nothing stood in their way. It goes on by
 * the monotonic clock from look to look. What an earlier process noted counts, and of the time since then as much as it
 * may have watched without noting it; the time in which no agent ran does not, and neither does that in which it slept:
 * who watches looks at least once a minute.
 */
export class WatchTime {
  readonly #watched = new Map<string, { readonly ms: number; readonly seenMs: number; readonly goesOn: boolean }>();
  readonly #ages: Ages;

  constructor(private readonly times: Times) {
    this.#ages = new Ages(times);
  }

  /** ms until now. `goesOn`: whether the time from now on counts. */
  look(key: string, noted: Noted | undefined, goesOn: boolean): number {
    const seenMs = this.times.monotonic();
    const known = this.#watched.get(key);
    const sinceMs = known?.goesOn ? Math.min(NOTE_MS, seenMs - known.seenMs) : 0;
    const ms = known ? known.ms + sinceMs : this.#resumed(noted);
    this.#watched.set(key, { ms, seenMs, goesOn });
    return ms;
  }

  #resumed(noted: Noted | undefined): number {
    if (!noted) return 0;
    return noted.seconds * 1000 + Math.min(NOTE_MS, Math.max(0, this.times.now() - noted.atMs));
  }

  /** For how long something has been so, ms. */
  since(key: string, at: string): number {
    return this.#ages.since(key, Date.parse(at));
  }

  forget(name: string): void {
    for (const key of this.#watched.keys()) if (key.startsWith(`${name}/`)) this.#watched.delete(key);
  }
}

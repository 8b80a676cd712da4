import type { Clock } from '../../api/platform/clock.js';

/** How long after the last question a fact is forgotten, ms; resyncs come every five minutes. */
const FORGOTTEN_MS = 60 * 60_000;

/**
 * Measures how long ago something happened of which only the time of day is known, as from a status or the engine. The
 * time is read once, when the fact is first seen; from then on the monotonic clock counts. So setting the clock neither
 * ends a wait too early nor draws it out. A time in the future, after a clock was set back, counts from when it is
 * first seen: a wait for it is longer by no more than itself.
 */
export class Ages {
  readonly #facts = new Map<string, { readonly atMs: number; readonly fromMs: number; askedMs: number }>();

  constructor(private readonly clock: Pick<Clock, 'now' | 'monotonic'>) {}

  /** Returns the ms since `atMs` (ms since the epoch) of the fact with that key. Another time is another fact. */
  since(key: string, atMs: number): number {
    const nowMs = this.clock.monotonic();
    const known = this.#facts.get(key);
    if (known?.atMs === atMs) {
      known.askedMs = nowMs;
      return nowMs - known.fromMs;
    }
    for (const [other, { askedMs }] of this.#facts) if (nowMs - askedMs > FORGOTTEN_MS) this.#facts.delete(other);
    const ageMs = Math.max(0, this.clock.now() - atMs);
    this.#facts.set(key, { atMs, fromMs: nowMs - ageMs, askedMs: nowMs });
    return ageMs;
  }

  get size(): number {
    return this.#facts.size;
  }
}

import type { Clock } from './delays.js';

/** What nobody has asked about for so long is forgotten, ms: the look at everything comes every five minutes. */
const FORGOTTEN_MS = 60 * 60_000;

/**
 * How long ago something was that is known by its time of day only, as a status or the engine tells it. That time is
 * looked at once, when the fact is first seen; from then on the monotonic clock counts. So a clock that is set neither
 * ends a wait too early nor draws it out, and what lies in the future by a clock that was set back begins when it is
 * first seen: a wait for it is longer by no more than itself.
 */
export class Ages {
  readonly #facts = new Map<string, { readonly atMs: number; readonly fromMs: number; askedMs: number }>();

  constructor(private readonly clock: Pick<Clock, 'now' | 'monotonic'>) {}

  /** ms since `atMs`, ms since the epoch, of the fact with that key. Another time is another fact. */
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

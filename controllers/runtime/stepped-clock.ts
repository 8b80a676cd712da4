import type { Cancel, Clock } from '../../api/platform/clock.js';

interface Planned {
  readonly dueMs: number;
  readonly call: () => void;
}

/** Time that stands still until somebody moves it; it goes on from a moment of another clock. */
export class SteppedClock implements Clock {
  #ms: number;
  /** What the time of day is ahead of it, ms. */
  readonly #aheadMs: number;
  readonly #planned = new Set<Planned>();

  constructor(from: Pick<Clock, 'now' | 'monotonic'>) {
    this.#ms = from.monotonic();
    this.#aheadMs = from.now() - this.#ms;
  }

  now(): number {
    return this.#aheadMs + this.#ms;
  }

  monotonic(): number {
    return this.#ms;
  }

  after(ms: number, call: () => void): Cancel {
    const planned = { dueMs: this.#ms + Math.max(0, ms), call };
    this.#planned.add(planned);
    return () => void this.#planned.delete(planned);
  }

  /** Makes the calls that are due now. False when none was. */
  runDue(): boolean {
    const due = [...this.#planned].filter(({ dueMs }) => dueMs <= this.#ms).sort((a, b) => a.dueMs - b.dueMs);
    for (const planned of due) if (this.#planned.delete(planned)) planned.call();
    return due.length > 0;
  }

  /** When the next call is due, ms from now; undefined when none is planned. */
  get nextMs(): number | undefined {
    let next: number | undefined;
    for (const { dueMs } of this.#planned) if (next === undefined || dueMs < next) next = dueMs;
    return next === undefined ? undefined : Math.max(0, next - this.#ms);
  }

  /** Lets so much time pass, without making any call. */
  advance(ms: number): void {
    this.#ms += ms;
  }

  /** Nothing is planned any more. */
  clear(): void {
    this.#planned.clear();
  }
}

import type { Cancel, Clock } from '../../api/platform/clock.js';

/**
 * Keys that are due later. The earlier due time is kept; an explicit wake removes the delay. Times are of the monotonic
 * clock, so setting the clock moves nothing. A timer that fires early waits for the rest.
 */
export class Delays {
  readonly #timers = new Map<string, { readonly dueMs: number; readonly timer: Cancel }>();

  constructor(private readonly clock: Clock) {}

  /** Calls `due` in that many ms, unless something earlier is planned for the key. */
  plan(key: string, inMs: number, due: () => void): void {
    const dueMs = this.clock.monotonic() + inMs;
    const planned = this.#timers.get(key);
    if (planned && planned.dueMs <= dueMs) return;
    planned?.timer();
    this.#arm(key, dueMs, due);
  }

  #arm(key: string, dueMs: number, due: () => void): void {
    const timer = this.clock.after(Math.max(0, dueMs - this.clock.monotonic()), () => {
      if (this.clock.monotonic() < dueMs) return this.#arm(key, dueMs, due);
      this.#timers.delete(key);
      due();
    });
    this.#timers.set(key, { dueMs, timer });
  }

  cancel(key: string): void {
    this.#timers.get(key)?.timer();
    this.#timers.delete(key);
  }

  cancelAll(): void {
    for (const key of [...this.#timers.keys()]) this.cancel(key);
  }

  get size(): number {
    return this.#timers.size;
  }
}

/** Keys that are due later. The earlier due time is kept; an explicit wake removes the delay. */
export class Delays {
  readonly #timers = new Map<string, { readonly dueMs: number; readonly timer: Cancel }>();

  constructor(private readonly clock: Clock) {}

  /** Calls `due` in that many ms, unless something earlier is planned for the key. */
  plan(key: string, inMs: number, due: () => void): void {
    const dueMs = this.clock.now() + inMs;
    const planned = this.#timers.get(key);
    if (planned && planned.dueMs <= dueMs) return;
    planned?.timer();
    const timer = this.clock.after(inMs, () => {
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

export type Cancel = () => void;

/** Time, so that tests can have their own. */
export interface Clock {
  /** ms since the epoch */
  now(): number;
  after(ms: number, call: () => void): Cancel;
}

/** The machine's time. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

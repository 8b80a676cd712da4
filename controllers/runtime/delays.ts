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

export type Cancel = () => void;

/** The time, so that tests can have their own. */
export interface Clock {
  /** Time of day, ms since the epoch: for what is shown or stored. It may be set at any time, by years. */
  now(): number;
  /** ms since some moment of this process; never set. For every length of time. */
  monotonic(): number;
  /** Calls when that many ms have passed on the monotonic clock, at the earliest. */
  after(ms: number, call: () => void): Cancel;
}

/** The longest time that `setTimeout` can wait for (2^31 - 1 ms, some 25 days): it fires at once for anything longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's time. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, call) => {
    const dueMs = performance.now() + ms;
    // Node's timers count whole ms of a time that was read at the beginning of the turn: they may fire up to 1 ms
    // early.
    const look = (): void => {
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) wait(leftMs);
      else call();
    };
    const wait = (leftMs: number): void => {
      timer = setTimeout(look, Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS));
      timer.unref();
    };
    let timer: NodeJS.Timeout;
    wait(Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};

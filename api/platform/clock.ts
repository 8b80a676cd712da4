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

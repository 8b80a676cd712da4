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

/** Resolves when so many ms have passed; rejects with the signal's reason when that fires first. */
export function pause(clock: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    });
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** A clock that is only slewed, and a process that is busy between two readings, stay below this, ms. */
const STEP_MS = 100;

/** Tells each time whether the time of day was set since the time before, forward or back. */
export function clockSteps(clock: Pick<Clock, 'now' | 'monotonic'>): () => boolean {
  const ahead = (): number => clock.now() - clock.monotonic();
  let last = ahead();
  return () => {
    const before = last;
    last = ahead();
    return Math.abs(last - before) > STEP_MS;
  };
}

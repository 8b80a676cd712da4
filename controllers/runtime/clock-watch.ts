import type { Cancel, Clock } from './delays.js';

/** How often the two clocks are compared, ms. */
const LOOK_MS = 10_000;
/** NTP that only slews the clock, and a busy process between two readings, stay below this, ms. */
const TOLERANCE_MS = 2_000;

/**
 * Calls back when the time of day has been set, forward or back, by so many ms; also after the machine has slept, which
 * its monotonic clock does not count. For what follows the time of day: crons, windows, times that are shown.
 */
export function watchClock(clock: Clock, wasSet: (byMs: number) => void): Cancel {
  const offset = (): number => clock.now() - clock.monotonic();
  let last = offset();
  const look = (): void => {
    const next = offset();
    const byMs = next - last;
    last = next; // also what is slewed in small steps: only a jump counts
    cancel = clock.after(LOOK_MS, look);
    if (Math.abs(byMs) > TOLERANCE_MS) wasSet(byMs);
  };
  let cancel = clock.after(LOOK_MS, look);
  return () => cancel();
}

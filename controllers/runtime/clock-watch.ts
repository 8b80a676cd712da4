import type { Cancel, Clock } from '../../api/platform/clock.js';

/** How often the two clocks are compared, ms. */
const LOOK_MS = 10_000;
/** Differences below this are NTP slewing the clock, or a busy process between two readings, ms. */
const TOLERANCE_MS = 2_000;

/**
 * Calls back when the time of day was set, forward or back, by so many ms; also after the machine has slept, which its
 * monotonic clock does not count. For everything that follows the time of day: cron expressions, windows, times that
 * are shown.
 */
export function watchClock(clock: Clock, wasSet: (byMs: number) => void): Cancel {
  const offset = (): number => clock.now() - clock.monotonic();
  let last = offset();
  const look = (): void => {
    const next = offset();
    const byMs = next - last;
    last = next; // slewing in small steps does not add up: only a jump counts
    cancel = clock.after(LOOK_MS, look);
    if (Math.abs(byMs) > TOLERANCE_MS) wasSet(byMs);
  };
  let cancel = clock.after(LOOK_MS, look);
  return () => cancel();
}

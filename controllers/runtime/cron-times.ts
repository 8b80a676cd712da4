import cron from 'node-cron';

const MINUTE_MS = 60_000;
/** Longest time that a pass waits for a window, ms: clocks jump. */
export const LONGEST_WAIT_MS = 60 * 60_000;

/** Every time zone is ahead of UTC by a multiple of it: an hour of the day begins with one, ms. */
const SLOT_MS = 15 * MINUTE_MS;
/** Shorter than any day, so that at most one day ends in it, ms. */
const BLOCK_MS = 6 * 60 * MINUTE_MS;

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  /** That of this process when absent. */
  readonly timeZone?: string | undefined;
}

/**
 * Returns the first minute that begins within a span, its ends included, and whose first second a valid cron expression
 * matches; undefined when none does. Looks at days first, then at hours, and only then at minutes: a year takes
 * milliseconds. Hours that a change of the clocks leaves out match nothing.
 */
export function firstMinute(expression: string, { fromMs, toMs, timeZone }: Span): number | undefined {
  const text = expression.trim();
  const parts = (NICKNAMES[text.toLowerCase()] ?? text).split(/ +/);
  const [hour, day, month, weekday] = parts.slice(-4);
  const options = timeZone === undefined ? {} : { timezone: timeZone };
  const tasks = [`* * ${day} ${month} ${weekday}`, `* ${hour} ${day} ${month} ${weekday}`, parts.join(' ')].map((one) =>
    cron.createTask(one, () => undefined, options),
  );
  const matches = (task: number, ms: number): boolean => tasks[task]?.match(new Date(ms)) ?? false;
  try {
    const first = Math.ceil(fromMs / MINUTE_MS) * MINUTE_MS;
    for (let block = floorTo(BLOCK_MS, first); block <= toMs; block += BLOCK_MS) {
      if (!matches(0, block) && !matches(0, block + BLOCK_MS - MINUTE_MS)) continue;
      for (let slot = Math.max(block, floorTo(SLOT_MS, first)); slot < block + BLOCK_MS; slot += SLOT_MS) {
        if (slot > toMs) return undefined;
        if (!matches(1, slot)) continue;
        for (let minute = Math.max(slot, first); minute < slot + SLOT_MS && minute <= toMs; minute += MINUTE_MS) {
          if (matches(2, minute)) return minute;
        }
      }
    }
    return undefined;
  } finally {
    for (const task of tasks) void task.destroy();
  }
}

const floorTo = (stepMs: number, ms: number): number => Math.floor(ms / stepMs) * stepMs;

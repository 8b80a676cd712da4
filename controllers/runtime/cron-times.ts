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

/** How far ahead the next time of a schedule is looked for, ms: the longest way from one leap day to the next, but for the turn of some centuries. */
export const HORIZON_MS = 5 * 366 * 24 * 3_600_000;

/**
 * The times of a schedule: what its cron expression says on the clock on the wall, each time once. One that a change of the
 * clocks leaves out comes at the moment of the change; one that comes twice, the first time. With `*` for the hour, the times
 * follow one another as hours pass, whatever the clocks say. Remembers what it found last.
 */
export class CronTimes {
  readonly #isHourly: boolean;
  #last: { readonly afterMs: number; readonly nextMs: number | undefined } | undefined;

  constructor(
    private readonly expression: string,
    private readonly timeZone: string | undefined,
  ) {
    const text = expression.trim();
    const [, hour] = (NICKNAMES[text.toLowerCase()] ?? text).split(/ +/);
    this.#isHourly = hour === '*';
  }

  /** Returns the first time after that one, ms since the epoch; undefined when there is none within five years. */
  after(afterMs: number): number | undefined {
    const last = this.#last;
    if (last && afterMs >= last.afterMs && afterMs < (last.nextMs ?? last.afterMs + HORIZON_MS / 2)) return last.nextMs;
    const nextMs = this.#isHourly ? this.#inHours(afterMs) : this.#onTheWall(afterMs);
    this.#last = { afterMs, nextMs };
    return nextMs;
  }

  /** Returns the last time after `afterMs` that is not after `untilMs`; undefined when there is none. */
  latest(afterMs: number, untilMs: number): number | undefined {
    let found = this.after(afterMs);
    if (found === undefined || found > untilMs) return undefined;
    // The later one looks from, the later is the next time: so the last one is found by halves.
    let [from, to] = [found, untilMs];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      const next = this.after(middle);
      if (next === undefined || next > untilMs) to = middle;
      else [found, from] = [next, next];
    }
    return found;
  }

  #inHours(afterMs: number): number | undefined {
    return firstMinute(this.expression, { fromMs: afterMs + 1, toMs: afterMs + HORIZON_MS, timeZone: this.timeZone });
  }

  #onTheWall(afterMs: number): number | undefined {
    // As if the wall were in a zone that never changes its clocks.
    let wallMs = afterMs + this.#offsetMs(afterMs);
    const toMs = wallMs + HORIZON_MS;
    for (;;) {
      const nextMs = firstMinute(this.expression, { fromMs: wallMs + 1, toMs, timeZone: 'UTC' });
      if (nextMs === undefined) return undefined;
      const atMs = this.#firstWith(nextMs);
      if (atMs > afterMs) return atMs;
      wallMs = nextMs; // it came before the clocks were put back
    }
  }

  /** Returns when the clock on the wall first shows that time, or is put forward over it. */
  #firstWith(wallMs: number): number {
    // No zone is further from UTC than a day, and none changes its clocks twice within two.
    const [before, after] = [this.#offsetMs(wallMs - DAY_MS), this.#offsetMs(wallMs + DAY_MS)];
    const candidates = [wallMs - before, wallMs - after].sort((a, b) => a - b);
    const shown = candidates.find((ms) => ms + this.#offsetMs(ms) === wallMs);
    if (shown !== undefined) return shown;
    // Left out: the change is at a whole minute between the two.
    let [from = wallMs, to = wallMs] = candidates;
    while (to - from > MINUTE_MS) {
      const middle = from + Math.floor((to - from) / 2 / MINUTE_MS) * MINUTE_MS;
      if (this.#offsetMs(middle) === after) to = middle;
      else from = middle;
    }
    return to;
  }

  /** What the clock on the wall is ahead of UTC, ms. */
  #offsetMs(ms: number): number {
    const parts = this.#format.formatToParts(ms);
    const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((one) => one.type === type)?.value);
    const [year, month, day] = [part('year'), part('month'), part('day')];
    return Date.UTC(year, month - 1, day, part('hour'), part('minute')) - floorTo(MINUTE_MS, ms);
  }

  get #format(): Intl.DateTimeFormat {
    this.#formatter ??= new Intl.DateTimeFormat('en-US', {
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', hourCycle: 'h23' },
      ...(this.timeZone === undefined ? {} : { timeZone: this.timeZone }),
    } as Intl.DateTimeFormatOptions);
    return this.#formatter;
  }
  #formatter: Intl.DateTimeFormat | undefined;
}

const DAY_MS = 24 * 60 * MINUTE_MS;

const floorTo = (stepMs: number, ms: number): number => Math.floor(ms / stepMs) * stepMs;

import assert from 'node:assert/strict';
import cron from 'node-cron';
import { firstMinute } from '../../../controllers/runtime/cron-times.js';

const DAY_MS = 24 * 3_600_000;

describe('firstMinute', () => {
  const cases: readonly {
    readonly it: string;
    readonly cron: string;
    readonly from: string;
    readonly days?: number;
    readonly timeZone?: string;
    readonly want: string | undefined;
  }[] = [
    {
      it: 'finds the minute itself',
      cron: '0 2 * * *',
      from: '2026-03-10T02:00:00Z',
      want: '2026-03-10T02:00:00.000Z',
    },
    {
      it: 'finds no minute that has begun',
      cron: '0 2 * * *',
      from: '2026-03-10T02:00:01Z',
      want: '2026-03-11T02:00:00.000Z',
    },
    { it: 'finds one of a list', cron: '7,52 * * * *', from: '2026-03-10T02:08:00Z', want: '2026-03-10T02:52:00.000Z' },
    { it: 'finds a weekday', cron: '30 23 * * sun', from: '2026-03-10T02:00:00Z', want: '2026-03-15T23:30:00.000Z' },
    {
      it: 'finds the last day of a month',
      cron: '0 0 L * *',
      from: '2026-02-10T00:00:00Z',
      want: '2026-02-28T00:00:00.000Z',
    },
    {
      it: 'finds a leap day',
      cron: '0 0 29 2 *',
      from: '2026-03-01T00:00:00Z',
      days: 1200,
      want: '2028-02-29T00:00:00.000Z',
    },
    {
      it: 'knows the nicknames',
      cron: '@yearly',
      from: '2026-03-01T00:00:00Z',
      days: 366,
      want: '2027-01-01T00:00:00.000Z',
    },
    { it: 'looks no further than told', cron: '0 2 * * *', from: '2026-03-10T03:00:00Z', days: 0.9, want: undefined },
    {
      it: 'finds the end of what it is told',
      cron: '0 3 * * *',
      from: '2026-03-10T03:00:30Z',
      days: 1 - 30 / 86_400,
      want: '2026-03-11T03:00:00.000Z',
    },
    {
      it: 'reckons in the time zone',
      cron: '0 2 * * *',
      timeZone: 'Asia/Kolkata', // ahead by five hours and a half
      from: '2026-03-10T00:00:00Z',
      want: '2026-03-10T20:30:00.000Z',
    },
    {
      it: 'finds nothing in the hour that the clocks leave out',
      cron: '30 2 * * *',
      timeZone: 'Europe/Berlin',
      from: '2026-03-29T00:00:00Z',
      want: '2026-03-30T00:30:00.000Z',
    },
    {
      it: 'finds the hour that comes twice',
      cron: '30 2 * * *',
      timeZone: 'Europe/Berlin',
      from: '2026-10-25T00:00:00Z',
      want: '2026-10-25T00:30:00.000Z',
    },
    {
      it: 'finds it the second time, too',
      cron: '30 2 * * *',
      timeZone: 'Europe/Berlin',
      from: '2026-10-25T00:31:00Z',
      want: '2026-10-25T01:30:00.000Z',
    },
  ];
  for (const { it: what, cron: expression, from, days = 30, timeZone = 'UTC', want } of cases) {
    it(what, () => {
      const fromMs = Date.parse(from);
      const found = firstMinute(expression, { fromMs, toMs: fromMs + days * DAY_MS, timeZone });
      assert.equal(found === undefined ? undefined : new Date(found).toISOString(), want);
    });
  }

  it('finds what the library matches, minute by minute', () => {
    const zones = ['UTC', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
    for (const timeZone of zones) {
      for (const expression of ['*/17 3 * * *', '59 23 * * *', '0 0 1,15 * 1-5', '5 */6 * * 0']) {
        const task = cron.createTask(expression, () => undefined, { timezone: timeZone });
        const fromMs = Date.parse('2026-10-31T20:00:00Z');
        let at = fromMs;
        while (at < fromMs + 3 * DAY_MS && !task.match(new Date(at))) at += 60_000;
        const want = at < fromMs + 3 * DAY_MS ? at : undefined;
        assert.equal(
          firstMinute(expression, { fromMs, toMs: fromMs + 3 * DAY_MS - 1, timeZone }),
          want,
          `${expression} ${timeZone}`,
        );
        void task.destroy();
      }
    }
  });
});

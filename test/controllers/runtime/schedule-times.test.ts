import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CronTimes } from '../../../controllers/runtime/cron-times.js';

const HOUR_MS = 3_600_000;

describe('the times of a schedule', () => {
  const cases: readonly {
    readonly it: string;
    readonly cron: string;
    readonly timeZone?: string;
    readonly after: string;
    readonly want: readonly string[];
  }[] = [
    {
      it: 'come one after the other, and not the one that is asked from',
      cron: '0 3 * * *',
      after: '2026-03-10T03:00:00Z',
      want: ['2026-03-11T03:00', '2026-03-12T03:00'],
    },
    {
      it: 'are of the time zone',
      cron: '30 7 * * mon',
      timeZone: 'Asia/Kolkata',
      after: '2026-03-10T00:00:00Z',
      want: ['2026-03-16T02:00', '2026-03-23T02:00'],
    },
    {
      it: 'come once when the clocks are put forward over them, at that moment',
      cron: '30 2 * * *',
      timeZone: 'Europe/Berlin',
      after: '2026-03-28T00:00:00Z',
      want: ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30'],
    },
    {
      it: 'come once when several are left out at once',
      cron: '*/20 2 * * *',
      timeZone: 'Europe/Berlin',
      after: '2026-03-28T02:00:00Z',
      want: ['2026-03-29T01:00', '2026-03-30T00:00', '2026-03-30T00:20', '2026-03-30T00:40'],
    },
    {
      it: 'come once when the clocks are put back over them, the first time',
      cron: '30 2 * * *',
      timeZone: 'Europe/Berlin',
      after: '2026-10-24T12:00:00Z',
      want: ['2026-10-25T00:30', '2026-10-26T01:30'],
    },
    {
      it: 'do not come again when somebody asks within the hour that comes twice',
      cron: '*/30 2 * * *',
      timeZone: 'Europe/Berlin',
      after: '2026-10-25T01:10:00Z',
      want: ['2026-10-26T01:00', '2026-10-26T01:30'],
    },
    {
      it: 'of every hour come as hours pass, also through the hour that comes twice',
      cron: '0 * * * *',
      timeZone: 'Europe/Berlin',
      after: '2026-10-24T23:30:00Z',
      want: ['2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00'],
    },
    {
      it: 'of every hour come as hours pass, also over the hour that is left out',
      cron: '@hourly',
      timeZone: 'Europe/Berlin',
      after: '2026-03-29T00:30:00Z',
      want: ['2026-03-29T01:00', '2026-03-29T02:00'],
    },
    {
      it: 'know a change by half an hour',
      cron: '15 2 * * *',
      timeZone: 'Australia/Lord_Howe',
      after: '2026-10-03T00:00:00Z',
      want: ['2026-10-03T15:30', '2026-10-04T15:15'],
    },
    {
      it: 'are found across years',
      cron: '0 0 29 2 *',
      timeZone: 'UTC',
      after: '2026-03-01T00:00:00Z',
      want: ['2028-02-29T00:00'],
    },
  ];
  for (const { it: name, cron, timeZone = 'UTC', after, want } of cases) {
    it(name, () => {
      const times = new CronTimes(cron, timeZone);
      let atMs = Date.parse(after);
      const found = want.map(() => {
        atMs = times.after(atMs) ?? Number.NaN;
        return new Date(atMs).toISOString().slice(0, 16);
      });
      assert.deepEqual(found, want);
    });
  }

  it('are none where five years have none', () => {
    assert.equal(new CronTimes('0 0 29 2 *', 'UTC').after(Date.parse('2096-03-01T00:00:00Z')), undefined);
  });

  it('are the same whoever asked before', () => {
    const time = fc.integer({ min: Date.parse('2026-10-20T00:00Z'), max: Date.parse('2026-10-30T00:00Z') });
    const known = new CronTimes('*/30 2,14 * * *', 'Europe/Berlin');
    fc.assert(
      fc.property(time, (ms) => known.after(ms) === new CronTimes('*/30 2,14 * * *', 'Europe/Berlin').after(ms)),
      { numRuns: 40 },
    );
  });

  it('have a last one before any moment', () => {
    const from = Date.parse('2026-10-01T00:00Z');
    const hours = fc.integer({ min: 1, max: 24 * 40 });
    fc.assert(
      fc.property(fc.constantFrom('*/7 * * * *', '0 3 * * *', '30 2 * * sun', '0 0 1 * *'), hours, (cron, length) => {
        const times = new CronTimes(cron, 'Europe/Berlin');
        const until = from + length * HOUR_MS;
        const last = times.latest(from, until);
        if (last === undefined) return (times.after(from) ?? Infinity) > until;
        return last > from && last <= until && (times.after(last) ?? Infinity) > until;
      }),
      { numRuns: 40 },
    );
  });
});

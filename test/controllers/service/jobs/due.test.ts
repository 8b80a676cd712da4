import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CronTimes } from '../../../../controllers/runtime/cron-times.js';
import { type Due, dueAt, followedFrom, followedTo, type Span } from '../../../../controllers/service/jobs/due.js';

const at = (text: string): number => Date.parse(`2026-11-${text}Z`);
const span = (from: string, to = from): Span => ({ fromMs: at(from), toMs: at(to) });
const shown = (ms: number | undefined): string =>
  ms === undefined ? 'never' : new Date(ms).toISOString().slice(8, 16);
function text(due: Due): string {
  switch (due.is) {
    case 'new':
      return 'new';
    case 'not yet':
      return `not before ${shown(due.nextMs)}`;
    case 'due':
      return `${shown(due.atMs)}, ${due.passed}${due.atLeast ? ' or more' : ''} passed`;
  }
}

describe('what is due of a schedule', () => {
  const cases: readonly { it: string; cron?: string; followed: readonly Span[]; now: string; want: string }[] = [
    { it: 'is nothing where nothing was followed yet', followed: [], now: '10T12:00', want: 'new' },
    { it: 'is not yet before its time', followed: [span('10T12:00')], now: '10T12:01', want: 'not before 11T03:00' },
    {
      it: 'is not yet a millisecond before its time',
      followed: [span('10T12:00')],
      now: '11T02:59:59.999',
      want: 'not before 11T03:00',
    },
    { it: 'is a run at its time', followed: [span('10T12:00')], now: '11T03:00', want: '11T03:00, 1 passed' },
    {
      it: 'is only the last of several that have passed',
      followed: [span('10T12:00')],
      now: '14T02:00',
      want: '13T03:00, 3 passed',
    },
    {
      it: 'is counted up to a hundred',
      cron: '* * * * *',
      followed: [span('10T12:00')],
      now: '14T02:00',
      want: '14T02:00, 100 or more passed',
    },
    {
      it: 'is nothing of what was followed before the clock was set back',
      cron: '0 * * * *',
      followed: [span('10T12:00', '10T18:00')],
      now: '10T15:30',
      want: 'not before 10T19:00',
    },
    {
      it: 'is nothing at the very time that was followed',
      cron: '0 * * * *',
      followed: [span('10T12:00', '10T18:00')],
      now: '10T18:00',
      want: 'not before 10T19:00',
    },
    {
      it: 'goes on where it was when a clock that was far ahead is put right',
      followed: [span('10T12:00', '11T03:00'), span('28T03:00')],
      now: '11T10:00',
      want: 'not before 12T03:00',
    },
    {
      it: 'was missed before, too, when a clock that was far ahead is put right',
      followed: [span('10T12:00', '11T03:00'), span('28T03:00')],
      now: '13T10:00',
      want: '13T03:00, 2 passed',
    },
    {
      it: 'is followed from now on where a clock comes to that was never there',
      followed: [span('10T12:00', '11T03:00')],
      now: '02T10:00',
      want: 'new',
    },
    {
      it: 'does not come again in a span that lies ahead',
      cron: '0 * * * *',
      followed: [span('10T12:00', '10T14:00'), span('10T10:00')],
      now: '10T11:30',
      want: '10T11:00, 1 passed',
    },
    {
      it: 'leaves out what lies ahead in a span',
      cron: '0 * * * *',
      followed: [span('10T12:00', '10T14:00'), span('10T11:00')],
      now: '10T11:30',
      want: 'not before 10T15:00',
    },
  ];
  for (const { it: name, cron = '0 3 * * *', followed, now, want } of cases) {
    it(name, () => assert.equal(text(dueAt(new CronTimes(cron, 'UTC'), followed, at(now))), want));
  }

  it('makes one span of what is followed time by time, and another one after a gap', () => {
    const first = followedFrom([], at('10T12:00'));
    const second = followedTo(first, { atMs: at('11T03:00'), passed: 1 });
    assert.deepEqual(second, [span('10T12:00', '11T03:00')]);
    assert.deepEqual(followedTo(second, { atMs: at('14T03:00'), passed: 3 }), [
      span('10T12:00', '11T03:00'),
      span('14T03:00'),
    ]);
  });

  it('never gives the same time twice, whatever the clock does', () => {
    const times = new CronTimes('*/10 * * * *', 'UTC');
    const start = at('10T12:00');
    // Minutes by which the clock goes on: by itself, or set by somebody.
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 0, max: 15 }) },
      { weight: 1, arbitrary: fc.integer({ min: -200, max: 200 }) },
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
        let followed: readonly Span[] = [];
        let nowMs = start;
        const given = new Set<number>();
        let gaps = 0;
        for (const minutes of steps) {
          nowMs += minutes * 60_000;
          const due = dueAt(times, followed, nowMs);
          if (due.is === 'new') followed = followedFrom(followed, nowMs);
          if (due.is !== 'due') continue;
          if (due.passed > 1) gaps += 1;
          assert.ok(due.atMs <= nowMs, 'nothing comes early');
          if (gaps <= 4) assert.ok(!given.has(due.atMs), `${shown(due.atMs)} came twice`);
          given.add(due.atMs);
          followed = followedTo(followed, due);
          const again = dueAt(times, followed, nowMs);
          assert.equal(again.is, 'not yet', 'what is followed is not due any more');
        }
      }),
      { numRuns: 150 },
    );
  });
});

import assert from 'node:assert/strict';
import { Schedule } from '../../../controllers/git-source/schedule.js';
import type { GitSource } from '../../../crds/model/kinds.js';

const MINUTE_MS = 60_000;
const YEAR_MS = 365 * 24 * 60 * MINUTE_MS;

describe('when a source is looked at by a cron expression', () => {
  const source = { metadata: { uid: 'u1' }, spec: { url: 'x', cron: '*/5 * * * *' } } as GitSource;

  for (const [what, byMs] of [
    ['back by a year', -YEAR_MS],
    ['back by eight hours', -8 * 60 * MINUTE_MS],
    ['forward by a year', YEAR_MS],
  ] as const) {
    it(`is within its time when the clock is set ${what}`, () => {
      let setMs = 0;
      const schedule = new Schedule({ now: () => Date.now() + setMs, monotonic: () => 0 });
      schedule.begin(source, 0);
      assert.ok(schedule.leftMs(source) <= 5 * MINUTE_MS);
      setMs = byMs;
      assert.ok(schedule.leftMs(source) <= 5 * MINUTE_MS, `${schedule.leftMs(source)} ms`);
    });
  }
});

import assert from 'node:assert/strict';
import { Ages } from '../../../../controllers/runtime/ages.js';
import {
  restartsLeft,
  type UnhealthyRestarts,
  withRestart,
} from '../../../../controllers/service/health/unhealthy-restarts.js';
import { restartBudget } from '../../../../crds/model/restart-budget.js';
import { FakeClock } from '../../../setup/fake-clock.js';
import { aContainer } from '../service-states.js';

const BUDGET = restartBudget('2/60s') ?? assert.fail();
const NOW = '2026-01-01T00:01:00.000Z';
const EARLIER = '2026-01-01T00:00:30.000Z';
const LONG_AGO = '2026-01-01T00:00:00.000Z';
const record = (recent: readonly string[], more: Partial<UnhealthyRestarts> = {}): UnhealthyRestarts => ({
  ...{ container: 'c1', count: recent.length, recent: [...recent] },
  ...more,
});
/** The budget was used up in the present run of the container. */
const USED_UP = { exhausted: true, run: '2026-01-01T00:00:01.000Z', budget: '2/60s' };
const IN_ANOTHER_RUN = { ...USED_UP, run: '2026-01-01T00:00:00.500Z' };
const OF_ANOTHER_BUDGET = { ...USED_UP, budget: '1/60s' };

describe('the number of restarts that are left', () => {
  const rows: readonly { it: string; record?: UnhealthyRestarts; want: number }[] = [
    { it: 'is the budget where there was none', want: 2 },
    { it: 'is less by those within the time', record: record([EARLIER]), want: 1 },
    { it: 'does not count those before', record: record([LONG_AGO, EARLIER]), want: 1 },
    { it: 'is 0 when as many were within the time', record: record([EARLIER, NOW]), want: 0 },
    { it: 'is 0 when more were than a new budget allows', record: record([EARLIER, EARLIER, NOW]), want: 0 },
    { it: 'stays 0 once the budget is used up', record: record([LONG_AGO], { exhausted: true }), want: 0 },
    { it: 'stays 0 in the run in which it was used up', record: record([LONG_AGO], USED_UP), want: 0 },
    { it: 'is the budget again in a run that somebody began', record: record([LONG_AGO], IN_ANOTHER_RUN), want: 2 },
    { it: 'counts what was within the time in that, too', record: record([EARLIER], IN_ANOTHER_RUN), want: 1 },
    { it: 'is that of another budget', record: record([EARLIER], OF_ANOTHER_BUDGET), want: 1 },
    { it: 'begins again with another container', record: record([EARLIER, NOW], { container: 'c0' }), want: 2 },
  ];
  for (const { it: what, record: before, want } of rows) {
    it(what, () => {
      const ages = new Ages(new FakeClock(Date.parse(NOW)));
      assert.equal(restartsLeft(BUDGET, before, aContainer(), ages), want);
    });
  }

  it('grows with time, whatever happens to the clock', () => {
    const clock = new FakeClock(Date.parse(NOW));
    const ages = new Ages(clock);
    const left = (): number => restartsLeft(BUDGET, record([EARLIER, NOW]), aContainer(), ages);
    assert.equal(left(), 0);
    clock.set(-365 * 86_400_000);
    assert.equal(left(), 0);
    clock.advance(30_000);
    assert.equal(left(), 1);
    clock.advance(30_000);
    assert.equal(left(), 2);
  });
});

describe('the record of restarts of an unhealthy container', () => {
  const rows: readonly {
    it: string;
    before?: UnhealthyRestarts;
    health?: 'healthy' | 'unhealthy' | 'starting';
    left?: number;
    restartedAt?: string;
    want: UnhealthyRestarts | undefined;
  }[] = [
    { it: 'is none where there was no restart', health: 'unhealthy', left: 2, want: undefined },
    { it: 'begins with the first', restartedAt: NOW, left: 2, want: record([NOW]) },
    { it: 'counts on', before: record([EARLIER]), restartedAt: NOW, left: 1, want: record([EARLIER, NOW]) },
    {
      it: 'keeps as many times as the budget allows',
      before: record([LONG_AGO, EARLIER], { count: 7 }),
      restartedAt: NOW,
      left: 1,
      want: record([EARLIER, NOW], { count: 8 }),
    },
    {
      it: 'stays while nothing happens',
      before: record([EARLIER]),
      health: 'starting',
      left: 1,
      want: record([EARLIER]),
    },
    {
      it: 'says when the budget is used up',
      before: record([EARLIER, NOW]),
      health: 'unhealthy',
      left: 0,
      want: record([EARLIER, NOW], USED_UP),
    },
    {
      it: 'says nothing of the budget before the container is unhealthy again',
      before: record([EARLIER, NOW]),
      health: 'starting',
      left: 0,
      want: record([EARLIER, NOW]),
    },
    {
      it: 'says nothing of the budget while the restart is under way',
      before: record([EARLIER, NOW]),
      health: 'unhealthy',
      want: record([EARLIER, NOW]),
    },
    {
      it: 'goes on saying so while it starts',
      before: record([EARLIER], USED_UP),
      health: 'starting',
      left: 0,
      want: record([EARLIER], USED_UP),
    },
    {
      it: 'learns the run and the budget of what an earlier version noted',
      before: record([EARLIER], { exhausted: true }),
      health: 'unhealthy',
      left: 0,
      want: record([EARLIER], USED_UP),
    },
    {
      it: 'does so no longer in a run that somebody began',
      before: record([EARLIER], IN_ANOTHER_RUN),
      health: 'starting',
      left: 1,
      want: record([EARLIER]),
    },
    {
      it: 'does so no longer with another budget',
      before: record([EARLIER], OF_ANOTHER_BUDGET),
      health: 'unhealthy',
      left: 1,
      want: record([EARLIER]),
    },
    {
      it: 'says so again when that is used up as well',
      before: record([EARLIER, NOW], OF_ANOTHER_BUDGET),
      health: 'unhealthy',
      left: 0,
      want: record([EARLIER, NOW], USED_UP),
    },
    {
      it: 'does so no longer when it is healthy',
      before: record([EARLIER], USED_UP),
      health: 'healthy',
      left: 0,
      want: record([EARLIER]),
    },
    {
      it: 'ends with the container',
      before: record([EARLIER], { container: 'c0' }),
      health: 'healthy',
      want: undefined,
    },
  ];
  for (const { it: what, before, health, left, restartedAt, want } of rows) {
    it(what, () =>
      assert.deepEqual(withRestart(before, aContainer({ health }), { budget: BUDGET, left, restartedAt }), want),
    );
  }
});

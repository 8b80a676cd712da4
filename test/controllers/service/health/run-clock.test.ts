import assert from 'node:assert/strict';
import { RunClock } from '../../../../controllers/service/health/run-clock.js';
import { aContainer } from '../service-states.js';

const START = '2026-01-01T00:00:00.000Z';
const YEAR_MS = 365 * 24 * 3_600_000;

describe('for how long a container has been running', () => {
  let wallMs: number;
  let monotonicMs: number;
  let clock: RunClock;
  beforeEach(() => {
    wallMs = Date.parse(START);
    monotonicMs = 5;
    clock = new RunClock({ now: () => wallMs, monotonic: () => monotonicMs });
  });
  const pass = (ms: number): void => {
    wallMs += ms;
    monotonicMs += ms;
  };
  const ran = (startedAt = START, state: 'running' | 'exited' = 'running'): number =>
    clock.ranMs('web', aContainer({ startedAt, state }));

  it('is what has passed since its start, also before this process', () => {
    pass(20_000);
    assert.equal(ran(), 20_000);
    pass(5_000);
    assert.equal(ran(), 25_000);
    assert.equal(ran(START, 'exited'), 0);
  });

  for (const byMs of [YEAR_MS, -YEAR_MS]) {
    it(`does not change when the time of day is set by ${byMs} ms`, () => {
      ran();
      wallMs += byMs;
      pass(30_000);
      assert.equal(ran(), 30_000);
      const again = new Date(wallMs).toISOString();
      assert.equal(ran(again), 0);
      wallMs -= byMs;
      pass(10_000);
      assert.equal(ran(again), 10_000);
    });
  }

  it('begins with the first look where the engine’s clock is ahead', () => {
    wallMs -= YEAR_MS;
    assert.equal(ran(), 0);
    pass(60_000);
    assert.equal(ran(), 60_000);
  });
});

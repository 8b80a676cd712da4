import assert from 'node:assert/strict';
import { pino } from 'pino';
import { Backoff } from '../../../controllers/runtime/backoff.js';
import { Delays } from '../../../controllers/runtime/delays.js';
import { Manager, type Part } from '../../../controllers/runtime/manager.js';
import { FakeClock } from '../../setup/fake-clock.js';

describe('Backoff', () => {
  it('doubles up to the maximum, for each key on its own', () => {
    const backoff = new Backoff({ firstMs: 500, maxMs: 3000, random: () => 0 });
    assert.deepEqual(
      [1, 2, 3, 4, 5].map(() => backoff.next('a')),
      [500, 1000, 2000, 3000, 3000],
    );
    assert.equal(backoff.next('b'), 500);
    backoff.forget('a');
    assert.equal(backoff.next('a'), 500);
  });

  it('takes off at most a quarter as jitter', () => {
    const backoff = new Backoff({ firstMs: 1000, maxMs: 9000, random: () => 0.999 });
    assert.equal(backoff.next('a'), 750);
  });
});

describe('Delays', () => {
  it('keeps the earlier due time', () => {
    const clock = new FakeClock();
    const delays = new Delays(clock);
    const due: string[] = [];
    delays.plan('a', 1000, () => due.push('late'));
    delays.plan('a', 200, () => due.push('early'));
    delays.plan('a', 500, () => due.push('later again'));
    clock.advance(5000);
    assert.deepEqual(due, ['early']);
    assert.equal(delays.size, 0);
  });
});

describe('Manager', () => {
  const silent = pino({ level: 'silent' });
  const part = (name: string, log: string[], fails?: 'start' | 'stop'): Part => ({
    name,
    start: () => {
      if (fails === 'start') throw new Error('no');
      log.push(`+${name}`);
    },
    stop: () => {
      if (fails === 'stop') throw new Error('no');
      log.push(`-${name}`);
    },
  });

  it('stops in reverse order, and goes on when one part cannot stop', async () => {
    const log: string[] = [];
    const manager = new Manager(silent);
    await manager.start([part('store', log), part('http', log, 'stop'), part('world', log)]);
    await manager.stop();
    assert.deepEqual(log, ['+store', '+http', '+world', '-world', '-store']);
  });

  it('takes down what had started when a part cannot start', async () => {
    const log: string[] = [];
    const manager = new Manager(silent);
    await assert.rejects(manager.start([part('store', log), part('http', log, 'start')]), /Could not start http/);
    assert.deepEqual(log, ['+store', '-store']);
  });
});

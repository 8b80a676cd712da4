import assert from 'node:assert/strict';
import { pino } from 'pino';
import { systemClock } from '../../../api/platform/clock.js';
import { Backoff } from '../../../controllers/runtime/backoff.js';
import { Delays } from '../../../controllers/runtime/delays.js';
import { type Component, Manager } from '../../../controllers/runtime/manager.js';
import { FakeClock, PUNCTUALITIES } from '../../setup/fake-clock.js';

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

  it('keeps it also when the clock is set back in between', () => {
    const clock = new FakeClock();
    const delays = new Delays(clock);
    const due: string[] = [];
    delays.plan('a', 1000, () => due.push('early'));
    clock.set(-8 * 3_600_000);
    delays.plan('a', 3_600_000, () => due.push('late'));
    clock.advance(1000);
    assert.deepEqual(due, ['early']);
  });

  for (const punctuality of PUNCTUALITIES) {
    it(`drops nothing and calls nobody too soon when timers fire ${punctuality}`, () => {
      const clock = new FakeClock(0, punctuality);
      const delays = new Delays(clock);
      const atMs: number[] = [];
      delays.plan('a', 1000, () => atMs.push(clock.monotonic()));
      clock.advance(2 * 3_600_000);
      assert.equal(atMs.length, 1);
      assert.ok((atMs[0] ?? 0) >= 1000);
      assert.equal(delays.size, 0);
    });
  }
});

describe('the clock of the machine', () => {
  it('calls nobody too soon', async () => {
    const early: number[] = [];
    for (let round = 0; round < 100; round += 1) {
      const fromMs = systemClock.monotonic();
      await new Promise<void>((resolve) => systemClock.after(1 + (round % 3), resolve));
      const tookMs = systemClock.monotonic() - fromMs;
      if (tookMs < 1 + (round % 3)) early.push(tookMs);
    }
    assert.deepEqual(early, []);
  });

  it('waits for longer than a timer of Node can', async () => {
    const called: string[] = [];
    const cancel = systemClock.after(60 * 86_400_000, () => called.push('in 60 days'));
    await new Promise<void>((resolve) => systemClock.after(20, resolve));
    cancel();
    assert.deepEqual(called, []);
  });
});

describe('Manager', () => {
  const silent = pino({ level: 'silent' });
  const part = (name: string, log: string[], fails?: 'start' | 'stop'): Component => ({
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
    await manager.start([part('store', log), part('http', log, 'stop'), part('cache', log)]);
    await manager.stop();
    assert.deepEqual(log, ['+store', '+http', '+cache', '-cache', '-store']);
  });

  it('goes on when one part never stops', async () => {
    const log: string[] = [];
    const manager = new Manager(silent, 10);
    const hung: Component = { name: 'hung', start: () => undefined, stop: () => new Promise(() => undefined) };
    await manager.start([part('store', log), hung, part('cache', log)]);
    await manager.stop();
    assert.deepEqual(log, ['+store', '+cache', '-cache', '-store']);
  });

  it('takes down what had started when a part cannot start', async () => {
    const log: string[] = [];
    const manager = new Manager(silent);
    await assert.rejects(manager.start([part('store', log), part('http', log, 'start')]), /Could not start http/);
    assert.deepEqual(log, ['+store', '-store']);
  });
});

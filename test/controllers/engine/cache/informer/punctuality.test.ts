import assert from 'node:assert/strict';
import { startInformer } from '../../../../../controllers/engine/cache/informer.js';
import { EngineError } from '../../../../../controllers/engine/engine.js';
import { FakeClock, PUNCTUALITIES } from '../../../../setup/fake-clock.js';
import { fire, withOwnTimers } from '../../../../setup/own-timers.js';
import { aContainer, flush, ScriptedEngine, silent } from '../../scripted-engine.js';
import { COALESCE_MS, LISTS } from './a-cache.js';

const HOUR_MS = 3_600_000;

for (const punctuality of PUNCTUALITIES) {
  describe(`The cache of the engine, when timers fire ${punctuality}`, () => {
    let clock: FakeClock;
    let engine: ScriptedEngine;
    let cache: ReturnType<typeof startInformer>;

    beforeEach(() => {
      clock = new FakeClock(undefined, punctuality);
      engine = new ScriptedEngine(() => clock.now());
      engine.containers.set('c1', aContainer());
      cache = startInformer({ engine, log: silent, clock, coalesceMs: COALESCE_MS });
    });
    afterEach(() => cache.stop());

    const state = () => cache.containers().map(({ id, state: is }) => `${id} ${is}`);

    it('tries to connect until the engine is there, and shows what happened meanwhile', async () => {
      await cache.start();
      engine.down = true;
      engine.breakStreams();
      await flush();
      await fire(clock, 12);
      assert.equal(engine.takeRequests().filter((it) => it === 'events').length, 13, 'once after each pause');
      engine.containers.set('c1', aContainer({ state: 'exited' }));
      engine.down = false;
      await fire(clock, 1);
      assert.deepEqual([cache.hasSynced, state(), clock.planned], [true, ['c1 exited'], []]);
    });

    it('gives up an engine that does not take its subscription, and connects to the next one', async () => {
      const release = engine.hold('events');
      const started = cache.start();
      await flush();
      await fire(clock, 1);
      await started;
      assert.match(cache.syncError ?? '', /did not accept a subscription to its events within 60 s$/);
      release();
      await fire(clock, 1);
      assert.deepEqual([cache.hasSynced, clock.planned], [true, []]);
    });

    it('gives up a list that is not answered, and lists again', async () => {
      await withOwnTimers(clock, async () => {
        const release = engine.hold('listVolumes');
        const started = cache.start();
        await flush();
        await fire(clock, 1);
        await started;
        assert.match(cache.syncError ?? '', /Docker did not answer within 60 s$/);
        release();
        await fire(clock, 1);
      });
      assert.deepEqual([cache.hasSynced, clock.planned], [true, []]);
    });

    it('lists again when it is asked to, at once also in a pause', async () => {
      await cache.start();
      engine.takeRequests();
      await cache.relist();
      assert.deepEqual(engine.takeRequests(), LISTS);
      engine.down = true;
      engine.breakStreams();
      await flush();
      engine.down = false;
      await cache.relist();
      assert.deepEqual([cache.hasSynced, clock.planned], [true, []]);
    });

    it('refreshes what an event is about, again when another comes meanwhile or the refresh fails', async () => {
      await cache.start();
      engine.takeRequests();
      clock.advance(1_000);
      const emit = (state: 'exited' | 'paused', action: string): void => {
        engine.containers.set('c1', aContainer({ state }));
        engine.emit({ type: 'container', action, id: 'c1' });
      };
      engine.fault = (request) => (request === 'inspectContainer c1' ? new EngineError('not now', 500) : undefined);
      emit('exited', 'die');
      await flush();
      await fire(clock, 2);
      engine.fault = () => undefined;
      const release = engine.hold('inspectContainer c1');
      await fire(clock, 1);
      clock.advance(1);
      emit('paused', 'pause');
      await flush();
      release();
      await flush();
      await fire(clock, 2);
      assert.deepEqual([state(), clock.planned], [['c1 paused'], []]);
    });

    it('gives up a look that is not answered, and looks again', async () => {
      await cache.start();
      await withOwnTimers(clock, async () => {
        const release = engine.hold('inspectContainer c1');
        clock.advance(1_000);
        engine.containers.set('c1', aContainer({ state: 'exited' }));
        engine.emit({ type: 'container', action: 'die', id: 'c1' });
        await flush();
        await fire(clock, 2);
        assert.match(
          cache.unanswered() ?? '',
          /cannot be asked about container web_1_1_local since .*: Docker did not/,
        );
        release();
        await fire(clock, 1);
      });
      assert.deepEqual([state(), cache.unanswered(), clock.planned], [['c1 exited'], undefined, []]);
    });
  });
}

/** ms by which the time of day is set, while the timers are exact. */
for (const byMs of [-8 * HOUR_MS, -500, 48 * HOUR_MS]) {
  describe(`The cache of the engine, when the clock is set by ${byMs / HOUR_MS} h`, () => {
    it('reconnects, and sees every event, those of a moment after the last look too', async () => {
      const clock = new FakeClock();
      const engine = new ScriptedEngine(() => clock.now());
      engine.containers.set('c1', aContainer());
      const cache = startInformer({ engine, log: silent, clock, coalesceMs: COALESCE_MS });
      await cache.start();
      engine.down = true;
      engine.breakStreams();
      await flush();
      clock.set(byMs);
      engine.down = false;
      await fire(clock, 1);
      assert.equal(cache.hasSynced, true);
      // It happened after the list; its time is earlier, or of another age, and it is heard of a little later.
      clock.advance(10);
      clock.set(byMs);
      engine.containers.set('c1', aContainer({ state: 'exited' }));
      const happenedMs = clock.now();
      clock.advance(600);
      engine.emit({ type: 'container', action: 'die', id: 'c1' }, happenedMs);
      await flush();
      await fire(clock, 1);
      assert.equal(cache.containers()[0]?.state, 'exited');
      await cache.stop();
    });
  });
}

import assert from 'node:assert/strict';
import type { Clock } from '../../../../api/platform/clock.js';
import { RefreshQueue } from '../../../../controllers/engine/cache/refresh-queue.js';
import { FakeClock } from '../../../setup/fake-clock.js';
import { flush } from '../scripted-engine.js';

function setUp() {
  const fake = new FakeClock();
  let timers = 0;
  const clock: Clock = {
    now: () => fake.now(),
    monotonic: () => fake.monotonic(),
    after: (ms, call) => {
      timers += 1;
      return fake.after(ms, call);
    },
  };
  /** Looks that have begun, in order, and how to end one. */
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const look = (key: string) => {
    started.push(key);
    return new Promise<void>((resolve) => ends.set(key, resolve));
  };
  const refreshQueue = new RefreshQueue({ look, failed: () => undefined, delayMs: 15, atOnce: 2, clock });
  return { refreshQueue, fake, started, end: (key: string) => ends.get(key)?.(), timers: () => timers };
}

describe('RefreshQueue', () => {
  it('looks at what is due in its order, as many at once as may be, with one timer for each', async () => {
    const { refreshQueue, fake, started, end, timers } = setUp();
    const keys = Array.from({ length: 100 }, (_, at) => `${at}`);
    for (const key of keys) refreshQueue.mark(key);
    fake.advance(10_000);
    assert.deepEqual(started, ['0', '1']);
    for (const key of keys) {
      end(key);
      await flush();
    }
    assert.deepEqual(started, keys);
    assert.equal(timers(), keys.length);
  });

  it('takes back the mark of what is due and waits for its turn', async () => {
    const { refreshQueue, fake, started, end } = setUp();
    for (const key of ['a', 'b', 'c', 'd']) refreshQueue.mark(key);
    fake.advance(15);
    refreshQueue.unmark('c');
    end('a');
    await flush();
    assert.deepEqual([started, refreshQueue.has('c')], [['a', 'b', 'd'], false]);
    refreshQueue.stop();
  });

  it('looks once more at what was marked while it was looked at', async () => {
    const { refreshQueue, fake, started, end } = setUp();
    refreshQueue.mark('a');
    fake.advance(15);
    refreshQueue.mark('a');
    refreshQueue.mark('a');
    end('a');
    await flush();
    fake.advance(15);
    assert.deepEqual(started, ['a', 'a']);
  });
});

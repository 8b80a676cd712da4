import assert from 'node:assert/strict';
import { WatchTime } from '../../../controllers/revision/watch-time.js';
import { FakeClock } from '../../setup/fake-clock.js';

describe('WatchTime', () => {
  const start = () => {
    const clock = new FakeClock();
    return { clock, time: new WatchTime({ now: () => clock.now(), monotonic: () => clock.monotonic() }) };
  };

  it('counts while nothing stands in the way', () => {
    const { clock, time } = start();
    assert.equal(time.look('a/1', undefined, true), 0);
    clock.advance(7_000);
    assert.equal(time.look('a/1', undefined, false), 7_000);
    clock.advance(100_000);
    assert.equal(time.look('a/1', undefined, true), 7_000);
    clock.advance(1_000);
    assert.equal(time.look('a/1', undefined, true), 8_000);
  });

  it('goes on from what an earlier process noted, and with at most a minute that it did not', () => {
    const { clock, time } = start();
    const noted = (agoMs: number) => ({ seconds: 120, atMs: clock.now() - agoMs });
    assert.equal(time.look('a/1', noted(5_000), true), 125_000);
    assert.equal(time.look('b/1', noted(7 * 24 * 3_600_000), true), 180_000);
    assert.equal(time.look('c/1', noted(-60_000), true), 120_000, 'the clock was set back');
  });

  it('counts no more than a minute from look to look: the machine has slept, or the timer was late', () => {
    const { clock, time } = start();
    time.look('a/1', undefined, true);
    clock.advance(3_600_000);
    assert.equal(time.look('a/1', undefined, true), 60_000);
  });

  it('begins anew for another promotion, and for one that was forgotten', () => {
    const { clock, time } = start();
    time.look('a/1', undefined, true);
    clock.advance(5_000);
    assert.equal(time.look('a/2', undefined, true), 0);
    time.forget('a');
    assert.equal(time.look('a/1', undefined, true), 0);
  });
});

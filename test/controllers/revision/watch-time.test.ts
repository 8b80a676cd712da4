import assert from 'node:assert/strict';
import { mayBeUnnotedMs, nextNoteMs, WatchTime } from '../../../controllers/revision/watch-time.js';
import { FakeClock } from '../../setup/fake-clock.js';

describe('WatchTime', () => {
  const start = () => {
    const clock = new FakeClock();
    return { clock, time: new WatchTime({ now: () => clock.now(), monotonic: () => clock.monotonic() }) };
  };

  it('counts while nothing stands in the way', () => {
    const { clock, time } = start();
    assert.equal(time.look('a/1', 0, true).ms, 0);
    clock.advance(7_000);
    assert.equal(time.look('a/1', 0, false).ms, 7_000);
    clock.advance(100_000);
    assert.equal(time.look('a/1', 0, true).ms, 7_000);
    clock.advance(1_000);
    assert.equal(time.look('a/1', 0, true).ms, 8_000);
  });

  it('goes on from what an earlier process noted, and from nothing else', () => {
    const { clock, time } = start();
    clock.advance(3_600_000);
    assert.deepEqual(time.look('a/1', 120_000, true), { ms: 120_000, ownMs: 0 });
    clock.advance(5_000);
    assert.deepEqual(time.look('a/1', 120_000, true), { ms: 125_000, ownMs: 5_000 });
  });

  it('is to be noted soon at first, and once a minute later', () => {
    const noted: number[] = [];
    for (let second = 0; second <= 300; second += 1) {
      const unnoted = second - (noted.at(-1) ?? 0);
      if (unnoted * 1_000 >= mayBeUnnotedMs({ ownMs: second * 1_000 })) noted.push(second);
    }
    assert.deepEqual(noted, [10, 20, 40, 80, 140, 200, 260]);
    const next = [0, 10_000, 20_000, 40_000, 80_000].map((ownMs) => nextNoteMs({ ownMs }));
    assert.deepEqual(next, [10_000, 10_000, 20_000, 40_000, 60_000]);
  });

  it('counts no more than a minute from look to look: the machine has slept, or the timer was late', () => {
    const { clock, time } = start();
    time.look('a/1', 0, true);
    clock.advance(3_600_000);
    assert.equal(time.look('a/1', 0, true).ms, 60_000);
  });

  it('begins again for another promotion, and for one that was forgotten', () => {
    const { clock, time } = start();
    time.look('a/1', 0, true);
    clock.advance(5_000);
    assert.equal(time.look('a/2', 0, true).ms, 0);
    time.forget('a');
    assert.equal(time.look('a/1', 0, true).ms, 0);
  });
});

import assert from 'node:assert/strict';
import { Ages } from '../../../controllers/runtime/ages.js';
import { watchClock } from '../../../controllers/runtime/clock-watch.js';
import { FakeClock, PUNCTUALITIES } from '../../setup/fake-clock.js';

describe('the watch over the clock', () => {
  for (const punctuality of PUNCTUALITIES) {
    it(`tells by how much the clock was set, once for each time, when timers fire ${punctuality}`, () => {
      const clock = new FakeClock(0, punctuality);
      const reported: number[] = [];
      const stop = watchClock(clock, (byMs) => reported.push(byMs));
      clock.advance(3 * 3_600_000);
      assert.deepEqual(reported, []);
      clock.set(-8 * 3_600_000);
      clock.advance(3 * 3_600_000);
      clock.set(86_400_000);
      clock.advance(3 * 3_600_000);
      assert.deepEqual(reported, [-8 * 3_600_000, 86_400_000]);
      stop();
      clock.set(86_400_000);
      clock.advance(3 * 3_600_000);
      assert.equal(reported.length, 2);
    });
  }

  it('does not mind a clock that is slewed', () => {
    const clock = new FakeClock();
    const reported: number[] = [];
    watchClock(clock, (byMs) => reported.push(byMs));
    for (let turn = 0; turn < 1_000; turn += 1) {
      clock.set(5);
      clock.advance(10_000);
    }
    assert.deepEqual(reported, []);
  });
});

describe('how long ago something was', () => {
  it('is read from the clock at first and measured from then on', () => {
    const clock = new FakeClock();
    const ages = new Ages(clock);
    const atMs = clock.now() - 5_000;
    assert.equal(ages.since('a', atMs), 5_000);
    clock.advance(1_000);
    clock.set(-8 * 3_600_000);
    assert.equal(ages.since('a', atMs), 6_000);
    clock.set(365 * 86_400_000);
    assert.equal(ages.since('a', atMs), 6_000);
    assert.equal(ages.since('a', clock.now()), 0, 'another time is another fact');
  });

  it('begins when it is first seen for what lies in the future', () => {
    const clock = new FakeClock();
    const ages = new Ages(clock);
    const atMs = clock.now() + 3_600_000;
    assert.equal(ages.since('a', atMs), 0);
    clock.advance(1_000);
    assert.equal(ages.since('a', atMs), 1_000);
  });

  it('is forgotten when nobody asks any more', () => {
    const clock = new FakeClock();
    const ages = new Ages(clock);
    for (let turn = 0; turn < 100; turn += 1) {
      ages.since(`${turn}`, clock.now());
      clock.advance(600_000);
    }
    assert.ok(ages.size <= 8, `${ages.size} facts`);
  });
});

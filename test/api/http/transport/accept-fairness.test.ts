import assert from 'node:assert/strict';
import { AcceptFairness } from '../../../../api/http/transport/accept-fairness.js';

/** A loop whose rounds and time are ours; each request takes a millisecond. */
function aLoop() {
  const loop = { ms: 0, served: [] as number[], afterRound: [] as (() => void)[] };
  const fairness = new AcceptFairness({ now: () => loop.ms, afterRound: (act) => loop.afterRound.push(act) });
  return {
    served: loop.served,
    connect: () => fairness.connected(),
    /** Requests of these numbers arrive. */
    ask: (...numbers: number[]) => {
      for (const number of numbers) {
        fairness.serve(() => {
          loop.ms += 1;
          loop.served.push(number);
        });
      }
    },
    /** Ends the round; whether the pacer has anything to do in the next. */
    next: (): boolean => {
      for (const act of loop.afterRound.splice(0)) act();
      return loop.afterRound.length > 0;
    },
  };
}

describe('the pacer', () => {
  it('stays out of the way while nobody comes', () => {
    const loop = aLoop();
    loop.ask(1, 2, 3, 4, 5, 6);
    assert.deepEqual(loop.served, [1, 2, 3, 4, 5, 6]);
    assert.equal(loop.next(), false);
  });

  it('gives requests two milliseconds of each round in which somebody comes, in order', () => {
    const loop = aLoop();
    loop.connect();
    loop.ask(1, 2, 3, 4, 5);
    assert.deepEqual(loop.served, [1, 2]);
    loop.connect();
    loop.next();
    assert.deepEqual(loop.served, [1, 2, 3, 4], 'those that wait come first');
    loop.connect();
    loop.ask(6, 7);
    assert.deepEqual(loop.served, [1, 2, 3, 4]);
    loop.next();
    assert.deepEqual(loop.served, [1, 2, 3, 4, 5, 6]);
  });

  it('serves all that wait as soon as nobody has come for a round, and rests', () => {
    const loop = aLoop();
    loop.connect();
    loop.ask(1, 2, 3, 4, 5);
    assert.equal(loop.next(), true, 'somebody came in that round');
    assert.equal(loop.next(), false);
    assert.deepEqual(loop.served, [1, 2, 3, 4, 5]);
    loop.ask(6, 7, 8, 9);
    assert.deepEqual(loop.served, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('gives them a quarter of one once somebody has come in every round for 100 ms, one request at least', () => {
    const loop = aLoop();
    loop.connect();
    loop.ask(...Array.from({ length: 200 }, (_, at) => at));
    const servedIn = (): number => {
      const before = loop.served.length;
      loop.connect();
      loop.next();
      return loop.served.length - before;
    };
    assert.deepEqual(
      Array.from({ length: 49 }, servedIn),
      Array.from({ length: 49 }, () => 2),
    );
    assert.deepEqual([servedIn(), servedIn()], [1, 1]);
    loop.next();
    assert.equal(loop.served.length, 200);
  });
});

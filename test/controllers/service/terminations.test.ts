import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Terminations } from '../../../controllers/service/terminations.js';

describe('Terminations', () => {
  /** An action that ends when told to. */
  const held = () => {
    let end: (error?: Error) => void = () => assert.fail('not begun');
    let begun = false;
    const action = (): Promise<void> => {
      begun = true;
      return new Promise((resolve, reject) => {
        end = (error) => (error ? reject(error) : resolve());
      });
    };
    return { action, end: (error?: Error) => end(error), begun: () => begun };
  };

  it('lets eight containers go at once, the others after them', async () => {
    const terminations = new Terminations();
    const all = Array.from({ length: 10 }, held);
    all.forEach(({ action }, at) => {
      terminations.begin(`s${at}`, `c${at}`, 'removed', action);
    });
    await nextTurn();
    assert.equal(all.filter(({ begun }) => begun()).length, 8);
    assert.equal(terminations.terminating.size, 10);
    all[0]?.end();
    await nextTurn();
    assert.equal(all.filter(({ begun }) => begun()).length, 9);
    assert.equal(terminations.isTerminating('s0'), false);
  });

  it('tells once how one failed, and lets the next one begin', async () => {
    const terminations = new Terminations();
    const ended: string[] = [];
    terminations.onEnd((service) => ended.push(service));
    const one = held();
    terminations.begin('web', 'c1', 'removed', one.action);
    await nextTurn();
    one.end(new Error('no'));
    await nextTurn();
    assert.deepEqual(ended, ['web']);
    assert.equal(terminations.takeFailure('web')?.message, 'no');
    assert.equal(terminations.takeFailure('web'), undefined);
  });

  it('begins only once for a container', async () => {
    const terminations = new Terminations();
    const one = held();
    const again = held();
    terminations.begin('web', 'c1', 'removed', one.action);
    terminations.begin('web', 'c1', 'removed', again.action);
    await nextTurn();
    assert.equal(again.begun(), false);
  });
});

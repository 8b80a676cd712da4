import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { v8Heap } from '../../../controllers/runtime/heap-rest.js';
import { withinMs } from '../../../controllers/runtime/time-limit.js';

/** Resolves with the reason that the signal gives, which nothing else refers to. */
const reasonOf = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason));
  });

describe('a limit of time', () => {
  it('comes, though the heap is collected before', async () => {
    const alive = setInterval(() => undefined, 1_000); // the limit itself keeps no process alive
    const reason = reasonOf(withinMs(300, new AbortController().signal));
    // Whatever was used in this turn is kept until its end.
    for (let turns = 0; turns < 5; turns += 1) {
      await nextTurn();
      v8Heap.collect();
    }
    assert.equal(((await reason) as Error).name, 'TimeoutError');
    clearInterval(alive);
  });

  it('gives way to who gives up earlier', async () => {
    const giver = new AbortController();
    const signal = withinMs(60_000, giver.signal);
    const ended = once(signal, 'abort');
    giver.abort(new Error('no longer wanted'));
    await ended;
    assert.match(String(signal.reason), /no longer wanted/);
  });

  it('stands alone as well', () => {
    assert.equal(withinMs(60_000).aborted, false);
  });
});

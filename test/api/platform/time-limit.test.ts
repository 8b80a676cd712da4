import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { settledWithin, timeoutSignal, withTimeout } from '../../../api/platform/time-limit.js';
import { v8Heap } from '../../../controllers/runtime/idle-gc.js';

/** Resolves with the reason that the signal gives, which nothing else refers to. */
const reasonOf = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason));
  });

describe('a limit of time', () => {
  it('comes, though the heap is collected before', async () => {
    const alive = setInterval(() => undefined, 1_000); // the limit itself keeps no process alive
    const reason = reasonOf(timeoutSignal(300, new AbortController().signal));
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
    const signal = timeoutSignal(60_000, giver.signal);
    const ended = once(signal, 'abort');
    giver.abort(new Error('no longer wanted'));
    await ended;
    assert.match(String(signal.reason), /no longer wanted/);
  });

  it('stands alone as well', () => {
    assert.equal(timeoutSignal(60_000).aborted, false);
  });
});

describe('an action with a limit of time', () => {
  /** Runs until its signal aborts; rejects with the reason. */
  const endless = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const never = new AbortController().signal;

  it('gives what the action returns', async () => {
    assert.equal(await withTimeout(60_000, never, async () => 'done'), 'done');
  });

  it('is ended with a TimeoutError that says what was late', async () => {
    const alive = setInterval(() => undefined, 1_000);
    const late = withTimeout(10, never, endless, 'Docker did not answer');
    await assert.rejects(late, { name: 'TimeoutError', message: 'Docker did not answer within 0.01 s' });
    clearInterval(alive);
  });

  it('is ended when its caller gives up, before or while it runs', async () => {
    const giver = new AbortController();
    const running = withTimeout(60_000, giver.signal, endless);
    giver.abort(new Error('no longer wanted'));
    await assert.rejects(running, /no longer wanted/);
    await assert.rejects(withTimeout(60_000, giver.signal, endless), /no longer wanted/);
  });
});

describe('a promise with a limit of time', () => {
  it('gives what it comes to, or the error of the limit', async () => {
    const late = () => new Error('too late');
    assert.equal(await settledWithin(60_000, Promise.resolve(1), late), 1);
    await assert.rejects(settledWithin(60_000, Promise.reject(new Error('refused')), late), /refused/);
    await assert.rejects(settledWithin(1, new Promise(() => undefined), late), /too late/);
  });
});

describe('limits of time in the product', () => {
  it('never come from AbortSignal.timeout, which may be collected', async () => {
    const root = join(import.meta.dirname, '../../..');
    for (const folder of ['api', 'controllers', 'crds']) {
      for (const name of await readdir(join(root, folder), { recursive: true })) {
        if (!name.endsWith('.ts') || join(folder, name) === 'api/platform/time-limit.ts') continue;
        const text = await readFile(join(root, folder, name), 'utf8');
        assert.doesNotMatch(text, /AbortSignal\.timeout/, join(folder, name));
      }
    }
  });
});

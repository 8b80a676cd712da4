import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Limiter, Turns } from '../../../api/platform/turns.js';

/** Actions that end when told to; what has begun, by name. */
function held() {
  const started: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const action = (name: string) => (): Promise<string> => {
    started.push(name);
    return new Promise((resolve, reject) => {
      ends.set(name, (error) => (error ? reject(error) : resolve(name)));
    });
  };
  return { started, action, end: (name: string, error?: Error) => ends.get(name)?.(error) };
}

describe('Turns', () => {
  it('runs one after another, also after one that failed', async () => {
    const { started, action, end } = held();
    const turns = new Turns();
    const [a, b] = [turns.run(action('a')), turns.run(action('b'))];
    await nextTurn();
    assert.deepEqual(started, ['a']);
    end('a', new Error('broken'));
    await assert.rejects(a, /broken/);
    await nextTurn();
    assert.deepEqual(started, ['a', 'b']);
    end('b');
    assert.equal(await b, 'b');
  });

  it('is idle once all that was asked for has ended', async () => {
    const { action, end } = held();
    const turns = new Turns();
    await turns.idle();
    const failing = turns.run(action('a')).catch(() => undefined);
    let isIdle = false;
    const idle = turns.idle().then(() => {
      isIdle = true;
    });
    await nextTurn();
    assert.equal(isIdle, false);
    end('a', new Error('broken'));
    await Promise.all([failing, idle]);
  });
});

describe('Limiter', () => {
  it('begins at once where there is room, the others in order', async () => {
    const { started, action, end } = held();
    const limiter = new Limiter(2);
    const runs = ['a', 'b', 'c', 'd'].map((name) => limiter.run(action(name)));
    assert.deepEqual(started, ['a', 'b']);
    end('b', new Error('broken'));
    await assert.rejects(runs[1] ?? Promise.resolve(), /broken/);
    await nextTurn();
    assert.deepEqual(started, ['a', 'b', 'c']);
    for (const name of ['a', 'c']) end(name);
    await nextTurn();
    assert.deepEqual(started, ['a', 'b', 'c', 'd']);
    end('d');
    assert.equal(await runs[3], 'd');
  });

  it('gives the place of one that ends to who waited, and not to who comes meanwhile', async () => {
    const { started, action, end } = held();
    const limiter = new Limiter(1);
    const first = limiter.run(action('a'));
    void limiter.run(action('b'));
    void first.then(() => limiter.run(action('c')));
    await nextTurn();
    end('a');
    await nextTurn();
    assert.deepEqual(started, ['a', 'b']);
    end('b');
    await nextTurn();
    assert.deepEqual(started, ['a', 'b', 'c']);
  });
});

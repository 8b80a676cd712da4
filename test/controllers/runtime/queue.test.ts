import assert from 'node:assert/strict';
import { WorkQueue } from '../../../controllers/runtime/queue.js';

describe('WorkQueue', () => {
  it('gives keys in the order in which they came, each once', () => {
    const queue = new WorkQueue();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    assert.deepEqual([queue.take(), queue.take(), queue.take(), queue.take()], ['a', 'b', 'c', undefined]);
  });

  it('folds whatever is added during a pass into one more pass', () => {
    const queue = new WorkQueue();
    queue.add('a');
    queue.take();
    for (let i = 0; i < 10; i += 1) queue.add('a');
    assert.equal(queue.take(), undefined, 'never two passes at once');
    assert.equal(queue.done('a'), true);
    assert.equal(queue.take(), 'a');
    assert.equal(queue.done('a'), false);
    assert.equal(queue.take(), undefined);
  });

  it('can forget that a key was touched during its pass', () => {
    const queue = new WorkQueue();
    queue.add('a');
    queue.take();
    queue.add('a');
    queue.clean('a');
    assert.equal(queue.done('a'), false);
  });
});

import assert from 'node:assert/strict';
import { onceForFrozen } from '../../../crds/model/once.js';

describe('onceForFrozen', () => {
  let calls = 0;
  const count = onceForFrozen(({ n }: { n: number }) => {
    calls += 1;
    return n === 0 ? undefined : n;
  });
  beforeEach(() => {
    calls = 0;
  });

  it('computes once for a frozen value, whatever comes of it', () => {
    for (const value of [Object.freeze({ n: 1 }), Object.freeze({ n: 0 })]) {
      calls = 0;
      assert.deepEqual([count(value), count(value)], [value.n || undefined, value.n || undefined]);
      assert.equal(calls, 1);
    }
  });

  it('computes again for a value that may have changed', () => {
    const value = { n: 1 };
    assert.equal(count(value), 1);
    value.n = 2;
    assert.equal(count(value), 2);
    assert.equal(calls, 2);
  });
});

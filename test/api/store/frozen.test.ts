import assert from 'node:assert/strict';
import { frozen, hashOf, textOf } from '../../../api/store/frozen.js';

describe('frozen', () => {
  it('is an equal copy that nobody can change, at any depth', () => {
    const value = { list: [{ a: 1 }], text: 'x', nothing: null };
    const copy = frozen(value);
    assert.deepEqual(copy, value);
    assert.notEqual(copy, value);
    for (const part of [copy, copy.list, copy.list[0]]) assert.ok(Object.isFrozen(part));
    assert.ok(!Object.isFrozen(value), 'what was given stays as it was');
  });

  it('leaves out members that are undefined', () => {
    assert.deepEqual(Object.keys(frozen({ a: undefined, b: { c: undefined } }).b), []);
    assert.ok(!('a' in frozen({ a: undefined })));
  });

  it('shares what it has frozen already', () => {
    const part = frozen({ a: 1 });
    assert.equal(frozen(part), part);
    assert.equal(frozen({ part }).part, part);
  });

  it('copies what somebody else froze: that may be shallow', () => {
    const value = Object.freeze({ inner: { a: 1 } });
    assert.notEqual(frozen(value), value);
    assert.ok(Object.isFrozen(frozen(value).inner));
  });

  it('is compared by text and hash, whatever the order of members', () => {
    const [one, same, other] = [frozen({ a: 1, b: 2 }), frozen({ b: 2, a: 1 }), frozen({ a: 1, b: 3 })];
    for (const of of [textOf, hashOf]) {
      assert.equal(of(one), of(same));
      assert.equal(of(one), of(one), 'remembered');
      assert.equal(of({ a: 1, b: 2 }), of(one), 'also of what is not frozen');
      assert.notEqual(of(one), of(other));
    }
  });
});

import assert from 'node:assert/strict';

describe('a sample', () => {
  it('passes', () => assert.ok(true));
  it('fails', () => {
    throw new Error('what was done', { cause: new Error('why it failed') });
  });
  it.skip('is skipped', () => assert.ok(false));
  describe('with a hook that fails', () => {
    before(() => assert.equal(1, 2));
    it('does not run', () => assert.ok(true));
  });
});

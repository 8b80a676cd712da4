import assert from 'node:assert/strict';
import { TerminalError } from '../../../../controllers/runtime/outcome.js';
import { Refusals } from '../../../../controllers/service/update/refusals.js';

describe('Refusals', () => {
  let nowMs = 0;
  let refusals: Refusals;
  const error = new TerminalError('RuntimeMissing', 'no such runtime');
  beforeEach(() => {
    nowMs = 0;
    refusals = new Refusals({ monotonic: () => nowMs });
    refusals.note('web', 'a', error);
  });

  it('tells why the engine would refuse the same again', () => assert.equal(refusals.of('web', 'a'), error));
  it('knows nothing of another attempt', () => assert.equal(refusals.of('web', 'b'), undefined));
  it('knows nothing of another service', () => assert.equal(refusals.of('db', 'a'), undefined));
  it('has the engine asked again after an hour', () => {
    nowMs = 60 * 60_000;
    assert.equal(refusals.of('web', 'a'), error);
    nowMs += 1;
    assert.equal(refusals.of('web', 'a'), undefined);
  });
  it('forgets one service', () => {
    refusals.note('db', 'a', error);
    refusals.forget('web');
    assert.equal(refusals.of('web', 'a'), undefined);
    assert.equal(refusals.of('db', 'a'), error);
  });
  it('forgets all of them', () => {
    refusals.forgetAll();
    assert.equal(refusals.of('web', 'a'), undefined);
  });
});

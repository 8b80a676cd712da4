import assert from 'node:assert/strict';
import { errorMessage, toError } from '../../../api/platform/errors.js';

describe('errors', () => {
  it('says what an error says, without its causes', () => {
    assert.equal(errorMessage(new TypeError('no such thing', { cause: new Error('inner') })), 'no such thing');
  });

  it('makes text of anything else that was thrown', () => {
    assert.deepEqual([errorMessage('full'), errorMessage(undefined), errorMessage(7)], ['full', 'undefined', '7']);
  });

  it('keeps an error as it is and wraps anything else', () => {
    const error = new RangeError('far');
    assert.equal(toError(error), error);
    assert.equal(toError('near').message, 'near');
  });
});

import assert from 'node:assert/strict';
import { errorMessage, messageWithCauses, toError } from '../../../api/platform/errors.js';

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

  it('tells the causes of an error, outermost first', () => {
    const refused = new Error('connection refused');
    const error = new Error('Could not pull web', { cause: new Error('no answer', { cause: refused }) });
    assert.equal(messageWithCauses(error), 'Could not pull web: no answer: connection refused');
    assert.equal(messageWithCauses(new Error('Could not pull web', { cause: 'late' })), 'Could not pull web: late');
    assert.equal(messageWithCauses('late'), 'late');
  });

  it('does not tell a cause again that the message has told', () => {
    const cause = new Error('no space left');
    const error = new Error('Could not write a: no space left', { cause });
    assert.equal(messageWithCauses(error), 'Could not write a: no space left');
  });
});

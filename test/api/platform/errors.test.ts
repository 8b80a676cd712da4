import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import {
  errorCode,
  errorMessage,
  hasCode,
  isMissing,
  messageWithCauses,
  toError,
} from '../../../api/platform/errors.js';

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

  it('does not repeat a cause that the message contains', () => {
    const cause = new Error('no space left');
    const error = new Error('Could not write a: no space left', { cause });
    assert.equal(messageWithCauses(error), 'Could not write a: no space left');
  });

  it('knows the code of an error of the system', async () => {
    const absent = await readFile('/no/such/file').catch((error: unknown) => error);
    const below = await readFile('/dev/null/below').catch((error: unknown) => error);
    assert.deepEqual([errorCode(absent), errorCode(below)], ['ENOENT', 'ENOTDIR']);
    assert.deepEqual([isMissing(absent), isMissing(below)], [true, true]);
    assert.deepEqual([hasCode(absent, 'EACCES', 'ENOENT'), hasCode(absent, 'EACCES')], [true, false]);
  });

  it('finds no code where the system gave none', () => {
    const numbered = Object.assign(new Error('conflict'), { code: 409 });
    for (const error of [new Error('plain'), numbered, { code: 'ENOENT' }, 'ENOENT', undefined]) {
      assert.equal(errorCode(error), undefined);
      assert.equal(isMissing(error), false);
      assert.equal(hasCode(error, ''), false);
    }
  });
});

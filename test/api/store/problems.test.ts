import assert from 'node:assert/strict';
import { Problems } from '../../../api/store/problems.js';

const texts = (problems: Problems): readonly string[] =>
  problems.list().map(({ origin, message }) => `${origin}: ${message}`);

describe('Problems', () => {
  it('replaces what an origin said with what it says now, and leaves other origins alone', () => {
    const problems = new Problems();
    problems.set('files', [{ message: 'one' }, { message: 'two' }]);
    problems.set('local', [{ message: 'three' }]);
    problems.set('files', [{ message: 'two' }]);
    assert.deepEqual(texts(problems), ['files: two', 'local: three']);
    assert.deepEqual(
      problems.of('files').map(({ message }) => message),
      ['two'],
    );
  });

  const rows: readonly { it: string; before: readonly string[]; now: readonly string[]; news: boolean }[] = [
    { it: 'tells news when something is wrong for the first time', before: [], now: ['one'], news: true },
    { it: 'tells no news when the same is wrong', before: ['one'], now: ['one'], news: false },
    { it: 'tells news when something else is wrong', before: ['one'], now: ['two'], news: true },
    { it: 'tells news when nothing is wrong any more', before: ['one'], now: [], news: true },
    { it: 'tells no news when nothing was wrong and nothing is', before: [], now: [], news: false },
  ];
  for (const { it: what, before, now, news } of rows) {
    it(what, () => {
      const problems = new Problems();
      problems.set(
        'files',
        before.map((message) => ({ message })),
      );
      assert.equal(
        problems.set(
          'files',
          now.map((message) => ({ message })),
        ),
        news,
      );
      assert.equal(problems.of('files').length, now.length);
    });
  }

  it('names a lost document, as the agent itself, until it is there again', () => {
    const problems = new Problems();
    problems.set('files', [{ message: 'one' }]);
    problems.setFile('App/hello', 'its file could not be used');
    assert.deepEqual(problems.list()[0], {
      message: 'its file could not be used',
      kind: 'App',
      name: 'hello',
      origin: 'agent',
    });
    problems.clearFile('App/hello');
    assert.deepEqual(texts(problems), ['files: one']);
  });
});

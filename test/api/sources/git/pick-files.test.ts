import assert from 'node:assert/strict';
import { pickFiles } from '../../../../api/sources/git/pick-files.js';
import { SourceError } from '../../../../api/sources/git/source-error.js';

const entriesOf = (...paths: string[]) =>
  paths.map((path) => ({ path, type: 'file' })) as unknown as Parameters<typeof pickFiles>[0];

describe('pickFiles', () => {
  it('takes what is included and not excluded', () => {
    const entries = entriesOf('a.yaml', 'b/c.yaml', 'b/d.json', '.e.yaml', 'f.txt');
    const picked = pickFiles(entries, { include: ['*.yaml', 'b/**'], exclude: ['c.*'] });
    assert.deepEqual(
      picked.files.map(({ path }) => path),
      ['a.yaml', 'b/d.json'],
    );
  });

  for (const field of ['include', 'exclude'] as const) {
    it(`gives up globs to ${field} that would take years`, () => {
      const entries = entriesOf(`${'a'.repeat(200)}.yaml`);
      const globs = { [field]: ['*a*a*a*a*a*a*a*a*a*a*a*b.yaml'] };
      assert.throws(
        () => pickFiles(entries, globs),
        (error) => error instanceof SourceError && error.final && /use fewer stars/.test(error.message),
      );
    });
  }
});

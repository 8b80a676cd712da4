import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Plan, wait } from '../../../controllers/runtime/outcome.js';
import { KINDS, type Kind } from '../../../crds/model/kinds.js';
import { COMMON_REASONS, type ReasonOf, reasonsOf } from '../../../crds/model/reasons.js';
import { SUSPENDED } from '../../../crds/model/suspend.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The text of every source file of a folder. */
const textOf = (...folders: readonly string[]): string =>
  folders
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');

/** `HostConfig` is looked after in `controllers/host-config`; what fails in a repository is told by the one that reads it. */
const foldersOf = (kind: Kind): readonly string[] => [
  `controllers/${kind.replaceAll(/(?<!^)[A-Z]/g, '-$&').toLowerCase()}`,
  ...(kind === 'GitSource' ? ['api/sources/git'] : []),
];

/** Reasons that the sources of a kind conclude with, where they are written out. */
const concludedIn = (text: string): readonly string[] =>
  [...text.matchAll(/\b(?:wait|act|retry|doing|(?:Terminal|Passing)Error)(?:<[^>()]*>)?\(\s*'([A-Z]\w+)'/g)].map(
    ([, reason = '']) => reason,
  );

describe('the reasons of conditions', () => {
  const runtime = textOf('controllers/runtime');

  it('are in a table, or do not compile', () => {
    // @ts-expect-error: no kind has it
    assert.equal(wait('NoSuchReason', 'Waiting for nothing').outcome.is, 'waiting');
    // @ts-expect-error: only a Volume has it
    const plan: Plan<never, ReasonOf<'Network'>> = wait('StillMounted', 'Waiting for containers');
    assert.equal(plan.outcome.is, 'waiting');
  });

  for (const kind of KINDS) {
    describe(kind, () => {
      const own = textOf(...foldersOf(kind));
      const reasons = reasonsOf(kind);

      it('are all given by somebody', () => {
        const isGiven = (reason: string): boolean =>
          reason === SUSPENDED
            ? /SUSPENDED|suspendedWith|'Suspended'/.test(own)
            : (Object.hasOwn(COMMON_REASONS, reason) ? own + runtime : own).includes(`'${reason}'`);
        assert.deepEqual(
          Object.keys(reasons).filter((reason) => !isGiven(reason)),
          [],
        );
      });

      it('are those that its controller gives, not those of another kind', () => {
        const concluded = concludedIn(own);
        assert.ok(concluded.length > 0);
        assert.deepEqual(
          concluded.filter((reason) => !Object.hasOwn(reasons, reason)),
          [],
        );
      });

      it('are explained in a sentence each, and so is what to do', () => {
        for (const [reason, { meaning, whatToDo }] of Object.entries(reasons)) {
          assert.match(reason, /^[A-Z][A-Za-z]+$/);
          for (const text of [meaning, whatToDo]) assert.match(text, /^[`A-Z].*\.$/, reason);
        }
      });
    });
  }
});

import assert from 'node:assert/strict';
import { RecentChanges } from '../../../api/store/changes.js';
import type { Change } from '../../../api/store/store.js';

const change = (version: number): Change => ({ resourceVersion: String(version) }) as Change;

/** Opened at version 100, with changes 101 to `last`; at least five are kept. */
function changesTo(last: number): RecentChanges {
  const changes = new RecentChanges(100, 5);
  for (let version = 101; version <= last; version += 1) changes.add(change(version));
  return changes;
}

describe('RecentChanges', () => {
  const rows: readonly { it: string; last: number; since: string; want: string }[] = [
    { it: 'gives what came after a version, oldest first', last: 104, since: '102', want: '103 104' },
    { it: 'gives nothing after the present version', last: 104, since: '104', want: '' },
    { it: 'gives everything since it was opened', last: 103, since: '100', want: '101 102 103' },
    { it: 'knows nothing of what was before it was opened', last: 103, since: '99', want: 'too old' },
    { it: 'refuses a version of another life, ahead of ours', last: 103, since: '104', want: 'too old' },
    { it: 'refuses what is no version', last: 103, since: '102x', want: 'too old' },
    { it: 'refuses an empty version', last: 103, since: '', want: 'too old' },
    { it: 'refuses a negative version', last: 103, since: '-1', want: 'too old' },
    {
      it: 'keeps all until there are twice as many as it must',
      last: 109,
      since: '100',
      want: '101 102 103 104 105 106 107 108 109',
    },
    { it: 'then keeps as many as it must', last: 110, since: '105', want: '106 107 108 109 110' },
    { it: 'and says so of what it dropped', last: 110, since: '104', want: 'too old' },
    { it: 'goes on from there', last: 112, since: '105', want: '106 107 108 109 110 111 112' },
  ];
  for (const { it: what, last, since, want } of rows) {
    it(what, () => {
      const found = changesTo(last).since(since, last);
      assert.equal(found?.map(({ resourceVersion }) => resourceVersion).join(' ') ?? 'too old', want);
    });
  }
});

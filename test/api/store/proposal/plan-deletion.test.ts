import assert from 'node:assert/strict';
import type { Entry } from '../../../../api/store/entry.js';
import { keyOfDeclared } from '../../../../api/store/entry.js';
import { planDeletion } from '../../../../api/store/proposal/plan-deletion.js';
import type { Key, Origin } from '../../../../crds/model/kinds.js';
import { aHostConfig, anApp, entriesOf, proposal } from '../fixtures.js';

/** `mark App/hello; after App/hello: nothing`. */
function decisionText(entries: ReadonlyMap<Key, Entry>, origin: Origin, key: Key): string {
  const plan = planDeletion(entries, origin, key);
  if (plan.is === 'absent') return 'absent';
  if (plan.is === 'refused') return `refused: ${plan.problem.message} (${plan.problem.kind} ${plan.problem.name})`;
  const lines = plan.decisions.map((one) =>
    one.do === 'await'
      ? `after ${one.key}: ${one.pendingReplacements.map(({ document, origin }) => `${keyOfDeclared(document)} of ${origin}`).join(', ') || 'nothing'}`
      : `${one.do} ${one.key}`,
  );
  return lines.join('; ') || 'nothing to do';
}

describe('planDeletion', () => {
  const hello = proposal('files', [anApp('hello', { appId: 1 })]);
  /** `hello` of `files`, being deleted. */
  const terminating = [hello, proposal('files', [])];
  const rows: readonly { it: string; entries: ReadonlyMap<Key, Entry>; origin: Origin; key: Key; want: string }[] = [
    { it: 'finds nothing where nothing is', entries: entriesOf(), origin: 'files', key: 'App/hello', want: 'absent' },
    {
      it: 'marks what has something to clean up',
      entries: entriesOf(hello),
      origin: 'files',
      key: 'App/hello',
      want: 'mark App/hello',
    },
    {
      it: 'refuses what another origin declares',
      entries: entriesOf(hello),
      origin: 'api',
      key: 'App/hello',
      want: 'refused: App/hello belongs to files; api cannot delete it. (App hello)',
    },
    {
      it: 'has nothing to do for what is being deleted',
      entries: entriesOf(...terminating),
      origin: 'files',
      key: 'App/hello',
      want: 'nothing to do',
    },
    {
      it: 'takes back what the same origin declared to come after a deletion',
      entries: entriesOf(...terminating, hello),
      origin: 'files',
      key: 'App/hello',
      want: 'after App/hello: nothing',
    },
    {
      it: 'takes back its own even where another origin had the document before',
      entries: entriesOf(...terminating, proposal('api', [anApp('hello', { appId: 1 })])),
      origin: 'api',
      key: 'App/hello',
      want: 'after App/hello: nothing',
    },
    {
      it: 'leaves what another origin declared to come',
      entries: entriesOf(...terminating, proposal('api', [anApp('hello', { appId: 1 })])),
      origin: 'files',
      key: 'App/hello',
      want: 'nothing to do',
    },
    {
      it: 'takes back what waits for a document of another name',
      entries: entriesOf(...terminating, proposal('api', [anApp('other', { appId: 1 })])),
      origin: 'api',
      key: 'App/other',
      want: 'after App/hello: nothing',
    },
  ];
  for (const { it: what, entries, origin, key, want } of rows)
    it(what, () => assert.equal(decisionText(entries, origin, key), want));

  it('removes at once what has nothing to clean up', () => {
    const all = new Map(entriesOf(proposal('files', [aHostConfig('network', 'h')])));
    const [[key, one] = []] = all;
    assert.ok(key && one);
    const { metadata } = one.resource;
    all.set(key, { ...one, resource: { ...one.resource, metadata: { ...metadata, finalizers: [] } } } as Entry);
    assert.equal(decisionText(all, 'files', key), `remove ${key}`);
  });
});

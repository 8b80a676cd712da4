import assert from 'node:assert/strict';
import type { Held } from '../../../../api/store/held.js';
import { keyOfDeclared } from '../../../../api/store/held.js';
import { planDeletion } from '../../../../api/store/proposal/plan-deletion.js';
import type { Key, Origin } from '../../../../crds/model/kinds.js';
import { aHostConfig, anApp, held, proposal } from '../fixtures.js';

/** `mark App/hello; after App/hello: nothing`. */
function told(held: ReadonlyMap<Key, Held>, origin: Origin, key: Key): string {
  const plan = planDeletion(held, origin, key);
  if (plan.is === 'absent') return 'absent';
  if (plan.is === 'refused') return `refused: ${plan.problem.message} (${plan.problem.kind} ${plan.problem.name})`;
  const lines = plan.decisions.map((one) =>
    one.do === 'await'
      ? `after ${one.key}: ${one.successors.map(({ document, origin }) => `${keyOfDeclared(document)} of ${origin}`).join(', ') || 'nothing'}`
      : `${one.do} ${one.key}`,
  );
  return lines.join('; ') || 'nothing to do';
}

describe('planDeletion', () => {
  const hello = proposal('files', [anApp('hello', { appId: 1 })]);
  /** `hello` of `files`, being deleted. */
  const dying = [hello, proposal('files', [])];
  const rows: readonly { it: string; held: ReadonlyMap<Key, Held>; origin: Origin; key: Key; want: string }[] = [
    { it: 'finds nothing where nothing is', held: held(), origin: 'files', key: 'App/hello', want: 'absent' },
    {
      it: 'marks what has something to clean up',
      held: held(hello),
      origin: 'files',
      key: 'App/hello',
      want: 'mark App/hello',
    },
    {
      it: 'refuses what another origin declares',
      held: held(hello),
      origin: 'api',
      key: 'App/hello',
      want: 'refused: App/hello belongs to files; api cannot delete it. (App hello)',
    },
    {
      it: 'has nothing to do for what is being deleted',
      held: held(...dying),
      origin: 'files',
      key: 'App/hello',
      want: 'nothing to do',
    },
    {
      it: 'takes back what the same origin declared to come after a deletion',
      held: held(...dying, hello),
      origin: 'files',
      key: 'App/hello',
      want: 'after App/hello: nothing',
    },
    {
      it: 'takes back its own even where another origin had the document before',
      held: held(...dying, proposal('api', [anApp('hello', { appId: 1 })])),
      origin: 'api',
      key: 'App/hello',
      want: 'after App/hello: nothing',
    },
    {
      it: 'leaves what another origin declared to come',
      held: held(...dying, proposal('api', [anApp('hello', { appId: 1 })])),
      origin: 'files',
      key: 'App/hello',
      want: 'nothing to do',
    },
    {
      it: 'takes back what waits for a document of another name',
      held: held(...dying, proposal('api', [anApp('other', { appId: 1 })])),
      origin: 'api',
      key: 'App/other',
      want: 'after App/hello: nothing',
    },
  ];
  for (const { it: what, held, origin, key, want } of rows) it(what, () => assert.equal(told(held, origin, key), want));

  it('removes at once what has nothing to clean up', () => {
    const all = new Map(held(proposal('files', [aHostConfig('network', 'h')])));
    const [[key, one] = []] = all;
    assert.ok(key && one);
    const { metadata } = one.resource;
    all.set(key, { ...one, resource: { ...one.resource, metadata: { ...metadata, finalizers: [] } } } as Held);
    assert.equal(told(all, 'files', key), `remove ${key}`);
  });
});

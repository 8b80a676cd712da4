import assert from 'node:assert/strict';
import { type GitSourceFacts, planGitSource } from '../../../controllers/git-source/plan.js';
import { statusSuspended } from '../../../controllers/git-source/status.js';
import type { GitSource, Requests } from '../../../crds/model/kinds.js';
import { planText } from '../../setup/plan-text.js';

const source = (requests: Requests, suspend?: boolean): GitSource => ({
  apiVersion: 'supercargo.io/v1',
  kind: 'GitSource',
  metadata: {
    name: 'fleet',
    uid: 'u',
    generation: 1,
    resourceVersion: '1',
    creationTimestamp: '2026-01-02T03:04:05Z',
    finalizers: [],
    origin: 'files',
  },
  spec: { url: 'https://git.example.org/fleet.git', ...(suspend === undefined ? {} : { suspend }) },
  requests,
  status: { observedGeneration: 1, checkedAt: '2026-01-02T03:04:05Z' },
});
const at = (second: number, id = `r${second}`) => ({ id, at: `2026-01-02T03:05:0${second}.000Z` });
const facts: GitSourceFacts = {
  isDue: false,
  isPending: false,
  isOther: false,
  isRetry: false,
  inputs: 'this device',
  isUnpushed: false,
};

describe('a git source that is suspended', () => {
  const cases: readonly { it: string; requests?: Requests; suspend?: boolean; want: string }[] = [
    { it: 'rests when nothing is asked', want: 'settled' },
    { it: 'is left alone when its document says so', suspend: true, want: 'waiting: Suspended' },
    { it: 'is left alone when a request says so', requests: { suspend: at(1) }, want: 'waiting: Suspended' },
    {
      it: 'is left alone although a sync is asked for',
      requests: { suspend: at(1), sync: at(2) },
      want: 'waiting: Suspended',
    },
    { it: 'goes on after a resume', requests: { suspend: at(1), resume: at(2) }, want: 'settled' },
    { it: 'is suspended again', requests: { suspend: at(3), resume: at(2) }, want: 'waiting: Suspended' },
    { it: 'stays when only a request ends it', requests: { resume: at(2) }, suspend: true, want: 'waiting: Suspended' },
  ];
  for (const { it: what, requests = {}, suspend, want } of cases) {
    it(what, () =>
      assert.equal(
        planText(() => planGitSource(source(requests, suspend), facts)),
        want,
      ),
    );
  }

  it('tells that the request was seen, and refuses what has to wait', () => {
    const { handled, refused } = statusSuspended(source({ suspend: at(1), sync: at(2) }));
    assert.deepEqual(handled, { suspend: 'r1', sync: 'r2' });
    assert.deepEqual(Object.keys(refused ?? {}), ['sync']);
    const kept = statusSuspended(source({ resume: at(2) }, true));
    assert.match(kept.refused?.resume?.message ?? '', /spec\.suspend: true/);
  });
});

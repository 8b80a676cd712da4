import assert from 'node:assert/strict';
import cron from 'node-cron';
import { cronInMs, type GitSourceFacts, intervalMs, planGitSource } from '../../../controllers/git-source/plan.js';
import { InvalidSpecError } from '../../../controllers/runtime/outcome.js';
import { API_VERSION, type GitSource } from '../../../crds/model/kinds.js';
import { cpuStopwatch } from '../../setup/cpu-time.js';
import { planText } from '../../setup/plan-text.js';

const NOW = Date.parse('2026-01-02T03:04:05.000Z');
const at = (ms: number): string => new Date(NOW + ms).toISOString();

const aSource = (change: { spec?: object; status?: object; requests?: object; deleted?: boolean } = {}): GitSource => ({
  apiVersion: API_VERSION,
  kind: 'GitSource',
  metadata: {
    name: 'fleet',
    uid: 'u',
    generation: 1,
    resourceVersion: '1',
    creationTimestamp: '',
    finalizers: [],
    origin: 'files',
    ...(change.deleted ? { deletionTimestamp: at(0) } : {}),
  },
  spec: { url: 'https://git.example.org/x', ...change.spec },
  requests: { ...change.requests },
  status: { observedGeneration: 1, checkedAt: at(-1000), nextSyncAt: at(60_000), ...change.status },
});

const { status: _, ...UNSEEN } = aSource();

const AT_REST: GitSourceFacts = {
  isDue: false,
  isPending: false,
  isOther: false,
  isRetry: false,
  inputs: 'this device',
  isUnpushed: false,
};

describe('planGitSource', () => {
  const id = (name: string) => ({ [name]: { id: '1', at: at(0) } });
  const handled = { handled: { sync: '1' } };
  const cases: readonly {
    it: string;
    source?: GitSource;
    facts?: Partial<GitSourceFacts>;
    want: string;
    /** Why it waits or has failed. */
    says?: string;
  }[] = [
    { it: 'rests until it is time', want: 'settled' },
    { it: 'looks when it is time', facts: { isDue: true }, want: 'sync (due); settled' },
    {
      it: 'looks at the start',
      source: aSource({ status: { checkedAt: undefined } }),
      want: 'sync (not looked at yet); settled',
    },
    { it: 'looks at one that nobody has seen', source: UNSEEN, want: 'sync (not looked at yet); settled' },
    {
      it: 'looks at a new spec',
      source: aSource({ status: { observedGeneration: 0 } }),
      want: 'sync (spec changed); settled',
    },
    { it: 'looks when a hook asks', facts: { isPending: true }, want: 'sync (asked for); settled' },
    { it: 'looks when a request asks', source: aSource({ requests: id('sync') }), want: 'sync (asked for); settled' },
    { it: 'looks once for a request', source: aSource({ requests: id('sync'), status: handled }), want: 'settled' },
    {
      it: 'looks when somebody confirms',
      source: aSource({ requests: id('confirm') }),
      want: 'sync (confirmed); settled',
    },
    { it: 'tries again what may pass', facts: { isRetry: true }, want: 'sync (failed before); settled' },
    { it: 'looks when the device is another', facts: { isOther: true }, want: 'sync (the device changed); settled' },
    {
      it: 'pushes its status after a look',
      source: aSource({ spec: { statusBranch: 'status' } }),
      facts: { isDue: true },
      want: 'sync (due); push; settled',
    },
    { it: 'pushes its status when it has changed', facts: { isUnpushed: true }, want: 'push; settled' },
    {
      it: 'stays failed until there is a reason to look',
      source: aSource({ status: { failure: { reason: 'RefNotFound', message: 'gone', at: at(0) } } }),
      want: 'stalled: RefNotFound',
      says: 'gone',
    },
    {
      it: 'leaves a suspended one alone',
      source: aSource({ spec: { suspend: true }, requests: id('sync') }),
      want: 'waiting: Suspended',
      says: 'The source is suspended: its repository is not looked at',
    },
    {
      it: 'cleans up a deleted one',
      source: aSource({ deleted: true, spec: { suspend: true } }),
      want: 'remove; settled',
    },
  ];
  for (const { it: name, source = aSource(), facts = {}, want, says } of cases) {
    it(name, () => {
      assert.equal(
        planText(() => planGitSource(source, { ...AT_REST, ...facts })),
        want,
      );
      const { outcome, failure } = planGitSource(source, { ...AT_REST, ...facts });
      const output = failure?.message ?? (outcome.is === 'waiting' ? outcome.message : undefined);
      assert.equal(output, says);
    });
  }
});

describe('the time between two looks', () => {
  it('is the interval, less up to a tenth', () => {
    assert.equal(intervalMs({ interval: '60s' }, 0), 60_000);
    assert.equal(intervalMs({ interval: '60s' }, 0.5), 57_000);
    assert.equal(intervalMs({}, 0), 300_000);
    assert.ok(!Number.isNaN(new Date(Date.now() + intervalMs({ interval: `${'9'.repeat(90)}d` }, 0)).getTime()));
  });
  it('is that of the cron where there is no interval', () => {
    assert.equal(intervalMs({ cron: '* * * * * *' }, 0), Number.POSITIVE_INFINITY);
    assert.equal(intervalMs({ cron: '0 0 1 1 *', interval: '1s' }, 0), 1000);
    const next = cronInMs('* * * * * *');
    assert.ok(next <= 2_000, `${next} ms`);
  });
  it('refuses what is no cron', () => {
    assert.throws(() => cronInMs('often'), InvalidSpecError);
    assert.throws(() => cronInMs('0 0 30 2 *'), { message: 'spec.cron: No month has such a day' });
  });
  it('is months for what comes once a year, and leaves nothing behind that counts', () => {
    const before = cron.getTasks().size;
    const months = Math.max(cronInMs('0 0 1 1 *'), cronInMs('0 0 1 7 *')) / (30 * 24 * 3_600_000);
    assert.ok(months > 5 && months < 13, `${months} months`);
    assert.equal(cron.getTasks().size, before);
  });
  it('refuses at once what would take all memory, for documents that were stored before anybody checked it', () => {
    const usedMs = cpuStopwatch();
    for (const text of ['0-99999999 * * * *', '0-9999999999 * * * *', `${'0-59,'.repeat(20_000)}0 * * * *`]) {
      assert.throws(() => cronInMs(text), InvalidSpecError);
    }
    assert.ok(usedMs() < 500);
  });
});

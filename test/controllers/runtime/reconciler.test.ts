import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { act, type Outcome, type Plan, settled, TerminalError, wait } from '../../../controllers/runtime/outcome.js';
import { type Reconciler, reconciler, type StepResult } from '../../../controllers/runtime/reconciler.js';
import { API_VERSION, type Network } from '../../../crds/model/kinds.js';
import type { NetworkSpec } from '../../../crds/model/types.js';
import { ControllerBench } from '../../setup/controller-bench.js';

const NAME = 'hello.default';
const spec: NetworkSpec = { app: 'hello', appId: 1, networkName: '1_default' };
type TestPlan = Plan<string>;
type TestReconciler = Reconciler<'Network', string, TestPlan, StepResult>;
const never = new AbortController().signal;

/** A kind whose observation is a text, whose steps are words and whose status shows both as an id. */
describe('reconciler', () => {
  let bench: ControllerBench;
  let trace: string[];

  beforeEach(async () => {
    bench = await ControllerBench.open(() => []);
    await bench.settle();
    await bench.declare(['Network', NAME, spec]);
    trace = [];
    bench.store.watch(({ type, object, parts }) => {
      if (type === 'DELETED') trace.push('released');
      else if (object.kind === 'Network' && parts.includes('status')) trace.push(`status ${object.status?.id}`);
    });
  });
  afterEach(() => bench.close());

  const pass = (parts: Partial<TestReconciler>, plan: TestPlan | (() => TestPlan) = settled<string>()) =>
    reconciler<'Network', string, TestPlan, StepResult>({
      kind: 'Network',
      store: bench.store,
      now: bench.supplies.now,
      observe: () => {
        trace.push('observe');
        return `seen ${trace.filter((one) => one === 'observe').length}`;
      },
      plan: () => (typeof plan === 'function' ? plan() : plan),
      execute: async (_network, step) => {
        trace.push(`execute ${step}`);
        return undefined;
      },
      status: (_network, observation, { at, step }) => ({ id: [observation, at, step].filter(Boolean).join(' ') }),
      ...parts,
    })({ name: NAME }, never);
  const network = (): Network | undefined => bench.store.get('Network', NAME);

  it('writes a status before each step and one at the end, observed again', async () => {
    const outcome = await pass({}, act<string>('Creating', 'first', 'second'));
    assert.equal(outcome.is, 'progressing');
    assert.deepEqual(trace, [
      'observe',
      'status seen 1 acting first',
      'execute first',
      'status seen 1 acting second',
      'execute second',
      'observe',
      'status seen 2 acted',
    ]);
  });

  it('observes once, and writes once, when there is nothing to do', async () => {
    assert.deepEqual(await pass({}), { is: 'settled' });
    assert.deepEqual(trace, ['observe', 'status seen 1 acted']);
  });

  it('says that the App which made it is missing, of what is settled, and removes nothing', async () => {
    const child = { apiVersion: API_VERSION, kind: 'Network', metadata: { name: NAME }, spec } as const;
    await bench.store.propose({ origin: 'files', documents: [] });
    const former = network();
    if (former) await bench.store.release(former);
    await bench.store.propose({ origin: 'App/hello', owner: 'App/hello', documents: [{ document: child }] });
    const message =
      'App hello, which made it, is missing; it stays as it is until hello is declared again, or until it is deleted';
    assert.deepEqual(await pass({}), { is: 'settled', unwell: { reason: 'OwnerMissing', message } });
    assert.equal((await pass({}, act<string>('Creating', 'first'))).is, 'progressing');
    assert.equal(network()?.metadata.deletionTimestamp, undefined);
    await bench.declare(['App', 'hello', { services: {} }]);
    assert.deepEqual(await pass({}), { is: 'settled' });
  });

  it('leaves the steps out that come after an unplanned outcome, and concludes that one', async () => {
    const { outcome } = wait('StillAttached', 'somebody holds it');
    const execute: TestReconciler['execute'] = async () => ({ outcome });
    assert.deepEqual(await pass({ execute }, act<string>('Creating', 'first', 'second')), outcome);
    assert.ok(!trace.some((one) => one.includes('second')));
  });

  it('writes the status also when a step fails, and throws', async () => {
    const execute: TestReconciler['execute'] = () => Promise.reject(new Error('no engine'));
    await assert.rejects(pass({ execute }, act<string>('Creating', 'first')), /no engine/);
    assert.equal(trace.at(-1), 'status seen 2 acted');
  });

  it('throws the error of the step when nothing can be observed after it', async () => {
    const execute: TestReconciler['execute'] = () => Promise.reject(new Error('the disk is gone'));
    let looks = 0;
    const observe: TestReconciler['observe'] = async () => {
      looks += 1;
      if (looks > 1) throw new Error('nothing to see');
      return 'seen';
    };
    await assert.rejects(pass({ execute, observe }, act<string>('Creating', 'first')), /the disk is gone/);
    assert.deepEqual(trace, ['status seen acting first']);
  });

  it('writes the status when no plan can be made, and throws', async () => {
    const plan = (): TestPlan => {
      throw new TerminalError('InvalidSpec', 'nonsense');
    };
    await assert.rejects(pass({}, plan), /nonsense/);
    assert.deepEqual(trace, ['observe', 'status seen 1 refused']);
  });

  it('writes what a step reports, also after the pass, and takes Ready back for none of it', async () => {
    let later: () => void = () => undefined;
    const execute: TestReconciler['execute'] = async (_network, _step, _observation, _signal, report) => {
      report({});
      later = () => report({});
      return undefined;
    };
    await pass({ execute }, act<string>('Creating', 'first'));
    assert.deepEqual(trace, [
      'observe',
      'status seen 1 acting first',
      'status seen 1 reported first',
      'observe',
      'status seen 2 acted',
    ]);
    const now = network() ?? assert.fail();
    const ready = { type: 'Ready', status: 'True', reason: 'Settled', message: '', lastTransitionTime: '' } as const;
    bench.store.setStatus(now, { ...now.status, conditions: [{ ...ready, observedGeneration: 1 }] });
    later();
    assert.equal(network()?.status?.id, 'seen 1 reported first');
    assert.equal(network()?.status?.conditions?.[0]?.status, 'True');
  });

  it('writes what is reported while it is prepared, and goes on with the resource as it is then', async () => {
    const prepare: TestReconciler['prepare'] = async (before, _signal, report) => {
      await report({});
      assert.equal(before.status, undefined);
      return network() ?? assert.fail();
    };
    const observe: TestReconciler['observe'] = ({ status }) => {
      trace.push('observe');
      return `after ${status?.id}`;
    };
    await pass({ prepare, observe });
    assert.deepEqual(trace, [
      'observe',
      'status after undefined prepared',
      'observe',
      'status after after undefined prepared acted',
    ]);
  });

  it('writes the status when planning fails for another reason, too', async () => {
    const plan = (): TestPlan => {
      throw new Error('no disk');
    };
    await assert.rejects(pass({}, plan), /no disk/);
    assert.deepEqual(trace, ['observe', 'status seen 1 refused']);
  });

  it('throws the failure that a plan ends with after its steps and status', async () => {
    const failure = new TerminalError('InvalidSpec', 'in the end');
    await assert.rejects(pass({}, { ...act<string>('Creating', 'first'), failure }), /in the end/);
    assert.deepEqual(trace.slice(-2), ['observe', 'status seen 2 acted']);
  });

  it('takes Ready back before a step, unless the pass will conclude it', async () => {
    const ready = { type: 'Ready', status: 'True', reason: 'Settled', message: '', lastTransitionTime: '' } as const;
    const seen: (string | undefined)[] = [];
    const execute: TestReconciler['execute'] = async () => {
      seen.push(network()?.status?.conditions?.find(({ type }) => type === 'Ready')?.status);
      return undefined;
    };
    const set = () => {
      const now = network() ?? assert.fail();
      bench.store.setStatus(now, { observedGeneration: 1, conditions: [{ ...ready, observedGeneration: 1 }] });
    };
    set();
    await pass({ execute }, act<string>('Creating', 'first'));
    set();
    await pass({ execute }, { ...settled<string>(), steps: ['first'] });
    assert.deepEqual(seen, ['False', 'True']);
  });

  it('gives the conditions of a kind times and generation, keeps the time of one that goes on, and drops what is left out', async () => {
    const own = (message: string) => [
      { type: 'StrategyFollowed', status: 'False', reason: 'RunsOnce', message } as const,
    ];
    await pass({ conditions: () => own('first') });
    const first = network()?.status?.conditions ?? [];
    bench.clock.advance(1_000);
    await pass({ conditions: () => own('second') });
    const second = network()?.status?.conditions ?? [];
    assert.deepEqual([first.length, second.map(({ message }) => message)], [1, ['second']]);
    assert.equal(second[0]?.lastTransitionTime, first[0]?.lastTransitionTime);
    await pass({ conditions: () => undefined });
    assert.deepEqual(network()?.status?.conditions, second);
    await pass({ conditions: () => [] });
    assert.equal(network()?.status?.conditions, undefined);
  });

  it('waits for the cache, and tells the kind of it', async () => {
    const reported: string[] = [];
    const outcome = await pass({
      cache: { hasSynced: false, syncError: 'gone' },
      unsynced: ({ kind }) => reported.push(kind),
    });
    assert.deepEqual(outcome, wait('EngineUnreachable', 'gone').outcome);
    assert.deepEqual([reported, trace], [['Network'], []]);
  });

  it('writes the status of a kind that validates while the cache is not synced, and throws what is wrong', async () => {
    const cache = { hasSynced: false, syncError: 'gone' };
    const validate: TestReconciler['validate'] = (_network, observation) => {
      trace.push(`validate ${observation}`);
    };
    const planned = () => assert.fail('planned');
    assert.deepEqual(await pass({ cache, validate }, planned), wait('EngineUnreachable', 'gone').outcome);
    assert.deepEqual(trace, ['observe', 'validate seen 1', 'status seen 1 unsynced']);
    trace.length = 0;
    const refuse = (): void => {
      throw new TerminalError('InvalidSpec', 'nonsense');
    };
    const status: TestReconciler['status'] = (_network, _observation, { at, error }) => ({ id: `${at}: ${error}` });
    await assert.rejects(pass({ cache, validate: refuse, status }, planned), /nonsense/);
    assert.deepEqual(trace, ['observe', 'status unsynced: TerminalError: nonsense']);
  });

  it('does not validate a second time once the cache is synced: a plan does', async () => {
    const validate = () => assert.fail('validated');
    assert.deepEqual(await pass({ cache: { hasSynced: true }, validate }), { is: 'settled' });
  });

  it('concludes with the plan, the outcome of the steps and their result, before it throws a failure', async () => {
    const failure = new TerminalError('InvalidSpec', 'in the end');
    const plan = { ...act<string>('Creating', 'first'), failure };
    const adjustOutcome: TestReconciler['adjustOutcome'] = (_network, observation, end) => {
      assert.equal(end.plan, plan);
      trace.push(`conclude ${observation} ${end.outcome.is}`);
      return end.outcome;
    };
    await assert.rejects(pass({ adjustOutcome }, plan), /in the end/);
    assert.deepEqual(trace.slice(-2), ['status seen 2 acted', 'conclude seen 1 progressing']);
  });

  it('observes the resource of a suspended App and plans nothing', async () => {
    await bench.declare(['App', 'other', { appId: 2, suspend: true, services: {} }], ['Network', NAME, spec]);
    trace.length = 0;
    const outcome = (await pass({ suspendedWith: () => 'other' }, () => assert.fail('planned'))) as Outcome;
    assert.equal(outcome.is === 'waiting' && outcome.reason, 'Suspended');
    assert.deepEqual(trace, ['observe', 'status seen 1 suspended']);
  });

  it('releases what is deleted once nothing is left to do', async () => {
    await bench.declare<'Network'>();
    trace.length = 0;
    await pass({}, act<string>('Removing', 'remove'));
    assert.ok(network());
    await pass({});
    await nextTurn();
    assert.equal(network(), undefined);
    assert.equal(trace.at(-1), 'released');
  });

  it('writes nothing over another resource that has taken the name meanwhile', async () => {
    const stranger = { ...(network() ?? assert.fail()) };
    const store = {
      ...bench.store,
      get: () => ({ ...stranger, metadata: { ...stranger.metadata, uid: trace.length === 0 ? 'old' : 'new' } }),
      setStatus: () => assert.fail('written'),
    } as unknown as TestReconciler['store'];
    assert.deepEqual(await pass({ store }), { is: 'settled' });
  });

  it('does nothing for a document that is gone', async () => {
    const store = { ...bench.store, get: () => undefined } as unknown as TestReconciler['store'];
    assert.deepEqual(await pass({ store }), { is: 'settled' });
    assert.deepEqual(trace, []);
  });

  it('announces after each write, from the status before it to the one after it', async () => {
    const reported: string[] = [];
    const announce: TestReconciler['announce'] = (before, after, { at }) =>
      reported.push(`${at}: ${before.status?.id} -> ${after.status?.id}`);
    await pass({ announce }, act<string>('Creating', 'first', 'second'));
    assert.deepEqual(reported, [
      'acting: undefined -> seen 1 acting first',
      'acting: seen 1 acting first -> seen 1 acting second',
      'acted: seen 1 acting second -> seen 2 acted',
    ]);
  });
});

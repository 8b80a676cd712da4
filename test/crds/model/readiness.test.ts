import assert from 'node:assert/strict';
import type { AnyResource } from '../../../crds/model/kinds.js';
import * as readiness from '../../../crds/model/readiness.js';

type ConditionRow = readonly [type: 'Ready' | 'Reconciling' | 'Stalled', status: 'True' | 'False', reason: string];

/** A document whose status has these conditions, of its present generation unless it is said to be behind. */
const documentWith = (conditions: readonly ConditionRow[], isBehind = false): never => {
  const seen = isBehind ? 1 : 2;
  return {
    kind: 'Service',
    metadata: { generation: 2 },
    status: {
      observedGeneration: seen,
      conditions: conditions.map(([type, status, reason]) => ({ type, status, reason, message: `why ${reason}` })),
    },
  } as never;
};
const notReady = (reason: string): never => documentWith([['Ready', 'False', reason]]);

const REASONS = [
  ...['NeedsLock', 'UpdatesLocked', 'VolumeNotReady', 'ReleaseNotReady', 'RebootRequired', 'DependencyNotReady'],
  ...['ChildrenNotReady', 'SuccessorUnhealthy', 'SuccessorFailed', 'NetworkNotReady', 'CrashLoop', 'Failed', 'InUse'],
  ...['Unhealthy', 'DeviceMissing', 'HostPathMissing', 'LogDriverFailed', 'EngineHangs'],
  ...[
    'PoolOverlaps',
    'PoolsExhausted',
    'NotEnoughDisk',
    'InvalidSpec',
    'Confirming',
    'Retrying',
    'EngineUnreachable',
    'ServicesNotHealthy',
    'OutsideWindow',
    'AwaitingReboot',
    'AwaitingApproval',
    'AdoptionPending',
    'AdoptionFailed',
  ],
];

describe('what others ask of a document that is not Ready', () => {
  const cases: readonly (readonly [question: Exclude<keyof typeof readiness, 'engineTroubleOf'>, yes: string])[] = [
    ['needsLock', 'NeedsLock'],
    ['waitsForApp', 'NeedsLock UpdatesLocked VolumeNotReady ReleaseNotReady'],
    ['waitsForBoot', 'RebootRequired'],
    ['goesOnAfterBoot', 'RebootRequired DependencyNotReady ChildrenNotReady'],
    [
      'waitsForSomebody',
      'RebootRequired SuccessorUnhealthy SuccessorFailed DeviceMissing HostPathMissing LogDriverFailed',
    ],
    ['waitsForRetry', ''],
    ['waitsForSibling', 'VolumeNotReady DependencyNotReady NetworkNotReady AdoptionPending'],
    ['waitsForAdoption', 'AdoptionPending AdoptionFailed'],
    ['isCrashLooping', 'CrashLoop'],
    ['hasFailed', 'Failed'],
    ['isUnhealthy', 'SuccessorUnhealthy Unhealthy'],
    ['hasFailedToSucceed', 'SuccessorFailed'],
    ['lacksOnHost', 'DeviceMissing HostPathMissing LogDriverFailed'],
    ['awaitsEngine', 'EngineHangs EngineUnreachable'],
    ['lacksSubnet', 'PoolOverlaps PoolsExhausted'],
    ['lacksDisk', 'NotEnoughDisk'],
    ['isInUse', 'InUse'],
    ['isInvalid', 'InvalidSpec'],
    ['isConfirming', 'Confirming'],
    ['isRetrying', 'Retrying'],
    ['isRetryingOrLocked', 'UpdatesLocked Retrying'],
    ['isFailing', 'UpdatesLocked CrashLoop Retrying EngineUnreachable ServicesNotHealthy'],
    ['waitsForItsTime', 'OutsideWindow AwaitingReboot AwaitingApproval'],
    ['isRejected', ''],
    ['isProgressing', ''],
  ];

  const predicates = new Map(Object.entries(readiness)) as unknown as ReadonlyMap<string, (one: never) => boolean>;
  for (const [question, yes] of cases) {
    it(`${question}: ${yes || 'not for its reason alone'}`, () => {
      const answer = predicates.get(question) ?? assert.fail(question);
      const found = REASONS.filter((reason) => answer(notReady(reason)));
      assert.equal(found.join(' '), yes);
      assert.equal(answer({ metadata: { generation: 1 } } as never), false);
    });
  }

  it('counts only for the present generation where somebody waits for that', () => {
    const earlier = (reason: string): never => documentWith([['Ready', 'False', reason]], true);
    assert.equal(readiness.hasFailed(earlier('Failed')), false);
    assert.equal(readiness.isFailing(earlier('Retrying')), false);
    assert.equal(readiness.waitsForSomebody(earlier('HostPathMissing')), false);
    assert.equal(readiness.isRetrying(earlier('Retrying')), true);
  });

  it('waits for somebody, or is rejected, when it is Stalled', () => {
    const stalled = (reason: string): never =>
      documentWith([
        ['Ready', 'False', reason],
        ['Stalled', 'True', reason],
      ]);
    assert.equal(readiness.waitsForSomebody(stalled('PoolOverlaps')), true);
    assert.equal(readiness.isRejected(stalled('ContractUnmet')), true);
    assert.equal(readiness.isRejected(stalled('NameTaken')), false);
  });

  it('progresses while it is Reconciling and has not failed', () => {
    const reconciling = (reason: string): never =>
      documentWith([
        ['Ready', 'False', reason],
        ['Reconciling', 'True', reason],
      ]);
    assert.equal(readiness.isProgressing(reconciling('Creating')), true);
    assert.equal(readiness.isProgressing(reconciling('Retrying')), false);
    assert.equal(readiness.isConfirming(reconciling('Confirming')), false);
  });

  it('waits for the next attempt when its container could not be made or started, and nothing is being stopped', () => {
    const failed = (last: string, reason: string, isBehind = false, kind = 'Service'): never => {
      const document = documentWith([['Ready', 'False', reason]], isBehind) as { readonly status: object };
      return { ...document, kind, status: { ...document.status, lastAction: { reason: last } } } as never;
    };
    for (const last of ['Installing', 'Starting']) {
      for (const reason of ['Retrying', 'PortInUse', 'HostPathMissing', 'AddressInUse'])
        assert.equal(readiness.waitsForRetry(failed(last, reason)), true, `${last}, ${reason}`);
      assert.equal(readiness.waitsForRetry(failed(last, 'Installing')), false);
      assert.equal(readiness.waitsForRetry(failed(last, 'Retrying', true)), false);
    }
    assert.equal(readiness.waitsForRetry(failed('Stopping', 'Retrying')), false);
    assert.equal(readiness.waitsForRetry(failed('', 'Retrying', false, 'Network')), true);
    assert.equal(readiness.waitsForRetry(failed('', 'Creating', false, 'Volume')), false);
    assert.equal(readiness.waitsForRetry(failed('', 'Retrying', false, 'Image')), false);
  });

  it('hands on what is said of the engine', () => {
    const one: AnyResource = notReady('EngineUnreachable');
    assert.equal(readiness.engineFailureOf(one), 'why EngineUnreachable');
    assert.equal(readiness.engineFailureOf(notReady('Retrying')), undefined);
    assert.equal(readiness.engineFailureOf(undefined), undefined);
  });
});

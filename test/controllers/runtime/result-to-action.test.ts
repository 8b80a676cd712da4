import assert from 'node:assert/strict';
import { InvalidSpecError, type Outcome, TerminalError, TransientError } from '../../../controllers/runtime/outcome.js';
import {
  conditionsAfter,
  conditionsBefore,
  type PassResult,
  resultToAction,
} from '../../../controllers/runtime/result-to-action.js';
import type { Condition } from '../../../crds/model/conditions.js';

const print = (result: PassResult): string => {
  const { next, forgetBackoff, ready, reconciling, stalled } = resultToAction(result);
  const later = next.do === 'later' ? ` ${next.inMs}` : '';
  return [
    `${next.do}${later}`,
    ready ? `Ready=${ready.status} ${ready.reason}` : 'unchanged',
    ...(reconciling ? ['Reconciling'] : []),
    ...(stalled ? ['Stalled'] : []),
    ...(forgetBackoff ? ['forget'] : []),
  ].join(', ');
};

describe('resultToAction', () => {
  const cases: { it: string; result: PassResult; want: string }[] = [
    { it: 'rests when settled', result: { is: 'settled' }, want: 'rest, Ready=True Settled, forget' },
    {
      it: 'rests when settled, and not Ready, when what runs is not well',
      result: { is: 'settled', unwell: { reason: 'Unhealthy', message: 'm' } },
      want: 'rest, Ready=False Unhealthy, forget',
    },
    {
      it: 'looks again when time may make it well',
      result: { is: 'settled', unwell: { reason: 'CrashLoop', message: 'm', forMs: 60 } },
      want: 'later 60, Ready=False CrashLoop, forget',
    },
    {
      it: 'looks again at once after progress',
      result: { is: 'progressing', reason: 'Creating', message: 'm' },
      want: 'again, Ready=False Creating, Reconciling',
    },
    {
      it: 'waits without a failure',
      result: { is: 'waiting', reason: 'UpdatesLocked', message: 'm', forMs: 5 },
      want: 'later 5, Ready=False UpdatesLocked',
    },
    {
      it: 'tries again when the pass itself says so',
      result: { is: 'retrying', reason: 'Retrying', message: 'm', forMs: 7 },
      want: 'later 7, Ready=False Retrying, Reconciling',
    },
    {
      it: 'takes an unknown error for transient',
      result: { is: 'failed', error: new TypeError('x') },
      want: 'backoff, Ready=False Retrying, Reconciling',
    },
    {
      it: 'looks again at what is terminal when that was asked for',
      result: { is: 'failed', error: new TerminalError('ImageNotFound', 'm', { requeueAfterMs: 9 }) },
      want: 'later 9, Ready=False ImageNotFound, Stalled, forget',
    },
    {
      it: 'does not retry what is terminal',
      result: { is: 'failed', error: new TerminalError('PoolOverlaps', 'm') },
      want: 'rest, Ready=False PoolOverlaps, Stalled, forget',
    },
    {
      it: 'does not retry an invalid spec',
      result: { is: 'failed', error: new InvalidSpecError([{ path: 'spec.ports[0]', message: 'bad' }]) },
      want: 'rest, Ready=False InvalidSpec, Stalled, forget',
    },
    { it: 'leaves conditions alone when aborted', result: { is: 'aborted' }, want: 'again, unchanged' },
  ];
  for (const { it: name, result, want } of cases) it(name, () => assert.equal(print(result), want));
});

/** All that conditions say, in their order: `Ready=False Creating (m), t1, generation 1`. */
const printed = (conditions: readonly Condition[]): string[] =>
  conditions.map(
    ({ type, status, reason, message, lastTransitionTime, observedGeneration }) =>
      `${type}=${status} ${reason} (${message}), ${lastTransitionTime}, generation ${observedGeneration}`,
  );

describe('conditionsAfter', () => {
  const ready = resultToAction({ is: 'settled' });
  const failing = resultToAction({ is: 'failed', error: new Error('no') });

  it('keeps the time of a condition that did not change', () => {
    const first = conditionsAfter(undefined, ready, 1, 't1');
    const second = conditionsAfter(first, ready, 2, 't2');
    assert.equal(second[0]?.lastTransitionTime, 't1');
    assert.equal(second[0]?.observedGeneration, 2);
  });

  it('drops Reconciling when the pass settles', () => {
    const first = conditionsAfter(undefined, failing, 1, 't1');
    assert.deepEqual(
      first.map(({ type, status }) => `${type}=${status}`),
      ['Ready=False', 'Reconciling=True'],
    );
    const second = conditionsAfter(first, ready, 1, 't2');
    assert.deepEqual(
      second.map(({ type, status, lastTransitionTime }) => `${type}=${status} ${lastTransitionTime}`),
      ['Ready=True t2'],
    );
  });

  it('keeps conditions of a controller besides the three', () => {
    const own = { type: 'StrategyFollowed', status: 'False', reason: 'RunsOnce', message: 'once' } as const;
    const before = [{ ...own, lastTransitionTime: 't1', observedGeneration: 1 }];
    assert.deepEqual(
      conditionsAfter(before, ready, 2, 't2').map(({ type, lastTransitionTime }) => `${type} ${lastTransitionTime}`),
      ['Ready t2', 'StrategyFollowed t1'],
    );
  });

  it('leaves everything as it is after an abort', () => {
    const before = conditionsAfter(undefined, ready, 1, 't1');
    assert.deepEqual(conditionsAfter(before, resultToAction({ is: 'aborted' }), 2, 't2'), before);
  });

  const cases: { it: string; result: PassResult; want: readonly string[] }[] = [
    {
      it: 'says that nothing differs when settled',
      result: { is: 'settled' },
      want: ['Ready=True Settled (Nothing differs), t1, generation 3'],
    },
    {
      it: 'says why it is not Ready again in what is Reconciling',
      result: { is: 'failed', error: new TransientError('NotEnoughDisk', 'no room') },
      want: [
        'Ready=False NotEnoughDisk (no room), t1, generation 3',
        'Reconciling=True NotEnoughDisk (no room), t1, generation 3',
      ],
    },
    {
      it: 'and in what is Stalled',
      result: { is: 'failed', error: new TerminalError('PoolOverlaps', 'taken') },
      want: [
        'Ready=False PoolOverlaps (taken), t1, generation 3',
        'Stalled=True PoolOverlaps (taken), t1, generation 3',
      ],
    },
    { it: 'says nothing when the very first pass is aborted', result: { is: 'aborted' }, want: [] },
  ];
  for (const { it: name, result, want } of cases) {
    it(name, () => assert.deepEqual(printed(conditionsAfter(undefined, resultToAction(result), 3, 't1')), want));
  }
});

describe('conditionsBefore', () => {
  const output = { reason: 'Settled', message: 'm', lastTransitionTime: 't1', observedGeneration: 1 } as const;
  const ready: Condition = { ...output, type: 'Ready', status: 'True' };
  const notReady: Condition = { ...output, type: 'Ready', status: 'False' };
  const other: Condition = { ...output, type: 'StrategyFollowed', status: 'True' };
  const creating: Outcome = { is: 'progressing', reason: 'Creating', message: 'new' };
  const unchanged = {
    ready: 'Ready=True Settled (m), t1, generation 1',
    other: 'StrategyFollowed=True Settled (m), t1, generation 1',
  };
  const cases: { it: string; before: readonly Condition[] | undefined; outcome?: Outcome; want: readonly string[] }[] =
    [
      {
        it: 'takes Ready back before the pass acts, and nothing else',
        before: [other, ready],
        want: [
          'Ready=False Creating (new), t2, generation 2',
          'Reconciling=True Creating (new), t2, generation 2',
          unchanged.other,
        ],
      },
      { it: 'keeps Ready when nothing differs', before: [ready], outcome: { is: 'settled' }, want: [unchanged.ready] },
      {
        it: 'keeps what is not Ready, whatever else is true of it',
        before: [notReady, other],
        want: ['Ready=False Settled (m), t1, generation 1', unchanged.other],
      },
      { it: 'says nothing of what has not said anything yet', before: undefined, want: [] },
    ];
  for (const { it: name, before, outcome = creating, want } of cases) {
    it(name, () => assert.deepEqual(printed(conditionsBefore(before, outcome, 2, 't2')), want));
  }
});

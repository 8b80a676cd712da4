import assert from 'node:assert/strict';
import { type Condition, conditionOf, isReady, isStalled, withFacts } from '../../../crds/model/conditions.js';
import type { AppStatus } from '../../../crds/model/types.js';

const condition = (type: string, status: Condition['status']): Condition => ({
  type,
  status,
  reason: 'R',
  message: 'M',
  lastTransitionTime: '2026-01-01T00:00:00Z',
  observedGeneration: 2,
});
const resource = (generation: number, observedGeneration?: number, ...conditions: Condition[]) => ({
  metadata: { generation },
  status: { ...(observedGeneration === undefined ? {} : { observedGeneration }), conditions },
});

describe('conditions', () => {
  const cases: [name: string, resource: Parameters<typeof isReady>[0], ready: boolean, stalled: boolean][] = [
    ['nothing without a status', { metadata: { generation: 1 } }, false, false],
    ['ready at this generation', resource(2, 2, condition('Ready', 'True')), true, false],
    [
      'not ready when the status speaks of an older generation',
      resource(3, 2, condition('Ready', 'True')),
      false,
      false,
    ],
    ['not ready without a generation', resource(1, undefined, condition('Ready', 'True')), false, false],
    ['stalled', resource(2, 2, condition('Ready', 'False'), condition('Stalled', 'True')), false, true],
    ['not stalled any more after a change', resource(3, 2, condition('Stalled', 'True')), false, false],
    ['neither while unknown', resource(2, 2, condition('Ready', 'Unknown')), false, false],
  ];
  for (const [name, one, ready, stalled] of cases) {
    it(name, () => assert.deepEqual([isReady(one), isStalled(one)], [ready, stalled]));
  }

  it('are found by type', () => {
    const ready = condition('Ready', 'True');
    assert.equal(conditionOf(resource(1, 1, condition('Stalled', 'False'), ready), 'Ready'), ready);
    assert.equal(conditionOf(resource(1, 1), 'Ready'), undefined);
  });
});

describe('withFacts', () => {
  it('keeps what the runtime wrote and replaces the rest', () => {
    const status: AppStatus = { observedGeneration: 2, conditions: [], phase: 'Staging', handled: { a: '1' } };
    assert.deepEqual(withFacts({ status }, { phase: 'Settled' }), {
      observedGeneration: 2,
      conditions: [],
      phase: 'Settled',
    });
  });

  it('makes a status where there was none', () => {
    assert.deepEqual(withFacts<AppStatus>({}, { phase: 'Staging' }), { phase: 'Staging' });
  });
});

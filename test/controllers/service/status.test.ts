import assert from 'node:assert/strict';
import { strategyCondition } from '../../../controllers/service/status.js';
import type { UpdatePolicy } from '../../../controllers/service/update/update-policy.js';
import { anObservation, aServiceState } from './service-states.js';

const followed: UpdatePolicy = { strategy: 'download-then-kill', timeoutMs: 1 };
const instead = { reason: 'RunsOnce', message: 'once' };

describe('strategyCondition', () => {
  const conditionAt = (at: 'acting' | 'acted', updatePolicy: UpdatePolicy) =>
    strategyCondition(anObservation(aServiceState({ updatePolicy })), { at, result: {} });

  it('says at the end of a pass which strategy is not followed, and why', () => {
    assert.deepEqual(conditionAt('acted', { ...followed, instead }), [
      { type: 'StrategyFollowed', status: 'False', ...instead },
    ]);
  });
  it('is gone when the strategy is followed', () => assert.deepEqual(conditionAt('acted', followed), []));
  it('stays as it is while a step is taken', () => {
    assert.equal(conditionAt('acting', { ...followed, instead }), undefined);
  });
  it('stays as it is for a document that is deleted or cannot be resolved', () => {
    assert.equal(strategyCondition(anObservation(undefined), { at: 'acted', result: {} }), undefined);
    const deleted = { ...aServiceState(), desired: undefined };
    assert.equal(strategyCondition(anObservation(deleted), { at: 'acted', result: {} }), undefined);
  });
});

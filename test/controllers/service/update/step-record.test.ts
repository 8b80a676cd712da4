import assert from 'node:assert/strict';
import type { ServiceStep } from '../../../../controllers/service/service-state.js';
import {
  newRecord,
  type UpdateRecord,
  type UpdateStep,
  withStep,
} from '../../../../controllers/service/update/record.js';
import { recordBefore } from '../../../../controllers/service/update/step-record.js';
import { aContainer } from '../service-states.js';

/** Steps at 1, 2, 3 … s. */
const recordOf = (steps: readonly UpdateStep[]): UpdateRecord =>
  steps.reduce(
    (record, step, index) => withStep(record, step, { at: (index + 1) * 1_000, stoppedForMs: undefined }),
    newRecord('download-then-kill', 'image changed'),
  );

describe('the record of an update, when a step begins', () => {
  const removal = (more: Partial<Extract<ServiceStep, { do: 'terminate' }>> = {}): ServiceStep => ({
    ...{ do: 'terminate', container: aContainer(), stop: true, remove: true, locked: true, because: 'image changed' },
    ...more,
  });
  const first = { is: 'first', strategy: 'download-then-kill' } as const;
  const succeeded = { is: 'succeeded', strategy: 'rolling', seen: 'Healthy' } as const;
  const made = recordOf(['Created', 'Started']);
  const complete = recordOf(['Stopped', 'Started', 'Complete']);

  it('begins again with the end of an old container, and with the creation of the new one where that came first', () => {
    assert.deepEqual(recordBefore(removal({ update: first }), complete, undefined), recordOf([]));
    assert.deepEqual(recordBefore(removal({ update: first }), complete, 1_000), recordOf(['Created']));
  });
  it('goes on, or begins, when a new container has taken over', () => {
    assert.equal(recordBefore(removal({ update: succeeded }), made, undefined), made);
    const want = { strategy: 'rolling', because: 'image changed', steps: [] };
    assert.deepEqual(recordBefore(removal({ update: succeeded }), complete, undefined), want);
  });
  it('goes when the new container goes again, and stays with what was done', () => {
    assert.equal(recordBefore(removal(), made, undefined), undefined);
    assert.equal(recordBefore(removal({ withdrawn: true }), recordOf(['Created']), undefined), undefined);
    for (const last of [complete, recordOf(['Stopping', 'Stopped', 'Removed']), undefined]) {
      assert.equal(recordBefore(removal(), last, undefined), last);
    }
    assert.equal(recordBefore(removal({ remove: false }), made, undefined), made);
  });
});

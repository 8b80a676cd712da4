import assert from 'node:assert/strict';
import {
  isOpen,
  newRecord,
  timeOf,
  type UpdateRecord,
  type UpdateStep,
  withStep,
} from '../../../../controllers/service/update/record.js';

/** Steps at 1, 2, 3 … s; `stoppedForMs` goes to each. */
const recordOf = (steps: readonly UpdateStep[], stoppedForMs?: number): UpdateRecord =>
  steps.reduce(
    (record, step, index) => withStep(record, step, { at: (index + 1) * 1_000, stoppedForMs }),
    newRecord('download-then-kill', 'image changed'),
  );
const stepsOf = ({ steps }: UpdateRecord): string => steps.map(({ step }) => step).join(' ');

describe('the record of an update', () => {
  it('begins with why, and nothing done', () => {
    assert.deepEqual(newRecord('hand-over', 'spec changed'), {
      strategy: 'hand-over',
      because: 'spec changed',
      steps: [],
    });
  });

  it('notes each step once, with the time of the first', () => {
    const record = recordOf(['Stopping', 'Stopped', 'Stopping']);
    assert.equal(stepsOf(record), 'Stopping Stopped');
    assert.equal(timeOf(record, 'Stopping'), 1_000);
    assert.equal(timeOf(record, 'Started'), undefined);
    assert.equal(timeOf(undefined, 'Started'), undefined);
  });

  it('is open until it is complete, and notes nothing after that', () => {
    const record = recordOf(['Stopped', 'Complete', 'Started']);
    assert.equal(stepsOf(record), 'Stopped Complete');
    assert.deepEqual(
      [isOpen(undefined), isOpen(recordOf([])), isOpen(recordOf(['Started'])), isOpen(record)],
      [false, true, true, false],
    );
  });

  const rows: readonly { it: string; steps: readonly UpdateStep[]; stoppedForMs?: number; want: number | undefined }[] =
    [
      {
        it: 'tells for how long nothing ran, in whole ms',
        steps: ['Stopped', 'Started'],
        stoppedForMs: 12.6,
        want: 13,
      },
      { it: 'tells none while nothing has started', steps: ['Stopped'], stoppedForMs: 12, want: undefined },
      { it: 'tells none when nobody knows since when', steps: ['Stopped', 'Started'], want: undefined },
      { it: 'tells 0 when the old one stopped after the new one had started', steps: ['Started', 'Stopped'], want: 0 },
      { it: 'is not changed by later steps', steps: ['Stopped', 'Started', 'Healthy'], stoppedForMs: 5, want: 5 },
    ];
  for (const { it: what, steps, stoppedForMs, want } of rows) {
    it(what, () => assert.equal(recordOf(steps, stoppedForMs).downtimeMs, want));
  }
});

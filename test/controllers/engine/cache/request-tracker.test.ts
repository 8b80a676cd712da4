import assert from 'node:assert/strict';
import { RequestTracker } from '../../../../controllers/engine/cache/request-tracker.js';
import type { EngineEvent } from '../../../../controllers/engine/engine.js';
import { FakeClock } from '../../../setup/fake-clock.js';

const eventAt = (ms: number): EngineEvent => ({
  type: 'container',
  action: 'start',
  id: 'c1',
  attributes: {},
  timeNano: `${ms}999999`,
});

describe('RequestTracker', () => {
  const cases: {
    it: string;
    /** ms between the question and the event, and between the question and hearing of it. */
    happened: number;
    received: number;
    agreed?: boolean;
    sameClock?: boolean;
    open?: string;
    want: boolean;
  }[] = [
    { it: 'cover what happened before', happened: -1, received: 1, want: true },
    { it: 'do not cover what happened after', happened: 1, received: 1, agreed: true, want: false },
    { it: 'cover the same millisecond when what is shown agrees', happened: 0, received: 0, agreed: true, want: true },
    { it: 'do not cover the same millisecond otherwise', happened: 0, received: 0, want: false },
    {
      it: 'do not trust what is shown while another answer about it is on its way',
      happened: 0,
      received: 0,
      agreed: true,
      open: 'container/c1',
      want: false,
    },
    {
      it: 'do not trust it during a list either',
      happened: 0,
      received: 0,
      agreed: true,
      open: 'container/*',
      want: false,
    },
    {
      it: 'do not mind answers about others',
      happened: 0,
      received: 0,
      agreed: true,
      open: 'container/c2',
      want: true,
    },
    { it: 'cover nothing for long', happened: -1, received: 5_001, want: false },
    { it: 'cover no event that comes long after', happened: -4_999, received: 4_999, want: false },
    { it: 'cover nothing from another age, as by another clock', happened: -86_400_000, received: 0, want: false },
    { it: 'cover nothing once the clock was set back', happened: -10, received: -5, want: false },
    { it: 'cover nothing when clocks differ', happened: -1, received: 1, sameClock: false, want: false },
  ];
  for (const { it: what, happened, received, agreed = false, sameClock = true, open, want } of cases) {
    it(what, async () => {
      const start = Date.parse('2026-01-02T03:04:05.000Z');
      let now = start;
      const clock = new FakeClock();
      const tracker = new RequestTracker(
        { now: () => now, monotonic: () => now, after: clock.after.bind(clock) },
        sameClock,
      );
      const shown = tracker.now();
      let answer = (): void => undefined;
      const asked = open
        ? tracker.ask(
            [open],
            () => new Promise<void>((resolve) => (answer = resolve)),
            () => undefined,
            () => undefined,
          )
        : undefined;
      now = start + received;
      assert.equal(
        tracker.answered(eventAt(start + happened), 'container/c1', shown, () => agreed),
        want,
      );
      answer();
      await asked;
    });
  }

  it('have their answer taken while they are still open, and close after it', async () => {
    const tracker = new RequestTracker(new FakeClock(), true);
    const taken = await tracker.ask(
      ['container/c1'],
      async () => 'answer',
      (answer) => `${answer} ${tracker.isOpen('container/c1')}`,
      () => assert.fail('it was answered'),
    );
    assert.equal(taken, 'answer true');
    assert.equal(tracker.isOpen('container/c1'), false);
  });

  it('say so when there is no answer, and close', async () => {
    const tracker = new RequestTracker(new FakeClock(), true);
    let unanswered = 0;
    const asked = tracker.ask(
      ['container/c1'],
      () => Promise.reject(new Error('gone')),
      () => assert.fail('there was no answer'),
      () => {
        unanswered += 1;
      },
    );
    await assert.rejects(asked, /gone/);
    assert.equal(unanswered, 1);
    assert.equal(tracker.isOpen('container/c1'), false);
  });
});

import assert from 'node:assert/strict';
import type { UnconfirmedChange } from '../../../controllers/host/host-state.js';
import { type ConfirmFacts, judgeChange } from '../../../controllers/host-config/commit-confirm.js';

const UNCONFIRMED: UnconfirmedChange = {
  uid: 'u',
  generation: 1,
  undo: {},
  before: { defaultRoute: true, addresses: [] },
  since: { bootId: 'b', uptimeMs: 10_000 },
  starts: 1,
};
const FACTS: ConfirmFacts = {
  unconfirmed: UNCONFIRMED,
  deadlineSeconds: 60,
  manual: false,
  bootId: 'b',
  uptimeMs: 20_000,
  restartDue: false,
  requested: false,
  missing: ['x'],
};
const { since: _, ...UNBEGUN } = UNCONFIRMED;

describe('the judgement of a change that has to prove itself', () => {
  const cases: readonly [it: string, facts: Partial<ConfirmFacts>, want: string][] = [
    ['waits for what is missing', {}, 'open, 50000 ms left'],
    ['is good when nothing is missing', { missing: [] }, 'good: everything that was asked for is there'],
    ['is good by request, whatever is missing', { requested: true }, 'good: confirmed by request'],
    ['is good when no proof is asked for any more', { deadlineSeconds: 0 }, 'good: no proof is asked for'],
    ['does not begin before the device has been started', { restartDue: true }, 'not-begun'],
    ['begins with the first look', { unconfirmed: UNBEGUN }, 'begin 2'],
    ['begins anew after each start of the device', { bootId: 'c' }, 'begin 2'],
    [
      'ends after too many of them',
      { bootId: 'c', unconfirmed: { ...UNCONFIRMED, starts: 3 } },
      'bad: the device was started 3 times before it was confirmed',
    ],
    ['is bad at the deadline', { uptimeMs: 70_000 }, 'bad: after 60 s it still lacked x'],
    [
      'is good at the deadline when nothing is missing',
      { uptimeMs: 70_000, missing: [] },
      'good: everything that was asked for is there',
    ],
    [
      'asks for a request when only that counts',
      { manual: true, missing: [], uptimeMs: 70_000 },
      'bad: after 60 s it still lacked a request to confirm it',
    ],
  ];
  for (const [what, facts, want] of cases) {
    it(what, () => {
      const verdict = judgeChange({ ...FACTS, ...facts });
      const text =
        verdict.is === 'open'
          ? `open, ${verdict.leftMs} ms left`
          : verdict.is === 'begin'
            ? `begin ${verdict.starts}`
            : 'because' in verdict
              ? `${verdict.is}: ${verdict.because}`
              : verdict.is;
      assert.equal(text, want);
    });
  }
});

import assert from 'node:assert/strict';
import type { UnconfirmedChange } from '../../../controllers/host/host-state.js';
import {
  answered,
  type ConfirmFacts,
  confirmStatus,
  deadlineOf,
  judgeChange,
  planConfirm,
  type Verdict,
} from '../../../controllers/host-config/commit-confirm.js';
import type { HostConfig, Origin } from '../../../crds/model/kinds.js';
import { aDocument } from '../../setup/documents.js';

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
    ['waits for what is missing', {}, 'open, 50000 ms left, looks after 2000 ms'],
    ['looks at the deadline, not after it', { uptimeMs: 69_000 }, 'open, 1000 ms left, looks after 1000 ms'],
    ['is good when nothing is missing', { missing: [] }, 'good: everything that was asked for is there'],
    ['is good by request, whatever is missing', { requested: true }, 'good: confirmed by request'],
    ['is good when no proof is asked for any more', { deadlineSeconds: 0 }, 'good: no proof is asked for'],
    ['does not begin before the device has been started', { restartDue: true }, 'not-started'],
    ['begins with the first look', { unconfirmed: UNBEGUN }, 'begin 2'],
    ['begins again after each start of the device', { bootId: 'c' }, 'begin 2'],
    [
      'ends after too many of them',
      { bootId: 'c', unconfirmed: { ...UNCONFIRMED, starts: 3 } },
      'bad: the device was started 3 times before it was confirmed',
    ],
    ['is bad at the deadline', { uptimeMs: 70_000 }, 'bad: after 60 s it still lacked x'],
    ['names all that it lacked', { uptimeMs: 70_000, missing: ['x', 'y'] }, 'bad: after 60 s it still lacked x, y'],
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
          ? `open, ${verdict.leftMs} ms left, looks after ${verdict.forMs} ms`
          : verdict.is === 'begin'
            ? `begin ${verdict.starts}`
            : 'because' in verdict
              ? `${verdict.is}: ${verdict.because}`
              : verdict.is;
      assert.equal(text, want);
    });
  }
});

describe('the plan for a change that has to prove itself', () => {
  const cases: readonly [verdict: Verdict, want: string][] = [
    [{ is: 'not-started' }, 'something else comes first'],
    [{ is: 'begin', starts: 2 }, 'start-timer 2 (the change has taken effect); Confirming'],
    [{ is: 'good', because: 'confirmed by request' }, 'confirm (confirmed by request); Confirming'],
    [{ is: 'bad', because: 'after 60 s it still lacked x' }, 'give-up (after 60 s it still lacked x); RollingBack'],
    [
      { is: 'open', missing: ['x', 'y'], leftMs: 9_000, forMs: 2_000 },
      'Confirming after 2000 ms: The change has to prove itself, or what was there before comes back. Missing: x, y',
    ],
  ];
  for (const [verdict, want] of cases) {
    it(`is, when it is ${verdict.is}, ${want}`, () => assert.equal(reported(verdict), want));
  }

  function reported(verdict: Verdict): string {
    const plan = planConfirm(verdict);
    if (!plan) return 'something else comes first';
    const steps = plan.steps.map(
      (step) => `${step.do}${step.do === 'start-timer' ? ` ${step.starts}` : ''} (${step.because})`,
    );
    const { outcome } = plan;
    if (outcome.is === 'settled') return [...steps, 'settled'].join('; ');
    const end = outcome.is === 'waiting' ? ` after ${outcome.forMs} ms: ${outcome.message}` : '';
    return [...steps, `${outcome.reason}${end}`].join('; ');
  }
});

describe('the time in which a change has to prove itself', () => {
  const document = (origin: Origin, confirm?: HostConfig['spec']['confirm']) =>
    aDocument('HostConfig', 'network', confirm ? { confirm } : {}, { origin });
  it('is what the document says', () => {
    assert.equal(deadlineOf(document('files', { deadlineSeconds: 60 })), 60);
    assert.equal(deadlineOf(document('cloud', { deadlineSeconds: 60 })), 60);
  });
  it('is ten minutes when it says none', () => {
    assert.equal(deadlineOf(document('files')), 600);
    assert.equal(deadlineOf(document('files', { manual: true })), 600);
  });
  it('is none for a target state, which knows of no confirmation', () => {
    assert.equal(deadlineOf(document('cloud')), 0);
    assert.equal(deadlineOf(document('local')), 0);
  });
});

describe('the status of a change that has to prove itself', () => {
  const OPEN = { is: 'open', missing: ['a default route'], leftMs: 9_000, forMs: 2_000 } as const;
  const document = aDocument('HostConfig', 'network', { confirm: { deadlineSeconds: 60 } });
  it('says for how long, and what is missing while it is judged', () => {
    assert.deepEqual(confirmStatus(document, undefined, OPEN), {});
    assert.deepEqual(confirmStatus(document, UNCONFIRMED, undefined), { trial: { deadlineSeconds: 60 } });
    assert.deepEqual(confirmStatus(document, UNCONFIRMED, { is: 'begin', starts: 1 }), {
      trial: { deadlineSeconds: 60 },
    });
    assert.deepEqual(confirmStatus(document, UNCONFIRMED, OPEN).trial?.waitsFor, ['a default route']);
  });
  it('keeps which request was answered last', () => {
    const before = { ...document, status: { handled: { confirm: 'c1' } } };
    assert.deepEqual(answered(document, undefined), {});
    assert.deepEqual(answered(before, undefined), { handled: { confirm: 'c1' } });
    assert.deepEqual(answered(before, 'c2'), { handled: { confirm: 'c2' } });
  });
});

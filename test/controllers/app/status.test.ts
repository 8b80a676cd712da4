import assert from 'node:assert/strict';
import type { AppObservation } from '../../../controllers/app/observe.js';
import type { AppPlan } from '../../../controllers/app/plan.js';
import { type AppResult, appStatus, translation } from '../../../controllers/app/status.js';
import { act, settled, TerminalError, wait } from '../../../controllers/runtime/outcome.js';
import type { Progress } from '../../../controllers/runtime/reconciler.js';
import type { App } from '../../../crds/model/kinds.js';
import type { AppStatus } from '../../../crds/model/types.js';
import { quietAppFacts } from '../../setup/app-facts.js';
import { anApp, anImage, aService, ready } from '../../setup/documents.js';

const A = { commit: 'a', id: 1 };
const B = { commit: 'b', id: 2 };
const request = (id: string) => ({ id, at: '2026-01-01T00:00:00Z' });
const before: AppStatus = { appId: 1, phase: 'Settled', release: A, images: { web: 'sha256:old' } };
const document = anApp({
  spec: { release: B },
  status: before,
  requests: { force: request('f'), restart: request('r') },
});
const image = anImage({ status: { state: 'Downloaded', dockerImageId: 'sha256:new' } });
const images = { web: 'sha256:new' };

const observation: AppObservation = {
  document,
  ...quietAppFacts({ existing: [image, aService()] }),
};
const plans = {
  promote: { ...act('Promoting', { do: 'promote' as const, because: 'first release' }), phase: 'Locking' },
  upkeep: { ...act('Locking', { do: 'claim' as const, because: 'web needs it' }), phase: 'Verifying' },
  suspend: { ...wait('Suspended', 'it is'), steps: [{ do: 'unlock', because: 'it is' }], phase: 'Suspended' },
  settle: { ...settled(), phase: 'Settled' },
  reject: { ...settled(), phase: 'Staging', failure: new TerminalError('InvalidRelease', 'nonsense') },
} satisfies Record<string, AppPlan>;
const { outcome } = wait('UpdatesLocked', 'somebody has the lock');

interface Row {
  readonly it: string;
  /** At the end when not said. */
  readonly at?: Progress<AppPlan>['at'];
  readonly plan?: AppPlan;
  readonly result?: Partial<AppResult>;
  readonly error?: Error;
  readonly sees?: Partial<AppObservation>;
  /** The document as it is when the status is written, where that is another one by now. */
  readonly now?: App;
  readonly want: AppStatus;
}

const ROWS: readonly Row[] = [
  {
    it: 'stays as it was before a step, whatever the steps before it have brought',
    ...{ at: 'acting', plan: plans.promote, sees: { locked: true }, result: { forced: true } },
    want: before,
  },
  {
    it: 'says Suspended before anything is done about it',
    ...{ at: 'acting', plan: plans.suspend },
    want: { ...before, phase: 'Suspended' },
  },
  {
    it: 'says before the first step that it is no longer Suspended',
    ...{ at: 'acting', plan: plans.promote, now: { ...document, status: { ...before, phase: 'Suspended' } } },
    want: { ...before, phase: 'Locking' },
  },
  {
    it: 'says Locking while an application holds the lock, and which file that is',
    ...{ plan: plans.promote, result: { outcome, blockedBy: '/lock' } },
    want: { ...before, phase: 'Locking', lock: { state: 'Blocked', blockedBy: '/lock' } },
  },
  {
    it: 'says Promoting once it has the lock',
    ...{ plan: plans.promote, sees: { locked: true } },
    want: { ...before, phase: 'Promoting', lock: { state: 'Held' } },
  },
  {
    it: 'says Promoting under the lock also when a child that has still to go holds it up',
    ...{ plan: plans.promote, sees: { locked: true }, result: { outcome: wait('ChildrenNotReady', 'dying').outcome } },
    want: { ...before, phase: 'Promoting', lock: { state: 'Held' } },
  },
  {
    it: 'remembers what the steps before a failed one have brought',
    ...{ plan: plans.promote, sees: { locked: true }, result: { forced: true, started: { restart: 'r' } } },
    error: new Error('the disk is full'),
    want: {
      ...{ ...before, phase: 'Promoting', lock: { state: 'Held' } },
      ...{ begun: { restart: 'r' }, handled: { force: 'f' } },
    },
  },
  {
    it: 'does not acknowledge a request for force that nobody has used',
    plan: plans.upkeep,
    want: { ...before, phase: 'Verifying' },
  },
  {
    it: 'names the release and its images once it is complete',
    ...{
      plan: { ...act('Settling', { do: 'commit', because: 'it is' }), phase: 'Settled' },
      result: { committed: true },
    },
    want: { ...before, release: B, images },
  },
  {
    it: 'never names a release that came while it was at the one before',
    ...{ plan: plans.settle, result: { committed: true } },
    now: anApp({ spec: { release: { commit: 'c', id: 3 } }, status: before, requests: { force: request('later') } }),
    want: { ...before, release: B, images, handled: { force: 'f' } },
  },
  {
    it: 'acknowledges force, and knows the images, when nothing is left to do',
    plan: plans.settle,
    want: { ...before, images, handled: { force: 'f' } },
  },
  {
    it: 'has settled nothing when the release cannot be right',
    plan: plans.reject,
    want: { ...before, phase: 'Staging' },
  },
  {
    it: 'has settled nothing when a step failed',
    ...{ plan: plans.settle, error: new Error('the disk is full') },
    want: before,
  },
  {
    it: 'forgets a started command when it is acknowledged',
    ...{ plan: plans.upkeep, now: { ...document, status: { ...before, begun: { restart: 'r' } } } },
    result: { acknowledged: { restart: 'r' }, refused: { restart: { reason: 'Failed', message: 'no' } } },
    want: {
      ...{ ...before, phase: 'Verifying', handled: { restart: 'r' } },
      refused: { restart: { reason: 'Failed', message: 'no' } },
    },
  },
  {
    it: 'names the optional services that do not run here, also while there is no engine',
    ...{ at: 'unsynced', sees: { skipped: [{ service: 'gpu', requirement: 'arch.sw amd64' }] } },
    want: { ...before, leftOut: ['gpu'] },
  },
  {
    it: 'keeps what the runtime concludes out of it',
    ...{ plan: plans.upkeep, now: { ...document, status: { ...before, ...ready() } } },
    want: { ...before, phase: 'Verifying' },
  },
];

describe('the status of an App', () => {
  for (const { it: does, at = 'acted', plan, result = {}, error, sees, now = document, want } of ROWS) {
    it(does, () => {
      const progress = { at, result, ...(plan ? { plan } : {}), ...(error ? { error } : {}) };
      assert.deepEqual(appStatus(now, { ...observation, ...sees }, progress), want);
    });
  }
});

describe('the conditions of an App', () => {
  it('say which Compose files it was translated from', () => {
    const app = anApp();
    assert.deepEqual(translation(app), []);
    const source = {
      file: 'm/shop/compose.yaml',
      composeFiles: ['m/shop/compose.yaml', 'm/shop/compose.override.yaml'],
    };
    assert.deepEqual(translation({ ...app, metadata: { ...app.metadata, source } }), [
      {
        ...{ type: 'TranslatedFrom', status: 'True', reason: 'Compose' },
        message: 'Translated from m/shop/compose.yaml, m/shop/compose.override.yaml',
      },
    ]);
  });
});

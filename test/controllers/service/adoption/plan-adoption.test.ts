import assert from 'node:assert/strict';
import type { SeenContainer } from '../../../../controllers/engine/engine.js';
import { attempt, TerminalError } from '../../../../controllers/runtime/outcome.js';
import type { AdoptionFacts, AdoptionRecord } from '../../../../controllers/service/adoption/adoption-facts.js';
import { planAdoption } from '../../../../controllers/service/adoption/plan-adoption.js';
import type { ServiceState } from '../../../../controllers/service/service-state.js';
import { aContainer, aServiceState, print, restarts, UNLIMITED } from '../service-states.js';

const theirs = (more: Partial<SeenContainer> = {}, restart = 'no'): SeenContainer => ({
  ...aContainer({ id: 'theirs', name: 'shop-web-1', labels: {}, specHash: undefined }),
  updatable: { ...UNLIMITED, RestartPolicy: { Name: restart, MaximumRetryCount: 0 } },
  ...more,
});
const RECORD: AdoptionRecord = {
  ...{ id: 'r1', phase: 'TakingOver', at: '2026-01-01T00:00:00.000Z' },
  containers: [{ id: 'theirs', name: 'shop-web-1', running: true, restart: 'always' }],
};
const facts = (more: Partial<AdoptionFacts> = {}): AdoptionFacts => ({
  ...{
    id: 'r1',
    is: 'pending',
    theirs: [theirs()],
    record: undefined,
    waitsFor: [],
    stopping: [],
    downMs: 0,
    ranMs: 0,
  },
  ...more,
});
/** Theirs is stopped, and ours is what counts. */
const taking = (more: Partial<AdoptionFacts> = {}) =>
  facts({
    is: 'taking',
    record: RECORD,
    theirs: [theirs({ state: 'exited' })],
    ...more,
  });
const back = (more: Partial<AdoptionFacts> = {}) => taking({ is: 'goingBack', message: 'it is unhealthy', ...more });

describe('planAdoption', () => {
  const cases: readonly {
    readonly it: string;
    readonly ours?: Partial<SeenContainer>;
    readonly desired?: Parameters<typeof aServiceState>[0];
    readonly more?: Partial<ServiceState>;
    readonly adoption: AdoptionFacts | undefined;
    readonly want: string;
  }[] = [
    {
      it: 'is the plan of the container where there is nothing of theirs',
      ours: {},
      adoption: undefined,
      want: 'settled',
    },
    {
      it: 'waits for its turn',
      adoption: facts({ waitsFor: ['db'] }),
      want: 'waiting: AdoptionPending (container shop-web-1 goes on until the turn of this service comes, after db)',
    },
    {
      it: 'makes ours beside theirs, and does not start it',
      adoption: facts(),
      want: 'create web_1_1_a (there was none); progressing: Installing',
    },
    {
      it: 'makes it under another name while theirs has that',
      adoption: facts({ theirs: [theirs({ name: 'web_1_1_a' })] }),
      want: 'create h1_web_1_1_a (there was none); progressing: Installing',
    },
    {
      it: 'stops nothing before what ours depends on is there',
      ours: { state: 'created', startedAt: undefined },
      desired: { unsatisfied: ['db to be healthy'] },
      adoption: facts(),
      want: 'waiting: DependencyNotReady (Waiting for db to be healthy)',
    },
    {
      it: 'stops nothing without the update lock',
      ours: { state: 'created', startedAt: undefined },
      more: { lockHeld: false },
      adoption: facts(),
      want: 'waiting: NeedsLock (Needs the update lock of the app to stop container shop-web-1: web:1 takes over)',
    },
    {
      it: 'stops theirs once ours is made',
      ours: { state: 'created', startedAt: undefined },
      adoption: facts(),
      want: 'letGo theirs (web:1 takes over); waiting: TakingOver',
    },
    {
      it: 'stops several at once',
      ours: { state: 'created', startedAt: undefined },
      adoption: facts({ theirs: [theirs(), theirs({ id: 'two', name: 'shop-web-2' })] }),
      want: 'letGo theirs,two (web:1 takes over); waiting: TakingOver',
    },
    {
      it: 'takes the restart policy from one that is stopped, too: an engine that is started again would start it',
      ours: { state: 'created', startedAt: undefined },
      adoption: taking({ theirs: [theirs({ state: 'exited' }, 'always')] }),
      want: 'letGo theirs (web:1 takes over); waiting: TakingOver',
    },
    {
      it: 'waits while theirs stops',
      ours: { state: 'created', startedAt: undefined },
      adoption: taking({ theirs: [theirs()], stopping: ['theirs'] }),
      want: 'waiting: TakingOver (Waiting for container shop-web-1 to stop)',
    },
    {
      it: 'starts ours when theirs is stopped',
      ours: { id: 'c1', state: 'created', startedAt: undefined },
      adoption: taking(),
      want: 'start c1 (it was made and not started yet); progressing: Starting',
    },
    {
      it: 'waits until ours has run for a while',
      ours: {},
      adoption: taking({ ranMs: 4_000 }),
      want: 'waiting: TakingOver (Waiting for container web_1_1_a to have run for 10 s (it has no healthcheck))',
    },
    {
      it: 'waits until ours is healthy',
      ours: { health: 'starting' },
      adoption: taking({ ranMs: 40_000 }),
      want: 'waiting: TakingOver (Waiting for container web_1_1_a to be healthy)',
    },
    ...(['running', 'healthy', 'finished'] as const).map((how) => ({
      it: `removes theirs once ours is ${how}`,
      ours: how === 'healthy' ? { health: how } : how === 'finished' ? { state: 'exited' as const, exitCode: 0 } : {},
      ...(how === 'finished' ? { desired: restarts('no') } : {}),
      adoption: taking({ ranMs: how === 'running' ? 10_000 : 0 }),
      want: 'removeTheirs theirs (container web_1_1_a is well in its place); progressing: TakingOver',
    })),
    {
      it: 'removes theirs without starting ours where nothing is to run',
      ours: { state: 'created', startedAt: undefined },
      desired: { running: false },
      adoption: taking({ downMs: 999_999 }),
      want: 'removeTheirs theirs (container web_1_1_a is well in its place); progressing: TakingOver',
    },
    ...(
      [
        ['is unhealthy', { health: 'unhealthy' }, 0, 'container web_1_1_a is unhealthy'],
        [
          'was restarted three times',
          { restartCount: 3, exitCode: 7 },
          0,
          'container web_1_1_a was restarted 3 times, and exited last with 7',
        ],
        ['keeps being restarted', { restartCount: 1 }, 61_000, 'container web_1_1_a keeps being restarted'],
        ['is never healthy', { health: 'starting' }, 600_001, 'container web_1_1_a was not healthy within 10 min'],
        [
          'cannot be started',
          { state: 'created', startedAt: undefined, error: 'no port' },
          61_000,
          'container web_1_1_a did not run within 60 s: no port',
        ],
        [
          'does not come up',
          { state: 'restarting' },
          61_000,
          'container web_1_1_a did not run within 60 s (it is restarting)',
        ],
      ] as const
    ).map(([what, ours, downMs, why]) => ({
      it: `goes back where ours ${what}`,
      ours,
      adoption: taking({ downMs }),
      want: `goBack (${why}); progressing: GoingBack`,
    })),
    {
      it: 'goes back where none can be made',
      adoption: taking({ downMs: 61_000 }),
      want: 'goBack (no container could be made within 60 s); progressing: GoingBack',
    },
    {
      it: 'gives ours time to start',
      ours: { id: 'c1', state: 'created', startedAt: undefined, error: 'port is already allocated' },
      adoption: taking({ downMs: 59_000 }),
      want: 'start c1 (it was made and not started yet); progressing: Starting',
    },
    {
      it: 'removes ours on the way back, under the lock',
      ours: { id: 'c1' },
      desired: {},
      adoption: back(),
      want: 'stop+remove c1 under lock (theirs comes back: it is unhealthy); waiting: Stopping',
    },
    {
      it: 'starts theirs when ours is gone',
      adoption: back(),
      want: 'giveBack (it is unhealthy); progressing: GoingBack',
    },
    {
      it: 'begins nothing with one that the engine removes when it stops',
      adoption: facts({ theirs: [theirs({ autoRemove: true })] }),
      want: 'goBack (container shop-web-1 is removed by the engine as soon as it stops (--rm), and there would be no way back); progressing: GoingBack',
    },
    {
      it: 'has nothing to do where there is none of theirs',
      adoption: facts({ theirs: [] }),
      want: 'removeTheirs nothing (there is none of theirs); progressing: TakingOver',
    },
    {
      it: 'leaves theirs alone where that of another service was given back',
      adoption: facts({ is: 'held' }),
      want: 'stalled: AdoptionPending (container shop-web-1 goes on, because another service was not taken over)',
    },
    {
      it: 'leaves alone what was given back',
      adoption: facts({ is: 'givenBack', message: 'it is unhealthy' }),
      want: 'stalled: AdoptionFailed (container shop-web-1 is as it was: it is unhealthy)',
    },
    {
      it: 'goes on when what was given back is gone',
      adoption: facts({ is: 'givenBack', theirs: [] }),
      want: 'create+start web_1_1_a (there was none); progressing: Installing',
    },
    { it: 'looks after ours where it runs already', ours: {}, adoption: facts({ is: 'held' }), want: 'settled' },
  ];
  for (const { it: what, ours, desired = {}, more = {}, adoption, want } of cases) {
    it(what, () => {
      const state = aServiceState(desired, ours === undefined ? [] : [ours], more);
      const plan = attempt(() => planAdoption(state, adoption));
      const text = plan instanceof TerminalError ? `stalled: ${plan.reason} (${plan.message})` : print(plan);
      assert.equal(text, want);
    });
  }

  it('starts theirs again when the service is deleted meanwhile, once ours is gone', () => {
    const state = { ...aServiceState({}, [{ id: 'c1' }]), desired: undefined };
    assert.match(print(planAdoption(state, taking())), /^stop\+remove c1 under lock \(deleted\)/);
    const gone = { ...state, containers: [] };
    assert.equal(print(planAdoption(gone, taking())), 'giveBack (the service is deleted); progressing: GoingBack');
    assert.equal(print(planAdoption(gone, facts({ theirs: [] }))), 'settled');
  });
});

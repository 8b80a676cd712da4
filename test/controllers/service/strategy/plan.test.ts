import assert from 'node:assert/strict';
import type { SeenContainer } from '../../../../controllers/engine/engine.js';
import { IMAGE } from '../../../../controllers/engine/labels.js';
import { planContainer } from '../../../../controllers/service/plan-container.js';
import type { DesiredContainer, Overlap, ServiceState } from '../../../../controllers/service/service-state.js';
import type { UpdateStrategy } from '../../../../crds/model/update-strategy.js';
import { aServiceState, network, restarts, serviceLine } from '../service-states.js';

interface Case {
  readonly it: string;
  readonly by: UpdateStrategy;
  readonly desired?: Partial<DesiredContainer>;
  /** Newest first. */
  readonly seen: readonly Partial<SeenContainer>[];
  readonly more?: Partial<ServiceState>;
  readonly want: string;
}

const known = (...aliases: string[]) => ({ u_default: { id: 'n1', aliases } });
const old = { id: 'c1', specHash: 'h0', networks: known('web') };
const young = { id: 'c2', name: 'h1_web_1_1_a', networks: known('web') };
const hidden = { ...young, networks: known() };
const unlocked: Partial<ServiceState> = { lockHeld: false };
const overlap = (more: Partial<Overlap>): Partial<ServiceState> => ({
  overlap: { signalled: false, waitedMs: 1_000, ranMs: 1_000, ...more },
});
const commands = (more: Partial<ServiceState['commands']>): Partial<ServiceState> => ({
  commands: { recreate: [], stop: undefined, start: false, ...more },
});
const restart = { id: 'r1', name: 'restart', because: 'restart requested' } as const;
const awaiting =
  'waiting: AwaitingHandover (Waiting for h1_web_1_1_a to create /tmp/balena/handover-complete, for 60 s at most)';

describe('planContainer, by strategy', () => {
  const cases: readonly Case[] = [
    {
      it: 'creates the new container, and stops the old one under the lock',
      by: 'download-then-kill',
      seen: [old],
      want: 'create h1_web_1_1_a ahead (spec changed); stop+remove c1 under lock (spec changed); waiting: Stopping',
    },
    {
      it: 'touches nothing while the image is missing',
      by: 'download-then-kill',
      desired: { image: undefined },
      seen: [old],
      want: 'waiting: ImageMissing (Waiting for image web:1 to be local)',
    },

    {
      it: 'stops the old container before the image is there',
      by: 'kill-then-download',
      desired: { image: undefined, reference: 'web:2' },
      seen: [{ ...old, labels: { [IMAGE]: 'web:1' } }],
      want: 'stop+remove c1 under lock, kill-then-download (kill-then-download: image web:2 is to be downloaded); waiting: Stopping',
    },
    {
      it: 'needs the lock for that',
      by: 'delete-then-download',
      desired: { image: undefined, reference: 'web:2' },
      seen: [old],
      more: unlocked,
      want: 'waiting: NeedsLock (Needs the update lock of the app to remove container web_1_1_a: delete-then-download: image web:2 is to be downloaded)',
    },
    {
      it: 'does not stop what runs from the image that is only lost',
      by: 'kill-then-download',
      desired: { image: undefined },
      seen: [{ ...old, labels: { [IMAGE]: 'web:1' } }],
      want: 'waiting: ImageMissing (Waiting for image web:1 to be local)',
    },
    {
      it: 'waits for the image afterwards',
      by: 'kill-then-download',
      desired: { image: undefined },
      seen: [],
      want: 'waiting: ImageMissing (Waiting for image web:1 to be local)',
    },
    {
      it: 'comes back with the rest of the release',
      by: 'kill-then-download',
      desired: { staging: true },
      seen: [],
      want: 'waiting: ReleaseNotReady (Waiting for the other images of the release)',
    },
    {
      it: 'comes back at once when nothing else is missing',
      by: 'delete-then-download',
      seen: [],
      want: 'create+start web_1_1_a (there was none); progressing: Installing',
    },
    {
      it: 'does not hold back what is started by another strategy',
      by: 'download-then-kill',
      desired: { staging: true },
      seen: [],
      want: 'create+start web_1_1_a (there was none); progressing: Installing',
    },

    {
      it: 'creates the new container while the old one runs, without a lock, under a name of its own',
      by: 'hand-over',
      seen: [old],
      more: unlocked,
      want: 'create+start h1_web_1_1_a surge, hand-over (spec changed); progressing: Installing',
    },
    {
      it: 'gives it its name at once where that is free',
      by: 'rolling',
      desired: { containerName: 'web_1_2_b' },
      seen: [old],
      want: 'create+start web_1_2_b surge, rolling (spec changed); progressing: Installing',
    },
    {
      it: 'first waits for what the new container depends on',
      by: 'rolling',
      desired: { unsatisfied: ['db to be healthy'] },
      seen: [old],
      want: 'waiting: DependencyNotReady (Waiting for db to be healthy)',
    },
    {
      it: 'first waits for a network that the new container needs',
      by: 'hand-over',
      desired: { networks: [network('u_x', undefined, 'it does not exist yet')] },
      seen: [old],
      want: 'waiting: NetworkNotReady (Waiting for network u_x: it does not exist yet)',
    },
    {
      it: 'stops the old one first where its network is to go and has the subnet of the new one',
      by: 'hand-over',
      desired: {
        networks: [{ ...network('u_x', undefined, 'its pool overlaps that of u_default'), lacksSubnet: true }],
      },
      seen: [old],
      more: { closing: new Map([['u_default', 'removed']]) },
      want: 'stop+remove c1 under lock (spec changed); waiting: Stopping',
    },
    {
      it: 'runs both where only the network of the old one is to go',
      by: 'hand-over',
      seen: [old],
      more: { closing: new Map([['u_default', 'removed']]) },
      want: 'create+start h1_web_1_1_a surge, hand-over (spec changed); progressing: Installing',
    },
    {
      it: 'leaves an old one that does not run',
      by: 'rolling',
      seen: [{ ...old, state: 'exited' }],
      want: 'create h1_web_1_1_a ahead (spec changed); remove c1 under lock (spec changed); waiting: Stopping',
    },
    {
      it: 'only stops the old one when nothing shall run',
      by: 'rolling',
      desired: { running: false },
      seen: [old],
      want: 'stop+remove c1 under lock (spec changed); waiting: Stopping',
    },
    {
      it: 'renames for a release that changes nothing else',
      by: 'hand-over',
      desired: { containerName: 'web_1_2_b' },
      seen: [{ ...old, specHash: 'h1' }],
      want: 'rename c1 to web_1_2_b (name changed from web_1_1_a); progressing: Renaming',
    },
    {
      it: 'recreates it without a second one that runs when a restart is requested',
      by: 'rolling',
      seen: [{ ...old, specHash: 'h1' }],
      more: commands({ recreate: [restart] }),
      want: 'create h1_web_1_1_a ahead (restart requested); stop+remove c1 under lock (restart requested); waiting: Stopping',
    },

    {
      it: 'makes the new container with the first letters of its hash',
      by: 'hand-over',
      desired: { image: { id: 'sha256:1', specHash: '0123456789abcdef' } },
      seen: [old],
      want: 'create+start 01234567_web_1_1_a surge, hand-over (spec changed); progressing: Installing',
    },
    {
      it: 'waits for the image, also beside a container that another agent made',
      by: 'hand-over',
      desired: { image: undefined },
      seen: [young, { ...old, specHash: undefined }],
      want: 'waiting: ImageMissing (Waiting for image web:1 to be local)',
    },
    {
      it: 'waits for networks before a new container is started that was only made',
      by: 'rolling',
      desired: { networks: [network('u_default', 'n1', 'it is not settled yet')], unsatisfied: ['db to be started'] },
      seen: [{ ...young, state: 'created' }, old],
      want: 'waiting: NetworkNotReady (Waiting for network u_default: it is not settled yet)',
    },
    {
      it: 'waits for dependencies then',
      by: 'rolling',
      desired: { unsatisfied: ['db to be started'] },
      seen: [{ ...young, state: 'created' }, old],
      want: 'waiting: DependencyNotReady (Waiting for db to be started)',
    },
    {
      it: 'unpauses the new container',
      by: 'rolling',
      seen: [{ ...young, state: 'paused' }, old],
      want: 'unpause c2 (was paused before it had taken over); progressing: Unpausing',
    },
    {
      it: 'connects a new container that hands over before it waits for its signal',
      by: 'hand-over',
      seen: [{ ...young, networks: {} }, old],
      more: overlap({}),
      want: 'connect c2 to u_default (not connected to network u_default); progressing: Connecting',
    },
    {
      it: 'publishes the names that are missing, all of them',
      by: 'rolling',
      desired: { networks: [{ ...network('u_default', 'n1'), aliases: ['web', 'www', 'api'] }] },
      seen: [{ ...young, networks: known('web'), health: 'healthy' }, old],
      want: 'publishAliases c2 to u_default (not known as web, www, api on network u_default); progressing: Introducing',
    },
    { it: 'waits for the signal', by: 'hand-over', seen: [young, old], more: overlap({}), want: awaiting },
    {
      it: 'lets the old one go when the new one says so',
      by: 'hand-over',
      seen: [young, old],
      more: overlap({ signalled: true }),
      want: 'stop+remove c1 under lock, hand-over (h1_web_1_1_a has taken over (it said so)); waiting: Stopping',
    },
    {
      it: 'lets the old one go when the time is over',
      by: 'hand-over',
      seen: [young, old],
      more: overlap({ waitedMs: 60_000 }),
      want: 'stop+remove c1 under lock, hand-over (h1_web_1_1_a has taken over (it has not said so in time)); waiting: Stopping',
    },
    {
      it: 'keeps to the timeout of the label',
      by: 'hand-over',
      desired: { updatePolicy: { strategy: 'hand-over', timeoutMs: 1_000 } },
      seen: [young, old],
      more: overlap({ waitedMs: 1_000 }),
      want: 'stop+remove c1 under lock, hand-over (h1_web_1_1_a has taken over (it has not said so in time)); waiting: Stopping',
    },
    {
      it: 'stops the old one only under the lock',
      by: 'hand-over',
      seen: [young, old],
      more: { ...overlap({ signalled: true }), ...unlocked },
      want: 'waiting: NeedsLock (Needs the update lock of the app to remove container web_1_1_a: h1_web_1_1_a has taken over (it said so))',
    },
    {
      it: 'goes on with the old one as long as the new one does not run, whatever the time',
      by: 'hand-over',
      seen: [{ ...young, state: 'restarting' }, old],
      more: overlap({ signalled: true, waitedMs: 100_000 }),
      want: 'waiting: SuccessorNotRunning (web_1_1_a goes on until h1_web_1_1_a runs (it is restarting))',
    },
    {
      it: 'starts a new one that never was',
      by: 'hand-over',
      seen: [{ ...young, state: 'created' }, old],
      want: 'start c2 (it was made and not started yet); progressing: Starting',
    },
    {
      it: 'starts a new one again that has ended',
      by: 'rolling',
      seen: [{ ...young, state: 'exited', exitCode: 3 }, old],
      want: 'start c2 (it had exited with 3 before it had taken over); progressing: Starting',
    },
    {
      it: 'does not start a new one again that has ended as often as its policy lets it',
      by: 'rolling',
      desired: restarts('on-failure', 3),
      seen: [{ ...young, state: 'exited', exitCode: 3, restartCount: 3 }, old],
      want: 'waiting: SuccessorFailed (web_1_1_a goes on because h1_web_1_1_a exited with 3, and its restart policy does not start it again)',
    },
    {
      it: 'gives the new one its name when it is alone',
      by: 'hand-over',
      seen: [young],
      want: 'rename c2 to web_1_1_a (name changed from h1_web_1_1_a); progressing: Renaming',
    },

    {
      it: 'waits until the new one is healthy',
      by: 'rolling',
      seen: [{ ...hidden, health: 'starting' }, old],
      want: 'waiting: AwaitingHealth (Waiting for h1_web_1_1_a to be healthy)',
    },
    {
      it: 'never stops the old one for an unhealthy new one',
      by: 'rolling',
      seen: [{ ...hidden, health: 'unhealthy' }, old],
      more: overlap({ ranMs: 1e9 }),
      want: 'waiting: SuccessorUnhealthy (web_1_1_a goes on because h1_web_1_1_a is unhealthy)',
    },
    {
      it: 'makes the new one known when it is healthy',
      by: 'rolling',
      seen: [{ ...hidden, health: 'healthy' }, old],
      want: 'publishAliases c2 to u_default (not known as web on network u_default); progressing: Introducing',
    },
    {
      it: 'connects a new one that was caught between two connections',
      by: 'rolling',
      seen: [{ ...young, networks: {}, health: 'healthy' }, old],
      want: 'connect c2 to u_default (not connected to network u_default); progressing: Connecting',
    },
    {
      it: 'then lets the old one go',
      by: 'rolling',
      seen: [{ ...young, health: 'healthy' }, old],
      want: 'stop+remove c1 under lock, rolling (h1_web_1_1_a has taken over (it is healthy)); waiting: Stopping',
    },
    {
      it: 'wants one without a healthcheck to run for a while',
      by: 'rolling',
      seen: [hidden, old],
      more: overlap({ ranMs: 9_999 }),
      want: 'waiting: AwaitingHealth (Waiting for h1_web_1_1_a to have run for 10 s (it has no healthcheck))',
    },
    {
      it: 'takes it for good then',
      by: 'rolling',
      seen: [young, old],
      more: overlap({ ranMs: 10_000 }),
      want: 'stop+remove c1 under lock, rolling (h1_web_1_1_a has taken over (it runs)); waiting: Stopping',
    },
    {
      it: 'makes the new one known when the old one has gone by itself',
      by: 'rolling',
      seen: [{ ...hidden, name: 'web_1_1_a' }],
      want: 'publishAliases c2 to u_default (not known as web on network u_default); progressing: Introducing',
    },

    {
      it: 'takes the new one back when the document wants the old one again',
      by: 'hand-over',
      seen: [
        { ...young, specHash: 'h2' },
        { ...old, specHash: 'h1' },
      ],
      want: 'stop+remove c2 under lock (the document wants web_1_1_a again); waiting: Stopping',
    },
    {
      it: 'makes room for a third one at the cost of the second',
      by: 'hand-over',
      seen: [{ ...young, specHash: 'h2' }, old],
      want: 'stop+remove c2 under lock (the spec changed before it had taken over); waiting: Stopping',
    },
    {
      it: 'ends the overlap when the strategy is another one now',
      by: 'download-then-kill',
      seen: [young, old],
      want: 'stop+remove c1 under lock (older duplicate of h1_web_1_1_a); waiting: Stopping',
    },
    {
      it: 'ends the overlap when the old one has stopped',
      by: 'hand-over',
      seen: [young, { ...old, state: 'exited' }],
      want: 'remove c1 under lock (older duplicate of h1_web_1_1_a); waiting: Stopping',
    },
    {
      it: 'ends the overlap when the service is to stop',
      by: 'hand-over',
      seen: [young, old],
      more: commands({ stop: 'due' }),
      want: 'stop+remove c1 under lock (older duplicate of h1_web_1_1_a); waiting: Stopping',
    },
    {
      it: 'ends the overlap for a restart',
      by: 'rolling',
      seen: [young, old],
      more: commands({ recreate: [restart] }),
      want: 'stop+remove c1 under lock (older duplicate of h1_web_1_1_a); waiting: Stopping',
    },
    {
      it: 'removes both from a network that is recreated',
      by: 'hand-over',
      seen: [young, old],
      more: { closing: new Map([['u_default', 'recreated']]) },
      want: 'stop+remove c2 under lock (network u_default is recreated); waiting: Stopping',
    },
    {
      it: 'knows nothing of either without the image',
      by: 'rolling',
      desired: { image: undefined },
      seen: [young, old],
      want: 'waiting: ImageMissing (Waiting for image web:1 to be local)',
    },
  ];

  for (const { it: what, by, desired, seen, more, want } of cases) {
    it(`${what} (${by})`, () => {
      const updatePolicy = { strategy: by, timeoutMs: 60_000 };
      assert.equal(serviceLine({ updatePolicy, ...desired }, seen, more), want);
    });
  }

  const twoOf = (strategy: UpdateStrategy, newer: Partial<SeenContainer>, more: Partial<ServiceState>) =>
    planContainer(aServiceState({ updatePolicy: { strategy, timeoutMs: 60_000 } }, [newer, old], more));

  it('looks for the signal often, and at the end of its time', () => {
    const waits = [1_000, 59_900].map((waitedMs) => twoOf('hand-over', young, overlap({ waitedMs })).outcome);
    assert.deepEqual(
      waits.map((outcome) => outcome.is === 'waiting' && outcome.forMs),
      [200, 100],
    );
  });

  it('notes by which event the new container has taken over', () => {
    const [step] = twoOf('rolling', { ...young, health: 'healthy' }, {}).steps;
    const update = { is: 'succeeded', strategy: 'rolling', seen: 'Healthy' };
    assert.deepEqual(step?.do === 'terminate' && step.update, update);
  });
});

import assert from 'node:assert/strict';
import type { SeenContainer } from '../../../controllers/engine/engine.js';
import type { ActiveCommands } from '../../../controllers/service/commands/commands.js';
import { planService } from '../../../controllers/service/plan.js';
import type { DesiredContainer, ServiceState } from '../../../controllers/service/service-state.js';
import { restartBudget } from '../../../crds/model/restart-budget.js';
import { aDocument } from '../../setup/documents.js';
import {
  aContainer,
  anObservation,
  aServiceState,
  network,
  print,
  restarts,
  serviceLine,
  UNLIMITED,
  unsettledNetwork,
} from './service-states.js';

interface Case {
  readonly it: string;
  readonly desired?: Partial<DesiredContainer>;
  /** One container by default; newest first. */
  readonly seen?: readonly Partial<SeenContainer>[];
  readonly more?: Partial<ServiceState>;
  readonly want: string;
}

const none: readonly Partial<SeenContainer>[] = [];
const closing = (name: string, why: 'recreated' | 'removed'): Partial<ServiceState> => ({
  closing: new Map([[name, why]]),
});
const commands = (more: Partial<ActiveCommands>): Partial<ServiceState> => ({
  commands: { recreate: [], stop: undefined, start: false, ...more },
});
const restart = { id: 'r1', name: 'restart', because: 'restart requested' } as const;
const purge = { id: 'p1', name: 'app.purge', because: 'purge of the app requested' } as const;
/** Its network is shared. */
const vpn = (id?: string, state: SeenContainer['state'] = 'running') =>
  ({ namespace: 'network', service: 'vpn', container: id === undefined ? undefined : { id, state } }) as const;
const deleted: Partial<ServiceState> = { desired: undefined };
const unlocked: Partial<ServiceState> = { lockHeld: false };

/** Lives in the network of a container that has been started again, which is to run on for so many ms first. */
const lost = (holdMs = 0): Partial<ServiceState> => ({
  lost: [
    { container: aContainer({ id: 'v1', name: 'vpn_1_1_a', serviceName: 'vpn' }), namespaces: ['network'], holdMs },
  ],
});
const inside: Partial<SeenContainer> = { networkMode: 'container:v1', networks: {} };

const planOf = ({ desired, seen = [{}], more }: Case): string => serviceLine(desired, seen, more);

const unhealthyRestarts = (text: string): Partial<DesiredContainer> => ({ restartUnhealthy: restartBudget(text) });

describe('planContainer', () => {
  const cases: readonly Case[] = [
    { it: 'leaves a running container alone that is as it should be', want: 'settled' },
    {
      it: 'creates and starts what is missing',
      seen: none,
      want: 'create+start web_1_1_a (there was none); progressing: Installing',
    },
    {
      it: 'needs no lock to create',
      seen: none,
      more: unlocked,
      want: 'create+start web_1_1_a (there was none); progressing: Installing',
    },
    {
      it: 'only creates what shall not run',
      seen: none,
      desired: { running: false },
      want: 'create web_1_1_a (there was none); progressing: Installing',
    },

    {
      it: 'waits for the image',
      seen: none,
      desired: { image: undefined },
      want: 'waiting: ImageMissing (Waiting for image web:1 to be local)',
    },
    {
      it: 'touches nothing while the image is missing',
      desired: { image: undefined },
      seen: [{ specHash: 'old' }],
      want: 'waiting: ImageMissing (Waiting for image web:1 to be local)',
    },
    {
      it: 'waits for every network, not only the first',
      seen: none,
      desired: { networks: [network('u_default', 'n1'), network('u_b', undefined, 'it does not exist yet')] },
      want: 'waiting: NetworkNotReady (Waiting for network u_b: it does not exist yet)',
    },
    {
      it: 'waits for volumes',
      seen: none,
      desired: { volumes: [{ name: '1_data', notReady: 'it does not exist yet' }] },
      want: 'waiting: VolumeNotReady (Waiting for volume 1_data: it does not exist yet)',
    },
    {
      it: 'waits for dependencies and names them',
      seen: none,
      desired: { unsatisfied: ['db to be healthy (it is starting)', 'mq to be started'] },
      want: 'waiting: DependencyNotReady (Waiting for db to be healthy (it is starting), mq to be started)',
    },
    {
      it: 'does not wait for dependencies with what shall not run',
      seen: none,
      desired: { running: false, unsatisfied: ['db to be started'] },
      want: 'create web_1_1_a (there was none); progressing: Installing',
    },
    {
      it: 'leaves a running container alone whose network is not settled',
      desired: { networks: [network('u_default', 'n1', 'it is not settled yet')] },
      want: 'settled',
    },
    {
      it: 'leaves a running container alone whose network does not exist: nobody connects it to another one yet',
      desired: { networks: [network('u_default', undefined, 'it does not exist yet')] },
      want: 'settled',
    },
    {
      it: 'waits while a container is restarted',
      more: { terminating: new Map([['c1', 'restarted']]) },
      want: 'waiting: Restarting (Waiting for container web_1_1_a to be started again)',
    },
    {
      it: 'removes the oldest of many duplicates',
      seen: [{}, { id: 'c2' }, { id: 'c3' }, { id: 'c4' }, { id: 'c5' }],
      want: 'stop+remove c5 under lock (older duplicate of web_1_1_a); waiting: Stopping',
    },
    {
      it: 'stays while others that are deleted need it',
      more: { desired: undefined, dependents: ['api', 'ui'] },
      want: 'waiting: DependentNotStopped (Waiting for api, ui to go first)',
    },
    {
      it: 'is created in the network of a sibling that runs',
      seen: none,
      desired: { networks: [], shares: [vpn('v1')] },
      want: 'create+start web_1_1_a (there was none); progressing: Installing',
    },
    {
      it: 'does not miss the network of a sibling whose PID namespace it shares',
      seen: [{ pidMode: 'container:v1' }],
      desired: { shares: [{ ...vpn('v1', 'exited'), namespace: 'PID' }] },
      want: 'settled',
    },
    {
      it: 'leaves a container to the engine that is being restarted, also without its network',
      seen: [{ ...inside, state: 'restarting' }],
      desired: { networks: [], shares: [vpn('v1', 'exited')] },
      want: 'settled',
    },
    {
      it: 'waits for the provider that has to run for longest',
      seen: [inside],
      desired: { networks: [], shares: [vpn('v1')] },
      more: { lost: [...(lost().lost ?? []), ...(lost(5_000).lost ?? [])] },
      want: 'waiting: DependencyNotReady (Waiting for vpn, which keeps being restarted, to run for a while)',
    },
    {
      it: 'leaves a running container alone whose dependency is away',
      desired: { unsatisfied: ['db to be started'] },
      want: 'settled',
    },

    {
      it: 'replaces a container with another definition',
      seen: [{ specHash: 'old' }],
      want: 'create h1_web_1_1_a ahead (spec changed); stop+remove c1 under lock (spec changed); waiting: Stopping',
    },
    {
      it: 'says when the image changed',
      seen: [{ specHash: 'old', image: 'sha256:0' }],
      want: 'create h1_web_1_1_a ahead (image changed); stop+remove c1 under lock (image changed); waiting: Stopping',
    },
    {
      it: 'says when a file that it mounts has other contents',
      seen: [{ specHash: 'old', labels: { 'io.supercargo.contents': 'a' } }],
      desired: { contents: 'b' },
      want: 'create h1_web_1_1_a ahead (contents of mounted files changed); stop+remove c1 under lock (contents of mounted files changed); waiting: Stopping',
    },
    {
      it: 'says no such thing when they are the same',
      seen: [{ specHash: 'old', labels: { 'io.supercargo.contents': 'a' } }],
      desired: { contents: 'a' },
      want: 'create h1_web_1_1_a ahead (spec changed); stop+remove c1 under lock (spec changed); waiting: Stopping',
    },
    {
      it: 'replaces the container of another agent',
      seen: [{ specHash: undefined }],
      want: 'create h1_web_1_1_a ahead (made by another agent); stop+remove c1 under lock (made by another agent); waiting: Stopping',
    },
    {
      it: 'asks for the lock before it replaces',
      seen: [{ specHash: 'old' }],
      more: unlocked,
      want: 'waiting: NeedsLock (Needs the update lock of the app to remove container web_1_1_a: spec changed)',
    },
    {
      it: 'needs no lock for what never ran',
      seen: [{ specHash: 'old', state: 'created' }],
      more: unlocked,
      want: 'remove c1 (spec changed); waiting: Stopping',
    },
    {
      it: 'keeps what runs until the new networks are there',
      seen: [{ specHash: 'old' }],
      desired: { networks: [network('u_b', undefined, 'it does not exist yet')] },
      want: 'waiting: NetworkNotReady (Waiting for network u_b: it does not exist yet)',
    },
    {
      it: 'goes first when it is on a network that has to go, and the new one lacks its addresses',
      seen: [{ specHash: 'old' }],
      desired: { networks: [{ ...network('u_b', undefined, 'it does not exist yet'), lacksSubnet: true }] },
      more: closing('u_default', 'removed'),
      want: 'stop+remove c1 under lock (spec changed); waiting: Stopping',
    },
    {
      it: 'does not wait for dependencies before it replaces',
      seen: [{ specHash: 'old' }],
      desired: { unsatisfied: ['db to be started'] },
      want: 'create h1_web_1_1_a ahead (spec changed); stop+remove c1 under lock (spec changed); waiting: Stopping',
    },

    {
      it: 'steps aside for a network that is recreated',
      more: closing('u_default', 'recreated'),
      want: 'stop+remove c1 under lock (network u_default is recreated); waiting: Stopping',
    },
    {
      it: 'steps aside even when it has finished',
      desired: restarts('no'),
      seen: [{ state: 'exited' }],
      more: closing('u_default', 'recreated'),
      want: 'remove c1 under lock (network u_default is recreated); waiting: Stopping',
    },
    {
      it: 'does not return before the network is there',
      seen: none,
      desired: { networks: [network('u_default', 'n1', 'it is being recreated')] },
      want: 'waiting: NetworkNotReady (Waiting for network u_default: it is being recreated)',
    },
    {
      it: 'ignores a network of somebody else that is recreated',
      more: closing('u_other', 'recreated'),
      want: 'settled',
    },
    {
      it: 'replaces a container on a network of the same name that is gone',
      seen: [{ networks: { u_default: { id: 'n0' } } }],
      want: 'create h1_web_1_1_a ahead (network u_default was recreated); stop+remove c1 under lock (network u_default was recreated); waiting: Stopping',
    },
    {
      it: 'connects what is not connected',
      desired: { networks: [network('u_default', 'n1'), network('u_b', 'n2')] },
      more: unlocked,
      want: 'connect c1 to u_b (not connected to network u_b); progressing: Connecting',
    },
    {
      it: 'connects before the first start',
      seen: [{ state: 'created', networks: { u_default: { id: '' } } }],
      desired: { networks: [network('u_default', 'n1'), network('u_b', 'n2')] },
      want: 'connect c1 to u_b (not connected to network u_b); progressing: Connecting',
    },
    {
      it: 'takes an attachment that Docker has not looked up yet for one',
      seen: [{ state: 'created', networks: { u_default: { id: '' } } }],
      want: 'start c1 (it was made and not started yet); progressing: Starting',
    },
    {
      it: 'leaves a finished one-shot alone whose network was recreated',
      desired: restarts('no'),
      seen: [{ state: 'exited', networks: { u_default: { id: 'n0' } } }],
      want: 'settled',
    },

    {
      it: 'recreates a container whose sibling has another container now',
      desired: { networks: [], shares: [vpn('v2')] },
      seen: [{ networkMode: 'container:v1', networks: {} }],
      want: 'create h1_web_1_1_a ahead (container of vpn was replaced); stop+remove c1 under lock (container of vpn was replaced); waiting: Stopping',
    },
    {
      it: 'waits while the sibling has none',
      desired: { networks: [], shares: [vpn()] },
      seen: [{ networkMode: 'container:v1', networks: {} }],
      want: 'waiting: DependencyNotReady (Waiting for vpn to be created)',
    },
    {
      it: 'waits until the sibling is settled',
      desired: { networks: [], shares: [vpn('v2')], unsatisfied: ['vpn to be settled'] },
      seen: [{ networkMode: 'container:v1', networks: {} }],
      want: 'waiting: DependencyNotReady (Waiting for vpn to be settled)',
    },
    {
      it: 'keeps a container inside its sibling’s network',
      desired: { networks: [], shares: [vpn('v1')] },
      seen: [{ networkMode: 'container:v1', networks: {} }],
      want: 'settled',
    },
    {
      it: 'says nothing of the network of a container that does not run either',
      desired: { networks: [], shares: [vpn('v1', 'exited')], ...restarts('no') },
      seen: [{ ...inside, state: 'exited' }],
      want: 'settled',
    },
    {
      it: 'waits for the sibling before it creates, even what shall not run',
      desired: { running: false, networks: [], shares: [vpn()] },
      seen: none,
      want: 'waiting: DependencyNotReady (Waiting for vpn to be created)',
    },
    {
      it: 'restarts what lives in a network that has gone with the former run of its provider, without a lock',
      seen: [inside],
      desired: { networks: [], shares: [vpn('v1')] },
      more: { ...lost(), ...unlocked },
      want: 'restart c1 (the network of vpn is another one since that was started again); waiting: Restarting',
    },
    {
      it: 'waits until a provider that keeps being restarted has run for a while',
      seen: [inside],
      desired: { networks: [], shares: [vpn('v1')] },
      more: lost(5_000),
      want: 'waiting: DependencyNotReady (Waiting for vpn, which keeps being restarted, to run for a while)',
    },
    {
      it: 'leaves alone what Docker itself is restarting',
      seen: [{ ...inside, state: 'restarting' }],
      desired: { networks: [], shares: [vpn('v1')] },
      more: lost(),
      want: 'settled',
    },
    {
      it: 'does not restart what is to be stopped',
      seen: [inside],
      desired: { networks: [], shares: [vpn('v1')], running: false },
      more: lost(),
      want: 'stop c1 under lock (running: false); waiting: Stopping',
    },
    {
      it: 'starts nothing in the network of what does not run',
      seen: [{ ...inside, state: 'exited' }],
      desired: { networks: [], shares: [vpn('v1', 'exited')] },
      want: 'waiting: DependencyNotReady (Waiting for vpn to run (it is exited))',
    },
    {
      it: 'leaves a container alone whose provider does not run, and says that it has no network',
      seen: [inside],
      desired: { networks: [], shares: [vpn('v1', 'exited')] },
      want: 'waiting: DependencyNotReady (Container web_1_1_a runs without a network: it shares that of vpn, whose container has ended)',
    },
    {
      it: 'goes together with a provider that is being replaced',
      seen: [inside],
      desired: { networks: [], shares: [vpn('v1')] },
      more: { terminating: new Map([['v1', 'removed']]) },
      want: 'stop+remove c1 under lock (container of vpn is being replaced); waiting: Stopping',
    },
    {
      it: 'stays when its provider is only stopped',
      seen: [inside],
      desired: { networks: [], shares: [vpn('v1')] },
      more: { terminating: new Map([['v1', 'stopped']]) },
      want: 'settled',
    },
    {
      it: 'is not created in the network of a container that is being removed',
      seen: none,
      desired: { networks: [], shares: [vpn('v1')] },
      more: { terminating: new Map([['v1', 'removed']]) },
      want: 'waiting: DependencyNotReady (Waiting for vpn to be created)',
    },
    {
      it: 'recreates what can never be started again, without a lock',
      seen: [{ state: 'exited', error: 'task c1: already exists' }],
      more: unlocked,
      want: 'remove c1 (the engine could not start it again: task c1: already exists); waiting: Stopping',
    },
    {
      it: 'leaves alone what runs, whatever was wrong with an earlier start',
      seen: [{ error: 'id already in use' }],
      want: 'settled',
    },
    {
      it: 'starts a one-shot that could not be started again when its provider was',
      seen: [{ state: 'exited', error: 'container v1 is not running' }],
      desired: restarts('no'),
      want: 'start c1 (it had been stopped); progressing: Starting',
    },
    {
      it: 'starts no stopped container while it is not known whether its network is recreated',
      seen: [{ state: 'exited' }],
      desired: { networks: [{ ...unsettledNetwork('u_default', 'n1'), isUnseen: true }] },
      want: 'waiting: NetworkNotReady (Waiting for network u_default: it is not settled yet)',
    },
    {
      it: 'starts a stopped container on a network that is looked at and waits for others',
      seen: [{ state: 'exited' }],
      desired: { networks: [unsettledNetwork('u_default', 'n1')] },
      want: 'start c1 (it had been stopped); progressing: Starting',
    },

    {
      it: 'renames when only the release changed',
      desired: { containerName: 'web_1_2_b' },
      want: 'rename c1 to web_1_2_b (name changed from web_1_1_a); progressing: Renaming',
    },
    {
      it: 'asks for the lock before it renames',
      desired: { containerName: 'web_1_2_b' },
      more: unlocked,
      want: 'waiting: NeedsLock (Needs the update lock of the app to rename the container: name changed from web_1_1_a)',
    },
    {
      it: 'renames a finished one-shot and does not run it',
      desired: { containerName: 'web_1_2_b', ...restarts('no') },
      seen: [{ state: 'exited' }],
      want: 'rename c1 to web_1_2_b (name changed from web_1_1_a); progressing: Renaming',
    },

    {
      it: 'starts what was created and never started',
      seen: [{ state: 'created' }],
      more: unlocked,
      want: 'start c1 (it was made and not started yet); progressing: Starting',
    },
    {
      it: 'does not start it before its dependencies',
      seen: [{ state: 'created' }],
      desired: { unsatisfied: ['db to be started'] },
      want: 'waiting: DependencyNotReady (Waiting for db to be started)',
    },
    {
      it: 'starts again what somebody stopped',
      seen: [{ state: 'exited', exitCode: 143 }],
      more: unlocked,
      want: 'start c1 (it had been stopped); progressing: Starting',
    },
    {
      it: 'starts again under unless-stopped as well',
      desired: restarts('unless-stopped'),
      seen: [{ state: 'exited' }],
      want: 'start c1 (it had been stopped); progressing: Starting',
    },
    {
      it: 'leaves a one-shot finished',
      desired: restarts('no'),
      seen: [{ state: 'exited', exitCode: 1 }],
      want: 'settled',
    },
    {
      it: 'leaves on-failure finished after a success',
      desired: restarts('on-failure'),
      seen: [{ state: 'exited' }],
      want: 'settled',
    },
    {
      it: 'starts on-failure again after a failure',
      desired: restarts('on-failure'),
      seen: [{ state: 'exited', exitCode: 3 }],
      want: 'start c1 (it had exited with 3); progressing: Starting',
    },
    {
      it: 'leaves on-failure:3 finished when Docker has tried three times',
      desired: restarts('on-failure', 3),
      seen: [{ state: 'exited', exitCode: 3, restartCount: 3 }],
      want: 'settled',
    },
    {
      it: 'runs it again when that is asked for',
      desired: restarts('on-failure', 3),
      seen: [{ state: 'exited', exitCode: 3, restartCount: 3 }],
      more: { commands: { recreate: [], stop: undefined, start: true } },
      want: 'start c1 (start requested); progressing: Starting',
    },
    {
      it: 'starts on-failure:3 again when somebody stopped it before that',
      desired: restarts('on-failure', 3),
      seen: [{ state: 'exited', exitCode: 143, restartCount: 2 }],
      want: 'start c1 (it had exited with 143); progressing: Starting',
    },
    { it: 'leaves a crash loop to Docker', seen: [{ state: 'restarting', exitCode: 1 }], want: 'settled' },
    { it: 'leaves an unhealthy container to Docker', seen: [{ health: 'unhealthy' }], want: 'settled' },
    {
      it: 'ends a pause without the lock: nothing is interrupted by it',
      seen: [{ state: 'paused' }],
      more: unlocked,
      want: 'unpause c1 (was paused); progressing: Unpausing',
    },
    {
      it: 'does not end the pause of what is not to run',
      seen: [{ state: 'paused' }],
      desired: { running: false },
      want: 'stop c1 under lock (running: false); waiting: Stopping',
    },
    {
      it: 'gives edited limits back without the lock',
      seen: [{ updatable: { ...UNLIMITED, CpuShares: 9 } }],
      desired: { tuning: { ...UNLIMITED, CpuShares: 5, MemorySwap: undefined } },
      more: unlocked,
      want: 'update c1 to {"CpuShares":5} (was edited: cpu_shares is 9, not 5); progressing: Updating',
    },
    {
      it: 'needs the lock where only another container can be without the limit',
      seen: [{ updatable: { ...UNLIMITED, CpuShares: 9 } }],
      more: unlocked,
      want: 'waiting: NeedsLock (Needs the update lock of the app to remove container web_1_1_a: was edited: cpu_shares is 9, not set)',
    },
    {
      it: 'leaves the limits of what has finished',
      seen: [{ state: 'exited', updatable: { ...UNLIMITED, CpuShares: 9 } }],
      desired: restarts('no'),
      want: 'settled',
    },

    {
      it: 'stops what shall not run',
      desired: { running: false },
      want: 'stop c1 under lock (running: false); waiting: Stopping',
    },
    {
      it: 'is content with what shall not run and does not',
      desired: { running: false },
      seen: [{ state: 'exited' }],
      want: 'settled',
    },
    {
      it: 'is content with what shall not run and never did',
      desired: { running: false },
      seen: [{ state: 'created' }],
      want: 'settled',
    },

    {
      it: 'removes a dead container without a lock',
      seen: [{ state: 'dead' }],
      more: unlocked,
      want: 'remove c1 (dead); waiting: Stopping',
    },
    {
      it: 'waits for one that is being removed',
      seen: [{ state: 'removing' }],
      want: 'waiting: Stopping (Waiting for container web_1_1_a to go)',
    },
    {
      it: 'waits for one that it is stopping',
      more: { terminating: new Map([['c1', 'removed']]) },
      want: 'waiting: Stopping (Waiting for container web_1_1_a to go)',
    },
    {
      it: 'removes the older of two, the newest stays',
      seen: [{ id: 'c2' }, { id: 'c1', specHash: 'h1' }],
      want: 'stop+remove c1 under lock (older duplicate of web_1_1_a); waiting: Stopping',
    },
    {
      it: 'removes a copy that somebody made, and not the container that it was made from',
      seen: [{ id: 'c2', name: 'copy' }, {}],
      want: 'stop+remove c2 under lock (younger duplicate of web_1_1_a); waiting: Stopping',
    },
    {
      it: 'keeps a copy that runs where the container that it was made from does not',
      seen: [{ id: 'c2', name: 'copy' }, { state: 'exited' }],
      want: 'remove c1 under lock (older duplicate of copy); waiting: Stopping',
    },

    {
      it: 'removes the container of a deleted document',
      more: deleted,
      want: 'stop+remove c1 under lock (deleted); waiting: Stopping',
    },
    {
      it: 'asks for the lock before that',
      more: { ...deleted, ...unlocked },
      want: 'waiting: NeedsLock (Needs the update lock of the app to remove container web_1_1_a: deleted)',
    },
    {
      it: 'has nothing left to do for a deleted document without a container',
      more: deleted,
      seen: none,
      want: 'settled',
    },

    {
      it: 'recreates the container for a restart',
      more: commands({ recreate: [restart] }),
      want: 'create h1_web_1_1_a ahead (restart requested); stop+remove c1 under lock (restart requested); waiting: Stopping',
    },
    {
      it: 'asks for the lock before that, even when nothing runs',
      seen: [{ state: 'created' }],
      more: { ...commands({ recreate: [restart] }), ...unlocked },
      want: 'waiting: NeedsLock (Needs the update lock of the app to recreate container web_1_1_a: restart requested)',
    },
    {
      it: 'does not restart what was made after the request',
      seen: [{ labels: { 'io.supercargo.made-after': 'r0 r1' } }],
      more: commands({ recreate: [restart] }),
      want: 'settled',
    },
    {
      it: 'does not take down for a restart what could not come back',
      desired: { networks: [network('u_default', undefined, 'it does not exist yet')] },
      more: commands({ recreate: [restart] }),
      want: 'waiting: NetworkNotReady (Waiting for network u_default: it does not exist yet)',
    },
    {
      it: 'leaves for a purge, because the volumes wait for that',
      desired: { volumes: [{ name: '1_data', notReady: 'it is being emptied' }] },
      more: commands({ recreate: [restart, purge] }),
      want: 'stop+remove c1 under lock (purge of the app requested); waiting: Stopping',
    },
    {
      it: 'comes back when the volumes are empty',
      seen: none,
      desired: { volumes: [{ name: '1_data', notReady: 'it is being emptied' }] },
      more: commands({ recreate: [purge] }),
      want: 'waiting: VolumeNotReady (Waiting for volume 1_data: it is being emptied)',
    },
    {
      it: 'runs a finished one-shot again for a restart',
      desired: restarts('no'),
      seen: [{ state: 'exited' }],
      more: commands({ recreate: [restart] }),
      want: 'create h1_web_1_1_a ahead (restart requested); remove c1 under lock (restart requested); waiting: Stopping',
    },
    {
      it: 'stops what was asked to stop, also while the image is missing',
      desired: { image: undefined },
      more: commands({ stop: 'due' }),
      want: 'stop c1 under lock (stop requested); waiting: Stopping',
    },
    { it: 'leaves it stopped', seen: [{ state: 'exited' }], more: commands({ stop: 'in force' }), want: 'settled' },
    {
      it: 'leaves what is unhealthy to its healthcheck',
      seen: [{ health: 'unhealthy' }],
      want: 'settled',
    },
    {
      it: 'restarts what is unhealthy where that is asked for',
      desired: unhealthyRestarts('2/60s'),
      seen: [{ health: 'unhealthy' }],
      more: { restartsLeft: 2 },
      want: 'restart c1 (it is unhealthy (restart 1 of 2/60s)); waiting: Restarting',
    },
    {
      it: 'restarts it once more',
      desired: unhealthyRestarts('2/60s'),
      seen: [{ health: 'unhealthy' }],
      more: { restartsLeft: 1 },
      want: 'restart c1 (it is unhealthy (restart 2 of 2/60s)); waiting: Restarting',
    },
    {
      it: 'restarts nothing when the budget is used up',
      desired: unhealthyRestarts('2/60s'),
      seen: [{ health: 'unhealthy' }],
      more: { restartsLeft: 0 },
      want: 'settled',
    },
    {
      it: 'asks for the lock before it restarts what is unhealthy',
      desired: unhealthyRestarts('2/60s'),
      seen: [{ health: 'unhealthy' }],
      more: { restartsLeft: 2, ...unlocked },
      want: 'waiting: NeedsLock (Needs the update lock of the app to restart container web_1_1_a: it is unhealthy (restart 1 of 2/60s))',
    },
    ...(['starting', 'healthy', undefined] as const).map((health) => ({
      it: `does not restart what is ${health ?? 'not checked'}`,
      desired: unhealthyRestarts('2/60s'),
      seen: [{ health }],
      more: { restartsLeft: 2 },
      want: 'settled',
    })),
    {
      it: 'does not restart what was unhealthy when it ended',
      desired: { ...unhealthyRestarts('2/60s'), ...restarts('no') },
      seen: [{ state: 'exited', health: 'unhealthy' }],
      more: { restartsLeft: 2 },
      want: 'settled',
    },
    {
      it: 'replaces what is unhealthy and changed, and restarts nothing',
      desired: unhealthyRestarts('2/60s'),
      seen: [{ health: 'unhealthy', specHash: 'old' }],
      more: { restartsLeft: 2 },
      want: 'create h1_web_1_1_a ahead (spec changed); stop+remove c1 under lock (spec changed); waiting: Stopping',
    },
    {
      it: 'renames what is stopped for a release that is equal',
      desired: { containerName: 'web_1_2_b' },
      seen: [{ state: 'exited' }],
      more: commands({ stop: 'in force' }),
      want: 'rename c1 to web_1_2_b (name changed from web_1_1_a); progressing: Renaming',
    },
    {
      it: 'only creates what is missing and stays stopped',
      seen: none,
      more: commands({ stop: 'in force' }),
      want: 'create web_1_1_a (there was none); progressing: Installing',
    },
    {
      it: 'starts what was asked to start, without a lock',
      seen: [{ state: 'exited' }],
      more: { ...commands({ start: true }), ...unlocked },
      want: 'start c1 (start requested); progressing: Starting',
    },
    {
      it: 'starts a finished one-shot again when that is asked',
      desired: restarts('no'),
      seen: [{ state: 'exited' }],
      more: commands({ start: true }),
      want: 'start c1 (start requested); progressing: Starting',
    },
  ];
  for (const one of cases) it(one.it, () => assert.equal(planOf(one), one.want));
});

describe('planService', () => {
  const spec = { app: 'hello', serviceName: 'web', image: 'web:1' };
  const planOf = (...observation: Parameters<typeof anObservation>): string =>
    print(planService(aDocument('Service', 'hello.web', spec), anObservation(...observation)));
  const gone = aServiceState({}, [{}], { desired: undefined, lockHeld: false });

  it('plans what the state asks for', () => {
    assert.equal(planOf(aServiceState()), 'create+start web_1_1_a (there was none); progressing: Installing');
  });
  it('waits for the App that the document names', () => {
    assert.equal(planOf(undefined), 'waiting: AppMissing (Waiting for App hello, which this Service names)');
  });
  it('throws why the document cannot be resolved', () => {
    assert.throws(() => planOf(undefined, { error: new Error('no such field') }), /no such field/);
  });
  it('ends with the failure of a step in the background, before anything else', () => {
    const failure = new Error('cannot stop');
    assert.equal(planOf(aServiceState(), { failure }), 'fail (a step in the background has failed); settled');
  });
  it('leaves the lock to the App', () => assert.match(planOf(gone), /^waiting: NeedsLock/));
  it('claims the lock itself where there is no App', () => {
    assert.equal(
      planOf(gone, { hasApp: false }),
      'claim (Needs the update lock of the app to remove container web_1_1_a: deleted); stop+remove c1 under lock (deleted); waiting: Stopping',
    );
  });
  it('claims none to wait for something else', () => {
    const state = aServiceState({ image: undefined }, [], { lockHeld: false });
    assert.equal(planOf(state, { hasApp: false }), 'waiting: ImageMissing (Waiting for image web:1 to be local)');
  });
  it('says that a container is restarted, and why', () => {
    const state = aServiceState({ networks: [], shares: [vpn('v1')] }, [inside], lost());
    const { outcome } = planService(aDocument('Service', 'hello.web', spec), anObservation(state));
    const why = 'the network of vpn is another one since that was started again';
    assert.equal(outcome.is === 'waiting' && outcome.message, `Restarting container web_1_1_a: ${why}`);
  });
  it('claims no lock that is not needed', () => {
    const state = aServiceState({}, [], { lockHeld: false });
    assert.equal(planOf(state, { hasApp: false }), planOf(state));
  });
});

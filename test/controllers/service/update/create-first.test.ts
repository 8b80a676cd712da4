import assert from 'node:assert/strict';
import type { SeenContainer } from '../../../../controllers/engine/engine.js';
import { InvalidSpecError } from '../../../../controllers/runtime/outcome.js';
import { planContainer } from '../../../../controllers/service/plan-container.js';
import type { DesiredContainer, ServiceState } from '../../../../controllers/service/service-state.js';
import type { UpdateStrategy } from '../../../../crds/model/update-strategy.js';
import { aServiceState, network, restarts, serviceLine, UNLIMITED, unsettledNetwork } from '../service-states.js';

interface Case {
  readonly it: string;
  readonly by?: UpdateStrategy;
  readonly desired?: Partial<DesiredContainer>;
  /** Newest first; one that was made from another definition by default. */
  readonly seen?: readonly Partial<SeenContainer>[];
  readonly more?: Partial<ServiceState>;
  readonly want: string;
}

const old = { id: 'c1', specHash: 'h0' };
const same = { id: 'c1', specHash: 'h1' };
/** Was created to take the place of the old one. */
const waits = { id: 'c2', name: 'h1_web_1_1_a', specHash: 'h1', state: 'created' } as const;
const unlocked: Partial<ServiceState> = { lockHeld: false };
const commands = (more: Partial<ServiceState['commands']>): Partial<ServiceState> => ({
  commands: { recreate: [], stop: undefined, start: false, ...more },
});
const restart = { id: 'r1', name: 'restart', because: 'restart requested' } as const;
const restartOfAll = { ...restart, name: 'app.restart', because: 'restart of the app requested' } as const;
const purge = { id: 'p1', name: 'app.purge', because: 'purge of the app requested' } as const;
const answered = { labels: { 'io.supercargo.made-after': 'r1' } };
const closing = (why: 'recreated' | 'removed'): Partial<ServiceState> => ({ closing: new Map([['u_default', why]]) });
const vpn = (id: string) => ({ namespace: 'network', service: 'vpn', container: { id, state: 'running' } }) as const;
const inside = (id: string): Partial<SeenContainer> => ({ networkMode: `container:${id}`, networks: {} });
const edited = { updatable: { ...UNLIMITED, CpuShares: 9 } };
const CREATE = 'create h1_web_1_1_a ahead';
const REMOVE = 'stop+remove c1 under lock';
const END = 'waiting: Stopping';
const withdrawn = (because: string): string => `remove c2 (${because}); ${END}`;

describe('planContainer, where the engine may refuse the new container', () => {
  const cases: readonly Case[] = [
    {
      it: 'creates it under its own name where that is free',
      desired: { containerName: 'web_1_2_b' },
      want: `create web_1_2_b ahead (spec changed); ${REMOVE} (spec changed); ${END}`,
    },
    {
      it: 'creates nothing before the lock is held',
      more: unlocked,
      want: 'waiting: NeedsLock (Needs the update lock of the app to remove container web_1_1_a: spec changed)',
    },
    {
      it: 'creates nothing before the lock is held for a restart',
      seen: [same],
      more: { ...commands({ recreate: [restart] }), ...unlocked },
      want: 'waiting: NeedsLock (Needs the update lock of the app to recreate container web_1_1_a: restart requested)',
    },
    {
      it: 'creates it beside one with a limit that Docker cannot take away',
      seen: [{ ...same, ...edited }],
      want: `${CREATE} (was edited: cpu_shares is 9, not set); ${REMOVE} (was edited: cpu_shares is 9, not set); ${END}`,
    },
    {
      it: 'creates it beside one that has ended',
      seen: [{ ...old, state: 'exited' }],
      want: `${CREATE} (spec changed); remove c1 under lock (spec changed); ${END}`,
    },
    {
      it: 'removes one first that never ran: nothing is lost with it',
      seen: [{ ...old, state: 'created' }],
      want: `remove c1 (spec changed); ${END}`,
    },
    ...(['kill-then-download', 'delete-then-download'] as const).map(
      (by): Case => ({ it: 'keeps its order', by, want: `${REMOVE}, ${by} (spec changed); ${END}` }),
    ),
    {
      it: 'stops first what is to be purged',
      seen: [same],
      more: commands({ recreate: [purge] }),
      want: `${REMOVE} (purge of the app requested); ${END}`,
    },
    {
      it: 'stops first what is not to run any more',
      desired: { running: false },
      want: `${REMOVE} (spec changed); ${END}`,
    },
    {
      it: 'stops first what is on a network that is to go, where that has the subnet of the new one',
      desired: {
        networks: [{ ...network('u_x', undefined, 'its pool overlaps that of u_default'), lacksSubnet: true }],
      },
      more: closing('removed'),
      want: `${REMOVE} (spec changed); ${END}`,
    },
    {
      it: 'keeps what is on a network that is to go while the new one is not created for another reason',
      desired: { networks: [network('u_x', undefined, 'the engine has no driver weave')] },
      more: closing('removed'),
      want: 'waiting: NetworkNotReady (Waiting for network u_x: the engine has no driver weave)',
    },
    {
      it: 'stops first what is on a network that is recreated',
      more: closing('recreated'),
      want: `${REMOVE} (network u_default is recreated); ${END}`,
    },
    {
      it: 'creates it first where the networks of the new one are there, whatever the old one is on',
      more: closing('removed'),
      want: `${CREATE} (spec changed); ${REMOVE} (spec changed); ${END}`,
    },
    {
      it: 'creates it first beside one that was edited, on a network that is to go',
      seen: [{ ...same, ...edited }],
      more: closing('removed'),
      want: `${CREATE} (was edited: cpu_shares is 9, not set); ${REMOVE} (was edited: cpu_shares is 9, not set); ${END}`,
    },
    {
      it: 'does not create it in what is still being changed',
      desired: { networks: [], shares: [vpn('v1')], unsatisfied: ['vpn to be settled'] },
      seen: [{ ...old, ...inside('v1') }],
      want: 'waiting: DependencyNotReady (Waiting for vpn to be settled)',
    },
    {
      it: 'stops first what lives in a container that is being removed',
      desired: { networks: [], shares: [vpn('v1')], unsatisfied: ['vpn to be settled'] },
      seen: [{ ...old, ...inside('v1') }],
      more: { terminating: new Map([['v1', 'removed']]) },
      want: `${REMOVE} (spec changed); ${END}`,
    },
    {
      it: 'stops first what lives in a container that is recreated with it',
      desired: { networks: [], shares: [vpn('v1')] },
      seen: [{ ...same, ...inside('v1') }],
      more: commands({ recreate: [restartOfAll] }),
      want: `${REMOVE} (restart of the app requested); ${END}`,
    },
    {
      it: 'creates it in the namespace of a sibling that stays',
      desired: { networks: [], shares: [vpn('v1')] },
      seen: [{ ...same, ...inside('v1') }],
      more: commands({ recreate: [restart] }),
      want: `${CREATE} (restart requested); ${REMOVE} (restart requested); ${END}`,
    },

    // Two of them: an agent was interrupted, or the document has changed in the middle.
    { it: 'goes on where another agent ended', seen: [waits, old], want: `${REMOVE} (spec changed); ${END}` },
    {
      it: 'goes on for a new container of another name',
      desired: { containerName: 'web_1_2_b' },
      seen: [{ ...waits, name: 'web_1_2_b' }, old],
      want: `${REMOVE} (spec changed); ${END}`,
    },
    {
      it: 'goes on with a restart',
      seen: [{ ...waits, ...answered }, same],
      more: commands({ recreate: [restart] }),
      want: `${REMOVE} (restart requested); ${END}`,
    },
    {
      it: 'goes on with a restart of what two containers could run of',
      by: 'rolling',
      seen: [{ ...waits, ...answered }, same],
      more: commands({ recreate: [restart] }),
      want: `${REMOVE} (restart requested); ${END}`,
    },
    {
      it: 'goes on into the namespace of another container',
      desired: { networks: [], shares: [vpn('v2')] },
      seen: [
        { ...waits, ...inside('v2') },
        { ...same, ...inside('v1') },
      ],
      want: `${REMOVE} (container of vpn was replaced); ${END}`,
    },
    {
      it: 'goes on where the old one is stopped and not removed',
      seen: [waits, { ...old, state: 'exited' }],
      want: `remove c1 under lock (spec changed); ${END}`,
    },
    {
      it: 'takes back what an agent left without one of its networks',
      desired: { networks: [network('u_default', 'n1'), network('u_x', 'n2')] },
      seen: [waits, old],
      want: withdrawn('the document wants another one by now'),
    },
    {
      it: 'leaves nothing about while the lock is not held',
      seen: [waits, old],
      more: unlocked,
      want: withdrawn('the update lock of the app is not held'),
    },
    {
      it: 'waits for the lock where the old one is stopped and not removed',
      seen: [waits, { ...old, state: 'exited' }],
      more: unlocked,
      want: 'waiting: NeedsLock (Needs the update lock of the app to remove container web_1_1_a: spec changed)',
    },
    {
      it: 'takes it back when the document wants the old one again',
      seen: [{ ...waits, specHash: 'h2' }, same],
      want: withdrawn('the document wants web_1_1_a again'),
    },
    {
      it: 'takes it back when the edited limit is gone',
      seen: [waits, same],
      want: withdrawn('the document wants web_1_1_a again'),
    },
    {
      it: 'takes it back when the document wants a third one',
      seen: [{ ...waits, specHash: 'h2' }, old],
      want: withdrawn('the document wants another one by now'),
    },
    {
      it: 'takes it back when it does not answer the request',
      seen: [waits, same],
      more: commands({ recreate: [restart] }),
      want: withdrawn('the document wants another one by now'),
    },
    {
      it: 'takes it back when it is in a namespace that is not wanted any more',
      desired: { networks: [], shares: [vpn('v3')] },
      seen: [
        { ...waits, ...inside('v2') },
        { ...same, ...inside('v1') },
      ],
      want: withdrawn('the document wants another one by now'),
    },
    {
      it: 'takes it back when the image has gone',
      desired: { image: undefined },
      seen: [waits, old],
      want: withdrawn('image web:1 is not local'),
    },
    {
      it: 'takes it back when the service is to stop',
      seen: [waits, old],
      more: commands({ stop: 'due' }),
      want: withdrawn('web_1_1_a goes before another one is created'),
    },
    {
      it: 'takes it back for a network that is recreated',
      seen: [waits, old],
      more: closing('recreated'),
      want: withdrawn('web_1_1_a goes before another one is created'),
    },
    {
      it: 'takes it back while a network is missing',
      desired: { networks: [network('u_default', undefined, 'it does not exist yet')] },
      seen: [waits, old],
      want: withdrawn('web_1_1_a goes before another one is created'),
    },
    {
      it: 'keeps it while nobody has looked at its network: the same one would be created again',
      desired: { networks: [unsettledNetwork('u_default', 'n1')] },
      seen: [waits, { ...old, state: 'exited' }],
      want: 'waiting: NetworkNotReady (Waiting for network u_default: it is not settled yet)',
    },
    {
      it: 'takes it back while nobody has looked at one network and another one is missing',
      desired: { networks: [unsettledNetwork('u_default', 'n1'), network('u_x', undefined, 'it does not exist yet')] },
      seen: [{ ...waits, networks: { u_default: { id: 'n1' }, u_x: { id: 'n2' } } }, old],
      want: withdrawn('web_1_1_a goes before another one is created'),
    },
    {
      it: 'takes it back by a strategy that kills first',
      by: 'kill-then-download',
      seen: [waits, old],
      want: withdrawn('web_1_1_a goes before another one is created'),
    },
    {
      it: 'takes it back first when the document is deleted',
      seen: [waits, old],
      more: { desired: undefined, ...unlocked },
      want: withdrawn('deleted'),
    },
    {
      it: 'starts it beside the old one by a strategy for that',
      by: 'hand-over',
      seen: [waits, old],
      want: 'start c2 (it was made and not started yet); progressing: Starting',
    },

    // The old one has gone.
    {
      it: 'gives it its name with the start, without a lock',
      seen: [waits],
      more: unlocked,
      want: 'start c2 as web_1_1_a (it was made and not started yet); progressing: Starting',
    },
    {
      it: 'gives it its name at once where it is not started yet',
      desired: { unsatisfied: ['db to be started'] },
      seen: [waits],
      more: unlocked,
      want: 'rename c2 to web_1_1_a (name changed from h1_web_1_1_a); progressing: Renaming',
    },
    {
      it: 'gives it its name where it is not to be started',
      desired: { running: false, ...restarts('no') },
      seen: [waits],
      more: unlocked,
      want: 'rename c2 to web_1_1_a (name changed from h1_web_1_1_a); progressing: Renaming',
    },
  ];
  for (const { it: what, by = 'download-then-kill', desired, seen = [old], more, want } of cases) {
    it(`${what} (${by})`, () => {
      const updatePolicy = { strategy: by, timeoutMs: 60_000 };
      assert.equal(serviceLine({ updatePolicy, ...desired }, seen, more), want);
    });
  }

  const refusal = new InvalidSpecError([{ path: 'spec', message: 'the engine refuses it: no such runtime' }]);
  it('throws what the engine has refused already, and does not ask for the lock', () => {
    assert.throws(() => planContainer(aServiceState({}, [old], { refusal, ...unlocked })), refusal);
  });
  const passing = new Error('Could not create container: no');
  it('asks the engine without the lock again where its refusal may pass', () => {
    const asked = 'create h1_web_1_1_a ahead (spec changed); progressing: Installing';
    assert.equal(serviceLine({}, [old], { refusal: passing, ...unlocked }), asked);
    const restarted = serviceLine({}, [same], {
      ...{ refusal: passing, ...commands({ recreate: [restart] }), ...unlocked },
    });
    assert.equal(restarted, asked.replace('spec changed', 'restart requested'));
  });
  it('goes the whole way under a lock that is held, whatever the engine has refused before', () => {
    const want = `create h1_web_1_1_a ahead (spec changed); ${REMOVE} (spec changed); ${END}`;
    assert.equal(serviceLine({}, [old], { refusal: passing }), want);
  });
  it('stops what is to stop, whatever the engine has refused', () => {
    const line = serviceLine({}, [old], { refusal, ...commands({ stop: 'due' }) });
    assert.equal(line, `stop c1 under lock (stop requested); ${END}`);
  });
});

import assert from 'node:assert/strict';
import type { SeenContainer } from '../../../controllers/engine/engine.js';
import type { Plan } from '../../../controllers/runtime/outcome.js';
import {
  doing,
  terminate,
  waitForMissingNetwork,
  waitForNetworksAndVolumes,
  waitForProviders,
} from '../../../controllers/service/plan-steps.js';
import type { DesiredContainer, ServiceStep } from '../../../controllers/service/service-state.js';
import { aContainer, aServiceState, network, print } from './service-states.js';

const desired = (more: Partial<DesiredContainer>): DesiredContainer =>
  aServiceState(more).desired ?? assert.fail('nothing is wanted');
const reported = (plan: Plan<ServiceStep> | undefined): string => (plan ? print(plan) : 'goes on');

describe('the end of a container', () => {
  const rows: readonly {
    readonly it: string;
    readonly seen?: Partial<SeenContainer>;
    readonly remove?: boolean;
    readonly lockHeld?: boolean;
    readonly want: string;
  }[] = [
    { it: 'is a stop under the lock', want: 'stop+remove c1 under lock (why); waiting: Stopping' },
    {
      it: 'waits for the lock',
      lockHeld: false,
      want: 'waiting: NeedsLock (Needs the update lock of the app to remove container web_1_1_a: why)',
    },
    {
      it: 'waits for it to stop a container, too',
      lockHeld: false,
      remove: false,
      want: 'waiting: NeedsLock (Needs the update lock of the app to stop container web_1_1_a: why)',
    },
    {
      it: 'needs the lock when it has ended: it may be in the middle of something between two runs',
      seen: { state: 'exited' },
      lockHeld: false,
      want: 'waiting: NeedsLock (Needs the update lock of the app to remove container web_1_1_a: why)',
    },
    {
      it: 'needs no lock when it has never run',
      seen: { state: 'created', startedAt: undefined },
      lockHeld: false,
      want: 'remove c1 (why); waiting: Stopping',
    },
    {
      it: 'needs the lock when it was started and the engine calls it created',
      seen: { state: 'created', startedAt: '2026-01-01T00:00:01.000Z' },
      lockHeld: false,
      want: 'waiting: NeedsLock (Needs the update lock of the app to remove container web_1_1_a: why)',
    },
    {
      it: 'needs the lock when it has ended and nobody knows when it was started',
      seen: { state: 'exited', startedAt: undefined },
      lockHeld: false,
      want: 'waiting: NeedsLock (Needs the update lock of the app to remove container web_1_1_a: why)',
    },
    {
      it: 'needs no lock when it is dead',
      seen: { state: 'dead' },
      lockHeld: false,
      want: 'remove c1 (why); waiting: Stopping',
    },
  ];
  for (const { it: is, seen, remove = true, lockHeld = true, want } of rows) {
    it(is, () => {
      const state = aServiceState({}, [], { lockHeld });
      const container = aContainer({ ...seen });
      const known = seen && 'startedAt' in seen ? { ...container, startedAt: seen.startedAt } : container;
      assert.equal(reported(terminate(state, known, 'why', { remove })), want);
    });
  }

  it('removes the endpoint with it that keeps the container from ever being started again, without the lock', () => {
    const error = 'endpoint with name web_1_1_a already exists in network u_default';
    const [step] = terminate(
      aServiceState({}, [], { lockHeld: false }),
      aContainer({ state: 'exited', error }),
      'why',
    ).steps;
    assert.deepEqual(step?.do === 'terminate' && [step.locked, step.endpointOn], [false, 'u_default']);
    const [other] = terminate(aServiceState(), aContainer({ state: 'exited' }), 'why').steps;
    assert.equal(other && 'endpointOn' in other, false);
  });

  it('says what it waits for, and why', () => {
    const { outcome } = terminate(aServiceState(), aContainer(), 'spec changed');
    assert.equal(outcome.is === 'waiting' && outcome.message, 'Waiting for container web_1_1_a to go: spec changed');
  });
});

describe('what a service waits for before it acts', () => {
  const GONE = network('u_a', undefined, 'it does not exist yet');
  const LATE = network('u_b', 'n2', 'it is not settled yet');
  const shares = (state: SeenContainer['state'] | undefined, service = 'vpn') =>
    ({ namespace: 'network', service, container: state && { id: 'v1', state } }) as const;

  it('is nothing when all is there', () => {
    const all = desired({ volumes: [{ name: '1_data', notReady: undefined }], shares: [shares('running')] });
    for (const wait of [waitForNetworksAndVolumes, waitForMissingNetwork, waitForProviders])
      assert.equal(reported(wait(all)), 'goes on');
  });
  it('is a volume', () => {
    const volumes = [
      { name: '1_data', notReady: undefined },
      { name: '1_logs', notReady: 'it does not exist yet' },
    ];
    const want = 'waiting: VolumeNotReady (Waiting for volume 1_logs: it does not exist yet)';
    assert.equal(reported(waitForNetworksAndVolumes(desired({ volumes }))), want);
  });
  it('is a network that does not exist, for a container that was started before', () => {
    assert.equal(reported(waitForMissingNetwork(desired({ networks: [LATE] }))), 'goes on');
    assert.equal(
      reported(waitForMissingNetwork(desired({ networks: [LATE, GONE] }))),
      'waiting: NetworkNotReady (Waiting for network u_a: it does not exist yet)',
    );
  });
  it('is a container whose namespace is shared, until it runs', () => {
    const states = [undefined, 'running', 'paused', 'created', 'exited', 'restarting'] as const;
    const waits = states.map((state) => reported(waitForProviders(desired({ shares: [shares(state)] }))));
    const until = (state: string) => `waiting: DependencyNotReady (Waiting for vpn to run (it is ${state}))`;
    assert.deepEqual(waits, ['goes on', 'goes on', 'goes on', until('created'), until('exited'), until('restarting')]);
  });
  it('is named once for two namespaces of one service', () => {
    const both = desired({
      shares: [shares('exited'), { ...shares('exited'), namespace: 'PID' }, shares('exited', 'db')],
    });
    assert.equal(
      reported(waitForProviders(both)),
      'waiting: DependencyNotReady (Waiting for vpn to run (it is exited), db to run (it is exited))',
    );
  });
});

describe('a step of a service', () => {
  it('says what is done, and why', () => {
    const { outcome } = doing('Starting', { do: 'start', container: aContainer(), because: 'it had been stopped' });
    assert.equal(outcome.is === 'progressing' && outcome.message, 'Starting: it had been stopped');
  });
});

import type { ReasonOf } from '../../crds/model/reasons.js';
import type { SeenContainer } from '../engine/engine.js';
import { type Plan, wait } from '../runtime/outcome.js';
import { ALIVE } from './commands/commands.js';
import { leftBehind } from './container/left-behind.js';
import { hasRun } from './container/prepared.js';
import type { DesiredContainer, ServiceState, ServiceStep, UpdateTermination } from './service-state.js';

interface TerminationOptions {
  readonly remove?: boolean;
  readonly update?: UpdateTermination;
  readonly installed?: string;
  readonly withdrawn?: true;
  readonly endsRun?: string;
}

/** Plans to stop and remove the container, under the lock if that interrupts something; waits while the lock is not held. Pure. */
export function terminate(
  state: ServiceState,
  container: SeenContainer,
  because: string,
  { remove = true, ...more }: TerminationOptions = {},
): Plan<ServiceStep> {
  const stop = ALIVE.includes(container.state);
  // A container that is dead, has never run or cannot run again is not interrupted.
  const left = stop ? undefined : leftBehind(container);
  const locked = container.state !== 'dead' && hasRun(container) && !left;
  const endpointOn = left?.is === 'endpoint' ? { endpointOn: left.network } : {};
  const what = remove ? `remove container ${container.name}` : `stop container ${container.name}`;
  return (
    (locked ? needsLock(state, what, because) : undefined) ?? {
      steps: [{ do: 'terminate', container, stop, remove, locked, ...endpointOn, because, ...more }],
      outcome: wait('Stopping', `Waiting for container ${container.name} to go: ${because}`).outcome,
    }
  );
}

export const needsLock = ({ lockHeld }: ServiceState, what: string, because: string): Plan<ServiceStep> | undefined =>
  lockHeld ? undefined : wait('NeedsLock', `Needs the update lock of the app to ${what}: ${because}`);

export const start = (container: SeenContainer, because: string): Plan<ServiceStep> =>
  doing('Starting', { do: 'start', container, because });

export function doing(reason: ReasonOf<'Service'>, step: ServiceStep): Plan<ServiceStep> {
  return { steps: [step], outcome: { is: 'progressing', reason, message: `${reason}: ${step.because}` } };
}

/** Waits for networks and volumes; returns undefined when all can be used. Pure. */
export function waitForNetworksAndVolumes({ networks, volumes }: DesiredContainer): Plan<ServiceStep> | undefined {
  const network = networks.find(({ notReady }) => notReady !== undefined);
  if (network) return wait('NetworkNotReady', `Waiting for network ${network.name}: ${network.notReady}`);
  const volume = volumes.find(({ notReady }) => notReady !== undefined);
  return volume && wait('VolumeNotReady', `Waiting for volume ${volume.name}: ${volume.notReady}`);
}

/** Waits for networks that do not exist: Docker starts no container on them. Pure. */
export function waitForMissingNetwork({ networks }: DesiredContainer): Plan<ServiceStep> | undefined {
  const network = networks.find(({ id }) => id === undefined);
  return network && wait('NetworkNotReady', `Waiting for network ${network.name}: ${network.notReady}`);
}

/**
 * Waits for networks that do not exist, and for those of which it is not known whether they are recreated: then the
 * container would be stopped again at once. Pure.
 */
export const waitForKnownNetworks = (desired: DesiredContainer): Plan<ServiceStep> | undefined => {
  const unseen = desired.networks.find(({ isUnseen }) => isUnseen);
  return (
    waitForMissingNetwork(desired) ??
    (unseen && wait('NetworkNotReady', `Waiting for network ${unseen.name}: ${unseen.notReady}`))
  );
};

export const waitForSiblings = (unsatisfied: readonly string[]): Plan<ServiceStep> | undefined =>
  unsatisfied.length === 0 ? undefined : wait('DependencyNotReady', `Waiting for ${unsatisfied.join(', ')}`);

/** Waits for containers whose namespaces are shared: Docker starts no container in a namespace of one that does not run. Pure. */
export const waitForProviders = ({ shares }: DesiredContainer): Plan<ServiceStep> | undefined =>
  waitForSiblings([
    ...new Set(
      shares.flatMap(({ service, container }) =>
        container && container.state !== 'running' && container.state !== 'paused'
          ? [`${service} to run (it is ${container.state})`]
          : [],
      ),
    ),
  ]);

import type { Service } from '../../crds/model/kinds.js';
import { DEFAULT_STRATEGY, overlaps } from '../../crds/model/update-strategy.js';
import type { SeenContainer } from '../engine/engine.js';
import { BOOT } from '../engine/labels.js';
import { type Plan, settled, wait } from '../runtime/outcome.js';
import { ALIVE, isMadeAfter } from './commands/commands.js';
import { driftOf } from './container/drift.js';
import { leftBehind } from './container/left-behind.js';
import { modeOf, nameOf } from './dependencies/namespaces.js';
import { hasFinished } from './health/runs.js';
import type { ServiceObservation } from './observe.js';
import {
  doing,
  needsLock,
  start,
  terminate,
  waitForMissingNetwork,
  waitForNetworksAndVolumes,
  waitForProviders,
  waitForSiblings,
} from './plan-steps.js';
import { repairInPlace } from './repair-in-place.js';
import type { DesiredContainer, ServicePlan, ServiceState, ServiceStep } from './service-state.js';
import { planWithoutImage, waitForRelease } from './update/kill-first.js';
import { planPair, planSuccessor, surgeStrategy } from './update/surge.js';

/** Plans one pass over a service. Throws the error when its document cannot be resolved. Pure. */
export function planService({ spec }: Service, { state, failure, error, hasApp }: ServiceObservation): ServicePlan {
  if (failure) return { ...settled(), steps: [{ do: 'fail', because: 'a step in the background has failed' }] };
  if (error !== undefined) throw error;
  if (!state) return wait('AppMissing', `Waiting for App ${spec.app}, which this Service names`);
  const plan = planContainer(state);
  const { outcome } = plan;
  if (hasApp || outcome.is !== 'waiting' || outcome.reason !== 'NeedsLock') return plan;
  // The App claims the lock of its app. Without an App nobody else would: then the service does.
  const locked = planContainer({ ...state, lockHeld: true });
  return { ...locked, steps: [{ do: 'claim', because: outcome.message }, ...locked.steps] };
}

/**
 * Plans the next step towards the one container that the document asks for. Nothing is disrupted before every step that
 * may fail is behind it. Pure: no clock, no I/O.
 */
export function planContainer(state: ServiceState): ServicePlan {
  const { desired, containers, terminating } = state;
  const going = containers.find(({ id, state }) => terminating.has(id) || state === 'removing');
  if (going && terminating.get(going.id) === 'restarted') {
    return wait('Restarting', `Waiting for container ${going.name} to be started again`);
  }
  if (going) return wait('Stopping', `Waiting for container ${going.name} to go`);
  const dead = containers.find(({ state }) => state === 'dead');
  if (dead) return terminate(state, dead, 'dead');

  const [current, older, ...others] = containers;
  if (!desired) return planDeleted(state, current);
  const [oldest] = others.slice(-1);
  if (current && oldest) return terminate(state, oldest, `older duplicate of ${current.name}`);
  if (current && older) return planPair(state, desired, current, older);

  if (state.commands.stop === 'due' && current && ALIVE.includes(current.state)) {
    return terminate(state, current, 'stop requested', { remove: false });
  }
  const { image } = desired;
  if (!image) return planWithoutImage(state, desired, current);
  if (!current) return make(state, desired);
  return (
    recreate(state, desired, current) ??
    replace(state, desired, image, current) ??
    (isAtRest(state, desired, current) ? undefined : repairInPlace(desired, current)) ??
    run(state, desired, current)
  );
}

/** Removes the container of a deleted service, once the services that depend on it have gone. */
function planDeleted(state: ServiceState, current: SeenContainer | undefined): Plan<ServiceStep> {
  if (!current) return settled();
  const { dependents } = state;
  if (dependents.length === 0) return terminate(state, current, 'deleted');
  return wait('DependentNotStopped', `Waiting for ${dependents.join(', ')} to go first`);
}

function make(state: ServiceState, desired: DesiredContainer): Plan<ServiceStep> {
  const { commands, terminating } = state;
  const running = desired.running && commands.stop === undefined;
  const missing = desired.shares.filter(({ container }) => !container || terminating.get(container.id) === 'removed');
  const waiting =
    waitForRelease(desired) ??
    waitForNetworksAndVolumes(desired) ??
    (running ? waitForSiblings(desired.unsatisfied) : undefined) ??
    waitForSiblings([...new Set(missing.map(({ service }) => `${service} to be created`))]) ??
    (running ? waitForProviders(desired) : undefined);
  if (waiting) return waiting;
  return doing('Installing', {
    do: 'create',
    name: desired.containerName,
    start: running && desired.boot === undefined,
    because: 'there was none',
  });
}

/** Removes the container when a restart, or a restart or purge of the app, was requested; a later pass creates the next. For a purge the volumes are emptied in between. Pure. */
function recreate(
  state: ServiceState,
  desired: DesiredContainer,
  current: SeenContainer,
): Plan<ServiceStep> | undefined {
  const due = state.commands.recreate.filter((one) => !isMadeAfter(current, one));
  const command = due.find(({ name }) => name === 'app.purge') ?? due[0];
  if (!command) return undefined;
  return (
    (command.name === 'app.purge' ? undefined : waitForNetworksAndVolumes(desired)) ??
    needsLock(state, `make container ${current.name} anew`, command.because) ??
    terminate(state, current, command.because)
  );
}

/**
 * Removes a container that does not match any more: another network, another definition, or another container of a
 * sibling whose namespace it shares.
 */
function replace(
  state: ServiceState,
  desired: DesiredContainer,
  image: { readonly id: string; readonly specHash: string },
  current: SeenContainer,
): Plan<ServiceStep> | undefined {
  const attached = Object.keys(current.networks);
  const rebuilt = attached.find((network) => state.closing.get(network) === 'recreated');
  if (rebuilt !== undefined) return terminate(state, current, `network ${rebuilt} is made anew`);

  const because = difference(current, image);
  if (because !== undefined) {
    // A network that is to go may hold the subnet of the new one: then the old container goes first.
    const blocking = attached.some((network) => state.closing.has(network));
    const surge = blocking || !ALIVE.includes(current.state) ? undefined : surgeStrategy(state, desired);
    if (surge) return planSuccessor(desired, image, current, { surge, because });
    const strategy = overlaps(desired.updatePolicy.strategy) ? DEFAULT_STRATEGY : desired.updatePolicy.strategy;
    return (
      (blocking ? undefined : waitForNetworksAndVolumes(desired)) ??
      terminate(state, current, because, { update: { is: 'first', strategy } })
    );
  }
  if (isAtRest(state, desired, current)) return undefined;

  const drift = desired.running ? driftOf(current, desired.tuning) : undefined;
  if (drift?.repair === 'replace')
    return waitForNetworksAndVolumes(desired) ?? terminate(state, current, drift.because);

  const { shares } = desired;
  // This container would have to go as soon as that one has gone: so both stop at the same time.
  const going = shares.find(({ container }) => container && state.terminating.get(container.id) === 'removed');
  if (going) return terminate(state, current, `container of ${going.service} is being replaced`);
  const left = shares.find(({ namespace, container }) => modeOf(current, namespace) !== `container:${container?.id}`);
  if (left) {
    const unsatisfied = left.container === undefined ? [`${left.service} to be created`] : desired.unsatisfied;
    return waitForSiblings(unsatisfied) ?? terminate(state, current, `container of ${left.service} was replaced`);
  }
  const stale = desired.networks.find(
    ({ name, id }) => id !== undefined && ![undefined, '', id].includes(current.networks[name]?.id),
  );
  return (
    stale && (waitForNetworksAndVolumes(desired) ?? terminate(state, current, `network ${stale.name} was made anew`))
  );
}

function run(state: ServiceState, desired: DesiredContainer, current: SeenContainer): Plan<ServiceStep> {
  if (current.name !== desired.containerName) {
    const because = `name changed from ${current.name}`;
    return (
      needsLock(state, 'rename the container', because) ??
      doing('Renaming', { do: 'rename', container: current, to: desired.containerName, because })
    );
  }
  if (isAtRest(state, desired, current)) return settled();
  if (leftBehind(current) && !ALIVE.includes(current.state)) {
    return (
      waitForNetworksAndVolumes(desired) ??
      terminate(state, current, `the engine could not start it again: ${current.error}`)
    );
  }
  switch (current.state) {
    case 'created':
      return (
        waitForBoot(desired, current) ??
        waitForNetworksAndVolumes(desired) ??
        waitForSiblings(desired.unsatisfied) ??
        waitForProviders(desired) ??
        start(current, 'it was made and not started yet')
      );
    case 'exited':
      if (state.commands.start) return waitForMissingNetwork(desired) ?? start(current, 'start requested');
      return (
        waitForMissingNetwork(desired) ??
        waitForProviders(desired) ??
        waitForMinReady(state) ??
        start(
          current,
          desired.tuning.RestartPolicy.Name === 'on-failure'
            ? `it had exited with ${current.exitCode}`
            : 'it had been stopped',
        )
      );
    default: // running, restarting, paused
      if (!desired.running) return terminate(state, current, 'running: false', { remove: false });
      return rejoin(state, current) ?? waitForNetwork(desired, current) ?? settled();
  }
}

/**
 * Restarts the container after a container whose namespaces it shares was restarted, because its own namespace ended
 * with that run. Needs no lock: the container is cut off already. One that Docker itself restarts joins the present
 * run. Pure.
 */
function rejoin(state: ServiceState, current: SeenContainer): Plan<ServiceStep> | undefined {
  const [lost] = state.lost;
  if (!lost || current.state !== 'running') return undefined;
  const because = `the ${nameOf(lost)} is another one since that was started again`;
  return (
    waitForMinReady(state) ?? {
      steps: [{ do: 'restart', container: current, because }],
      outcome: wait('Restarting', `Restarting container ${current.name}: ${because}`).outcome,
    }
  );
}

/**
 * Waits while the container whose network is shared has ended and is not started again: a network namespace ends with
 * the run of its container, and restarting this one would not help. Pure.
 */
function waitForNetwork({ shares }: DesiredContainer, { name, state }: SeenContainer): Plan<ServiceStep> | undefined {
  if (state !== 'running') return undefined;
  const ended = shares.find((one) => one.namespace === 'network' && one.container?.state === 'exited');
  if (!ended) return undefined;
  return wait(
    'DependencyNotReady',
    `Container ${name} runs without a network: it shares that of ${ended.service}, whose container has ended`,
  );
}

/** Waits until a provider that keeps restarting has run for a while. Pure. */
function waitForMinReady({ lost }: ServiceState): Plan<ServiceStep> | undefined {
  const held = lost.toSorted((a, b) => b.holdMs - a.holdMs)[0];
  if (!held || held.holdMs === 0) return undefined;
  const name = held.container.serviceName ?? held.container.name;
  return wait(
    'DependencyNotReady',
    `Waiting for ${name}, which keeps being restarted, to run for a while`,
    held.holdMs,
  );
}

function waitForBoot({ boot }: DesiredContainer, { name, labels }: SeenContainer): Plan<ServiceStep> | undefined {
  if (boot === undefined || labels[BOOT] !== boot) return undefined;
  return wait('RebootRequired', `Container ${name} is made, and is started with the next boot of the device`);
}

/**
 * Tells whether nothing is to run: the container finished by its restart policy, was stopped through the API, or the
 * document says `running: false`. Pure.
 */
function isAtRest({ commands }: ServiceState, { running, tuning }: DesiredContainer, current: SeenContainer): boolean {
  if (commands.start) return false;
  if (!running || commands.stop !== undefined) return current.state === 'created' || current.state === 'exited';
  return hasFinished(tuning.RestartPolicy, current);
}

function difference(
  current: SeenContainer,
  image: { readonly id: string; readonly specHash: string },
): string | undefined {
  if (current.specHash === image.specHash) return undefined;
  if (current.specHash === undefined) return 'made by another agent';
  return current.image === image.id ? 'spec changed' : 'image changed';
}

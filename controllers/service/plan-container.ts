import type { SeenContainer } from '../engine/engine.js';
import { BOOT } from '../engine/labels.js';
import { type Plan, settled, wait } from '../runtime/outcome.js';
import { ALIVE } from './commands/commands.js';
import { leftBehind } from './container/left-behind.js';
import { hasRun, isPrepared } from './container/prepared.js';
import { nameOf } from './dependencies/namespaces.js';
import { isRun } from './jobs/runs.js';
import {
  doing,
  needsLock,
  start,
  terminate,
  waitForKnownNetworks,
  waitForMissingNetwork,
  waitForNetworksAndVolumes,
  waitForProviders,
  waitForSiblings,
} from './plan-steps.js';
import { repairInPlace } from './repair-in-place.js';
import { isAtRest, replacementOf } from './replacement.js';
import type { DesiredContainer, ServicePlan, ServiceState, ServiceStep } from './service-state.js';
import { planPrepared, planReplacement } from './update/create-first.js';
import { planWithoutImage, waitForRelease } from './update/kill-first.js';
import { planPair } from './update/surge.js';

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

  const past = containers.find(isRun);
  if (past) return terminate(state, past, 'it is a run of a schedule that the service has no longer');
  const [current, older, ...others] = containers;
  if (!desired) return planDeleted(state, current, older);
  const [oldest] = others.slice(-1);
  if (current && oldest) return terminate(state, oldest, `older duplicate of ${current.name}`);
  if (current && older) {
    return planPrepared(state, desired, current, older) ?? planPair(state, desired, current, older);
  }

  if (state.commands.stop === 'due' && current && ALIVE.includes(current.state)) {
    return terminate(state, current, 'stop requested', { remove: false });
  }
  const { image } = desired;
  if (!image) return planWithoutImage(state, desired, current);
  if (!current) return make(state, desired);
  const why = replacementOf(state, desired, image, current);
  if (why) return planReplacement(state, desired, image, current, why);
  return (
    (isAtRest(state, desired, current) ? undefined : repairInPlace(desired, current)) ?? run(state, desired, current)
  );
}

/** Removes the container of a deleted service, once the services that depend on it have gone. */
function planDeleted(
  state: ServiceState,
  current: SeenContainer | undefined,
  older: SeenContainer | undefined,
): Plan<ServiceStep> {
  if (!current) return settled();
  const { dependents } = state;
  if (older && isPrepared(current, older)) return terminate(state, current, 'deleted', { withdrawn: true });
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

function run(state: ServiceState, desired: DesiredContainer, current: SeenContainer): Plan<ServiceStep> {
  if (current.name !== desired.containerName && !hasRun(current)) return runNamed(state, desired, current);
  if (current.name !== desired.containerName) {
    const because = `name changed from ${current.name}`;
    return (
      needsLock(state, 'rename the container', because) ??
      doing('Renaming', { do: 'rename', container: current, to: nextName(desired, current), because })
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
        waitForKnownNetworks(desired) ??
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
      return (
        rejoin(state, current) ??
        waitForNetwork(desired, current) ??
        restartUnhealthy(state, desired, current) ??
        settled()
      );
  }
}

/** Returns the name to give a container. Two services may swap names: each gives up its own before it gets the other. Pure. */
function nextName({ containerName, isNameTaken, image }: DesiredContainer, { name }: SeenContainer): string {
  const aside = `${image?.specHash.slice(0, 8)}_${containerName}`;
  return isNameTaken && name !== aside ? aside : containerName;
}

/** Plans to rename a container that was never started, together with its start if it can start now. Needs no lock: nothing is interrupted. Pure. */
function runNamed(state: ServiceState, desired: DesiredContainer, current: SeenContainer): Plan<ServiceStep> {
  const { containerName } = desired;
  const to = nextName(desired, current);
  const next = run(state, desired, { ...current, name: containerName });
  const [step] = next.steps;
  if (step?.do === 'start' && to === containerName) {
    return { ...next, steps: [{ ...step, container: current, name: containerName }] };
  }
  return doing('Renaming', { do: 'rename', container: current, to, because: `name changed from ${current.name}` });
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

/** Restarts an unhealthy container where its document asks for that and its budget is not used up. Needs the lock: it may still be at work. Pure. */
function restartUnhealthy(
  state: ServiceState,
  { restartUnhealthy: budget }: DesiredContainer,
  container: SeenContainer,
): Plan<ServiceStep> | undefined {
  const { restartsLeft: left = 0 } = state;
  if (!budget || left === 0 || container.state !== 'running' || container.health !== 'unhealthy') return undefined;
  const because = `it is unhealthy (restart ${budget.count - left + 1} of ${budget.text})`;
  return (
    needsLock(state, `restart container ${container.name}`, because) ?? {
      steps: [{ do: 'restart', container, because, unhealthy: true }],
      outcome: wait('Restarting', `Restarting container ${container.name}: ${because}`).outcome,
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

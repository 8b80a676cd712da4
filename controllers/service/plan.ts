import type { Service } from '../../crds/model/kinds.js';
import { DEFAULT_STRATEGY, overlaps } from '../../crds/model/update-strategy.js';
import type { SeenContainer } from '../engine/engine.js';
import { BOOT } from '../engine/labels.js';
import { type Plan, settled, wait } from '../runtime/outcome.js';
import { ALIVE, isMadeAfter } from './commands/commands.js';
import { driftOf } from './container/drift.js';
import { leftBehind } from './container/left-behind.js';
import { modeOf, nameOf } from './dependencies/namespaces.js';
import { hasFinished } from './health/finished.js';
import type { ServiceObservation } from './observe.js';
import {
  doing,
  leave,
  needsLock,
  start,
  waitForMissing,
  waitForNeeded,
  waitForProviders,
  waitForSiblings,
} from './plan-steps.js';
import { mend } from './repair-in-place.js';
import type { ServicePlan, ServiceStep, Situation, Wanted } from './service-state.js';
import { planWithoutImage, waitForRelease } from './update/kill-first.js';
import { besideBy, planPair, planSuccessor } from './update/surge.js';

/** What one pass does about a service. Throws why its document cannot be resolved. Pure. */
export function planService({ spec }: Service, { state, failure, error, hasApp }: ServiceObservation): ServicePlan {
  if (failure) return { ...settled(), steps: [{ do: 'fail', because: 'a step in the background has failed' }] };
  if (error !== undefined) throw error;
  if (!state) return wait('AppMissing', `Waiting for App ${spec.app}, which this Service names`);
  const plan = planContainer(state);
  const { outcome } = plan;
  if (hasApp || outcome.is !== 'waiting' || outcome.reason !== 'NeedsLock') return plan;
  // The App claims the lock of its app. Where there is no App (any more), nobody else would: then we do.
  const locked = planContainer({ ...state, lockHeld: true });
  return { ...locked, steps: [{ do: 'claim', because: outcome.message }, ...locked.steps] };
}

/** The next step towards the one container that the document asks for. Pure: no clock, no I/O. Only what has no fallible step before it is disruptive. */
export function planContainer(situation: Situation): ServicePlan {
  const { wanted, containers, leaving } = situation;
  const going = containers.find(({ id, state }) => leaving.has(id) || state === 'removing');
  if (going && leaving.get(going.id) === 'restarted') {
    return wait('Restarting', `Waiting for container ${going.name} to be started again`);
  }
  if (going) return wait('Stopping', `Waiting for container ${going.name} to go`);
  const dead = containers.find(({ state }) => state === 'dead');
  if (dead) return leave(situation, dead, 'dead');

  const [current, older, ...others] = containers;
  if (!wanted) return depart(situation, current);
  const [oldest] = others.slice(-1);
  if (current && oldest) return leave(situation, oldest, `older duplicate of ${current.name}`);
  if (current && older) return planPair(situation, wanted, current, older);

  if (situation.orders.stop === 'due' && current && ALIVE.includes(current.state)) {
    return leave(situation, current, 'stop requested', { remove: false });
  }
  const { image } = wanted;
  if (!image) return planWithoutImage(situation, wanted, current);
  if (!current) return make(situation, wanted);
  return (
    anew(situation, wanted, current) ??
    replace(situation, wanted, image, current) ??
    (isAtRest(situation, wanted, current) ? undefined : mend(wanted, current)) ??
    run(situation, wanted, current)
  );
}

/** Whoever depends on it goes before it. */
function depart(situation: Situation, current: SeenContainer | undefined): Plan<ServiceStep> {
  if (!current) return settled();
  const { dependents } = situation;
  if (dependents.length === 0) return leave(situation, current, 'deleted');
  return wait('DependentNotStopped', `Waiting for ${dependents.join(', ')} to go first`);
}

function make(situation: Situation, wanted: Wanted): Plan<ServiceStep> {
  const { orders, leaving } = situation;
  const running = wanted.running && orders.stop === undefined;
  const missing = wanted.shares.filter(({ container }) => !container || leaving.get(container.id) === 'removed');
  const waiting =
    waitForRelease(wanted) ??
    waitForNeeded(wanted) ??
    (running ? waitForSiblings(wanted.unmet) : undefined) ??
    waitForSiblings([...new Set(missing.map(({ service }) => `${service} to be created`))]) ??
    (running ? waitForProviders(wanted) : undefined);
  if (waiting) return waiting;
  return doing('Installing', {
    do: 'create',
    name: wanted.containerName,
    start: running && wanted.boot === undefined,
    because: 'there was none',
  });
}

/** Somebody asked for another container of the same kind. For a purge it goes first, and the volumes after it. */
function anew(situation: Situation, wanted: Wanted, current: SeenContainer): Plan<ServiceStep> | undefined {
  const due = situation.orders.anew.filter((one) => !isMadeAfter(current, one));
  const order = due.find(({ name }) => name === 'app.purge') ?? due[0];
  if (!order) return undefined;
  return (
    (order.name === 'app.purge' ? undefined : waitForNeeded(wanted)) ??
    needsLock(situation, `make container ${current.name} anew`, order.because) ??
    leave(situation, current, order.because)
  );
}

/** The container has to go: another network, another definition, another sibling behind its network. */
function replace(
  situation: Situation,
  wanted: Wanted,
  image: { readonly id: string; readonly specHash: string },
  current: SeenContainer,
): Plan<ServiceStep> | undefined {
  const attached = Object.keys(current.networks);
  const rebuilt = attached.find((network) => situation.closing.get(network) === 'made anew');
  if (rebuilt !== undefined) return leave(situation, current, `network ${rebuilt} is made anew`);

  const because = difference(current, image);
  if (because !== undefined) {
    // A network that is to go may hold the subnet of the one that shall come: then the old container goes first.
    const blocking = attached.some((network) => situation.closing.has(network));
    const beside = blocking || !ALIVE.includes(current.state) ? undefined : besideBy(situation, wanted);
    if (beside) return planSuccessor(wanted, image, current, { beside, because });
    const strategy = overlaps(wanted.course.strategy) ? DEFAULT_STRATEGY : wanted.course.strategy;
    return (
      (blocking ? undefined : waitForNeeded(wanted)) ??
      leave(situation, current, because, { update: { is: 'first', strategy } })
    );
  }
  if (isAtRest(situation, wanted, current)) return undefined;

  const drift = wanted.running ? driftOf(current, wanted.tuning) : undefined;
  if (drift?.mend === 'replace') return waitForNeeded(wanted) ?? leave(situation, current, drift.because);

  const { shares } = wanted;
  // It would have to go as soon as that one has gone: so both stop at the same time.
  const going = shares.find(({ container }) => container && situation.leaving.get(container.id) === 'removed');
  if (going) return leave(situation, current, `container of ${going.service} is being replaced`);
  const left = shares.find(({ namespace, container }) => modeOf(current, namespace) !== `container:${container?.id}`);
  if (left) {
    const unmet = left.container === undefined ? [`${left.service} to be created`] : wanted.unmet;
    return waitForSiblings(unmet) ?? leave(situation, current, `container of ${left.service} was replaced`);
  }
  const stale = wanted.networks.find(
    ({ name, id }) => id !== undefined && ![undefined, '', id].includes(current.networks[name]?.id),
  );
  return stale && (waitForNeeded(wanted) ?? leave(situation, current, `network ${stale.name} was made anew`));
}

function run(situation: Situation, wanted: Wanted, current: SeenContainer): Plan<ServiceStep> {
  if (current.name !== wanted.containerName) {
    const because = `name changed from ${current.name}`;
    return (
      needsLock(situation, 'rename the container', because) ??
      doing('Renaming', { do: 'rename', container: current, to: wanted.containerName, because })
    );
  }
  if (isAtRest(situation, wanted, current)) return settled();
  if (leftBehind(current) && !ALIVE.includes(current.state)) {
    return waitForNeeded(wanted) ?? leave(situation, current, `the engine could not start it again: ${current.error}`);
  }
  switch (current.state) {
    case 'created':
      return (
        waitForBoot(wanted, current) ??
        waitForNeeded(wanted) ??
        waitForSiblings(wanted.unmet) ??
        waitForProviders(wanted) ??
        start(current, 'it was made and not started yet')
      );
    case 'exited':
      if (situation.orders.start) return waitForMissing(wanted) ?? start(current, 'start requested');
      return (
        waitForMissing(wanted) ??
        waitForProviders(wanted) ??
        waitForSteady(situation) ??
        start(
          current,
          wanted.tuning.RestartPolicy.Name === 'on-failure'
            ? `it had exited with ${current.exitCode}`
            : 'it had been stopped',
        )
      );
    default: // running, restarting, paused
      if (!wanted.running) return leave(situation, current, 'running: false', { remove: false });
      return rejoin(situation, current) ?? waitForNetwork(wanted, current) ?? settled();
  }
}

/**
 * Starts it again when a container in whose namespaces it lives has been: what it is in went with the former run of that
 * one. Needs no lock: what this interrupts is cut off already. One that Docker itself restarts joins the present run. Pure.
 */
function rejoin(situation: Situation, current: SeenContainer): Plan<ServiceStep> | undefined {
  const [lost] = situation.lost;
  if (!lost || current.state !== 'running') return undefined;
  const because = `the ${nameOf(lost)} is another one since that was started again`;
  return (
    waitForSteady(situation) ?? {
      steps: [{ do: 'restart', container: current, because }],
      outcome: wait('Restarting', `Restarting container ${current.name}: ${because}`).outcome,
    }
  );
}

/**
 * A network namespace ends with the run of the container that it is of. Where that one has ended and is not started again,
 * nothing is to be done here, and starting this one again would not help. Pure.
 */
function waitForNetwork({ shares }: Wanted, { name, state }: SeenContainer): Plan<ServiceStep> | undefined {
  if (state !== 'running') return undefined;
  const ended = shares.find((one) => one.namespace === 'network' && one.container?.state === 'exited');
  if (!ended) return undefined;
  return wait(
    'DependencyNotReady',
    `Container ${name} runs without a network: it shares that of ${ended.service}, whose container has ended`,
  );
}

/** A provider that goes on being restarted has to run for a while first. Pure. */
function waitForSteady({ lost }: Situation): Plan<ServiceStep> | undefined {
  const held = lost.toSorted((a, b) => b.holdMs - a.holdMs)[0];
  if (!held || held.holdMs === 0) return undefined;
  const name = held.container.serviceName ?? held.container.name;
  return wait(
    'DependencyNotReady',
    `Waiting for ${name}, which keeps being restarted, to run for a while`,
    held.holdMs,
  );
}

function waitForBoot({ boot }: Wanted, { name, labels }: SeenContainer): Plan<ServiceStep> | undefined {
  if (boot === undefined || labels[BOOT] !== boot) return undefined;
  return wait('RebootRequired', `Container ${name} is made, and is started with the next boot of the device`);
}

/** Nothing is to run: it finished for good by its restart policy, was stopped through the API, or the document does not want it to run. Pure. */
function isAtRest({ orders }: Situation, { running, tuning }: Wanted, current: SeenContainer): boolean {
  if (orders.start) return false;
  if (!running || orders.stop !== undefined) return current.state === 'created' || current.state === 'exited';
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

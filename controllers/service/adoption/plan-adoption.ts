import type { SeenContainer } from '../../engine/engine.js';
import { BOOT } from '../../engine/labels.js';
import { act, type Plan, TerminalError, wait } from '../../runtime/outcome.js';
import { ALIVE } from '../commands/commands.js';
import { hasFinished } from '../health/runs.js';
import { planContainer } from '../plan-container.js';
import { needsLock, terminate, waitForNetworksAndVolumes, waitForProviders, waitForSiblings } from '../plan-steps.js';
import type { DesiredContainer, ServicePlan, ServiceState, ServiceStep } from '../service-state.js';
import { type AdoptionFacts, isOpen } from './adoption-facts.js';

/** A container without a healthcheck has taken over when it has run for this long, ms. */
const MIN_READY_MS = 10_000;
/** For so long a container may try to start or to run in the place of theirs, ms. */
const START_MS = 60_000;
/** And for so long to become healthy, ms, where its healthcheck does not say anything before. */
const HEALTHY_MS = 10 * 60_000;
/** How often it may be restarted meanwhile. */
const RESTARTS = 3;
/** How long until somebody may have done something to theirs, ms: no event tells of it. */
const LOOK_AGAIN_MS = 10_000;

/**
 * Plans the next step of a service that takes over containers that are not ours: ours is made beside them, theirs is stopped,
 * ours is started, and theirs is removed once ours is well; otherwise ours goes, and theirs is started again. At no point do
 * both run. Without such containers it is the plan of the container. Pure.
 */
export function planAdoption(state: ServiceState, adoption: AdoptionFacts | undefined): ServicePlan {
  if (!adoption) return planContainer(state);
  const { desired, containers } = state;
  const { theirs, stopping } = adoption;
  const going = theirs.find(({ id }) => stopping.includes(id));
  if (going) return wait('TakingOver', `Waiting for container ${going.name} to stop`);
  if (adoption.is === 'goingBack') return planWayBack(state, adoption);
  if (!desired) {
    const plan = planContainer(state);
    return isIdle(plan) && isOpen(adoption.record) ? giveBack(adoption, 'the service is deleted') : plan;
  }
  const [current] = containers;
  const isAlive = current !== undefined && ALIVE.includes(current.state);
  if (adoption.is === 'held' || adoption.is === 'givenBack') {
    return theirs.length === 0 || isAlive ? planContainer(state) : hold(adoption);
  }
  if (theirs.length === 0) {
    return doing({ do: 'removeTheirs', containers: [], adoption, because: 'there is none of theirs' });
  }
  if (adoption.waitsFor.length > 0 && !adoption.record) {
    const plan = isAlive ? planContainer(state) : undefined;
    if (plan && !isIdle(plan)) return plan;
    const message = `${names(theirs)} goes on until the turn of this service comes, after ${adoption.waitsFor.join(', ')}`;
    return wait('AdoptionPending', message, LOOK_AGAIN_MS);
  }
  const [vanishing] = theirs.filter((one) => one.autoRemove);
  if (vanishing && ALIVE.includes(vanishing.state)) {
    const message = `container ${vanishing.name} is removed by the engine as soon as it stops (--rm), and there would be no way back`;
    // Nothing has been stopped, and what runs of ours has been there before.
    return isAlive && !adoption.record ? giveBack(adoption, message) : goBack(adoption, message);
  }
  if (!theirs.every((one) => isLetGo(one, adoption, desired))) return planLettingGo(state, desired, adoption);
  return planTakingOver(state, desired, adoption, current);
}

/** Makes ours, and stops theirs once it would only have to be started. */
function planLettingGo(state: ServiceState, desired: DesiredContainer, adoption: AdoptionFacts): ServicePlan {
  const { theirs } = adoption;
  const [current] = state.containers;
  if (!current || !ALIVE.includes(current.state)) {
    const made = planContainer({
      ...state,
      desired: { ...desired, running: false, containerName: nameBeside(desired, theirs) },
    });
    if (!isIdle(made)) return made;
    const waiting = desired.running
      ? (waitForNetworksAndVolumes(desired) ??
        waitForSiblings(desired.unsatisfied) ??
        waitForProviders(desired) ??
        waitForBoot(desired, current))
      : undefined;
    if (waiting) return waiting;
  }
  const because = `${desired.reference} takes over`;
  return (
    needsLock(state, `stop ${names(theirs)}`, because) ?? {
      steps: [{ do: 'letGo', containers: theirs, adoption, name: desired.containerName, because }],
      outcome: wait('TakingOver', `Waiting for ${names(theirs)} to stop`).outcome,
    }
  );
}

/** Starts ours, and decides whether it is well. */
function planTakingOver(
  state: ServiceState,
  desired: DesiredContainer,
  adoption: AdoptionFacts,
  current: SeenContainer | undefined,
): ServicePlan {
  const isWanted = desired.running && state.commands.stop === undefined;
  const failure = isWanted ? failureOf(desired, adoption, current) : undefined;
  if (failure !== undefined) return goBack(adoption, failure);
  let plan: ServicePlan;
  try {
    plan = planContainer(state);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return goBack(adoption, error.message);
  }
  if (!isIdle(plan)) return plan;
  const waiting = isWanted && current ? waitUntilWell(desired, adoption, current) : undefined;
  if (waiting) return waiting;
  const because = current ? `container ${current.name} is well in its place` : 'nothing is to run';
  return doing({ do: 'removeTheirs', containers: adoption.theirs, adoption, because });
}

/** Why ours will not come up in the place of theirs; undefined while it may. */
function failureOf(
  { tuning }: DesiredContainer,
  { downMs, ranMs }: AdoptionFacts,
  current: SeenContainer | undefined,
): string | undefined {
  if (!current) return downMs > START_MS ? `no container could be made within ${START_MS / 1000} s` : undefined;
  const { name, state, health, exitCode, error, restartCount = 0 } = current;
  if (hasFinished(tuning.RestartPolicy, current)) {
    return exitCode === 0 ? undefined : `container ${name} exited with ${exitCode}`;
  }
  if (restartCount >= RESTARTS)
    return `container ${name} was restarted ${restartCount} times, and exited last with ${exitCode}`;
  if (state === 'running') {
    if (health === 'healthy') return undefined;
    if (health === 'unhealthy') return `container ${name} is unhealthy`;
    if (health === 'starting') {
      return downMs > HEALTHY_MS ? `container ${name} was not healthy within ${HEALTHY_MS / 60_000} min` : undefined;
    }
    const isRestless = restartCount > 0 && ranMs < MIN_READY_MS;
    return isRestless && downMs > START_MS ? `container ${name} keeps being restarted` : undefined;
  }
  if (downMs <= START_MS) return undefined;
  return `container ${name} did not run within ${START_MS / 1000} s${error === '' ? ` (it is ${state})` : `: ${error}`}`;
}

/** Waits until ours is healthy or has run for a while; undefined when it has, or has done what it was for. */
function waitUntilWell(
  { tuning }: DesiredContainer,
  { ranMs, downMs }: AdoptionFacts,
  current: SeenContainer,
): Plan<ServiceStep> | undefined {
  const { name, state, health } = current;
  if (hasFinished(tuning.RestartPolicy, current) || health === 'healthy') return undefined;
  if (health === 'starting') {
    return wait('TakingOver', `Waiting for container ${name} to be healthy`, Math.max(1, HEALTHY_MS - downMs + 1));
  }
  if (state !== 'running') return wait('TakingOver', `Waiting for container ${name} to run (it is ${state})`, 1_000);
  const left = MIN_READY_MS - ranMs;
  if (left <= 0) return undefined;
  return wait(
    'TakingOver',
    `Waiting for container ${name} to have run for ${MIN_READY_MS / 1000} s (it has no healthcheck)`,
    left,
  );
}

/** Removes ours, then starts theirs: both would use the same data. */
function planWayBack(state: ServiceState, adoption: AdoptionFacts): ServicePlan {
  const { containers, terminating } = state;
  const going = containers.find(({ id, state: now }) => terminating.has(id) || now === 'removing');
  if (going) return wait('GoingBack', `Waiting for container ${going.name} to go`);
  const [current] = containers;
  return current
    ? terminate(state, current, `theirs comes back: ${adoption.message ?? 'ours did not come up'}`)
    : giveBack(adoption, adoption.message ?? 'ours did not come up');
}

/** Leaves theirs alone until somebody asks again, declares something else, or removes them. */
function hold({ theirs, is, message }: AdoptionFacts): never {
  const again = { requeueAfterMs: LOOK_AGAIN_MS };
  if (is === 'held') {
    const why = `${names(theirs)} goes on, because another service was not taken over`;
    throw new TerminalError('AdoptionPending', why, again);
  }
  const why = `${names(theirs)} is as it was: ${message ?? 'ours did not come up in its place'}`;
  throw new TerminalError('AdoptionFailed', why, again);
}

/** Tells whether theirs is stopped and ours does not run: without a document that can be resolved, theirs has to come back. Pure. */
export const isStranded = (adoption: AdoptionFacts | undefined): adoption is AdoptionFacts =>
  adoption?.is === 'taking' && adoption.ranMs === 0;

/** Tells whether one of theirs is stopped for good, and noted so that it can come back. Pure. */
const isLetGo = (
  { id, state, name, updatable }: SeenContainer,
  { record }: AdoptionFacts,
  { containerName }: DesiredContainer,
): boolean =>
  !ALIVE.includes(state) &&
  (updatable?.RestartPolicy.Name ?? 'no') === 'no' &&
  name !== containerName &&
  record?.containers?.some((one) => one.id === id) === true;

/** The name of ours while one of theirs has it. */
const nameBeside = ({ containerName, image }: DesiredContainer, theirs: readonly SeenContainer[]): string =>
  theirs.some(({ name }) => name === containerName) ? `${image?.specHash.slice(0, 8)}_${containerName}` : containerName;

function waitForBoot({ boot }: DesiredContainer, current: SeenContainer | undefined): Plan<ServiceStep> | undefined {
  if (boot === undefined || current?.labels[BOOT] !== boot) return undefined;
  return wait('RebootRequired', `Container ${current.name} is made, and takes over with the next boot of the device`);
}

const isIdle = ({ steps, outcome }: ServicePlan): boolean => steps.length === 0 && outcome.is === 'settled';

/** Decides that theirs comes back. Pure. */
export const goBack = (adoption: AdoptionFacts, message: string): ServicePlan =>
  act('GoingBack', { do: 'goBack', adoption, message, because: message });

const giveBack = (adoption: AdoptionFacts, because: string): ServicePlan =>
  act('GoingBack', { do: 'giveBack', adoption, because });
const doing = (step: ServiceStep): ServicePlan => act('TakingOver', step);

const names = (theirs: readonly SeenContainer[]): string =>
  `container${theirs.length === 1 ? '' : 's'} ${theirs
    .map(({ name }) => name)
    .sort()
    .join(', ')}`;

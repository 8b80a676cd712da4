import { isJob } from '../../crds/model/jobs.js';
import { keyOf, type Service } from '../../crds/model/kinds.js';
import type { ServiceStatus } from '../../crds/model/types.js';
import type { SeenContainer } from '../engine/engine.js';
import type { Facts, OwnCondition } from '../runtime/reconciler.js';
import { acknowledgements, rejectionAt } from './commands/acknowledge.js';
import { ALIVE } from './commands/commands.js';
import { shownOf } from './container/prepared.js';
import { type Joined, joinedBy, providersOf } from './dependencies/namespaces.js';
import { containersOf } from './dependencies/siblings.js';
import type { Memory, ServiceDeps } from './deps.js';
import { withRestart } from './health/unhealthy-restarts.js';
import { announceRuns, jobConditions, jobFacts, jobWord } from './jobs/status.js';
import type { ServiceObservation } from './observe.js';
import type { ServiceProgress, ServiceStep } from './service-state.js';
import { readContainerName } from './spec/identity.js';
import { isOpen, timeOf, type UpdateRecord, withStep } from './update/record.js';
import { recordBefore, recordReached } from './update/step-record.js';

/**
 * Returns the status of a service from its containers as they are at this moment: the cache changes while a step runs,
 * and what the containers did is counted from one status to the next.
 */
export function serviceStatus(
  deps: ServiceDeps,
  memory: Memory,
  service: Service,
  observation: ServiceObservation,
  progress: ServiceProgress,
): Facts<'Service'> {
  if (isJob(service.spec)) return jobStatus(deps, memory, service, observation, progress);
  const containers = shownOf(containersOf(deps, service));
  const [container, older] = containers;
  const [runs, olderRuns] = memory.lifecycle.look(service, containers).map(({ facts }) => facts);
  const outgoing = older && ALIVE.includes(older.state) ? older : undefined;
  const state = outgoing ? AWAITING : (doingOf(memory, service, progress) ?? container?.state);
  const joined = joinedNow(deps, service, container, progress.result.joined);
  const update = updateOf(deps, memory, service, progress);
  const unhealthyRestarts = container && unhealthyRestartsOf(deps, service, container, observation, progress);
  const replaced = progress.result.replaced ?? service.status?.replaced;
  const adoption = progress.result.adoption ?? service.status?.adoption;
  const lastAction = lastActionOf(deps, progress) ?? service.status?.lastAction;
  return {
    ...(state ? { state } : {}),
    ...(container?.health ? { health: container.health } : {}),
    ...(container?.state === 'exited' || container?.state === 'dead' ? { exitCode: container.exitCode } : {}),
    ...runs,
    ...(container ? { container: containerFacts(container) } : {}),
    ...(container?.published ? { ports: [...container.published] } : {}),
    ...(outgoing ? { outgoing: { ...containerFacts(outgoing), ...olderRuns } } : {}),
    ...(unhealthyRestarts ? { unhealthyRestarts } : {}),
    ...(joined.length > 0 ? { joined: [...joined] } : {}),
    ...(update ? { update } : {}),
    ...(replaced ? { replaced } : {}),
    ...(adoption ? { adoption } : {}),
    ...(lastAction ? { lastAction } : {}),
    ...acknowledgements(deps, memory, service, observation, progress),
  };
}

/** Returns the status of a service with a schedule: nothing of it is expected to run. */
function jobStatus(
  deps: ServiceDeps,
  memory: Memory,
  service: Service,
  observation: ServiceObservation,
  progress: ServiceProgress,
): Facts<'Service'> {
  const containers = containersOf(deps, service);
  const container = containers.find((one) => ALIVE.includes(one.state)) ?? containers[0];
  const { state } = observation;
  const word = state?.job ? jobWord(state.job, state.desired?.image !== undefined) : container?.state;
  const lastAction = lastActionOf(deps, progress) ?? service.status?.lastAction;
  return {
    ...(word ? { state: word } : {}),
    ...(word === 'exited' && container?.state === 'exited' ? { exitCode: container.exitCode } : {}),
    ...(container ? { container: containerFacts(container) } : {}),
    ...jobFacts(service, containers, state?.job, progress),
    ...(lastAction ? { lastAction } : {}),
    ...acknowledgements(deps, memory, service, observation, progress),
  };
}

/** Counts a restart when it begins: an agent that dies in it has begun it. */
function unhealthyRestartsOf(
  { now }: ServiceDeps,
  { status }: Service,
  container: SeenContainer,
  { state }: ServiceObservation,
  { at, plan, step, result }: ServiceProgress,
): ServiceStatus['unhealthyRestarts'] {
  const begins = at === 'acting' && step?.do === 'restart' && step.unhealthy;
  const isSettled = at === 'acted' && (result.outcome ?? plan?.outcome)?.is === 'settled';
  return withRestart(status?.unhealthyRestarts, container, {
    budget: state?.desired?.restartUnhealthy,
    // While it is being restarted, it is seen as it was before.
    left: isSettled ? state?.restartsLeft : undefined,
    restartedAt: begins ? new Date(now()).toISOString() : undefined,
  });
}

/** The Supervisor's state of the newer of two running containers. */
const AWAITING = 'Awaiting handover';

/** Leaves out the environment: its values may be secrets, and a status is stored and shown. */
const containerFacts = ({
  id,
  name,
  createdAt,
  startedAt,
  restartCount = 0,
  image,
}: SeenContainer): NonNullable<ServiceStatus['container']> => ({
  id,
  name,
  createdAt,
  ...(startedAt === undefined ? {} : { startedAt }),
  restartCount,
  image,
  ...readContainerName(name),
});

/** The state that the status shows while a step runs, in the Supervisor's words, and the reason that `lastAction` has afterwards. */
const WORDS: Readonly<
  Record<ServiceStep['do'], { doing?: 'Installing' | 'Starting' | 'Stopping'; reason: string } | undefined>
> = {
  create: { doing: 'Installing', reason: 'Installing' },
  start: { doing: 'Starting', reason: 'Starting' },
  terminate: { doing: 'Stopping', reason: 'Stopping' },
  restart: { doing: 'Stopping', reason: 'Restarting' },
  connect: { reason: 'Connecting' },
  publishAliases: { reason: 'Introducing' },
  rename: { reason: 'Renaming' },
  update: { reason: 'Updating' },
  unpause: { reason: 'Unpausing' },
  letGo: { doing: 'Stopping', reason: 'TakingOver' },
  removeTheirs: { reason: 'TakingOver' },
  goBack: { reason: 'GoingBack' },
  giveBack: { reason: 'GoingBack' },
  claim: undefined,
  fail: undefined,
  note: undefined,
  lose: undefined,
  follow: undefined,
  miss: undefined,
  decline: undefined,
};

/** Returns the state that the running step shows. A step that goes on in the background keeps it until it has ended. */
function doingOf({ terminations }: Memory, { metadata }: Service, { at, step }: ServiceProgress): string | undefined {
  switch (at) {
    case 'acting':
    case 'reported':
      return step && !isHidden(step) ? WORDS[step.do]?.doing : undefined;
    case 'refused':
    case 'acted':
      return terminations.isTerminating(metadata.name) ? 'Stopping' : undefined;
    case 'unsynced':
    case 'prepared':
    case 'suspended':
      return undefined;
  }
}

/** Tells whether the step is about a container that the status does not show. Pure. */
const isHidden = (step: ServiceStep): boolean =>
  (step.do === 'create' && step.ahead === true) || (step.do === 'terminate' && step.withdrawn === true);

function lastActionOf({ now }: ServiceDeps, { at, step }: ServiceProgress): ServiceStatus['lastAction'] {
  const words = at === 'acting' && step ? WORDS[step.do] : undefined;
  return words && step && { reason: words.reason, because: step.because, at: new Date(now()).toISOString() };
}

function joinedNow(
  { cache }: ServiceDeps,
  { status }: Service,
  container: SeenContainer | undefined,
  reported: readonly Joined[] | undefined,
): readonly Joined[] {
  return container ? joinedBy(container, providersOf(container, cache.containers()), reported ?? status?.joined) : [];
}

/** Returns the record of the last update: begun by a step, continued by what steps report, complete when nothing is left to do. */
function updateOf(
  { now }: ServiceDeps,
  { ages }: Memory,
  { metadata, status }: Service,
  { at, plan, step, result, error }: ServiceProgress,
): UpdateRecord | undefined {
  /** Called with every status, because an age that is not asked for is forgotten. */
  const stoppedForMs = (record: UpdateRecord | undefined): number | undefined => {
    const stoppedAt = isOpen(record) ? timeOf(record, 'Stopped') : undefined;
    return stoppedAt === undefined ? undefined : ages.since(`stopped/${metadata.name}`, stoppedAt);
  };
  const isComplete = at === 'acted' && error === undefined && (result.outcome ?? plan?.outcome)?.is === 'settled';
  const reached = isComplete ? 'Complete' : at === 'reported' ? result.reached : undefined;
  const last = status?.update;
  const before =
    at === 'acting' && step
      ? recordBefore(step, last, result.createdAheadAt)
      : reached
        ? recordReached(step, reached, last)
        : last;
  if (isComplete && isOpen(before) && before.steps.length === 0) return undefined; // nothing was done
  if (!isOpen(before) || reached === undefined) {
    stoppedForMs(before);
    return before;
  }
  const after = withStep(before, reached, { at: now(), stoppedForMs: stoppedForMs(before) });
  stoppedForMs(after);
  return after;
}

/** Returns the conditions of a service besides those of the runtime; undefined keeps them as they are. */
export function serviceConditions(
  deps: ServiceDeps,
  service: Service,
  observation: ServiceObservation,
  progress: ServiceProgress,
): readonly OwnCondition[] | undefined {
  if (!isJob(service.spec)) return strategyCondition(observation, progress);
  return jobConditions(jobFacts(service, containersOf(deps, service), observation.state?.job, progress));
}

/** Returns the condition `StrategyFollowed` as False while another update strategy than the requested one is followed. Pure. */
export function strategyCondition(
  { state }: ServiceObservation,
  { at }: ServiceProgress,
): readonly OwnCondition[] | undefined {
  if (at !== 'acted' || !state?.desired) return undefined;
  const { instead } = state.desired.updatePolicy;
  return instead ? [{ type: 'StrategyFollowed', status: 'False', ...instead }] : [];
}

/** Records what the containers have done between two statuses, and which commands were rejected. */
export function announceService(
  deps: ServiceDeps,
  memory: Memory,
  { before, after }: { readonly before: Service; readonly after: Service },
  progress: ServiceProgress,
): void {
  if (isJob(before.spec)) announceRuns(deps, before, containersOf(deps, before), after.status);
  else announceContainers(deps, memory, before, progress);
  announceRejection(deps, memory, before, progress);
}

function announceContainers(deps: ServiceDeps, memory: Memory, before: Service, progress: ServiceProgress): void {
  const containers = shownOf(containersOf(deps, before));
  const byUs = isStartOf(progress) ? containers[0] : undefined;
  for (const [index, look] of memory.lifecycle.look(before, containers).entries()) {
    const container = containers[index];
    if (container) memory.lifecycle.report(before, container, look, container === byUs);
  }
}

function announceRejection(deps: ServiceDeps, memory: Memory, before: Service, progress: ServiceProgress): void {
  const rejection = rejectionAt(deps, memory, before, progress);
  if (!rejection) return;
  deps.store.record(keyOf('Service', before.metadata.name), {
    type: 'Warning',
    reason: 'Refused',
    message: `Did not ${Object.keys(rejection.ids).join(', ')}: ${rejection.refusal.message}`,
  });
}

/** Tells whether the pass is starting the container, or has just started it and logged that. Pure. */
function isStartOf({ at, plan, step, result, error }: ServiceProgress): boolean {
  if (at !== 'acted') return step?.do === 'start';
  return error === undefined && result.outcome === undefined && plan?.steps.at(-1)?.do === 'start';
}

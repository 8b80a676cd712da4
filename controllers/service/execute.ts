import { toError } from '../../api/platform/errors.js';
import { isActive } from '../../crds/model/active.js';
import { COMPOSE_PROJECT, isComposeProject } from '../../crds/model/compose.js';
import { keyOf, type Service } from '../../crds/model/kinds.js';
import type { SeenContainer } from '../engine/engine.js';
import { SUPERVISED } from '../engine/labels.js';
import { type Outcome, wait } from '../runtime/outcome.js';
import { carryOutAdoption, goBackAfter } from './adoption/adoption-steps.js';
import { idsOf, type PendingCommands } from './commands/commands.js';
import { joinedAfterStart, providersOf } from './dependencies/namespaces.js';
import type { Memory, ServiceDeps } from './deps.js';
import { begunRun, executeJobStep, failedBegin, specOfRun } from './jobs/execute.js';
import { isRun } from './jobs/runs.js';
import type { ServiceObservation } from './observe.js';
import type { JobStep, ServiceResult, ServiceStep } from './service-state.js';
import { install, start } from './steps/create.js';
import { connect, publishAliases, putRight, rename } from './steps/repair.js';
import { beginRestart } from './steps/restart.js';
import type { StepContext } from './steps/step-context.js';
import { beginTermination } from './steps/stop-and-remove.js';
import { isOpen } from './update/record.js';
import { type ReplacedRecord, replacedRecord } from './update/replaced.js';
import { beginsUpdate } from './update/step-record.js';

type Report = (result: Partial<ServiceResult>) => void;

/** Carries out one step and refreshes the cache. Stopping and restarting a container only starts here and goes on in the background. */
export async function executeServiceStep(
  deps: ServiceDeps,
  memory: Memory,
  service: Service,
  step: ServiceStep,
  observation: ServiceObservation,
  signal: AbortSignal,
  reportStatus: Report,
): Promise<Partial<ServiceResult>> {
  const { appId, serviceName, pendingCommands } = observation;
  const begin = step.do === 'create' || step.do === 'start' ? step.run : undefined;
  const containerSpec = begin ? specOfRun(observation.containerSpec, begin) : observation.containerSpec;
  // A run is noted together with its time, in one status.
  const report: Report = (result) =>
    reportStatus(begin ? { ...result, job: { ...begunRun(begin), missed: 0 } } : result);
  const { name } = service.metadata;
  if (isJobStep(step)) return executeJobStep(deps, { service }, step, pendingCommands, report);
  const isAhead = step.do === 'create' && step.ahead === true;
  let replaced: ReplacedRecord | undefined;
  const context: StepContext = {
    ...{ service, appId, serviceName, containerSpec, heldPorts: memory.heldPorts, failures: memory.failures },
    reportReached: (reached) => {
      if (step.do === 'create' && reached === 'Created' && !begin) replaced = replacedNow(deps, service, step);
      const isUpdate = beginsUpdate(step) || isOpen(deps.store.get('Service', name)?.status?.update);
      // One that is created ahead is noted with the next step: until then the other one runs.
      const made = isAhead ? undefined : replaced;
      if (isUpdate || made) report({ ...(isUpdate ? { reached } : {}), ...(made ? { replaced: made } : {}) });
    },
    reportStart: (container, before) => reportJoined(deps, service, container, before, report),
  };
  const adopted = await carryOutAdoption(deps, memory.terminations, context, step, signal, report);
  if (adopted) return adopted;
  let back: Partial<ServiceResult> | undefined;
  const outcome = await carryOut(deps, memory, context, step, signal).catch(async (error: unknown) => {
    if (isAhead && !signal.aborted) memory.refusals.note(name, observation.attempt, toError(error));
    // The failure itself is thrown; the next pass that ends gives the lock back.
    await releaseUnused(deps, memory, context).catch(() => undefined);
    back = await goBackAfter(deps, context, observation.adoption, error, report);
    if (back) return undefined;
    const failed = begin && !signal.aborted ? failedBegin(begin, error, pendingCommands, deps.now()) : undefined;
    if (!failed) throw error;
    return { failed };
  });
  if (back) return back;
  if (outcome && 'failed' in outcome) return outcome.failed;
  if (!outcome && !observation.adoption) await tellOtherHand(deps, service, step, signal);
  if (outcome) await releaseUnused(deps, memory, context);
  if (outcome) return { outcome };
  if (isAhead) memory.refusals.forget(name);
  return {
    acknowledged: acknowledgedBy(step, pendingCommands),
    ...(begin ? { job: begunRun(begin) } : {}),
    ...(isAhead ? { createdAheadAt: deps.now() } : {}),
    ...(replaced ? { replaced } : {}),
  };
}

/**
 * Records an event when the step puts right what somebody did who keeps the same Compose project: `docker compose up`
 * stops, renames or removes our container, and makes one of its own.
 */
async function tellOtherHand(
  { store, engine }: ServiceDeps,
  { metadata, spec }: Service,
  step: ServiceStep,
  signal: AbortSignal,
): Promise<void> {
  const app = store.get('App', spec.app);
  if (!(step.do === 'start' || step.do === 'rename' || step.do === 'create') || !isComposeProject(app)) return;
  if (app.status?.adoption?.phase === 'TakingOver') return; // they are there until their turn comes
  const label = `${COMPOSE_PROJECT}=${app.metadata.name}`;
  // To know it is worth a request, and no failure.
  const all = await engine.listLabelled(label, signal).catch(() => []);
  const names = all.filter(({ labels }) => labels[SUPERVISED] === undefined).map(({ name }) => name);
  if (names.length === 0) return;
  store.record(keyOf('Service', metadata.name), {
    type: 'Warning',
    reason: 'OtherHand',
    message: `Another hand, perhaps docker compose, works on the project ${app.metadata.name}: ${names.sort().join(', ')} ${names.length === 1 ? 'is' : 'are'} not ours and ${names.length === 1 ? 'has' : 'have'} its labels; service ${spec.serviceName} is kept as its App says`,
  });
}

/** Tells whether the step touches nothing on the engine. Pure. */
const isJobStep = (step: ServiceStep): step is JobStep =>
  step.do === 'note' || step.do === 'lose' || step.do === 'follow' || step.do === 'miss' || step.do === 'decline';

/** Returns why the container that the step has just created replaces another one; undefined for the first one. */
function replacedNow(
  { store, now }: ServiceDeps,
  service: Service,
  { name, because, ahead, surge }: Extract<ServiceStep, { do: 'create' }>,
): ReplacedRecord | undefined {
  const { app } = service.spec;
  const isOfApp = service.metadata.origin.startsWith('App/');
  const { origin, source } = ((isOfApp ? store.get('App', app) : undefined) ?? service).metadata;
  const declared = { origin, ...(source ? { file: source.file } : {}), ...(source?.line ? { line: source.line } : {}) };
  const revisions = store.list('Revision').filter(({ spec }) => spec.app === app);
  return replacedRecord(
    service,
    { name, because, at: now(), isSurge: ahead === true || surge !== undefined },
    declared,
    revisions,
  );
}

/** Returns an outcome when the step did not reach what was planned. */
async function carryOut(
  deps: ServiceDeps,
  { terminations }: Memory,
  context: StepContext,
  step: Exclude<ServiceStep, JobStep>,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { cache } = deps;
  switch (step.do) {
    case 'fail':
      throw terminations.takeFailure(context.service.metadata.name);
    case 'claim':
      return claim(deps, context);
    case 'terminate':
      if (step.update?.is === 'succeeded') context.reportReached(step.update.seen);
      if (step.update) context.reportReached('Stopping');
      // Its container is what shows that a run was begun, until the status on disk does.
      if (step.remove && isRun(step.container) && isActive(context.service)) await deps.store.flush();
      beginTermination(deps, terminations, context, step);
      return undefined;
    case 'restart':
      beginRestart(deps, terminations, context, step);
      return undefined;
    case 'create':
      return cache.suppressEvents(step.name, () => install(deps, context, step, signal));
    case 'start':
      return cache.suppressEvents(step.container.id, () => start(deps, context, step, signal));
    case 'connect':
      return cache.suppressEvents(step.container.id, () => connect(deps, context, step, signal));
    case 'publishAliases':
      if (step.seen) context.reportReached(step.seen);
      return cache.suppressEvents(step.container.id, () => publishAliases(deps, context, step, signal));
    case 'rename':
      return cache.suppressEvents(step.container.id, () => rename(deps, context, step, signal));
    case 'update':
    case 'unpause':
      return cache.suppressEvents(step.container.id, () => putRight(deps, context, step, signal));
  }
}

/** Gives the lock back where no App does, unless a container of the service is being stopped under it. */
async function releaseUnused(
  { store, locks }: ServiceDeps,
  { terminations }: Memory,
  { service, appId }: StepContext,
): Promise<void> {
  const isUsed = terminations.isAnyUnderWay(service.metadata.name);
  if (!isUsed && locks.isHeld(appId) && !store.get('App', service.spec.app)) await locks.release(appId);
}

async function claim({ locks }: ServiceDeps, { appId, serviceName }: StepContext): Promise<Outcome | undefined> {
  const result = await locks.claim(appId, [serviceName], { force: false });
  if (result.is === 'held') return undefined;
  return wait('UpdatesLocked', `Service ${result.service} holds the update lock: ${result.path}`, 10_000).outcome;
}

/** Returns the commands that a step acknowledges: a stop when it starts, a start when it is done. Pure. */
function acknowledgedBy(step: ServiceStep, { stops, starts }: PendingCommands): ServiceResult['acknowledged'] {
  if (step.do === 'terminate' && step.stop && !step.remove) return idsOf(stops);
  return step.do === 'start' || (step.do === 'create' && step.start) ? idsOf(starts) : {};
}

/** Reports the provider runs that a container has joined, if it was started since `before`. */
function reportJoined(
  { store, cache }: ServiceDeps,
  { metadata }: Service,
  id: string,
  before: readonly SeenContainer[],
  report: Report,
): void {
  const now = cache.containers().find((one) => one.id === id);
  const then = before.find((one) => one.id === id);
  if (now?.startedAt === undefined || now.startedAt === then?.startedAt) return;
  const noted = store.get('Service', metadata.name)?.status?.joined;
  const joined = joinedAfterStart(then, now.startedAt, providersOf(now, before), noted);
  if (joined.length > 0) report({ joined });
}

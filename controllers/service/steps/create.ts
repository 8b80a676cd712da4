import { normalizeReference } from '../../../crds/model/image-reference.js';
import { keyOf } from '../../../crds/model/kinds.js';
import type { SeenContainer } from '../../engine/engine.js';
import { type Outcome, TerminalError, TransientError, wait } from '../../runtime/outcome.js';
import { unnamed, withAllNetworks } from '../container/container-options.js';
import { leftBehind } from '../container/left-behind.js';
import { containersOf } from '../dependencies/siblings.js';
import type { ServiceDeps } from '../deps.js';
import { labelOf } from '../spec/identity.js';
import { failureLog, refused } from './engine-errors.js';
import type { Attempt } from './failed-attempts.js';
import { settleHeldPort } from './held-port.js';
import { record, recordSkipped, type StepContext, type StepOf } from './step-context.js';
import { vacateName } from './vacate.js';

/** Creates the container, and starts it where the step says so. */
export const install = (
  deps: ServiceDeps,
  context: StepContext,
  step: StepOf<'create'>,
  signal: AbortSignal,
): Promise<Outcome | undefined> =>
  create(deps, context, step, signal).catch(async (error: unknown) => {
    if (step.surge || (step.ahead && !(error instanceof TerminalError))) await lookFor(deps, step.name, signal);
    throw error;
  });

async function create(
  deps: ServiceDeps,
  context: StepContext,
  step: StepOf<'create'>,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { cache, engine, logs, store } = deps;
  const { service } = context;
  const { app } = service.spec;
  const containerSpec = context.containerSpec?.();
  if (!containerSpec) return wait('ImageMissing', `Waiting for image ${service.spec.image} to be local`).outcome;
  const label = `${context.serviceName} ${containerSpec.options.Image}`;
  for (const warning of containerSpec.warnings) recordSkipped(store, service, warning);

  const what = `Could not create container ${step.name}`;
  // What failed is tried again in silence, until it ends in another way.
  const attempt: Attempt = { to: 'create', container: step.name, generation: service.metadata.generation };
  const isSilent = step.ahead === true || context.failures.has(service.metadata.name, attempt);
  const startLine = `${step.surge === 'hand-over' ? 'Handing over to' : 'Installing'} service '${label}'`;
  if (!isSilent) logs.system(startLine, { app });
  // The hand-over signal of an earlier container does not count for this one.
  if (step.surge === 'hand-over') await deps.handovers.forget(context.appId, context.serviceName);
  const created = await engine
    .createContainer(
      step.name,
      withAllNetworks(step.surge === 'rolling' ? unnamed(containerSpec) : containerSpec),
      signal,
    )
    .catch((error: unknown) => {
      const lines = [...(isSilent ? [startLine] : []), `Failed to install service '${label}'`];
      context.failures.note(service.metadata.name, attempt);
      throw refused(what, error, { say: failureLog(deps, context, attempt, lines), isDefinition: true });
    });
  context.failures.end(service.metadata.name, attempt);
  if (created.is === 'exists') return (await adopt(deps, context, step.name, signal)) ?? lookAgain(step);
  if (created.is === 'no-image') {
    await cache.refreshImage(normalizeReference(service.spec.image), signal);
    return wait('ImageMissing', `Image ${service.spec.image} went away before container ${step.name} was made`).outcome;
  }
  if (!step.ahead)
    for (const line of [...(isSilent ? [startLine] : []), `Installed service '${label}'`]) logs.system(line, { app });
  for (const warning of created.warnings ?? []) recordSkipped(store, service, `The engine says: ${warning}`);
  context.reportReached('Created');
  record(store, service, 'Installing', `Created container ${step.name}: ${step.because}`);
  if (step.start) return startAndLook(deps, context, created.id, { label, container: step.name }, signal);
  const seen = await cache.refreshContainer(created.id, signal);
  return seen ? undefined : lookAgain(step);
}

/** Keeps the steps after it from being taken: the old container must not go while the new one is not seen. */
const lookAgain = ({ ahead, name, because }: StepOf<'create'>): Outcome | undefined =>
  ahead ? { is: 'progressing', reason: 'Installing', message: `Looking for container ${name}: ${because}` } : undefined;

/** Refreshes the cache after a failed creation: the container may exist all the same, and would run beside the old one unseen. */
async function lookFor({ cache, engine }: ServiceDeps, name: string, signal: AbortSignal): Promise<void> {
  const found = await engine.inspectContainer(name, signal).catch(() => undefined); // the failure itself is thrown
  if (found) await cache.refreshContainer(found.id, signal).catch(() => undefined);
}

/** Takes over a container that already has the name, if it belongs to this service. Throws when it belongs to somebody else. */
async function adopt(
  deps: ServiceDeps,
  context: StepContext,
  name: string,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { cache, engine } = deps;
  const { appId, serviceName, service } = context;
  const holder = await engine.inspectContainer(name, signal);
  if (holder && (holder.appId !== appId || holder.serviceName !== serviceName)) {
    for (const own of containersOf(deps, service)) {
      const vacated = await vacateName(deps, context, own, signal);
      if (vacated) return vacated;
    }
    throw new TransientError(
      'Retrying',
      `The name ${name} is taken by a container that does not belong to this service; remove or rename that one`,
    );
  }
  if (holder) await cache.refreshContainer(holder.id, signal);
  return undefined;
}

/** Starts an existing container. */
export async function start(
  deps: ServiceDeps,
  context: StepContext,
  { container, name, because }: StepOf<'start'>,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const label = labelOf({ ...container, serviceName: context.serviceName });
  if (name !== undefined) await giveName(deps, container, name, signal);
  const other = await startAndLook(
    deps,
    context,
    container.id,
    { label, container: name ?? container.name, because },
    signal,
  );
  if (other) return other;
  // The Supervisor logs this for every container that has run before.
  if (container.startedAt !== undefined) {
    deps.logs.system(`Restarting service '${label}'`, { app: context.service.spec.app });
  }
  return undefined;
}

/** Renames a container before its start. A container that is gone is not an error here: the start reports it. */
async function giveName(
  { cache, engine }: ServiceDeps,
  { id, name }: SeenContainer,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const result = await engine.renameContainer(id, to, signal).catch((error: unknown) => {
    throw refused(`Could not rename container ${name} to ${to}`, error);
  });
  if (result !== 'name-taken') return;
  await cache.refreshContainer(id, signal);
  throw new Error(`Could not rename container ${name}: the name ${to} is taken; remove or rename its holder`);
}

async function startAndLook(
  deps: ServiceDeps,
  context: StepContext,
  id: string,
  { label, container, because }: { readonly label: string; readonly container: string; readonly because?: string },
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { cache, engine, logs, store } = deps;
  const { service, serviceName, heldPorts, failures, reportReached, reportStart } = context;
  const attempt: Attempt = { to: 'start', container, generation: service.metadata.generation };
  const { app } = service.spec;
  const what = `Could not start service ${serviceName}`;
  const startLine = `Starting service '${label}'`;
  const isSilent = failures.has(service.metadata.name, attempt);
  if (!isSilent) logs.system(startLine, { app });
  const before = cache.containers();
  try {
    await engine.startContainer(id, signal);
    reportReached('Started');
  } catch (error) {
    failures.note(service.metadata.name, attempt);
    const seen = await cache.refreshContainer(id, signal).catch((second: unknown) => {
      throw new AggregateError([error, second], `Could not start service ${serviceName}, nor look at its container`);
    });
    if (seen && leftBehind(seen)) {
      const message = `Container ${seen.name} cannot be started again: ${seen.error}; it is recreated`;
      store.record(keyOf('Service', service.metadata.name), { type: 'Warning', reason: 'LeftBehind', message });
      return { is: 'progressing', reason: 'LeftBehind', message };
    }
    const lines = [...(isSilent ? [startLine] : []), `Failed to start service '${label}'`];
    const say = failureLog(deps, context, attempt, lines);
    const settled = seen && (await settleHeldPort(deps, context, seen, error, say, signal));
    if (settled) return settled;
    throw refused(what, error, { say });
  }
  heldPorts.forget(service.metadata.name);
  failures.end(service.metadata.name, attempt);
  await cache.refreshContainer(id, signal);
  reportStart(id, before);
  for (const line of [...(isSilent ? [startLine] : []), `Started service '${label}'`]) logs.system(line, { app });
  record(store, service, 'Starting', `Started service ${serviceName}${because === undefined ? '' : `: ${because}`}`);
  return undefined;
}

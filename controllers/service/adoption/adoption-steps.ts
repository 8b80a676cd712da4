import { messageWithCauses } from '../../../api/platform/errors.js';
import { keyOf } from '../../../crds/model/kinds.js';
import type { SeenContainer, Updatable } from '../../engine/engine.js';
import { TerminalError, TransientError, wait } from '../../runtime/outcome.js';
import { ALIVE } from '../commands/commands.js';
import type { ServiceDeps } from '../deps.js';
import type { ServiceResult, ServiceStep } from '../service-state.js';
import { heldByOthers } from '../steps/held-port.js';
import { record, type StepContext, type StepOf } from '../steps/step-context.js';
import type { Terminations } from '../terminations.js';
import type { AdoptionFacts, AdoptionRecord, RecordedContainer } from './adoption-facts.js';

type Report = (result: Partial<ServiceResult>) => void;
type Result = Partial<ServiceResult>;

/** Carries out a step about containers that are not ours; undefined for any other step. */
export async function carryOutAdoption(
  deps: ServiceDeps,
  terminations: Terminations,
  context: StepContext,
  step: ServiceStep,
  signal: AbortSignal,
  report: Report,
): Promise<Result | undefined> {
  switch (step.do) {
    case 'letGo':
      return letGo(deps, terminations, context, step, signal, report);
    case 'removeTheirs':
      return removeTheirs(deps, context, step, signal, report);
    case 'goBack':
      return goBack(deps, context, step.adoption, step.message, report);
    case 'giveBack':
      return giveBack(deps, context, step, signal, report);
    default:
      return undefined;
  }
}

/** The longest time between two tries to start ours, ms: theirs is stopped meanwhile. */
const TRY_AGAIN_MS = 5_000;
/** What ours lacks on this host, and theirs may not: a retry would keep theirs stopped until somebody does something. */
const LACKING: readonly string[] = ['PortInUse', 'AddressMissing', 'AddressInUse', 'DeviceMissing', 'HostPathMissing'];

/**
 * Decides what comes of an error while the service is taking something over. Theirs comes back when no retry mends it, or one would
 * need somebody to do something first; anything else that may pass is tried again soon. Undefined for any other error.
 */
export async function goBackAfter(
  deps: ServiceDeps,
  context: StepContext,
  adoption: AdoptionFacts | undefined,
  error: unknown,
  report: Report,
): Promise<Result | undefined> {
  const isTaking = adoption?.is === 'pending' || adoption?.is === 'taking';
  if (!isTaking) return undefined;
  const isStopped = adoption.is === 'taking';
  if (error instanceof TransientError && isStopped && !LACKING.includes(error.reason)) {
    return { outcome: wait(error.reason, messageWithCauses(error), TRY_AGAIN_MS).outcome };
  }
  if (!(error instanceof TerminalError || (error instanceof TransientError && isStopped))) return undefined;
  const message = messageWithCauses(error);
  const result = await goBack(deps, context, adoption, message, report);
  return { ...result, outcome: { is: 'progressing', reason: 'GoingBack', message } };
}

/** Notes how theirs are, on disk, and begins to stop them; unless somebody else has a port that ours could not do without. */
async function letGo(
  deps: ServiceDeps,
  terminations: Terminations,
  context: StepContext,
  { containers, adoption, name, because }: StepOf<'letGo'>,
  signal: AbortSignal,
  report: Report,
): Promise<Result> {
  const { engine, locks, store, now } = deps;
  const { service, appId, serviceName, containerSpec } = context;
  const own = new Set(adoption.theirs.map((one) => one.name));
  const others = (await engine.publishedPorts(signal)).filter(({ container }) => !own.has(container));
  const held = heldByOthers(containerSpec?.().options.HostConfig?.PortBindings, others);
  if (held !== undefined) {
    const message = `Service ${serviceName} could not be started: ${held}`;
    const result = await goBack(deps, context, adoption, message, report);
    return { ...result, outcome: { is: 'progressing', reason: 'GoingBack', message } };
  }
  const before = adoption.record?.containers ?? [];
  const added = containers.filter(({ id }) => !before.some((one) => one.id === id)).map(recorded);
  const noted: AdoptionRecord = {
    ...{ id: adoption.id, phase: 'TakingOver', at: adoption.record?.at ?? new Date(now()).toISOString() },
    containers: [...before, ...added],
  };
  report({ adoption: noted });
  await store.flush();
  const never = new AbortController().signal; // a newer document does not end a stop
  for (const one of containers) {
    const stop = async (): Promise<true> => {
      // An engine that is started again would start it beside ours.
      await engine.updateContainer(one.id, { RestartPolicy: NEVER }, never);
      if (ALIVE.includes(one.state)) await engine.stopContainer(one.id, never);
      if (one.name === name) await engine.renameContainer(one.id, `${one.id.slice(0, 12)}_${name}`, never);
      return true;
    };
    terminations.begin(service.metadata.name, one.id, 'stopped', async () => {
      const isDone = await locks.during(appId, stop).catch((error: unknown) => {
        throw new Error(`Could not stop container ${one.name}, which is to be taken over`, { cause: error });
      });
      if (isDone) record(store, service, 'TakingOver', `Stopped container ${one.name}, which is not ours: ${because}`);
    });
  }
  return { adoption: noted };
}

const NEVER: Updatable['RestartPolicy'] = { Name: 'no', MaximumRetryCount: 0 };

const recorded = ({ id, name, state, updatable }: SeenContainer): RecordedContainer => {
  const { Name, MaximumRetryCount } = updatable?.RestartPolicy ?? NEVER;
  return {
    id,
    name,
    running: ALIVE.includes(state),
    restart: MaximumRetryCount > 0 ? `${Name}:${MaximumRetryCount}` : Name,
  };
};

/** Removes theirs; what they have mounted stays, also volumes without a name. */
async function removeTheirs(
  { engine, store, now }: ServiceDeps,
  { service }: StepContext,
  { containers, adoption, because }: StepOf<'removeTheirs'>,
  signal: AbortSignal,
  report: Report,
): Promise<Result> {
  for (const { id, name, volumes } of containers) {
    await engine.removeContainer(id, signal, { keepVolumes: true });
    const before = adoption.record?.containers?.find((one) => one.id === id)?.name ?? name;
    const unnamed = volumes.filter((one) => /^[0-9a-f]{64}$/.test(one));
    const kept = unnamed.length > 0 ? `; its volumes without a name stay: ${unnamed.join(', ')}` : '';
    record(store, service, 'Adopted', `Took over from container ${before}, and removed that: ${because}${kept}`);
  }
  const done: AdoptionRecord = { id: adoption.id, phase: 'TakenOver', at: new Date(now()).toISOString() };
  report({ adoption: done });
  await store.flush();
  return { adoption: done };
}

/** Decides that theirs comes back. When it resolves, that is on disk: ours would be tried again after a crash. */
async function goBack(
  { store, logs, now }: ServiceDeps,
  { service, serviceName }: StepContext,
  { id, record: open }: AdoptionFacts,
  message: string,
  report: Report,
): Promise<Result> {
  const { app } = service.spec;
  logs.system(`Giving service '${serviceName}' back: ${message}`, { app }, { isStdErr: true });
  const result: AdoptionRecord = {
    ...{ id, phase: 'GoingBack', at: new Date(now()).toISOString(), message },
    containers: open?.containers ?? [],
  };
  report({ adoption: result });
  await store.flush();
  return { adoption: result };
}

/** Makes theirs as they were: name, restart policy, and whether they run. One that somebody has removed is left out. */
async function giveBack(
  { engine, store, now }: ServiceDeps,
  { service }: StepContext,
  { adoption, because }: StepOf<'giveBack'>,
  signal: AbortSignal,
  report: Report,
): Promise<Result> {
  for (const one of adoption.record?.containers ?? []) {
    const seen = adoption.theirs.find(({ id }) => id === one.id);
    if (!seen) continue;
    try {
      if (seen.name !== one.name) await engine.renameContainer(one.id, one.name, signal);
      await engine.updateContainer(one.id, { RestartPolicy: policyOf(one.restart) }, signal);
      if (one.running) await engine.startContainer(one.id, signal);
    } catch (error) {
      throw new Error(`Could not start container ${one.name} again, which was to be taken over`, { cause: error });
    }
    const how = one.running ? 'runs again' : 'is as it was';
    store.record(keyOf('Service', service.metadata.name), {
      type: 'Warning',
      reason: 'GivenBack',
      message: `Container ${one.name}, which is not ours, ${how}: ${because}`,
    });
  }
  const back: AdoptionRecord = {
    ...{ id: adoption.id, phase: 'GivenBack', at: new Date(now()).toISOString(), message: because },
  };
  report({ adoption: back });
  await store.flush();
  return { adoption: back };
}

/** Reads `on-failure:3`. Pure. */
function policyOf(text: string): Updatable['RestartPolicy'] {
  const [Name = 'no', count] = text.split(':');
  return { Name, MaximumRetryCount: Number(count ?? 0) };
}

import type { ResourceEvent } from '../../api/store/store.js';
import { conditionOf } from '../../crds/conditions.js';
import { keyOf, type Service } from '../../crds/kinds.js';
import { normalizeReference } from '../../crds/names.js';
import { EngineError, EngineUnreachable } from '../docker/engine.js';
import { InvalidSpecError, type Outcome, PassingError, TerminalError, wait } from '../runtime/outcome.js';
import { type Blueprint, unnamed, withAllNetworks } from './container-options.js';
import type { Departures } from './departures.js';
import { labelOf } from './life-lines.js';
import type { ServiceDeps } from './observe.js';
import { explainRefusal } from './refusals.js';
import type { ServiceStep } from './situation.js';
import type { UpdateStep } from './strategy/record.js';

/** Whom a step is for. */
export interface Subject {
  readonly service: Service;
  readonly appId: number;
  readonly serviceName: string;
  readonly blueprint: (() => Blueprint) | undefined;
  /** Writes down how far an update has come; nothing while there is none. */
  note(step: UpdateStep): void;
}

type StepOf<Do extends ServiceStep['do']> = Extract<ServiceStep, { do: Do }>;

/** Carries out one step and shows the world what came of it; an outcome when that is not what was planned. */
export async function perform(
  deps: ServiceDeps,
  departures: Departures,
  subject: Subject,
  step: ServiceStep,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { world } = deps;
  switch (step.do) {
    case 'leave':
      beginLeaving(deps, departures, subject, step);
      return undefined;
    case 'create':
      return world.quietly(step.name, () =>
        create(deps, subject, step, signal).catch(async (error: unknown) => {
          if (step.beside) await lookFor(deps, step.name, signal);
          throw error;
        }),
      );
    case 'start':
      return world.quietly(step.container.id, () => start(deps, subject, step, signal));
    case 'connect':
      return world.quietly(step.container.id, () => connect(deps, subject, step, signal));
    case 'introduce':
      return world.quietly(step.container.id, () => introduce(deps, subject, step, signal));
    case 'rename':
      return world.quietly(step.container.id, () => rename(deps, subject, step, signal));
    case 'update':
    case 'unpause':
      return world.quietly(step.container.id, () => putRight(deps, subject, step, signal));
  }
}

/** Stops and removes in the background: the grace period is the container's own, and nobody waits for it here. */
function beginLeaving(
  { world, engine, locks, handovers, logs, store }: ServiceDeps,
  departures: Departures,
  { service, appId, serviceName, note }: Subject,
  { container, stop, remove, locked, because, update }: StepOf<'leave'>,
): void {
  const { name } = service.metadata;
  const { id } = container;
  const label = labelOf({ ...container, serviceName });
  const dead = container.state === 'dead';
  // Not the pass's own signal: a newer document does not call a stop back.
  const never = new AbortController().signal;
  const leave = (): Promise<true> =>
    world.quietly(id, async (): Promise<true> => {
      logs.system(`${dead ? 'Removing dead container' : 'Killing service'} '${label}'`);
      if (stop) await engine.stopContainer(id, never);
      if (update && stop) note('Stopped');
      // Before the removal: as soon as that is seen the next container is made, and says so.
      // The Supervisor's order, which it has from the engine's events.
      const ended = stop ? [`Service exited '${label}'`] : [];
      const killed = dead ? [] : [`Killed service '${label}'`];
      for (const line of remove ? [...ended, ...killed] : [...killed, ...ended]) logs.system(line);
      if (remove) await engine.removeContainer(id, never);
      if (update && remove) note('Removed');
      if (update?.is === 'succeeded') await handovers.forget(appId, serviceName);
      // The engine's own word that it is gone may have come already.
      if (world.containers().some((one) => one.id === id)) await world.refreshContainer(id, never);
      return true;
    });
  departures.begin(name, id, async () => {
    try {
      const left = locked ? await locks.during(appId, leave) : await leave();
      if (left)
        record(store, service, 'Stopping', `${remove ? 'Removed' : 'Stopped'} container ${container.name}: ${because}`);
    } catch (error) {
      throw refused(`Could not ${remove ? 'remove' : 'stop'} container ${container.name}`, error, (due) =>
        logs.system(`Failed to kill service '${label}' due to '${due}'`, { isStdErr: true }),
      );
    }
  });
}

async function create(
  deps: ServiceDeps,
  subject: Subject,
  step: StepOf<'create'>,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { world, engine, logs, store } = deps;
  const { service } = subject;
  const blueprint = subject.blueprint?.();
  if (!blueprint) return wait('ImageMissing', `Waiting for image ${service.spec.image} to be local`).outcome;
  const label = `${subject.serviceName} ${blueprint.options.Image}`;
  for (const warning of blueprint.warnings) leftOut(store, service, warning);

  logs.system(`${step.beside === 'hand-over' ? 'Handing over to' : 'Installing'} service '${label}'`);
  // What an earlier container said does not count for this one.
  if (step.beside === 'hand-over') await deps.handovers.forget(subject.appId, subject.serviceName);
  const created = await engine
    .createContainer(step.name, withAllNetworks(step.beside === 'rolling' ? unnamed(blueprint) : blueprint), signal)
    .catch((error: unknown) => {
      throw refused(
        `Could not create container ${step.name}`,
        error,
        tell(deps, service, `Failed to install service '${label}'`),
      );
    });
  if (created.is === 'exists') return adopt(deps, subject, step.name, signal);
  if (created.is === 'no-image') {
    await world.refreshImage(normalizeReference(service.spec.image), signal);
    return wait('ImageMissing', `Image ${service.spec.image} went away before container ${step.name} was made`).outcome;
  }
  logs.system(`Installed service '${label}'`);
  for (const warning of created.warnings ?? []) leftOut(store, service, `The engine says: ${warning}`);
  subject.note('Created');
  record(store, service, 'Installing', `Created container ${step.name}: ${step.because}`);
  if (step.start) return startAndLook(deps, subject, created.id, { label, because: step.because }, signal);
  await world.refreshContainer(created.id, signal);
  return undefined;
}

/** What failed may have been done all the same, and beside a container that runs nothing else would show it at once. */
async function lookFor({ world, engine }: ServiceDeps, name: string, signal: AbortSignal): Promise<void> {
  const found = await engine.inspectContainer(name, signal).catch(() => undefined); // the failure itself is reported
  if (found) await world.refreshContainer(found.id, signal).catch(() => undefined);
}

/** The name is taken: by a container of this service that we had not seen yet, or by somebody else's. */
async function adopt(
  { world, engine }: ServiceDeps,
  { appId, serviceName }: Subject,
  name: string,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const holder = await engine.inspectContainer(name, signal);
  if (holder && (holder.appId !== appId || holder.serviceName !== serviceName)) {
    throw new Error(
      `The name ${name} is taken by a container that does not belong to this service; remove or rename that one`,
    );
  }
  if (holder) await world.refreshContainer(holder.id, signal);
  return undefined;
}

async function start(
  deps: ServiceDeps,
  subject: Subject,
  { container, because }: StepOf<'start'>,
  signal: AbortSignal,
): Promise<undefined> {
  const label = labelOf({ ...container, serviceName: subject.serviceName });
  await startAndLook(deps, subject, container.id, { label, because }, signal);
  // The Supervisor says so of whatever had run before.
  if (container.startedAt !== undefined) deps.logs.system(`Restarting service '${label}'`);
}

async function startAndLook(
  deps: ServiceDeps,
  { service, serviceName, note }: Subject,
  id: string,
  { label, because }: { readonly label: string; readonly because: string },
  signal: AbortSignal,
): Promise<undefined> {
  const { world, engine, logs, store } = deps;
  logs.system(`Starting service '${label}'`);
  try {
    await engine.startContainer(id, signal);
    note('Started');
  } catch (error) {
    await world.refreshContainer(id, signal).catch((second: unknown) => {
      throw new AggregateError([error, second], `Could not start service ${serviceName}, nor look at its container`);
    });
    throw refused(
      `Could not start service ${serviceName}`,
      error,
      tell(deps, service, `Failed to start service '${label}'`),
    );
  }
  await world.refreshContainer(id, signal);
  logs.system(`Started service '${label}'`);
  record(store, service, 'Starting', `Started service ${serviceName}: ${because}`);
}

async function connect(
  { world, engine, store }: ServiceDeps,
  { service, blueprint }: Subject,
  { container, network, because }: StepOf<'connect'>,
  signal: AbortSignal,
): Promise<undefined> {
  const endpoint = blueprint?.().endpoints[network];
  if (!endpoint) return;
  const result = await engine.connectNetwork(network, container.id, endpoint, signal).catch((error: unknown) => {
    throw refused(`Could not connect container ${container.name} to network ${network}`, error);
  });
  if (result === 'absent') await world.refreshNetwork(network, signal);
  await world.refreshContainer(container.id, signal);
  if (result === 'connected')
    record(store, service, 'Connecting', `Connected ${container.name} to ${network}: ${because}`);
}

/** Disconnects it and connects it under its names: Docker gives none to a connection that exists. */
async function introduce(
  { world, engine, store }: ServiceDeps,
  { service, blueprint, note }: Subject,
  { container, network, because }: StepOf<'introduce'>,
  signal: AbortSignal,
): Promise<undefined> {
  const endpoint = blueprint?.().endpoints[network];
  if (!endpoint) return;
  try {
    await engine.disconnectNetwork(network, container.id, signal);
    await engine.connectNetwork(network, container.id, endpoint, signal);
  } catch (error) {
    throw refused(`Could not connect container ${container.name} to network ${network} by its names`, error);
  }
  note('Introduced');
  await world.refreshContainer(container.id, signal);
  record(store, service, 'Introducing', `Made ${container.name} known on ${network}: ${because}`);
}

async function rename(
  { world, engine, locks, store }: ServiceDeps,
  { service, appId }: Subject,
  { container, to, because }: StepOf<'rename'>,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const result = await locks
    .during(appId, () => engine.renameContainer(container.id, to, signal))
    .catch((error: unknown) => {
      throw refused(`Could not rename container ${container.name} to ${to}`, error);
    });
  if (result === undefined) {
    return wait('NeedsLock', `Needs the update lock of the app to rename the container: ${because}`).outcome;
  }
  if (result === 'name-taken') {
    throw new Error(
      `Could not rename container ${container.name}: the name ${to} is taken; remove or rename its holder`,
    );
  }
  await world.refreshContainer(container.id, signal);
  if (result === 'renamed')
    record(store, service, 'Renaming', `Renamed container ${container.name} to ${to}: ${because}`);
  return undefined;
}

/** What somebody changed of a running container, back as it was. */
async function putRight(
  { world, engine, store }: ServiceDeps,
  { service }: Subject,
  step: StepOf<'update' | 'unpause'>,
  signal: AbortSignal,
): Promise<undefined> {
  const { container, because } = step;
  const { id, name } = container;
  const what = step.do === 'update' ? 'change container' : 'unpause container';
  const result = await (step.do === 'update'
    ? engine.updateContainer(id, step.change, signal)
    : engine.unpauseContainer(id, signal)
  ).catch((error: unknown) => {
    throw refused(`Could not ${what} ${name}`, error);
  });
  await world.refreshContainer(id, signal);
  if (result === 'updated') record(store, service, 'Updating', `Changed container ${name} back: it ${because}`);
  if (result === 'unpaused') record(store, service, 'Unpausing', `Unpaused container ${name}: it ${because}`);
}

/** The Supervisor's line for a failure; not again for the same failure of a retry. */
const tell =
  ({ logs, store }: ServiceDeps, { metadata }: Service, phrase: string) =>
  (due: string): void => {
    const current = store.get('Service', metadata.name);
    const before = current && conditionOf(current, 'Ready')?.message;
    if (!before?.includes(due)) logs.system(`${phrase} due to '${due}'`, { isStdErr: true });
  };

/** What Docker refused, as an error for people. What it finds wrong with the request itself no retry can mend. */
function refused(what: string, error: unknown, say?: (due: string) => void): Error {
  if (error instanceof EngineUnreachable || !(error instanceof EngineError)) return new Error(what, { cause: error });
  const { due, reason, lasting } = explainRefusal(error.message);
  say?.(due);
  if (lasting && reason === 'InvalidSpec') return new InvalidSpecError([{ path: 'spec', message: due }]);
  if (reason !== undefined) return new (lasting ? TerminalError : PassingError)(reason, `${what}: ${due}`);
  if (error.statusCode === 400 && what.startsWith('Could not create')) {
    return new InvalidSpecError([{ path: 'spec', message: `the engine refuses it: ${due}` }]);
  }
  return new EngineError(`${what}: ${due}`, error.statusCode);
}

const leftOut = (store: ServiceDeps['store'], { metadata }: Service, message: string): void =>
  store.record(keyOf('Service', metadata.name), { type: 'Warning', reason: 'LeftOut', message });

const record = (
  store: ServiceDeps['store'],
  { metadata }: Service,
  reason: ResourceEvent['reason'],
  message: string,
): void => store.record(keyOf('Service', metadata.name), { type: 'Normal', reason, message });

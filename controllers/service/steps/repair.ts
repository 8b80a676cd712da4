import { type Outcome, wait } from '../../runtime/outcome.js';
import { hasRun } from '../container/prepared.js';
import type { ServiceDeps } from '../deps.js';
import { refused } from './engine-errors.js';
import { record, type StepContext, type StepOf } from './step-context.js';

/** Connects a container to a network. */
export async function connect(
  { cache, engine, store }: ServiceDeps,
  { service, containerSpec }: StepContext,
  { container, network, because }: StepOf<'connect'>,
  signal: AbortSignal,
): Promise<undefined> {
  const endpoint = containerSpec?.().endpoints[network];
  if (!endpoint) return;
  const result = await engine.connectNetwork(network, container.id, endpoint, signal).catch((error: unknown) => {
    throw refused(`Could not connect container ${container.name} to network ${network}`, error);
  });
  if (result === 'absent') await cache.refreshNetwork(network, signal);
  await cache.refreshContainer(container.id, signal);
  if (result === 'connected')
    record(store, service, 'Connecting', `Connected ${container.name} to ${network}: ${because}`);
}

/** Reconnects a container with its aliases: Docker cannot add aliases to an existing connection. */
export async function publishAliases(
  { cache, engine, store }: ServiceDeps,
  { service, containerSpec, reportReached }: StepContext,
  { container, network, because }: StepOf<'publishAliases'>,
  signal: AbortSignal,
): Promise<undefined> {
  const endpoint = containerSpec?.().endpoints[network];
  if (!endpoint) return;
  try {
    await engine.disconnectNetwork(network, container.id, signal);
    await engine.connectNetwork(network, container.id, endpoint, signal);
  } catch (error) {
    throw refused(`Could not connect container ${container.name} to network ${network} by its names`, error);
  }
  reportReached('Introduced');
  await cache.refreshContainer(container.id, signal);
  record(store, service, 'Introducing', `Made ${container.name} known on ${network}: ${because}`);
}
/** Gives a container the name that its document asks for, under the update lock of the app if it has run: only then something is interrupted. */
export async function rename(
  deps: ServiceDeps,
  context: StepContext,
  { container, to, because }: StepOf<'rename'>,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { cache, engine, locks, store } = deps;
  const { service, appId } = context;
  const give = () => engine.renameContainer(container.id, to, signal);
  const result = await (hasRun(container) ? locks.during(appId, give) : give()).catch((error: unknown) => {
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
  await cache.refreshContainer(container.id, signal);
  if (result === 'renamed')
    record(store, service, 'Renaming', `Renamed container ${container.name} to ${to}: ${because}`);
  return undefined;
}

/** Undoes a change that somebody made to a running container. */
export async function putRight(
  { cache, engine, store }: ServiceDeps,
  { service }: StepContext,
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
  await cache.refreshContainer(id, signal);
  if (result === 'updated') record(store, service, 'Updating', `Changed container ${name} back: it ${because}`);
  if (result === 'unpaused') record(store, service, 'Unpausing', `Unpaused container ${name}: it ${because}`);
}

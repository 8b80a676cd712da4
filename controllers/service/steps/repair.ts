import type { ServiceDeps } from '../deps.js';
import { refused } from './failed-step.js';
import { record, type StepOf, type Subject } from './step-context.js';

/** Connects a container to a network that it is not in. */
export async function connect(
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
export async function introduce(
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

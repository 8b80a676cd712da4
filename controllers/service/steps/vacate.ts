import { isActive } from '../../../crds/model/active.js';
import type { SeenContainer } from '../../engine/engine.js';
import type { Outcome } from '../../runtime/outcome.js';
import { hasRun } from '../container/prepared.js';
import type { ServiceDeps } from '../deps.js';
import type { StepContext } from './step-context.js';

/**
 * Gives a container a name that nobody wants, if another service is to have its present one and its own next name is
 * taken: two services that exchange names would wait for each other for ever. Returns undefined where that helps nobody,
 * or the update lock is held.
 */
export async function vacateName(
  { cache, engine, locks, store }: ServiceDeps,
  { service, appId }: StepContext,
  container: SeenContainer,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { id, name } = container;
  const isWanted = store
    .list('Service')
    .some((one) => isActive(one) && one.metadata.name !== service.metadata.name && one.spec.containerName === name);
  if (!isWanted) return undefined;
  const leave = () => engine.renameContainer(id, `${id.slice(0, 12)}_${name}`, signal);
  const result = await (hasRun(container) ? locks.during(appId, leave) : leave());
  if (result === undefined) return undefined;
  await cache.refreshContainer(id, signal);
  return { is: 'progressing', reason: 'Renaming', message: `Left the name ${name} to the service that is to have it` };
}

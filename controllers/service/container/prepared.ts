import type { ServiceStatus } from '../../../crds/model/types.js';
import type { SeenContainer } from '../../engine/engine.js';

/** Tells whether the container has been started at least once. Pure. */
export const hasRun = ({ state, startedAt }: Pick<SeenContainer, 'state' | 'startedAt'>): boolean =>
  state !== 'created' || startedAt !== undefined;

/** Tells whether the newer container was created to replace the older one, and was not started yet. Pure. */
export const isPrepared = (newer: SeenContainer, older: SeenContainer): boolean => !hasRun(newer) && hasRun(older);

/**
 * Orders containers of a service that come by their time of creation, newest first, by what is known besides: that time is
 * of a clock which somebody may have set back. One that never ran comes before those that have; the status names the
 * one that is being replaced. Pure.
 */
export function newestFirst(
  containers: readonly SeenContainer[],
  status: ServiceStatus | undefined,
): readonly SeenContainer[] {
  if (containers.length < 2) return containers;
  const isUnderWay = status?.update?.steps.every(({ step }) => step !== 'Complete') === true;
  const replaced = status?.outgoing ?? (isUnderWay ? status.container : undefined);
  const rank = (one: SeenContainer): number => (one.id === replaced?.id ? 2 : hasRun(one) ? 1 : 0);
  return containers.toSorted((a, b) => rank(a) - rank(b));
}

/**
 * Returns the containers that status, API and other services see, newest first: a container that was created to replace
 * another one is not among them while that one exists. Pure.
 */
export function shownOf(containers: readonly SeenContainer[]): readonly SeenContainer[] {
  const [newer, older] = containers;
  return newer && older && isPrepared(newer, older) ? containers.slice(1) : containers;
}

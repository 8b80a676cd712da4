import type { SeenContainer } from '../../engine/engine.js';

/** Tells whether the container has been started at least once. Pure. */
export const hasRun = ({ state, startedAt }: Pick<SeenContainer, 'state' | 'startedAt'>): boolean =>
  state !== 'created' || startedAt !== undefined;

/** Tells whether the newer container was created to replace the older one, and was not started yet. Pure. */
export const isPrepared = (newer: SeenContainer, older: SeenContainer): boolean => !hasRun(newer) && hasRun(older);

/**
 * Returns the containers that status, API and other services see, newest first: a container that was created to replace
 * another one is not among them while that one exists. Pure.
 */
export function shownOf(containers: readonly SeenContainer[]): readonly SeenContainer[] {
  const [newer, older] = containers;
  return newer && older && isPrepared(newer, older) ? containers.slice(1) : containers;
}

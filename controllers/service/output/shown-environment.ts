import type { SeenContainer } from '../../engine/engine.js';

/** Variables that the compatible API does not show: keys, and the device name at creation. */
const HIDDEN = /^(?:BALENA|RESIN)_(?:SUPERVISOR_)?API_KEY$|_DEVICE_NAME_AT_INIT$/;

/** Returns the environment of a container without hidden variables; undefined when there is no such container. Pure. */
export function shownEnvironment(
  containers: readonly SeenContainer[],
  id: string,
): Readonly<Record<string, string>> | undefined {
  const env = containers.find((container) => container.id === id)?.env;
  return env && Object.fromEntries(Object.entries(env).filter(([variable]) => !HIDDEN.test(variable)));
}

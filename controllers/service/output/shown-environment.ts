import type { SeenContainer } from '../../engine/engine.js';

/** Keys, and what a device was called when the container was made: the compatible API does not show them. */
const HIDDEN = /^(?:BALENA|RESIN)_(?:SUPERVISOR_)?API_KEY$|_DEVICE_NAME_AT_INIT$/;

/** The environment of one of these containers as the engine has it, without what is hidden; undefined without such a container. Pure. */
export function shownEnvironment(
  containers: readonly SeenContainer[],
  id: string,
): Readonly<Record<string, string>> | undefined {
  const env = containers.find((container) => container.id === id)?.env;
  return env && Object.fromEntries(Object.entries(env).filter(([variable]) => !HIDDEN.test(variable)));
}

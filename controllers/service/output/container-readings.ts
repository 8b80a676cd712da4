import type { Reader } from '../../../api/store/store.js';
import type { ServiceStats } from '../../../crds/model/stats.js';
import type { Engine, SeenContainer } from '../../engine/engine.js';

/** Returns the resource usage of the containers of all services. A container that goes meanwhile is left out. */
export async function serviceStats(
  { store, engine }: { readonly store: Pick<Reader, 'list'>; readonly engine: Pick<Engine, 'containerStats'> },
  signal: AbortSignal,
): Promise<readonly ServiceStats[]> {
  const asked = store.list('Service').map(async ({ spec, status }): Promise<readonly ServiceStats[]> => {
    const { container, state } = status ?? {};
    if (!container || state !== 'running') return [];
    const stats = await engine.containerStats(container.id, signal);
    return stats ? [{ app: spec.app, service: spec.serviceName, container: container.name, ...stats }] : [];
  });
  return (await Promise.all(asked)).flat();
}

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

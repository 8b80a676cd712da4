import type { Reader } from '../../../api/store/store.js';
import type { ServiceStats } from '../../../crds/model/stats.js';
import type { Engine } from '../../engine/engine.js';

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

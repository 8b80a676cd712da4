import type { Reader } from '../../api/store/store.js';
import type { ContainerStats, Engine } from '../docker/engine.js';

export interface OneService extends ContainerStats {
  readonly app: string;
  readonly service: string;
  readonly container: string;
}

/** What the containers of all services use now. One that goes meanwhile is left out. */
export async function serviceStats(
  { store, engine }: { readonly store: Pick<Reader, 'list'>; readonly engine: Pick<Engine, 'containerStats'> },
  signal: AbortSignal,
): Promise<readonly OneService[]> {
  const asked = store.list('Service').map(async ({ spec, status }): Promise<readonly OneService[]> => {
    const { container, state } = status ?? {};
    if (!container || state !== 'running') return [];
    const stats = await engine.containerStats(container.id, signal);
    return stats ? [{ app: spec.app, service: spec.serviceName, container: container.name, ...stats }] : [];
  });
  return (await Promise.all(asked)).flat();
}

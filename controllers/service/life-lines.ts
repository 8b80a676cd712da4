import type { LogStream } from '../../api/store/logs.js';
import type { SeenContainer } from '../docker/engine.js';
import type { World } from '../docker/world.js';
import { ALIVE } from './orders.js';

export interface LifeLinesDeps {
  readonly world: Pick<World, 'containers' | 'isQuiet' | 'onChange'>;
  readonly logs: Pick<LogStream, 'system'>;
}

/** How the Supervisor's lines name a service. Pure. */
export const labelOf = ({ serviceName, image }: Pick<SeenContainer, 'serviceName' | 'image'>): string =>
  `${serviceName} ${image}`;

/**
 * Says in the Supervisor's words when a container has ended by itself, or by somebody else's hand, and when the engine
 * has started it again. What we do to it ourselves says its own lines. Returns how to stop.
 */
export function tellOfLives({ world, logs }: LifeLinesDeps): () => void {
  const alive = new Map<string, boolean>();
  const look = (container: SeenContainer): void => {
    const before = alive.get(container.id);
    const now = ALIVE.includes(container.state);
    alive.set(container.id, now);
    if (before === undefined || before === now || container.appId === undefined || world.isQuiet(container.id)) return;
    logs.system(`${now ? 'Restarting service' : 'Service exited'} '${labelOf(container)}'`);
  };
  const lookAtAll = (): void => {
    const containers = world.containers();
    const ids = new Set(containers.map(({ id }) => id));
    for (const id of alive.keys()) if (!ids.has(id)) alive.delete(id);
    for (const container of containers) look(container);
  };
  lookAtAll();
  return world.onChange((change) => {
    if (change.type === 'all') lookAtAll();
    if (change.type !== 'container') return;
    const container = world.containers().find(({ id }) => id === change.id);
    if (container) look(container);
    else alive.delete(change.id);
  });
}

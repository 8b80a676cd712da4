import { withFacts } from '../../crds/conditions.js';
import type { Service } from '../../crds/kinds.js';
import type { ServiceStatus } from '../../crds/types.js';
import type { SeenContainer } from '../docker/engine.js';
import { readContainerName } from './identity.js';

/** What a step shows as while it runs, in the Supervisor's words. */
export type Doing = 'Installing' | 'Starting' | 'Stopping';

/** The status of a service: what was observed, and why the last step was taken. Pure. */
export function serviceStatus(
  service: Service,
  container: SeenContainer | undefined,
  { doing, lastAction }: { readonly doing?: Doing | undefined; readonly lastAction?: ServiceStatus['lastAction'] } = {},
): ServiceStatus {
  const state = doing ?? container?.state;
  const action = lastAction ?? service.status?.lastAction;
  const handled = service.status?.handled;
  return withFacts<ServiceStatus>(service, {
    ...(state ? { state } : {}),
    ...(container?.health ? { health: container.health } : {}),
    ...(container?.state === 'exited' || container?.state === 'dead' ? { exitCode: container.exitCode } : {}),
    ...(container ? { container: containerFacts(container) } : {}),
    ...(action ? { lastAction: action } : {}),
    ...(handled ? { handled } : {}),
  });
}

const containerFacts = ({ id, name, createdAt, startedAt, image }: SeenContainer): ServiceStatus['container'] => ({
  id,
  name,
  createdAt,
  ...(startedAt === undefined ? {} : { startedAt }),
  image,
  ...readContainerName(name),
});

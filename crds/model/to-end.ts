import type { Service } from './kinds.js';

/**
 * Tells whether a service runs that is expected to end: the engine does not restart it, and neither a healthcheck nor a
 * published port says that it is there for others. Compose files leave `restart` out of one service in three. Nobody
 * waits for the runs of a job. Pure.
 */
export const isToEnd = ({ spec, status }: Pick<Service, 'spec' | 'status'>): boolean =>
  spec.restart === 'no' &&
  !spec.schedule &&
  status?.state === 'running' &&
  status.health !== 'healthy' &&
  !spec.ports?.length;

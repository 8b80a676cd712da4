import type { Reader } from '../../../api/store/store.js';
import type { Service } from '../../../crds/model/kinds.js';
import type { SeenContainer } from '../../engine/engine.js';
import type { LogFollowerDeps, LogLevel } from '../../engine/logs/log-follower.js';
import { readEnvironment } from '../spec/environment.js';
import { Findings } from '../spec/fields.js';
import { identityOf } from '../spec/identity.js';

interface LogOwner {
  serviceOf: LogFollowerDeps['serviceOf'];
  levelOf(container: SeenContainer): LogLevel;
  onOwners(changed: () => void): () => void;
}

/** Finds the service that a container belongs to, and which of its lines the service wants to be seen (`BALENA_LOGS_LEVEL`). */
export function logOwnerOf(store: Pick<Reader, 'list' | 'get' | 'watch'>): LogOwner {
  const find = ({ appId, serviceName }: SeenContainer) => {
    for (const service of store.list('Service')) {
      if (service.spec.serviceName !== serviceName) continue;
      const identity = identityOf(service, store.get('App', service.spec.app));
      if (identity && identity.appId === appId) return { service, identity };
    }
    return undefined;
  };
  return {
    serviceOf: (container) => {
      const found = find(container);
      if (!found) return undefined;
      const { serviceName, serviceId, appId } = found.identity;
      return { serviceName, serviceId, appId };
    },
    levelOf: (container) => {
      const found = find(container);
      return found ? logLevel(found.service) : 'all';
    },
    // A container may exist before its service is declared: after a Supervisor, or after documents were lost.
    onOwners: (changed) =>
      store.watch(({ object: { kind }, type, parts }) => {
        if ((kind === 'Service' || kind === 'App') && (type !== 'MODIFIED' || parts.includes('spec'))) changed();
      }),
  };
}

/** Reads the log level: `none` drops everything, `err` and `error` keep standard error. Pure. (docs/reference/composition.md §2.) */
function logLevel({ spec }: Service): LogLevel {
  switch (readEnvironment(spec.environment, new Findings()).BALENA_LOGS_LEVEL) {
    case 'none':
      return 'none';
    case 'err':
    case 'error':
      return 'err';
    default:
      return 'all';
  }
}

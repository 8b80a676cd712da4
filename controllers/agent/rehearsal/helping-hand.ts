import type { Reader } from '../../../api/store/store.js';
import { conditionOf } from '../../../crds/model/conditions.js';
import { type AnyResource, type Key, keyOf, type Service } from '../../../crds/model/kinds.js';
import { isMap } from '../../../crds/model/maps.js';
import { APP_ID, SERVICE_NAME } from '../../engine/labels.js';
import { isAlive, type MemoryContainer } from '../../engine/simulated/memory-container.js';
import type { MemoryDocker } from '../../engine/simulated/memory-docker.js';

export interface HelpingHandDeps {
  readonly store: Pick<Reader, 'list'>;
  readonly docker: MemoryDocker;
  /** Told of what had to be waited for. */
  readonly onWait: (key: Key, reason: string, message: string) => void;
}

/** Does what the containers of a device do by themselves, when everything waits for it: they become healthy, and they finish. */
export class HelpingHand {
  constructor(private readonly deps: HelpingHandDeps) {}

  /** True when something is another way now. */
  help(unsettled: readonly AnyResource[]): boolean {
    return unsettled.length > 0 && (this.#heal() || this.#finish(unsettled));
  }

  /** Healthchecks come to an end, and well. */
  #heal(): boolean {
    const starting = this.deps.docker.containers.filter(
      ({ health, state }) => health === 'starting' && state === 'running',
    );
    for (const container of starting) {
      this.deps.docker.setHealth(container.id, 'healthy');
      const service = this.#serviceOf(container);
      if (service) this.#tell(service, `Waits until ${service.spec.serviceName} is healthy`);
    }
    return starting.length > 0;
  }

  /** What others wait for to complete does. */
  #finish(unsettled: readonly AnyResource[]): boolean {
    const awaited = unsettled.flatMap((one) =>
      one.kind === 'Service' && conditionOf(one, 'Ready')?.reason === 'DependencyNotReady' ? completedFor(one) : [],
    );
    if (awaited.length === 0) return false;
    const running = this.deps.docker.containers.filter((container) => {
      const service = isAlive(container) ? this.#serviceOf(container) : undefined;
      return service && awaited.includes(`${service.spec.app}/${service.spec.serviceName}`);
    });
    for (const container of running) {
      const service = this.#serviceOf(container);
      this.deps.docker.exit(container.id, 0);
      if (service) this.#tell(service, `Waits until ${service.spec.serviceName} has finished`);
    }
    return running.length > 0;
  }

  #tell({ metadata }: Service, message: string): void {
    this.deps.onWait(keyOf('Service', metadata.name), 'DependencyNotReady', message);
  }

  #serviceOf({ options: { Labels = {} } }: MemoryContainer): Service | undefined {
    return this.deps.store
      .list('Service')
      .find(({ spec }) => String(spec.appId) === Labels[APP_ID] && spec.serviceName === Labels[SERVICE_NAME]);
  }
}

/** `app/service` of those that have to complete before the service starts. */
function completedFor({ spec }: Service): readonly string[] {
  const dependencies: unknown = spec.depends_on;
  if (!isMap(dependencies)) return [];
  return Object.entries(dependencies).flatMap(([name, one]) =>
    isMap(one) && one.condition === 'service_completed_successfully' ? [`${spec.app}/${name}`] : [],
  );
}

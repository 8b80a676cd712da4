import type { Reader } from '../../../api/store/store.js';
import { conditionOf } from '../../../crds/model/conditions.js';
import { type AnyResource, type Key, keyOf, type Service } from '../../../crds/model/kinds.js';
import { isMap } from '../../../crds/model/maps.js';
import type { ReasonOf } from '../../../crds/model/reasons.js';
import { APP_ID, SERVICE_NAME } from '../../engine/labels.js';
import { isAlive, type MemoryContainer } from '../../engine/simulated/memory-container.js';
import type { MemoryDocker } from '../../engine/simulated/memory-docker.js';

export interface HelpingHandDeps {
  readonly store: Pick<Reader, 'list'>;
  readonly docker: MemoryDocker;
  /** Told of what had to be waited for. */
  readonly onWait: (key: Key, reason: ReasonOf<'Service'>, message: string) => void;
}

/** Does what the containers of a device do by themselves, when everything waits for it: they become healthy, and they finish. */
export class HelpingHand {
  constructor(private readonly deps: HelpingHandDeps) {}

  /** True when something is another way now. */
  help(unsettled: readonly AnyResource[]): boolean {
    return unsettled.length > 0 && (this.#heal(unsettled) || this.#finish(unsettled));
  }

  /** Healthchecks come to an end, and well. */
  #heal(unsettled: readonly AnyResource[]): boolean {
    const starting = this.deps.docker.containers.filter(
      ({ health, state }) => health === 'starting' && state === 'running',
    );
    for (const container of starting) {
      this.deps.docker.setHealth(container.id, 'healthy');
      const service = this.#serviceOf(container);
      if (!service) continue;
      this.#report(service, 'AwaitingHealth', 'Waits until its container is healthy');
      const message = `Waits until ${service.spec.serviceName} is healthy`;
      for (const one of waitingFor('service_healthy', unsettled))
        if (one.provider === nameOf(service)) this.#report(one.service, 'DependencyNotReady', message);
    }
    return starting.length > 0;
  }

  /** What others wait for to complete does. */
  #finish(unsettled: readonly AnyResource[]): boolean {
    const waiting = waitingFor('service_completed_successfully', unsettled);
    if (waiting.length === 0) return false;
    const running = this.deps.docker.containers.flatMap((container) => {
      const service = isAlive(container) ? this.#serviceOf(container) : undefined;
      const dependents = service ? waiting.filter(({ provider }) => provider === nameOf(service)) : [];
      return service && dependents.length > 0 ? [{ container, service, dependents }] : [];
    });
    for (const { container, service, dependents } of running) {
      this.deps.docker.exit(container.id, 0);
      const message = `Waits until ${service.spec.serviceName} has finished`;
      for (const one of dependents) this.#report(one.service, 'DependencyNotReady', message);
    }
    return running.length > 0;
  }

  #report({ metadata }: Service, reason: ReasonOf<'Service'>, message: string): void {
    this.deps.onWait(keyOf('Service', metadata.name), reason, message);
  }

  #serviceOf({ options: { Labels = {} } }: MemoryContainer): Service | undefined {
    return this.deps.store
      .list('Service')
      .find(({ spec }) => String(spec.appId) === Labels[APP_ID] && spec.serviceName === Labels[SERVICE_NAME]);
  }
}

const nameOf = ({ spec }: Service): string => `${spec.app}/${spec.serviceName}`;

type Condition = 'service_healthy' | 'service_completed_successfully';

/** Services that wait for another one to meet that condition, each with that one's `app/service`. Pure. */
function waitingFor(
  condition: Condition,
  unsettled: readonly AnyResource[],
): readonly { readonly service: Service; readonly provider: string }[] {
  return unsettled.flatMap((one) => {
    if (one.kind !== 'Service' || conditionOf(one, 'Ready')?.reason !== 'DependencyNotReady') return [];
    const dependencies: unknown = one.spec.depends_on;
    if (!isMap(dependencies)) return [];
    return Object.entries(dependencies).flatMap(([name, on]) =>
      isMap(on) && on.condition === condition ? [{ service: one, provider: `${one.spec.app}/${name}` }] : [],
    );
  });
}

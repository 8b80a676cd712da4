import type { Cancel, Clock } from '../../api/platform/clock.js';
import type { Store } from '../../api/store/store.js';
import type { Problem, Service } from '../../crds/model/kinds.js';
import type { SeenContainer } from '../engine/engine.js';
import type { EngineCache } from '../engine/engine-cache.js';
import { APP_ID, SERVICE_NAME } from '../engine/labels.js';
import { identityOf } from './spec/identity.js';

export interface OrphanDeps {
  readonly store: Pick<Store, 'get' | 'list' | 'watch' | 'report'>;
  readonly cache: Pick<EngineCache, 'hasSynced' | 'containers' | 'onChange'>;
  readonly clock: Clock;
}

/** Time in which a document may still arrive with the next proposal before its container counts as an orphan. */
const DELAY_MS = 2_000;

/**
 * Reports containers with our labels that no document declares as problems: those of an app whose documents were lost,
 * or without the labels that name their owner. They are left alone, because losing documents does not mean that they
 * should go. Returns how to stop.
 */
export function watchOrphans({ store, cache, clock }: OrphanDeps): () => void {
  let planned: Cancel | undefined;
  const look = (): void => {
    planned = undefined;
    if (cache.hasSynced) store.report('engine', orphansOf(cache.containers(), serviceNames(store)));
  };
  const soon = (): void => {
    planned ??= clock.after(DELAY_MS, look);
  };
  soon();
  const ends = [
    cache.onChange(({ type }) => (type === 'container' || type === 'all') && soon()),
    store.watch(({ object, type }) => object.kind === 'Service' && type !== 'MODIFIED' && soon()),
  ];
  return () => {
    for (const end of ends) end();
    planned?.();
  };
}

const nameOf = (appId: number | undefined, service: string | undefined): string => `${appId}/${service}`;

function serviceNames(store: OrphanDeps['store']): ReadonlySet<string> {
  return new Set(
    store.list('Service').map((service: Service) => {
      const identity = identityOf(service, store.get('App', service.spec.app));
      return nameOf(identity?.appId, service.spec.serviceName);
    }),
  );
}

/** Returns one problem for each container that belongs to none of these services (`<appId>/<name>`). Pure. */
export function orphansOf(containers: readonly SeenContainer[], services: ReadonlySet<string>): readonly Problem[] {
  return containers
    .filter(({ appId, serviceName }) => appId === undefined || !services.has(nameOf(appId, serviceName)))
    .map(({ id, name, appId, serviceName }) => {
      const whose =
        appId === undefined || serviceName === undefined
          ? `has our label and does not say whose it is (${APP_ID}, ${SERVICE_NAME})`
          : `belongs to service ${serviceName} of app ${appId}, which no document declares`;
      return {
        message: `Container ${name} (${id.slice(0, 12)}) ${whose}: it is left alone; declare it, or remove it with \`docker rm -f ${name}\``,
      };
    })
    .toSorted((a, b) => a.message.localeCompare(b.message));
}

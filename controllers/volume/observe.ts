import type { LogStream } from '../../api/device-state/logs.js';
import { appIdOf } from '../../api/store/proposal/derived-names.js';
import type { Store } from '../../api/store/store.js';
import { isActive } from '../../crds/model/active.js';
import { keyOf, type Volume } from '../../crds/model/kinds.js';
import { startedRequest } from '../../crds/model/requests.js';
import { standaloneAccess } from '../../crds/schema/check-host-access.js';
import type { Engine, SeenContainer } from '../engine/engine.js';
import type { EngineCache } from '../engine/engine-cache.js';
import { namedVolumes } from './named-volumes.js';
import type { VolumeFacts } from './plan.js';

/** What the controller of Volumes is given. */
export interface VolumeDeps {
  readonly store: Store;
  readonly cache: EngineCache;
  readonly engine: Engine;
  readonly logs: LogStream;
  /** ms since the epoch */
  readonly now: () => number;
}

/** The name under which the status of a volume acknowledges a purge of its App. */
export const PURGE = 'app.purge';

/**
 * Reads what exists of a volume, which containers mount it, and what its App requests. All Apps are looked at only where
 * its data may go: when it is deleted or purged.
 */
export function observeVolume({ store, cache }: VolumeDeps, volume: Volume): VolumeFacts {
  const { metadata, spec, status } = volume;
  const app = store.get('App', spec.app);
  const purge = startedRequest(app, 'purge')?.id;
  const users = cache.containers().filter(({ volumes }) => volumes.includes(spec.volumeName));
  const isStandalone = metadata.origin !== `App/${spec.app}`;
  return {
    purge: purge === undefined || status?.handled?.[PURGE] === purge ? undefined : purge,
    seen: cache.volume(spec.volumeName),
    mountedBy: users.map(({ name }) => name),
    get wantedElsewhere() {
      return naming(store, volume).length + declaring(store, volume).length > 0;
    },
    get otherApps() {
      const documents = naming(store, volume).map((other) => other.spec.app);
      return [...new Set([...documents, ...declaring(store, volume), ...mountingApps(store, users)])]
        .filter((name) => name !== spec.app)
        .sort();
    },
    // A volume that the App wrote was checked with the App's document; a standalone one is checked here.
    refusedAccess: isStandalone && isActive(volume) ? standaloneAccess(volume, app) : [],
  };
}

/** Returns the other documents of the same volume that are not deleted. */
const naming = (store: Store, { metadata, spec }: Volume): readonly Volume[] =>
  store
    .list('Volume')
    .filter(
      (other) => other.metadata.name !== metadata.name && isActive(other) && other.spec.volumeName === spec.volumeName,
    );

/** Returns the names of other Apps that declare it, or are to be declared once its own has gone. */
const declaring = (store: Store, { spec }: Volume): readonly string[] =>
  [
    ...store.list('App').filter(isActive),
    ...store.awaiting(keyOf('App', spec.app)).filter((one) => one.kind === 'App'),
  ].flatMap((one) =>
    one.metadata.name !== spec.app && namedVolumes(one).includes(spec.volumeName) ? [one.metadata.name] : [],
  );

/** Returns the Apps of these containers, as far as there are documents of them. */
function mountingApps(store: Store, users: readonly SeenContainer[]): readonly string[] {
  const ids = new Set(users.map(({ appId }) => appId));
  return store.list('App').flatMap((app) => (ids.has(appIdOf(app)) ? [app.metadata.name] : []));
}

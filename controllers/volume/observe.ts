import type { LogStream } from '../../api/device-state/logs.js';
import type { Store } from '../../api/store/store.js';
import { isActive } from '../../crds/model/active.js';
import type { Volume } from '../../crds/model/kinds.js';
import { startedRequest } from '../../crds/model/requests.js';
import { standaloneAccess } from '../../crds/schema/check-host-access.js';
import type { Engine } from '../engine/engine.js';
import type { EngineCache } from '../engine/engine-cache.js';
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

/** Reads what exists of a volume, which containers mount it, and what its App requests. */
export function observeVolume({ store, cache }: VolumeDeps, volume: Volume): VolumeFacts {
  const { metadata, spec, status } = volume;
  const app = store.get('App', spec.app);
  const purge = startedRequest(app, 'purge')?.id;
  const isStandalone = metadata.origin !== `App/${spec.app}`;
  return {
    purge: purge === undefined || status?.handled?.[PURGE] === purge ? undefined : purge,
    seen: cache.volume(spec.volumeName),
    mountedBy: cache
      .containers()
      .filter(({ volumes }) => volumes.includes(spec.volumeName))
      .map(({ name }) => name),
    wantedElsewhere: store
      .list('Volume')
      .some(
        (other) =>
          other.metadata.name !== metadata.name && isActive(other) && other.spec.volumeName === spec.volumeName,
      ),
    // A volume that the App wrote was checked with the App's document; a standalone one is checked here.
    refusedAccess: isStandalone && isActive(volume) ? standaloneAccess(volume, app) : [],
  };
}

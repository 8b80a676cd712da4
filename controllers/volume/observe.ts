import type { LogStream } from '../../api/device-state/logs.js';
import type { Store } from '../../api/store/store.js';
import { isActive } from '../../crds/model/active.js';
import type { Volume } from '../../crds/model/kinds.js';
import { startedRequest } from '../../crds/model/requests.js';
import { standaloneAccess } from '../../crds/schema/check-host-access.js';
import type { Engine } from '../engine/engine.js';
import type { EngineCache } from '../engine/engine-cache.js';
import type { VolumeFacts } from './plan.js';

/** What a pass over a volume works with. */
export interface VolumeDeps {
  readonly store: Store;
  readonly cache: EngineCache;
  readonly engine: Engine;
  readonly logs: LogStream;
  /** ms since the epoch */
  readonly now: () => number;
}

/** The name by which the status of a volume knows a purge of its App. */
export const PURGE = 'app.purge';

/** What exists of a volume, who mounts it, and what its App asks of it. */
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
    // What an App declares had leave when the App made the document of it; whoever writes a volume by hand needs it now.
    refusedAccess: isStandalone && isActive(volume) ? standaloneAccess(volume, app) : [],
  };
}

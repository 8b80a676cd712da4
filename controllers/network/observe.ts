import type { LogStream } from '../../api/device-state/logs.js';
import type { Store } from '../../api/store/store.js';
import { isActive } from '../../crds/model/active.js';
import { keyOf, type Network } from '../../crds/model/kinds.js';
import type { Engine } from '../engine/engine.js';
import type { EngineCache } from '../engine/engine-cache.js';
import type { Leaks } from './leaks.js';
import type { NetworkFacts } from './plan.js';

/** Tells whether containers reach our API over the shared network. */
export interface ApiReach {
  /** Undefined while that network has no address for the API. */
  state(): { readonly isReachable: boolean; readonly message: string } | undefined;
  /** Calls back when the state has changed. Returns how to stop. */
  onChange(listener: () => void): () => void;
}

/** What the controller of Networks is given. */
export interface NetworkDeps {
  readonly store: Store;
  readonly cache: EngineCache;
  readonly engine: Engine;
  readonly logs: LogStream;
  /** Without it there is no condition `ApiReachable`. */
  readonly apiReach?: ApiReach;
  /** ms since the epoch */
  readonly now: () => number;
}

/** Reads what exists of a network, and who depends on it. */
export function observeNetwork({ store, cache }: NetworkDeps, leaks: Leaks, { metadata, spec }: Network): NetworkFacts {
  const seen = cache.networks(spec.networkName);
  return {
    seen,
    awaited:
      store.isAwaited(keyOf('Network', metadata.name)) ||
      (spec.app !== undefined && store.isAwaited(keyOf('App', spec.app))),
    leaked: new Set(seen.flatMap(({ id }) => (leaks.isLeaked(id) ? [id] : []))),
    attached: cache.attachedTo(spec.networkName),
    wantedElsewhere: store
      .list('Network')
      .some(
        (other) =>
          other.metadata.name !== metadata.name &&
          isActive(other) &&
          other.spec.networkName === spec.networkName &&
          !other.spec.external,
      ),
  };
}

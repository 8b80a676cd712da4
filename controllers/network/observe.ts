import type { LogStream } from '../../api/device-state/logs.js';
import type { Store } from '../../api/store/store.js';
import { isActive } from '../../crds/model/active.js';
import { keyOf, type Network } from '../../crds/model/kinds.js';
import type { Engine } from '../engine/engine.js';
import type { EngineCache } from '../engine/engine-cache.js';
import type { Leaks } from './leaks.js';
import { isToBeMadeAnew, type NetworkFacts } from './plan.js';

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
export async function observeNetwork(
  deps: NetworkDeps,
  leaks: Leaks,
  network: Network,
  signal: AbortSignal,
): Promise<NetworkFacts> {
  const { store, cache } = deps;
  const { metadata, spec } = network;
  const seen = cache.networks(spec.networkName);
  const leaked = new Set(seen.flatMap(({ id }) => (leaks.isLeaked(id) ? [id] : [])));
  // A network that cannot go anyway stays, whoever is on it.
  const asks = leaked.size === 0 && isToBeMadeAnew(network, seen);
  return {
    seen,
    leaked,
    foreign: asks ? await foreignUsers(deps, seen, signal) : [],
    awaited:
      store.isAwaited(keyOf('Network', metadata.name)) ||
      (spec.app !== undefined && store.isAwaited(keyOf('App', spec.app))),
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

/** Returns the names of running containers on those networks that are not ours, of which the cache knows nothing. */
async function foreignUsers(
  { cache, engine }: NetworkDeps,
  seen: NetworkFacts['seen'],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const ours = new Set(cache.containers().map(({ name }) => name));
  const users = await Promise.all(seen.map(({ id }) => engine.networkUsers(id, signal)));
  return [...new Set(users.flatMap((names) => names ?? []))].filter((name) => !ours.has(name));
}

import type { LogStream } from '../../api/device-state/logs.js';
import type { Store } from '../../api/store/store.js';
import { isActive } from '../../crds/model/active.js';
import { COMPOSE_NETWORK, COMPOSE_PROJECT, networkKeyOf } from '../../crds/model/compose.js';
import { keyOf, type Network } from '../../crds/model/kinds.js';
import type { Engine, SeenContainer, SeenNetwork } from '../engine/engine.js';
import type { EngineCache } from '../engine/engine-cache.js';
import { SUPERVISED } from '../engine/labels.js';
import type { Leaks } from './leaks.js';
import { mustBeRecreated, type NetworkFacts } from './plan.js';

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
  const adopted = new Set(seen.filter((one) => isOfProject(one, network, deps)).map(({ id }) => id));
  const leaked = new Set(seen.flatMap(({ id }) => (leaks.isLeaked(id) ? [id] : [])));
  // A network that cannot go anyway stays, whoever is on it.
  const attached = cache.attachedTo(spec.networkName);
  const asks = leaked.size === 0 && mustBeRecreated(network, seen, adopted);
  return {
    seen,
    leaked,
    ...(adopted.size > 0 ? { adopted } : {}),
    foreign: asks
      ? [...(await foreignUsers(deps, seen, signal)), ...(await theirs(deps, network, adopted, signal))]
      : [],
    awaited:
      store.isAwaited(keyOf('Network', metadata.name)) ||
      (spec.app !== undefined && store.isAwaited(keyOf('App', spec.app))),
    attached,
    ...(isActive(network) ? {} : { staying: stayingOf(deps, attached) }),
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

/**
 * Tells whether docker compose has made that network for the same network of the project of the App's name. Its labels cannot
 * be changed, and it cannot be recreated while containers of both sides have to reach each other: it counts as the App's, as
 * it is. It has no data, and the App creates it again where its definition differs.
 */
function isOfProject({ labels }: SeenNetwork, { metadata, spec }: Network, { store }: NetworkDeps): boolean {
  if (labels[SUPERVISED] !== undefined || spec.app === undefined || labels[COMPOSE_PROJECT] !== spec.app) return false;
  const app = store.get('App', spec.app);
  if (!app || metadata.owner !== keyOf('App', spec.app)) return false;
  return labels[COMPOSE_NETWORK] === networkKeyOf(app, spec.networkName);
}

/** Returns the names of all containers of docker compose's project: one that is stopped needs its network to start again. */
async function theirs(
  { engine }: NetworkDeps,
  { spec }: Network,
  adopted: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (adopted.size === 0) return [];
  const all = await engine.listLabelled(`${COMPOSE_PROJECT}=${spec.app}`, signal);
  return all.flatMap(({ name, labels }) => (labels[SUPERVISED] === undefined ? [name] : []));
}

/** Returns the ids of those containers whose services are not being deleted. */
function stayingOf({ store }: NetworkDeps, attached: readonly SeenContainer[]): ReadonlySet<string> {
  const services = new Set(
    store
      .list('Service')
      .filter(isActive)
      .map(({ spec }) => `${spec.appId}/${spec.serviceName}`),
  );
  return new Set(
    attached.flatMap(({ id, appId, serviceName }) => (services.has(`${appId}/${serviceName}`) ? [id] : [])),
  );
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

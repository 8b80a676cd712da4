import { isActive } from '../../crds/model/active.js';
import { isReady, isStalled } from '../../crds/model/conditions.js';
import type { Network } from '../../crds/model/kinds.js';
import { API_NETWORK } from '../../crds/model/names.js';
import { isSuspended, saysSuspended } from '../../crds/model/suspend.js';
import type { EngineChange } from '../engine/engine-cache.js';
import type { Controller } from '../runtime/controller.js';
import { reconciler } from '../runtime/reconciler.js';
import { executeNetworkStep } from './execute.js';
import { Leaks } from './leaks.js';
import { type NetworkDeps, observeNetwork } from './observe.js';
import { planNetwork } from './plan.js';
import { networkStatus, reachCondition } from './status.js';

/** Creates the controller of Networks: one document, one Docker network. */
export const networkController = (deps: NetworkDeps, leaks = new Leaks()): Controller => ({
  kind: 'Network',
  workers: 4,
  reconcile: reconciler({
    kind: 'Network',
    store: deps.store,
    now: deps.now,
    cache: deps.cache,
    about: ({ spec }) =>
      [spec.networkName, ...deps.cache.networks(spec.networkName).map(({ id }) => id)].map((id) => `network/${id}`),
    unsynced: () => leaks.forget(),
    suspendedWith: ({ spec }) => spec.app,
    observe: (network, signal) => observeNetwork(deps, leaks, network, signal),
    plan: planNetwork,
    execute: (network, step, facts, signal) => executeNetworkStep(deps, leaks, network, step, facts, signal),
    status: networkStatus,
    conditions: (network) => reachCondition(deps.apiReach, network),
  }),
  watches: (wake) => {
    const { cache } = deps;
    const look = (change: EngineChange): void => {
      const isMeant = (id: string): boolean =>
        change.type === 'all' || (change.type === 'container' && change.id === id);
      if (change.type !== 'all' && change.type !== 'container') return;
      for (const container of cache.containers()) if (isMeant(container.id)) leaks.look(container);
    };
    const wakeWhere = (isAffected: (network: Network) => boolean): void => {
      for (const network of deps.store.list('Network')) if (isAffected(network)) wake(network.metadata.name);
    };
    const ends = [
      cache.onChange(look),
      cache.onChange((change) => wakeWhere((network) => isAffectedBy(change, network))),
      deps.apiReach?.onChange(() => wake(API_NETWORK)),
      deps.store.watch(({ object }) => {
        if (object.kind !== 'App') return;
        const suspended = isSuspended(object);
        wakeWhere(
          (network) =>
            network.spec.app === object.metadata.name && (suspended !== saysSuspended(network) || !isActive(network)),
        );
      }),
    ];
    return () => {
      for (const end of ends) end?.();
    };
  },
});

/**
 * Tells whether a change on the engine may give the network work: a container matters while one has to leave, another
 * network while it may be the one that overlaps. Pure.
 */
function isAffectedBy(change: EngineChange, network: Network): boolean {
  switch (change.type) {
    case 'all':
      return true;
    case 'network':
      return change.name === network.spec.networkName || isStalled(network);
    case 'container':
      return !isReady(network) || !isActive(network);
    case 'volume':
    case 'image':
      return false;
  }
}

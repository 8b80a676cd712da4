import { isReady, isStalled } from '../../crds/conditions.js';
import type { Network } from '../../crds/kinds.js';
import type { WorldChange } from '../docker/world.js';
import type { Controller } from '../runtime/controller.js';
import { type NetworkDeps, reconcileNetwork } from './reconcile.js';

/** Networks: one document, one Docker network. */
export const networkController = (deps: NetworkDeps): Controller => ({
  kind: 'Network',
  workers: 4,
  reconcile: reconcileNetwork(deps),
  wakes: (wake) =>
    deps.world.onChange((change) => {
      for (const network of deps.store.list('Network')) if (concerns(change, network)) wake(network.metadata.name);
    }),
});

/** A container matters while one has to leave; another network, while it may be the one that overlaps with ours. Pure. */
function concerns(change: WorldChange, network: Network): boolean {
  switch (change.type) {
    case 'all':
      return true;
    case 'network':
      return change.name === network.spec.networkName || isStalled(network);
    case 'container':
      return !isReady(network) || network.metadata.deletionTimestamp !== undefined;
    case 'volume':
    case 'image':
      return false;
  }
}

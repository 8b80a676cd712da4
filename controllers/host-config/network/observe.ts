import type { Store } from '../../../api/store/store.js';
import { isActive } from '../../../crds/model/active.js';
import type { HostConfig } from '../../../crds/model/kinds.js';
import { pendingRequest } from '../../../crds/model/requests.js';
import type { HostStateFile } from '../../host/host-state.js';
import type { HostNetwork } from '../../host/network/host-network.js';
import type { BootClock } from '../../host/power/boot-clock.js';
import type { Units } from '../../host/units.js';
import { judge, type Probes } from '../probe.js';
import type { NetworkObservation } from './plan.js';

/** What the controller of HostConfig `network` is given. */
export interface NetworkDeps {
  readonly store: Store;
  readonly state: HostStateFile;
  readonly clock: BootClock;
  readonly probes: Probes;
  readonly network: HostNetwork;
  readonly units: Units;
  readonly facts: { readonly uuid: string };
}

/** State that the controller keeps in memory only: a boot, which ends it, ends the waiting too. */
export interface Memory {
  /** A setting that takes effect only with the next boot. */
  note?: string | undefined;
}

/**
 * Reads everything that a decision about the network settings of the host depends on. For a deleted document only an
 * unconfirmed change is read, whatever the files say.
 */
export async function observeNetwork(
  deps: NetworkDeps,
  { note }: Memory,
  document: HostConfig,
): Promise<NetworkObservation> {
  const { state, network, units, facts, clock } = deps;
  const { trials, rolledBack, proven } = await state.load();
  const unconfirmed = trials.network;
  // A change that has failed is rolled back whatever can be reached by now.
  const verdict =
    unconfirmed?.failed === undefined
      ? await judge(deps, document, unconfirmed, { ...(await clock.read()), restartDue: false })
      : undefined;
  return {
    seen: isActive(document) ? await network.see() : undefined,
    uuid: facts.uuid,
    restartDue: document.status?.restartDue ?? false,
    canRename: units.present,
    ...{ unconfirmed, verdict, proven, note },
    rolledBack: rolledBack.network,
    request: pendingRequest(document, 'confirm')?.id,
  };
}

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

/** What a pass over HostConfig `network` works with. */
export interface NetworkDeps {
  readonly store: Store;
  readonly state: HostStateFile;
  readonly clock: BootClock;
  readonly probes: Probes;
  readonly network: HostNetwork;
  readonly units: Units;
  readonly facts: { readonly uuid: string };
}

/** What is known only while this process lives, and has to be: a boot, which ends it, ends the waiting too. */
export interface Memory {
  /** What takes effect at the next boot only. */
  note?: string | undefined;
}

/**
 * Everything that decides about the network settings of the host, read afresh. A document that is being deleted only takes
 * back what has not proved itself, whatever the files say.
 */
export async function observeNetwork(
  deps: NetworkDeps,
  { note }: Memory,
  document: HostConfig,
): Promise<NetworkObservation> {
  const { state, network, units, facts, clock } = deps;
  const { trials, rolledBack, proven } = await state.load();
  const unconfirmed = trials.network;
  // One that has failed is taken back whatever can be reached by now.
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

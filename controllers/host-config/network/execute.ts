import type { Store } from '../../../api/store/store.js';
import type { HostStateFile } from '../../host/host-state.js';
import type { HostNetwork } from '../../host/network/host-network.js';
import type { BootClock } from '../../host/power/boot-clock.js';
import type { Units } from '../../host/units.js';
import type { Proofs } from '../probe.js';

export interface HostConfigDeps {
  readonly store: Store;
  readonly state: HostStateFile;
  readonly clock: BootClock;
  readonly proofs: Proofs;
  readonly network: HostNetwork;
  readonly units: Units;
  readonly facts: { readonly uuid: string };
}

/** Restarted after a change of the proxy; of each group the first that the host has. */
const PROXY_SERVICES = [['balena-proxy-config.service', 'resin-proxy-config.service'], ['redsocks.service']] as const;
/** Newer host OSes watch the files and restart what is part of this target by themselves. */
const PROXY_TARGET = 'redsocks-conf.target';

/** Names a plain host: the running system where that can be done, and the file. */
export async function renameHost({ units, network }: HostConfigDeps, hostname: string): Promise<void> {
  if (units.present) await units.setHostname(hostname);
  await network.writeHostname(hostname);
}

/** The services that were restarted; undefined when this host has none of them, or no systemd. */
export async function restartProxy(units: Units): Promise<readonly string[] | undefined> {
  const restarted: string[] = [];
  let found = false;
  for (const names of PROXY_SERVICES) {
    for (const name of names) {
      const unit = await units.find(name);
      if (!unit) continue;
      found = true;
      if (!unit.partOf.includes(PROXY_TARGET)) {
        await units.restart(name);
        restarted.push(name);
      }
      break;
    }
  }
  return found ? restarted : undefined;
}

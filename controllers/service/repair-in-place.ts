import type { SeenContainer } from '../engine/engine.js';
import type { Plan } from '../runtime/outcome.js';
import { driftOf } from './container/drift.js';
import { doing, waitForNetworksAndVolumes } from './plan-steps.js';
import type { DesiredContainer, NetworkDependency, ServiceStep } from './service-state.js';
import type { UpdateStep } from './update/record.js';

/** Plans repairs that stop nothing. `seen`: the event by which a successor has taken over. Pure. */
export function repairInPlace(
  desired: DesiredContainer,
  current: SeenContainer,
  seen?: UpdateStep,
): Plan<ServiceStep> | undefined {
  const drift = desired.running ? driftOf(current, desired.tuning) : undefined;
  if (drift?.repair === 'unpause') {
    return doing('Unpausing', { do: 'unpause', container: current, because: drift.because });
  }
  if (drift?.repair === 'update') {
    return doing('Updating', { do: 'update', container: current, change: drift.change, because: drift.because });
  }
  const missing = desired.networks.find(({ name }) => current.networks[name] === undefined);
  if (missing) {
    const because = `not connected to network ${missing.name}`;
    return (
      waitForNetworksAndVolumes(desired) ??
      doing('Connecting', { do: 'connect', container: current, network: missing.name, because })
    );
  }
  return publishAliases(desired, current, seen);
}

/** Reconnects a container without its aliases so that others find it. Nobody can be talking to it by those names yet. Pure. */
function publishAliases(
  desired: DesiredContainer,
  current: SeenContainer,
  seen?: UpdateStep,
): Plan<ServiceStep> | undefined {
  const unknown = desired.networks.find((network) => isUnknown(network, current));
  if (!unknown) return undefined;
  const because = `not known as ${unknown.aliases.join(', ')} on network ${unknown.name}`;
  return (
    waitForNetworksAndVolumes(desired) ??
    doing('Introducing', {
      do: 'publishAliases',
      container: current,
      network: unknown.name,
      because,
      ...(seen ? { seen } : {}),
    })
  );
}

function isUnknown({ name, aliases }: NetworkDependency, { networks }: SeenContainer): boolean {
  const known = networks[name]?.aliases;
  return known !== undefined && aliases.some((alias) => !known.includes(alias));
}

import { isOn } from '../../../crds/model/host-access.js';
import {
  askedStrategy,
  DEFAULT_STRATEGY,
  HANDOVER_TIMEOUT,
  overlaps,
  type UpdateStrategy,
} from '../../../crds/model/update-strategy.js';
import type { Definition } from '../container/definition.js';
import { type Labels, REQUIRES_REBOOT } from '../spec/labels.js';

/** How a container of this service is replaced by one with another definition or image. */
export interface UpdatePolicy {
  readonly strategy: UpdateStrategy;
  /** ms after which a hand-over counts as complete. */
  readonly timeoutMs: number;
  /** Why another strategy than the requested one is followed. */
  readonly instead?: Instead;
}

/** `reason` is for programs, `message` for people. */
interface Instead {
  readonly reason: string;
  readonly message: string;
}

export interface UpdatePolicyInput {
  readonly definition: Definition;
  readonly field: UpdateStrategy | null | undefined;
  /** The name that the document gives the container. */
  readonly containerName?: string | undefined;
  /** Labels of the image, under their current names. */
  readonly imageLabels: Labels;
  /** Services that share the network of this one. */
  readonly guests: readonly string[];
}

const HANDOVER_TIMEOUT_MS = 60_000;

/** Returns the strategy that is followed: the requested one, or the default where that is not possible. Pure. */
export function updatePolicyOf({
  definition,
  field,
  containerName,
  imageLabels,
  guests,
}: UpdatePolicyInput): UpdatePolicy {
  const asked = askedStrategy(field, definition.labels, imageLabels);
  const timeoutMs = readTimeout(definition.labels[HANDOVER_TIMEOUT] ?? imageLabels[HANDOVER_TIMEOUT]);
  if (asked.is === 'unknown') {
    const message = `There is no update strategy ${asked.word}; ${DEFAULT_STRATEGY} is followed`;
    return { strategy: DEFAULT_STRATEGY, timeoutMs, instead: { reason: 'UnknownStrategy', message } };
  }
  const { strategy } = asked;
  const bootBound = isOn({ ...imageLabels, ...definition.labels }[REQUIRES_REBOOT]);
  const obstacle = !overlaps(strategy)
    ? undefined
    : bootBound
      ? { reason: 'RequiresReboot', message: 'starts with a boot of the device' }
      : containerName !== undefined
        ? { reason: 'FixedName', message: `has the fixed name ${containerName}` }
        : obstacleOf(strategy, definition, guests);
  if (!obstacle) return { strategy, timeoutMs };
  const message = `${strategy} needs two containers at once, but the service ${obstacle.message}; ${DEFAULT_STRATEGY} is followed`;
  return { strategy: DEFAULT_STRATEGY, timeoutMs, instead: { reason: obstacle.reason, message } };
}

/**
 * Returns what keeps a second container from running beside the first. Conflicts that an application can settle itself
 * (ports of a host network, a device) do not keep it from a hand-over.
 */
function obstacleOf(
  strategy: UpdateStrategy,
  { ports, network, plain, host }: Definition,
  guests: readonly string[],
): Instead | undefined {
  const port = ports.find(({ host }) => host !== 0); // a free one is another for each container
  if (port) return { reason: 'PublishesPorts', message: `publishes port ${port.host} of the host` };
  if (plain.MacAddress) return { reason: 'FixedAddress', message: `has the fixed address ${plain.MacAddress}` };
  const fixed =
    network.is === 'joined' &&
    Object.values(network.endpoints).flatMap(({ ipv4, ipv6, linkLocal = [] }) => ipv4 ?? ipv6 ?? linkLocal)[0];
  if (fixed) return { reason: 'FixedAddress', message: `has the fixed address ${fixed}` };
  if (guests.length > 0) return { reason: 'NetworkIsShared', message: `shares its network with ${guests.join(', ')}` };
  if (host.RestartPolicy?.Name === 'no') return { reason: 'RunsOnce', message: 'runs once (restart: no)' };
  if (strategy === 'hand-over') return undefined;
  if (network.is === 'engine' && network.mode === 'host') {
    return { reason: 'HostNetwork', message: 'uses the network of the host' };
  }
  if (network.is === 'service') return { reason: 'HostNetwork', message: `uses the network of ${network.service}` };
  const [device] = host.Devices ?? [];
  if (device) return { reason: 'UsesDevices', message: `uses device ${device.PathOnHost}` };
  return undefined;
}

/** Reads a positive number of ms, as the Supervisor does; anything else is the default. */
function readTimeout(label: string | undefined): number {
  const ms = label !== undefined && /^\d+$/.test(label.trim()) ? Number(label) : 0;
  return ms > 0 && ms <= Number.MAX_SAFE_INTEGER ? ms : HANDOVER_TIMEOUT_MS;
}

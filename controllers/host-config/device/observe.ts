import type { Store } from '../../../api/store/store.js';
import { isActive } from '../../../crds/model/active.js';
import {
  type DecodedVariables,
  decodeVariables,
  knownConfig,
  type VariableName,
} from '../../../crds/model/device-variables.js';
import { type AnyResource, type HostConfig, KINDS, keyOf } from '../../../crds/model/kinds.js';
import { DEVICE_DOCUMENT } from '../../../crds/model/names.js';
import { isProgressing, waitsForBoot } from '../../../crds/model/readiness.js';
import { pendingRequest } from '../../../crds/model/requests.js';
import type { HostConfigStatus } from '../../../crds/model/types.js';
import type { BootDevice } from '../../host/boot/backend.js';
import type { BootPartition } from '../../host/boot/boot-partition.js';
import type { HostStateFile } from '../../host/host-state.js';
import type { BootClock } from '../../host/power/boot-clock.js';
import type { PowerAnswer } from '../../host/power/power-request.js';
import type { RebootMarker } from '../../host/power/reboot-marker.js';
import type { Units } from '../../host/units.js';
import { attempt } from '../../runtime/outcome.js';
import { judge, type Probes } from '../probe.js';
import { type DeviceObservation, REPAIRS, rebootChanges, type SeenUnit } from './plan.js';
import { rebootPermission } from './reboot-window.js';

/** What a pass over HostConfig `device` works with. */
export interface DeviceDeps {
  readonly store: Store;
  readonly boot: BootPartition;
  readonly state: HostStateFile;
  readonly clock: BootClock;
  readonly marker: RebootMarker;
  readonly units: Units;
  readonly device: BootDevice;
  /** What the agent was started with. */
  readonly localMode: boolean;
  readonly probes: Probes;
  /** The time of day, ms since the epoch. */
  readonly now: () => number;
  /** Of a clock that is never set, ms. */
  readonly monotonic: () => number;
  /** What the device is; read anew at every pass. */
  system(): Promise<Pick<HostConfigStatus, 'system' | 'metrics'>>;
  /** Why this agent cannot restart the device. */
  obstacle(): string | undefined;
  /** Asks for a restart of the device, under the locks of all apps. */
  reboot(): Promise<PowerAnswer>;
  /** A system line for those who follow the logs. */
  say(message: string, isError?: boolean): void;
}

/** What is known only while this process lives. Times are of the monotonic clock, ms. */
export interface Memory {
  /** Units that were told to start or to stop, and when: at most once an hour, whether they obeyed or not. */
  readonly told: Map<string, number>;
  /** When passes have put back what somebody else had changed. */
  readonly repairs: number[];
}

/** Those of the last minute. Pure. */
export const recentRepairs = ({ repairs }: Memory, nowMs: number): readonly number[] =>
  repairs.filter((repairedMs) => nowMs - repairedMs < REPAIRS.withinMs);

/** Units of the host that a variable switches, where somebody declared it. */
const UNITS: readonly { readonly variable: VariableName; readonly units: readonly [string, ...string[]] }[] = [
  { variable: 'HOST_DISCOVERABILITY', units: ['avahi-daemon.service', 'avahi-daemon.socket'] },
  { variable: 'SUPERVISOR_VPN_CONTROL', units: ['openvpn.service'] },
];
const STOPPED = ['inactive', 'deactivating'];
const PATIENCE_MS = 60 * 60_000;

/** Everything that decides about the settings of the device, read afresh. */
export async function observeDevice(
  deps: DeviceDeps,
  memory: Memory,
  document: HostConfig,
): Promise<DeviceObservation> {
  const { spec, metadata } = document;
  const { config, unknown } = knownConfig(spec.config ?? {});
  const variables = decodeVariables(spec.config, deps);
  const seen = await deps.boot.see();
  const state = await deps.state.load();
  const clock = await deps.clock.read();
  const { units, notes } = await seeUnits(deps, variables, memory);
  const restartDue = rebootChanges(state, seen).length > 0;
  const waiting = waitingForBoot(deps.store);
  return {
    ...{ uid: metadata.uid, generation: metadata.generation, isDeleted: !isActive(document) },
    ...{ config, unknown, variables, units, notes, seen, state, waiting },
    device: deps.device,
    bootId: clock.bootId,
    isMarked: await deps.marker.isPending(deps.now() - clock.uptimeMs),
    verdict: await judge(deps, document, state.trials.device, { ...clock, restartDue }),
    request: pendingRequest(document, 'confirm')?.id,
    permission: attempt(() => rebootPermission(spec.reboot, deps.now())),
    obstacle: deps.obstacle(),
    unsettled: restartDue || waiting.length > 0 ? unsettled(deps.store) : [],
    repairs: recentRepairs(memory, deps.monotonic()).length,
    system: await deps.system(),
  };
}

async function seeUnits(
  { units, monotonic }: DeviceDeps,
  { declared, values }: DecodedVariables,
  { told }: Memory,
): Promise<{ readonly units: readonly SeenUnit[]; readonly notes: readonly string[] }> {
  const seen: SeenUnit[] = [];
  const notes: string[] = [];
  for (const { variable, units: names } of UNITS) {
    if (!declared.has(variable)) continue;
    const wanted = values[variable] === true;
    for (const unit of names) {
      const found = await units.find(unit);
      if (!found) {
        if (unit === names[0]) notes.push(`${variable}: this host has no ${unit}`);
        continue;
      }
      const active = !STOPPED.includes(found.activeState);
      const asked = monotonic() - (told.get(`${unit} ${wanted}`) ?? Number.NEGATIVE_INFINITY) < PATIENCE_MS;
      if (active !== wanted && asked)
        notes.push(`${variable}: ${unit} was told to ${wanted ? 'start' : 'stop'} and has not`);
      else seen.push({ unit, active, wanted });
    }
  }
  return { units: seen, notes };
}

/** Services that ask to be started with the next boot (io.balena.update.requires-reboot), by the container that waits. */
const waitingForBoot = (store: Store): readonly string[] =>
  store
    .list('Service')
    .filter(waitsForBoot)
    .map(
      ({ metadata, status }) =>
        `Service ${metadata.name} starts with it (container ${status?.container?.id.slice(0, 12)})`,
    );

/** Documents that are on their way. One that fails or waits for somebody is not: it may never get there. */
function unsettled(store: Store): readonly string[] {
  const all = KINDS.flatMap((kind): readonly AnyResource[] => store.list(kind) as readonly AnyResource[]);
  return all
    .filter((one) => {
      if (one.kind === 'HostConfig' && one.metadata.name === DEVICE_DOCUMENT) return false;
      const isNew = one.status?.conditions === undefined;
      return isProgressing(one) || (isNew && store.isPending(keyOf(one.kind, one.metadata.name)));
    })
    .map((one) => `${one.kind} ${one.metadata.name}`);
}

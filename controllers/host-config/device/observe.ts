import type { Store } from '../../../api/store/store.js';
import { isActive } from '../../../crds/model/active.js';
import { isObserved, isStalled } from '../../../crds/model/conditions.js';
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
import { applyOf } from '../../../crds/model/rollout.js';
import { isSuspended } from '../../../crds/model/suspend.js';
import type { HostConfigStatus } from '../../../crds/model/types.js';
import type { BootDevice } from '../../host/boot/backend.js';
import type { BootPartition } from '../../host/boot/boot-partition.js';
import type { HostStateFile } from '../../host/host-state.js';
import type { BootClock } from '../../host/power/boot-clock.js';
import type { PowerAnswer, PowerFailure } from '../../host/power/power-request.js';
import type { RebootMarker } from '../../host/power/reboot-marker.js';
import type { Units } from '../../host/units.js';
import { attempt } from '../../runtime/outcome.js';
import { judge, type Probes } from '../probe.js';
import { type DeviceObservation, REPAIRS, rebootChanges, type SeenUnit } from './plan.js';
import { rebootPermission } from './reboot-window.js';

/** What the controller of HostConfig `device` is given. */
export interface DeviceDeps {
  readonly store: Store;
  readonly boot: BootPartition;
  readonly state: HostStateFile;
  readonly clock: BootClock;
  readonly marker: RebootMarker;
  readonly units: Units;
  readonly device: BootDevice;
  /** Whether the agent was started in local mode. */
  readonly localMode: boolean;
  readonly probes: Probes;
  /** The time of day, ms since the epoch. */
  readonly now: () => number;
  /** Time of a clock that is never set, ms. */
  readonly monotonic: () => number;
  /** Reads what the device is and what it uses; called in every pass. */
  system(): Promise<Pick<HostConfigStatus, 'system' | 'metrics'>>;
  /** Returns why this agent cannot restart the device. */
  obstacle(): string | undefined;
  /** Requests a restart of the device, under the locks of all apps. */
  reboot(): Promise<PowerAnswer>;
  /** Returns how the last such restart failed after it was promised. */
  rebootFailure(): PowerFailure | undefined;
  /** Writes a line to the system log. */
  logLine(message: string, isError?: boolean): void;
}

/** State that the controller keeps in memory. Times are of the monotonic clock, ms. */
export interface Memory {
  /** Units that were started or stopped, and when: at most once an hour, whether it worked or not. */
  readonly requested: Map<string, number>;
  /** When passes have put back what somebody else had changed. */
  readonly repairs: number[];
  /** Since when a restart of the device has been due. */
  dueSinceMs: number | undefined;
}

/** Returns the repairs of the last minute. Pure. */
export const recentRepairs = ({ repairs }: Memory, nowMs: number): readonly number[] =>
  repairs.filter((repairedMs) => nowMs - repairedMs < REPAIRS.withinMs);

/** Units of the host that a variable starts or stops. */
const UNITS: readonly { readonly variable: VariableName; readonly units: readonly [string, ...string[]] }[] = [
  { variable: 'HOST_DISCOVERABILITY', units: ['avahi-daemon.service', 'avahi-daemon.socket'] },
  { variable: 'SUPERVISOR_VPN_CONTROL', units: ['openvpn.service'] },
];
const STOPPED = ['inactive', 'deactivating'];
const PATIENCE_MS = 60 * 60_000;

/** Reads everything that a decision about the settings of the device depends on. */
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
  const isDue = restartDue || waiting.length > 0;
  memory.dueSinceMs = isDue ? (memory.dueSinceMs ?? deps.monotonic()) : undefined;
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
    rebootFailure: deps.rebootFailure(),
    unsettled: isDue ? [...unsettled(deps.store), ...comingForBoot(deps, memory, clock.bootId)] : [],
    repairs: recentRepairs(memory, deps.monotonic()).length,
    system: await deps.system(),
  };
}

async function seeUnits(
  { units, monotonic }: DeviceDeps,
  { declared, values }: DecodedVariables,
  { requested }: Memory,
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
      const asked = monotonic() - (requested.get(`${unit} ${wanted}`) ?? Number.NEGATIVE_INFINITY) < PATIENCE_MS;
      if (active !== wanted && asked)
        notes.push(`${variable}: ${unit} was told to ${wanted ? 'start' : 'stop'} and has not`);
      else seen.push({ unit, active, wanted });
    }
  }
  return { units: seen, notes };
}

/** Returns the services that start with the next boot (io.balena.update.requires-reboot) and whose container waits for it. */
const waitingForBoot = (store: Store): readonly string[] =>
  store
    .list('Service')
    .filter(waitsForBoot)
    .map(
      ({ metadata, status }) =>
        `Service ${metadata.name} starts with it (container ${status?.container?.id.slice(0, 12)})`,
    );

/** How long a restart of the device waits for the images of releases that are promoted with it, ms. */
const LONGEST_DOWNLOAD_MS = 30 * 60_000;

/** Returns the Apps whose new release waits for a boot (`rollout.apply`) and is not on the device yet, so that both meet in one restart. */
function comingForBoot(
  { store, monotonic }: DeviceDeps,
  { dueSinceMs = 0 }: Memory,
  bootId: string,
): readonly string[] {
  if (monotonic() - dueSinceMs >= LONGEST_DOWNLOAD_MS) return [];
  const coming = store.list('App').filter((app) => {
    if (applyOf(app.spec) !== 'reboot' || !isActive(app) || isSuspended(app)) return false;
    const { name } = app.metadata;
    if (!isObserved(app)) return store.isPending(keyOf('App', name)); // nobody has looked at what it asks for
    const { next } = app.status ?? {};
    return next?.bootId === bootId && next.reason === undefined && !next.approved && !isStalled(app);
  });
  return coming.map(({ metadata }) => `App ${metadata.name}, whose release comes with it,`);
}

/** Returns documents that are being reconciled. One that fails or waits for somebody does not count: it may never get there. */
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

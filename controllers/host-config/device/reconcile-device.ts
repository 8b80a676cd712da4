import type { Store } from '../../../api/store/store.js';
import { withFacts } from '../../../crds/model/conditions.js';
import { type HostConfig, keyOf } from '../../../crds/model/kinds.js';
import { handlingOf, outstanding, withHandled } from '../../../crds/model/requests.js';
import type { HostConfigStatus } from '../../../crds/model/types.js';
import { LONG_WAIT_MS, type Outcome, type Reconcile, TerminalError } from '../../runtime/outcome.js';
import { deadlineOf } from '../commit-confirm.js';
import { compareBoot } from './compare-boot.js';
import type { PerformDeps } from './device-deps.js';
import { performDeviceStep } from './execute.js';
import { type ObservedDevice, observeDevice, type UnitMemory } from './observe.js';
import { type DeviceStep, type DeviceWorld, planDevice, rebootChanges } from './plan.js';

export interface DeviceDeps extends PerformDeps {
  readonly store: Store;
  /** What the device is; read anew at every pass. */
  system(): Promise<Pick<HostConfigStatus, 'system' | 'metrics'>>;
}

/** What is known only while this process lives. */
export interface DeviceMemory {
  readonly told: UnitMemory;
  /** When files were put back that somebody else had changed, by the monotonic clock, ms. */
  readonly repairs: number[];
}

/** Somebody who changes a file as often as we put it back would keep both of us busy for ever. */
const REPAIRS = { limit: 5, withinMs: 60_000, pauseMs: 10 * 60_000 } as const;
const EVENT_KEY = (name: string) => keyOf('HostConfig', name);

/**
 * One pass over the HostConfig `device`: one step towards what it says. Files are written only when they differ. A deleted
 * one goes when nothing of it is on trial any more.
 */
export const reconcileDeviceConfig =
  (deps: DeviceDeps, memory: DeviceMemory): Reconcile =>
  async ({ name }) => {
    const { store } = deps;
    const document = store.get('HostConfig', name);
    if (!document) return { is: 'settled' };
    const observed = await observeDevice(deps, document, memory.told);
    await report(deps, document, observed);
    const { verdict } = observed.world;
    if (verdict === undefined || verdict.is === 'not-begun') handleRequest(deps, document, verdict !== undefined);
    const plan = planDevice(observed.world);
    const contested = contest(memory, plan.steps, deps.monotonic());
    if (contested) return contested;
    for (const step of plan.steps) {
      const end = await performDeviceStep(deps, document, observed.world, step, memory.told, (type, reason, message) =>
        store.record(EVENT_KEY(name), { type, reason, message }),
      );
      if (end) return notNow(end, observed.world);
      if (step.do === 'end-trial') handleRequest(deps, document, false);
    }
    if (observed.world.isDeleted && plan.outcome.is === 'settled') await store.release(document);
    return plan.outcome;
  };

/** A restart of the device that could not be asked for: it stays due. */
function notNow({ message }: { readonly message: string }, { state, seen }: DeviceWorld): Outcome {
  const due = `The device has to be restarted: ${rebootChanges(state, seen).join(', ')}`;
  return { is: 'waiting', reason: 'RebootRequired', message: `${due}. ${message}`, forMs: LONG_WAIT_MS };
}

function contest({ repairs }: DeviceMemory, steps: readonly DeviceStep[], nowMs: number): Outcome | undefined {
  const repair = steps.find((step) => step.do === 'set' && step.isRepair);
  if (!repair) return undefined;
  const recent = repairs.filter((at) => nowMs - at < REPAIRS.withinMs);
  repairs.splice(0, repairs.length, ...recent, ...(recent.length < REPAIRS.limit ? [nowMs] : []));
  if (recent.length < REPAIRS.limit) return undefined;
  const message = `Somebody else changes it as often as it is put back: ${repair.because}`;
  return { is: 'waiting', reason: 'Contested', message, forMs: REPAIRS.pauseMs };
}

/** A request to confirm is dealt with when it has decided, and at once where there is nothing to decide yet. */
function handleRequest({ store }: DeviceDeps, document: HostConfig, isEarly: boolean): void {
  const request = outstanding(document, 'confirm');
  const current = store.get('HostConfig', document.metadata.name);
  if (!request || current?.metadata.uid !== document.metadata.uid) return;
  if (isEarly) {
    const message = 'The change takes effect when the device has been restarted, and can be confirmed after that';
    store.record(EVENT_KEY(document.metadata.name), { type: 'Warning', reason: 'NotConfirmed', message });
  }
  store.setStatus(current, { ...current.status, ...withHandled(handlingOf(current.status), { confirm: request.id }) });
}

/** Everything that was seen. Values of variables that are no boot settings are not in it. */
async function report(
  deps: DeviceDeps,
  { metadata }: HostConfig,
  { world, unknown, notes }: ObservedDevice,
): Promise<void> {
  const system = await deps.system();
  const current = deps.store.get('HostConfig', metadata.name);
  if (current?.metadata.uid !== metadata.uid) return;
  const { verdict, state, seen, variables } = world;
  const due = rebootChanges(state, seen);
  tellInvalid(deps, current, variables.invalid);
  const { handled } = handlingOf(current.status);
  const trial = state.trials.device && {
    deadlineSeconds: deadlineOf(current),
    ...(verdict?.is === 'open' ? { waitsFor: [...verdict.missing] } : {}),
  };
  deps.store.setStatus(
    current,
    withFacts<HostConfigStatus>(current, {
      ...system,
      boot: bootFacts(world),
      ...(due.length === 0 ? {} : { rebootRequired: [...due] }),
      ...(trial ? { trial } : {}),
      ...(unknown.length === 0 ? {} : { unknown: [...unknown] }),
      ...(variables.invalid.length === 0 ? {} : { invalid: variables.invalid.map((one) => one.name) }),
      ...(notes.length === 0 ? {} : { notes: [...notes] }),
      ...(handled ? { handled: { ...handled } } : {}),
    }),
  );
}

/** In the words of the Supervisor, once. */
function tellInvalid({ say }: DeviceDeps, { status }: HostConfig, invalid: DeviceWorld['variables']['invalid']): void {
  for (const { name, value, default: fallback } of invalid) {
    if (status?.invalid?.includes(name)) continue;
    say(
      `Warning: Ignoring invalid device configuration value for ${name}, value: '${value}'. Falling back to default (${fallback})`,
    );
  }
}

function bootFacts({ config, seen, state, device }: DeviceWorld): NonNullable<HostConfigStatus['boot']> {
  const files = seen.backends.map(({ backend }) => backend.name);
  try {
    const { differences, notApplicable } = compareBoot(config, seen, state.managed, device);
    const lacking = notApplicable.length === 0 ? {} : { notApplicable: [...notApplicable] };
    if (!seen.hasBoot) return { state: 'NotApplicable', ...lacking };
    return { state: differences.length === 0 ? 'Applied' : 'Differs', files, ...lacking };
  } catch (error) {
    if (error instanceof TerminalError) return { state: 'Differs', files }; // told by the conditions
    throw error;
  }
}

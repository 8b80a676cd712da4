import { decodeVariables } from '../../../crds/model/device-variables.js';
import { type HostConfig, keyOf } from '../../../crds/model/kinds.js';
import { acknowledgementsOf } from '../../../crds/model/requests.js';
import type { HostConfigStatus } from '../../../crds/model/types.js';
import { TerminalError } from '../../runtime/outcome.js';
import type { Facts } from '../../runtime/reconciler.js';
import { answered, confirmStatus } from '../commit-confirm.js';
import { compareBoot } from './compare-boot.js';
import type { DeviceDeps } from './observe.js';
import { type DeviceObservation, rebootChanges } from './plan.js';

/** Returns the status of the device's settings. Values of variables that are not boot settings are left out. Pure. */
export function deviceStatus(document: HostConfig, observation: DeviceObservation): Facts<'HostConfig'> {
  const { verdict, state, seen, variables, unknown, notes, request, system } = observation;
  const due = rebootChanges(state, seen);
  // A request to confirm is decided when nothing is unconfirmed any more, and can decide nothing before the restart.
  const isAnswered = verdict === undefined || verdict.is === 'not-started';
  return {
    ...system,
    boot: bootFacts(observation),
    ...(due.length === 0 ? {} : { rebootRequired: [...due] }),
    ...confirmStatus(document, state.trials.device, verdict),
    ...(unknown.length === 0 ? {} : { unknown: [...unknown] }),
    ...(variables.invalid.length === 0 ? {} : { invalid: variables.invalid.map((one) => one.name) }),
    ...(notes.length === 0 ? {} : { notes: [...notes] }),
    ...answered(document, isAnswered ? request : undefined),
  };
}

function bootFacts({ config, seen, state, device }: DeviceObservation): NonNullable<HostConfigStatus['boot']> {
  const files = seen.backends.map(({ backend }) => backend.name);
  try {
    const { differences, notApplicable } = compareBoot(config, seen, state.managed, device);
    const lacking = notApplicable.length === 0 ? {} : { notApplicable: [...notApplicable] };
    if (!seen.hasBoot) return { state: 'NotApplicable', ...lacking };
    return { state: differences.length === 0 ? 'Applied' : 'Differs', files, ...lacking };
  } catch (error) {
    if (error instanceof TerminalError) return { state: 'Differs', files }; // the conditions say why
    throw error;
  }
}

/** Records unknown variables, in the Supervisor's words, and a confirmation that came too early. */
export function announceDevice(deps: DeviceDeps, before: HostConfig, after: HostConfig): void {
  const isNew = (name: string): boolean =>
    after.status?.invalid?.includes(name) === true && !before.status?.invalid?.includes(name);
  for (const { name, value, default: fallback } of decodeVariables(after.spec.config, deps).invalid) {
    if (!isNew(name)) continue;
    deps.logLine(
      `Warning: Ignoring invalid device configuration value for ${name}, value: '${value}'. Falling back to default (${fallback})`,
    );
  }
  const [was, is] = [before, after].map(({ status }) => acknowledgementsOf(status).handled?.confirm);
  if (was === is || after.status?.trial === undefined) return;
  const message = 'The change takes effect when the device has been restarted, and can be confirmed after that';
  deps.store.record(keyOf('HostConfig', after.metadata.name), { type: 'Warning', reason: 'NotConfirmed', message });
}

import type { DecodedVariables } from '../../../crds/model/device-variables.js';
import type { HostConfigStatus } from '../../../crds/model/types.js';
import type { BootDevice } from '../../host/boot/backend.js';
import type { SeenBoot } from '../../host/boot/boot-partition.js';
import type { HostState } from '../../host/host-state.js';
import type { PowerFailure } from '../../host/power/power-request.js';
import { act, attempt, type Plan, settled, TerminalError, wait } from '../../runtime/outcome.js';
import { type ConfirmStep, planConfirm, UNPROVEN, type Verdict } from '../commit-confirm.js';
import { changeText, compareBoot, type Difference, valuesByVariable } from './compare-boot.js';
import type { RebootPermission } from './reboot-window.js';

export type DeviceStep =
  /** Notes what was booted, once after each start of the device. */
  | { readonly do: 'note-boot'; readonly because: string }
  /** Writes members of config.json. */
  | { readonly do: 'configure'; readonly members: Readonly<Record<string, unknown>>; readonly because: string }
  /** Notes that a file was put back that somebody else had changed. */
  | { readonly do: 'count-repair'; readonly because: string }
  | SetStep
  /** Notes which variables the agent owns when no file changes by it. */
  | { readonly do: 'own'; readonly managed: Readonly<Record<string, string>>; readonly because: string }
  | { readonly do: 'unit'; readonly unit: string; readonly verb: 'start' | 'stop'; readonly because: string }
  | { readonly do: 'write-marker' | 'remove-marker'; readonly because: string }
  | ConfirmStep
  /** Lets the document go although a restart of the device is due that cannot be had: somebody else has to see to it. */
  | { readonly do: 'leave-restart'; readonly because: string }
  /** Remember that a restart that was promised has failed: the next process asks again, too. */
  | { readonly do: 'note-failed-reboot'; readonly message: string; readonly because: string }
  | { readonly do: 'reboot'; readonly changes: readonly string[]; readonly because: string };

/** Writes the desired contents of a boot file. */
export interface SetStep {
  readonly do: 'set';
  readonly difference: Difference;
  readonly isRepair: boolean;
  readonly because: string;
}

/** A unit of the host that a variable starts or stops, as it is now. */
export interface SeenUnit {
  readonly unit: string;
  readonly active: boolean;
  readonly wanted: boolean;
}

/** Everything that a decision about the settings of the device depends on. */
export interface DeviceObservation {
  readonly uid: string;
  readonly generation: number;
  /** Its document is being deleted. */
  readonly isDeleted: boolean;
  /** Variables without prefixes, known names only. */
  readonly config: Readonly<Record<string, string>>;
  readonly variables: DecodedVariables;
  /** Names of unknown variables. */
  readonly unknown: readonly string[];
  readonly seen: SeenBoot;
  readonly device: BootDevice;
  readonly state: HostState;
  readonly bootId: string;
  /** Programs of the host are told that a restart is due. */
  readonly isMarked: boolean;
  readonly units: readonly SeenUnit[];
  /** Settings of the document that this host cannot carry out. */
  readonly notes: readonly string[];
  /** Undefined without an unconfirmed change. */
  readonly verdict: Verdict | undefined;
  /** Id of a request to confirm that was there at the time of the observation and is not acknowledged. */
  readonly request: string | undefined;
  /** May the device be restarted now; or why the document does not say it. */
  readonly permission: RebootPermission | TerminalError;
  /** Why this agent cannot restart the device. */
  readonly obstacle: string | undefined;
  /** How the last restart that was asked for failed; undefined while that is not known. */
  readonly rebootFailure?: PowerFailure | undefined;
  /** Containers that are created and wait for the next start of the device. */
  readonly waiting: readonly string[];
  /** Other documents that have not settled. */
  readonly unsettled: readonly string[];
  /** How many passes have recently put back what somebody else had changed. */
  readonly repairs: number;
  /** Facts and metrics of the device. */
  readonly system: Pick<HostConfigStatus, 'system' | 'metrics'>;
}

/**
 * How many repairs within what time make the agent pause. Somebody who changes a file as often as we put it back would
 * keep both of us busy forever.
 */
export const REPAIRS = { limit: 5, withinMs: 60_000, pauseMs: 10 * 60_000 } as const;

/** The members of config.json that variables set, where the host has one and somebody declared them. */
const MEMBERS = {
  SUPERVISOR_PERSISTENT_LOGGING: 'persistentLogging',
  SUPERVISOR_POLL_INTERVAL: 'appUpdatePollInterval',
} as const;
/** How soon to look again whether everything else has settled, ms. */
const LOOK_MS = 5_000;
const BOOT_MISSING =
  'The boot partition of this device is not there now: its settings wait until it is mounted again. Nothing of it is lost';

/**
 * Plans the settings of the device: first the files (config.json before the others, because the host may end this
 * process for it), then the confirmation of a change, and the restart of the device last. Throws `TerminalError` for
 * settings that cannot be made true. Pure.
 */
export function planDevice(observation: DeviceObservation): Plan<DeviceStep> {
  const { state, seen, bootId } = observation;
  const unconfirmed = state.trials.device;
  if (seen.hasBoot && state.booted?.bootId !== bootId) {
    return act('Observing', { do: 'note-boot', because: 'the device was started' });
  }
  if (unconfirmed && lacksBoot(observation)) return wait('BootPartitionMissing', BOOT_MISSING);
  if (unconfirmed?.failed !== undefined) return act('RollingBack', { do: 'roll-back', because: unconfirmed.failed });
  if (observation.isDeleted) return planDeleted(observation);
  const rolledBack = sameGeneration(state.rolledBack.device, observation) ? state.rolledBack.device : undefined;
  const towards = rolledBack ? undefined : settingsOf(observation);
  if (towards && !(towards instanceof TerminalError)) return towards;
  if (lacksBoot(observation)) return wait('BootPartitionMissing', BOOT_MISSING);
  const changes = rebootChanges(state, seen);
  const marking = planMarker(observation, changes);
  if (marking) return marking;
  if (rolledBack) {
    const restart = changes.length > 0 ? planReboot({ ...observation, unsettled: [] }, changes, true) : undefined;
    if (restart) return restart;
    throw new TerminalError(
      'RolledBack',
      `What was there before is back: ${rolledBack.because}. Change the document to try again`,
    );
  }
  const confirming = unconfirmed && observation.verdict && planConfirm(observation.verdict);
  if (confirming) return confirming;
  if (towards) throw towards; // an earlier change is confirmed or rolled back all the same
  const due = [...changes, ...observation.waiting];
  return due.length > 0 ? planReboot(observation, due, false) : settled();
}

/** Tells whether boot files cannot be read now: then neither what is due nor what has proved itself is known. */
const lacksBoot = ({ seen, state }: DeviceObservation): boolean =>
  !seen.hasBoot && (state.trials.device !== undefined || Object.keys(state.managed).length > 0);

/**
 * Plans for a deleted document: an unconfirmed change is rolled back, also out of what is booted. What was confirmed
 * stays, and what needed no confirmation. Settled: the document may go.
 */
function planDeleted(observation: DeviceObservation): Plan<DeviceStep> {
  const { state, seen, verdict, bootId } = observation;
  if (state.trials.device) {
    if (verdict?.is === 'good') return act('Confirming', { do: 'confirm', because: verdict.because });
    const because = verdict?.is === 'bad' ? verdict.because : UNPROVEN;
    return act('RollingBack', { do: 'give-up', because });
  }
  const changes = rebootChanges(state, seen);
  const marking = planMarker(observation, changes);
  if (marking) return marking;
  const isBooted = changes.length > 0 && state.rolledBack.device?.bootId === bootId;
  if (!isBooted) return settled();
  const refusal = restartRefusal(observation);
  if (refusal === undefined) return planReboot({ ...observation, unsettled: [] }, changes, true);
  return { steps: [{ do: 'leave-restart', because: `${dueText(changes)}. ${refusal}` }], outcome: { is: 'settled' } };
}

const sameGeneration = (
  one: { readonly uid: string; readonly generation: number } | undefined,
  { uid, generation }: { readonly uid: string; readonly generation: number },
): boolean => one?.uid === uid && one.generation === generation;

/** Plans the settings, or returns the error of a document that cannot be followed as a whole: nothing of it is written. */
const settingsOf = (observation: DeviceObservation): Plan<DeviceStep> | TerminalError | undefined =>
  observation.permission instanceof TerminalError ? observation.permission : attempt(() => planSettings(observation));

/** Plans files, ownership and units. Undefined when nothing differs. */
function planSettings(observation: DeviceObservation): Plan<DeviceStep> | undefined {
  const { state, units, config, seen, device } = observation;
  const { differences, managed } = compareBoot(config, seen, state.managed, device);
  const members = planMembers(observation);
  if (members) return act('Writing', members);
  if (differences.length > 0) {
    if (state.stuck && sameGeneration(state.stuck, observation))
      throw new TerminalError('DoesNotConverge', state.stuck.message);
    const steps = differences.map((difference) => setStep(difference, state));
    const repair = steps.find(({ isRepair }) => isRepair);
    return repair ? planRepair(observation, repair, steps) : act('Writing', ...steps);
  }
  if (JSON.stringify(managed) !== JSON.stringify(state.managed)) {
    return act('Observing', { do: 'own', managed, because: 'other variables are declared' });
  }
  const switching = units.filter(({ active, wanted }) => active !== wanted);
  if (switching.length === 0) return undefined;
  return act('Switching', ...switching.map(unitStep));
}

const unitStep = ({ unit, wanted }: SeenUnit): DeviceStep => ({
  do: 'unit',
  unit,
  verb: wanted ? 'start' : 'stop',
  because: `${unit} is ${wanted ? 'not running' : 'running'}`,
});

/** Returns the step that writes a file; a repair when it had the desired contents until somebody else changed it. */
function setStep(difference: Difference, { managed }: HostState): SetStep {
  const isRepair = difference.changes.every(({ variable, to }) => to !== undefined && managed[variable] === to);
  return { do: 'set', difference, isRepair, because: difference.changes.map(changeText).join(', ') };
}

/** Plans to put files back, unless somebody keeps changing them. */
function planRepair({ repairs }: DeviceObservation, { because }: SetStep, steps: readonly SetStep[]): Plan<DeviceStep> {
  if (repairs >= REPAIRS.limit)
    return wait('Contested', `Somebody else changes it as often as it is put back: ${because}`, REPAIRS.pauseMs);
  return { ...act('Writing', ...steps), steps: [{ do: 'count-repair', because }, ...steps] };
}

function planMembers({ seen, variables }: DeviceObservation): DeviceStep | undefined {
  const { config } = seen;
  if (!config) return undefined;
  const { declared, values } = variables;
  const differing = Object.entries(MEMBERS).filter(([name, member]) => {
    const variable = name as keyof typeof MEMBERS;
    // Values in the file may be strings; their meaning is compared.
    return declared.has(variable) && String(config[member]) !== String(values[variable]);
  });
  if (differing.length === 0) return undefined;
  const members = Object.fromEntries(differing.map(([name, member]) => [member, values[name as keyof typeof MEMBERS]]));
  const because = Object.entries(members).map(
    ([member, value]) => `${member}: ${String(config[member] ?? 'not set')} → ${value}`,
  );
  return { do: 'configure', members, because: because.join(', ') };
}

/** Returns the variables that were changed since the device was started and differ from what was booted. Pure. */
export function rebootChanges({ booted, touched }: HostState, seen: SeenBoot): readonly string[] {
  if (!seen.hasBoot || !booted) return [];
  const now = valuesByVariable(seen);
  return touched
    .filter((variable) => booted.values[variable] !== now[variable])
    .map((variable) => changeText({ variable, from: booted.values[variable], to: now[variable] }));
}

function planMarker({ isMarked, seen }: DeviceObservation, changes: readonly string[]): Plan<DeviceStep> | undefined {
  if (!seen.hasBoot || isMarked === changes.length > 0) return undefined;
  return isMarked
    ? act('Observing', { do: 'remove-marker', because: 'no restart of the device is due' })
    : act('Observing', { do: 'write-marker', because: changes.join(', ') });
}

/** Returns the message that a restart is due, and for what. Pure. */
export const dueText = (changes: readonly string[]): string => `The device has to be restarted: ${changes.join(', ')}`;

/** Returns why the agent will never restart the device. */
function restartRefusal({ permission, obstacle }: DeviceObservation): string | undefined {
  if (!(permission instanceof TerminalError) && permission.is === 'never')
    return 'spec.reboot is never: restart it by hand';
  return obstacle;
}

/** Plans the restart of the device. `urgent`: what was rolled back is still booted, and no window is waited for. */
function planReboot(observation: DeviceObservation, changes: readonly string[], urgent: boolean): Plan<DeviceStep> {
  const { state, bootId, uid, generation, permission, unsettled, rebootFailure } = observation;
  const due = dueText(changes);
  const asked =
    state.reboot?.generation === generation && JSON.stringify(state.reboot.changes) === JSON.stringify(changes)
      ? state.reboot
      : undefined;
  if (asked?.bootId === bootId) {
    if (!rebootFailure && asked.failed === undefined)
      return wait('RebootRequired', `${due}. It was asked to and has not done so yet`, LOOK_MS);
    const { message, inMs } = rebootFailure ?? { message: asked.failed ?? '', inMs: 0 };
    if (asked.failed !== message)
      return act('Observing', { do: 'note-failed-reboot', message, because: `the restart failed: ${message}` });
    if (inMs > 0) return wait('RebootRequired', `${due}. That failed, and is tried again: ${message}`, inMs);
  }
  // The request may have come from an earlier document.
  if (asked && asked.bootId !== bootId && (asked.uid ?? uid) === uid) {
    throw new TerminalError(
      'DoesNotConverge',
      `${due}. It was restarted for this before, and then something changed it back`,
    );
  }
  const refusal = restartRefusal(observation);
  if (refusal !== undefined) return wait('RebootRequired', `${due}. ${refusal}`);
  if (!(permission instanceof TerminalError) && permission.is === 'later' && !urgent) {
    const begins = permission.next === undefined ? 'does not begin within a week' : `begins at ${permission.next}`;
    return wait('RebootRequired', `${due}. Its window ${begins}`, permission.inMs);
  }
  if (unsettled.length > 0) {
    const some = `${unsettled.slice(0, 3).join(', ')}${unsettled.length > 3 ? ', …' : ''}`;
    return wait('RebootRequired', `${due}. It waits for ${some} to settle`, LOOK_MS);
  }
  return act('Rebooting', { do: 'reboot', changes, because: changes.join(', ') });
}

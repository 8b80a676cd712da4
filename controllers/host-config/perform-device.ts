import type { HostConfig } from '../../crds/kinds.js';
import { BOOT_BACKENDS, type BootBackend } from '../host/boot/backend.js';
import { sameValue, type WantedValues } from '../host/boot/values.js';
import type { SeenBoot } from '../host/boot-partition.js';
import type { Departure } from '../host/departure.js';
import type { DeviceUndo, HostState, Trial } from '../host/host-state.js';
import { TerminalError } from '../runtime/outcome.js';
import { changeText, type Difference, PERSISTENT_LOGGING, valuesByVariable } from './compare-boot.js';
import type { ObserveDeps, UnitMemory } from './observe-device.js';
import type { DeviceStep, DeviceWorld } from './plan-device.js';
import { beforeChange } from './proof.js';
import { deadlineOf } from './trial.js';

export interface PerformDeps extends ObserveDeps {
  /** Asks for a restart of the device, under the locks of all apps. */
  reboot(): Promise<Departure>;
  /** A system line for those who follow the logs. */
  say(message: string, isError?: boolean): void;
}

/** Tells the document's events. */
export type Tell = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

/** What happened, when it was not what was planned. */
export type StepEnd = undefined | { readonly is: 'locked' | 'refused'; readonly message: string };

/**
 * Takes one step. Whatever has to be known after a crash is on disk before the host is changed: what is touched, what was
 * there before. Every step may be taken again.
 */
export async function performDeviceStep(
  deps: PerformDeps,
  document: HostConfig,
  { seen, state, bootId, generation, uid }: DeviceWorld,
  step: DeviceStep,
  told: UnitMemory,
  tell: Tell,
): Promise<StepEnd> {
  const save = (change: Partial<HostState>): Promise<void> => changeState(deps, change);
  switch (step.do) {
    case 'note-boot':
      await save({ booted: { bootId, values: valuesByVariable(seen) }, touched: [] });
      return undefined;
    case 'own':
      await save({ managed: step.managed });
      return undefined;
    case 'configure':
      if ('persistentLogging' in step.members) await save({ touched: union(state.touched, [PERSISTENT_LOGGING]) });
      tell('Normal', 'Configuring', `Writing config.json: ${step.because}`); // the OS may end us right after
      await deps.boot.configure(step.members);
      return undefined;
    case 'set':
      await setBootFile(deps, document, seen, step, tell);
      return undefined;
    case 'unit':
      told.set(`${step.unit} ${step.verb === 'start'}`, deps.now());
      await deps.units.switch(step.unit, step.verb);
      tell('Normal', 'Switched', `Told ${step.unit} to ${step.verb}: ${step.because}`);
      return undefined;
    case 'leave-breadcrumb':
      await deps.breadcrumb.leave();
      deps.say(`Reboot has been scheduled to apply changes: ${step.because}`);
      tell('Normal', 'RebootRequired', `The device has to be restarted: ${step.because}`);
      return undefined;
    case 'withdraw-breadcrumb':
      await deps.breadcrumb.withdraw();
      return undefined;
    case 'begin-trial':
      await changeTrial(deps, { since: await deps.clock.read(), starts: step.starts });
      return undefined;
    case 'end-trial':
      await save({ trials: withoutDevice(state.trials) });
      tell('Normal', 'Confirmed', `The change stays: ${step.because}`);
      return undefined;
    case 'give-up':
      await changeTrial(deps, { failed: step.because });
      tell('Warning', 'RollingBack', `The change is taken back: ${step.because}`);
      return undefined;
    case 'restore':
      await save({ touched: union(state.touched, undoneVariables(state.trials.device)) });
      await restore(deps, seen, state.trials.device);
      await save({
        trials: withoutDevice(state.trials),
        rolledBack: { ...state.rolledBack, device: { uid, generation, because: step.because } },
        managed: state.trials.device?.undo.managed ?? state.managed,
      });
      tell('Warning', 'RolledBack', `What was there before is back: ${step.because}`);
      return undefined;
    case 'reboot': {
      const departure = await deps.reboot();
      if (departure.is !== 'scheduled') return departure;
      await save({ reboot: { bootId, generation, changes: step.changes } });
      tell('Normal', 'Rebooting', `Restarting the device: ${step.because}`);
      return undefined;
    }
  }
}

/** Writes a boot file, and looks whether it says now what it should. */
async function setBootFile(
  deps: PerformDeps,
  document: HostConfig,
  seen: SeenBoot,
  { difference, isRepair }: Extract<DeviceStep, { do: 'set' }>,
  tell: Tell,
): Promise<void> {
  const { backend, wanted, changes } = difference;
  await prepare(deps, document, seen, difference, isRepair);
  const shown = JSON.stringify(Object.fromEntries(changes.map(({ variable, to }) => [variable, to ?? null])));
  deps.say(`Applying boot config: ${shown}`);
  try {
    await deps.boot.set(backend, wanted);
  } catch (error) {
    deps.say(`Error setting boot config: ${error instanceof Error ? error.message : String(error)}`, true);
    throw new Error(`Could not change ${backend.name}`, { cause: error });
  }
  const list = changes.map(changeText).join(', ');
  if (isRepair) {
    const foreign = changes.map((one) => changeText({ ...one, from: one.to, to: one.from })).join(', ');
    tell('Warning', 'ForeignEdit', `${backend.name} was changed by somebody else (${foreign}); put back: ${list}`);
  } else tell('Normal', 'BootConfigChanged', `Wrote ${backend.name}: ${list}`);
  await checkReading(deps, document, backend, wanted);
  deps.say(`Applied boot config: ${shown}`);
}

/** Puts on disk what will be changed and what was there. A repair brings back what has proved itself: no trial. */
async function prepare(
  deps: PerformDeps,
  document: HostConfig,
  seen: SeenBoot,
  { backend, changes, wanted }: Difference,
  isRepair: boolean,
): Promise<void> {
  const state = await deps.state.load();
  const keys = Object.keys(wanted);
  const touching = changes.filter(({ variable }) => backend.needsReboot(backend.keyOf(variable) ?? ''));
  const touched = union(
    state.touched,
    touching.map(({ variable }) => variable),
  );
  const text = seen.backends.find((one) => one.backend.name === backend.name)?.text ?? null;
  if (!isRepair && text !== null) await deps.state.keep(backend.name, text);
  if (isRepair || deadlineOf(document) === 0) return changeState(deps, { touched });

  const { uid, generation } = document.metadata;
  const before = state.trials.device;
  const undo = before?.undo ?? { managed: state.managed, files: {} };
  const file = undo.files[backend.name] ?? { text, keys: [] };
  const { since: _, ...kept } = before ?? { before: await beforeChange(deps.proofs) };
  const device: Trial<DeviceUndo> = {
    ...kept,
    uid,
    generation,
    starts: 0,
    undo: { ...undo, files: { ...undo.files, [backend.name]: { ...file, keys: union(file.keys, keys) } } },
  };
  await changeState(deps, { touched, trials: { ...state.trials, device } });
}

async function checkReading(
  deps: PerformDeps,
  { metadata: { uid, generation } }: HostConfig,
  backend: BootBackend,
  wanted: WantedValues,
): Promise<void> {
  const seen = (await deps.boot.see()).backends.find((one) => one.backend.name === backend.name);
  const differing = Object.keys(wanted).filter((key) => !sameValue(seen?.now[key], wanted[key]));
  if (differing.length === 0) return;
  const names = differing.map((key) => backend.variableOf(key)).join(', ');
  const message = `${backend.name} was written and reads differently: ${seen?.trouble ?? names}. Change the document to try again`;
  await changeState(deps, { stuck: { uid, generation, message } });
  throw new TerminalError('DoesNotConverge', message);
}

/** What a rollback changes, as far as it takes effect at the next start of the device only. */
const undoneVariables = (trial: Trial<DeviceUndo> | undefined): readonly string[] =>
  Object.entries(trial?.undo.files ?? {}).flatMap(([name, { keys }]) => {
    const backend = BOOT_BACKENDS.find((one) => one.name === name);
    return backend ? keys.filter(backend.needsReboot).map(backend.variableOf) : [];
  });

/** Puts files back byte by byte; one that somebody else changed meanwhile gets only our keys back. */
async function restore({ boot }: PerformDeps, seen: SeenBoot, trial: Trial<DeviceUndo> | undefined): Promise<void> {
  for (const [name, { text, keys }] of Object.entries(trial?.undo.files ?? {})) {
    const backend = BOOT_BACKENDS.find((one) => one.name === name);
    const now = seen.backends.find((one) => one.backend.name === name);
    if (!backend || !now) continue;
    const before = backend.read(text ?? undefined);
    const ours = Object.fromEntries(keys.map((key) => [key, now.now[key]]));
    const isOnlyOurs = now.trouble !== undefined || backend.edit(text ?? undefined, ours) === now.text;
    if (isOnlyOurs) await boot.restore(backend, text ?? undefined);
    else await boot.set(backend, Object.fromEntries(keys.map((key) => [key, before[key]])));
  }
}

async function changeState({ state }: PerformDeps, change: Partial<HostState>): Promise<void> {
  await state.save({ ...(await state.load()), ...change });
}

async function changeTrial(deps: PerformDeps, change: Partial<Trial<DeviceUndo>>): Promise<void> {
  const { trials } = await deps.state.load();
  if (trials.device) await changeState(deps, { trials: { ...trials, device: { ...trials.device, ...change } } });
}

function withoutDevice(trials: HostState['trials']): HostState['trials'] {
  const { device: _, ...others } = trials;
  return others;
}

const union = (a: readonly string[], b: readonly string[]): readonly string[] => [...new Set([...a, ...b])];

import { errorMessage } from '../../../api/platform/errors.js';
import type { HostConfig } from '../../../crds/model/kinds.js';
import type { BootBackend } from '../../host/boot/backend.js';
import type { SeenBoot } from '../../host/boot/boot-partition.js';
import { type DesiredValues, sameValue } from '../../host/boot/values.js';
import type { DeviceUndo, UnconfirmedChange } from '../../host/host-state.js';
import { TerminalError } from '../../runtime/outcome.js';
import { deadlineOf } from '../commit-confirm.js';
import type { RecordEvent } from '../confirm-step.js';
import { beforeChange } from '../probe.js';
import { changeText, type Difference } from './compare-boot.js';
import type { DeviceDeps } from './observe.js';
import type { SetStep } from './plan.js';

/** Writes a boot file, and checks that it now reads as it should. */
export async function setBootFile(
  deps: DeviceDeps,
  document: HostConfig,
  seen: SeenBoot,
  { difference, isRepair }: SetStep,
  record: RecordEvent,
): Promise<void> {
  const { backend, wanted, changes } = difference;
  await prepare(deps, document, seen, difference, isRepair);
  const shown = JSON.stringify(Object.fromEntries(changes.map(({ variable, to }) => [variable, to ?? null])));
  deps.logLine(`Applying boot config: ${shown}`);
  try {
    await deps.boot.set(backend, wanted);
  } catch (error) {
    deps.logLine(`Error setting boot config: ${errorMessage(error)}`, true);
    throw new Error(`Could not change ${backend.name}`, { cause: error });
  }
  const list = changes.map(changeText).join(', ');
  if (isRepair) {
    const foreign = changes.map((one) => changeText({ ...one, from: one.to, to: one.from })).join(', ');
    record('Warning', 'ForeignEdit', `${backend.name} was changed by somebody else (${foreign}); put back: ${list}`);
  } else record('Normal', 'BootConfigChanged', `Wrote ${backend.name}: ${list}`);
  await checkReading(deps, document, backend, wanted);
  deps.logLine(`Applied boot config: ${shown}`);
}

/** Stores what will be changed and what was there before. A repair restores what was confirmed: it needs no confirmation. */
async function prepare(
  deps: DeviceDeps,
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
  if (isRepair || deadlineOf(document) === 0) return deps.state.change({ touched });

  const { uid, generation } = document.metadata;
  const before = state.trials.device;
  const undo = before?.undo ?? { managed: state.managed, files: {} };
  const file = undo.files[backend.name] ?? { text, keys: [] };
  const { since: _, ...kept } = before ?? { before: await beforeChange(deps.probes) };
  const device: UnconfirmedChange<DeviceUndo> = {
    ...kept,
    uid,
    generation,
    starts: 0,
    undo: { ...undo, files: { ...undo.files, [backend.name]: { ...file, keys: union(file.keys, keys) } } },
  };
  await deps.state.change({ touched, trials: { ...state.trials, device } });
}

async function checkReading(
  deps: DeviceDeps,
  { metadata: { uid, generation } }: HostConfig,
  backend: BootBackend,
  wanted: DesiredValues,
): Promise<void> {
  const seen = (await deps.boot.see()).backends.find((one) => one.backend.name === backend.name);
  const differing = Object.keys(wanted).filter((key) => !sameValue(seen?.now[key], wanted[key]));
  if (differing.length === 0) return;
  const names = differing.map((key) => backend.variableOf(key)).join(', ');
  const message = `${backend.name} was written and reads differently: ${seen?.error ?? names}. Change the document to try again`;
  await deps.state.change({ stuck: { uid, generation, message } });
  throw new TerminalError('DoesNotConverge', message);
}

/** Returns the items of both lists, each once. Pure. */
export const union = (a: readonly string[], b: readonly string[]): readonly string[] => [...new Set([...a, ...b])];

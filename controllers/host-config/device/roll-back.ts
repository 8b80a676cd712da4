import { BOOT_BACKENDS } from '../../host/boot/backend.js';
import type { BootPartition, SeenBoot } from '../../host/boot/boot-partition.js';
import type { DeviceUndo, HostStateFile, UnconfirmedChange } from '../../host/host-state.js';
import { withoutChange } from '../confirm-step.js';
import { union } from './write-boot.js';

export interface RollBackDeps {
  readonly boot: BootPartition;
  readonly state: HostStateFile;
}

/**
 * Restores what was there before the unconfirmed change, and notes that this generation is not to be tried again. May
 * end at any point and be repeated.
 */
export async function rollBack(deps: RollBackDeps, seen: SeenBoot, bootId: string, because: string): Promise<void> {
  const { touched, trials, rolledBack } = await deps.state.load();
  if (!trials.device) return;
  const { uid, generation } = trials.device;
  await deps.state.change({ touched: union(touched, undoneVariables(trials.device)) });
  await restoreFiles(deps, seen, trials.device);
  await deps.state.change({
    trials: withoutChange(trials, 'device'),
    rolledBack: { ...rolledBack, device: { uid, generation, because, bootId } },
    managed: trials.device.undo.managed,
  });
}

/** Returns the variables of a rollback that take effect only with the next start of the device. */
const undoneVariables = (unconfirmed: UnconfirmedChange<DeviceUndo>): readonly string[] =>
  Object.entries(unconfirmed.undo.files).flatMap(([name, { keys }]) => {
    const backend = BOOT_BACKENDS.find((one) => one.name === name);
    return backend ? keys.filter(backend.needsReboot).map(backend.variableOf) : [];
  });

/** Restores files byte by byte; in a file that somebody else changed meanwhile only our keys are restored. */
async function restoreFiles(
  { boot }: RollBackDeps,
  seen: SeenBoot,
  unconfirmed: UnconfirmedChange<DeviceUndo>,
): Promise<void> {
  for (const [name, { text, keys }] of Object.entries(unconfirmed.undo.files)) {
    const backend = BOOT_BACKENDS.find((one) => one.name === name);
    const now = seen.backends.find((one) => one.backend.name === name);
    if (!backend) continue;
    if (!now) {
      await boot.restore(backend, text ?? undefined); // the file has gone since
      continue;
    }
    const before = backend.read(text ?? undefined);
    const ours = Object.fromEntries(keys.map((key) => [key, now.now[key]]));
    const isOnlyOurs = now.error !== undefined || backend.edit(text ?? undefined, ours) === now.text;
    if (isOnlyOurs) await boot.restore(backend, text ?? undefined);
    else await boot.set(backend, Object.fromEntries(keys.map((key) => [key, before[key]])));
  }
}

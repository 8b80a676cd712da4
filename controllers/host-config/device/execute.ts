import { type HostConfig, keyOf } from '../../../crds/model/kinds.js';
import { wait } from '../../runtime/outcome.js';
import type { StepResult } from '../../runtime/reconciler.js';
import { executeConfirmStep, type RecordEvent } from '../confirm-step.js';
import { PERSISTENT_LOGGING, valuesByVariable } from './compare-boot.js';
import { type DeviceDeps, type Memory, recentRepairs } from './observe.js';
import { type DeviceObservation, type DeviceStep, dueText } from './plan.js';
import { rollBack } from './roll-back.js';
import { setBootFile, union } from './write-boot.js';

/**
 * Carries out one step. Everything that has to be known after a crash is on disk before the host is changed: what is
 * touched, and what was there before. Every step may be repeated. Throws `TerminalError` for a file that reads
 * differently than it was written.
 */
export async function executeDeviceStep(
  deps: DeviceDeps,
  memory: Memory,
  document: HostConfig,
  step: DeviceStep,
  { seen, state, bootId }: DeviceObservation,
): Promise<StepResult | undefined> {
  const { uid, generation, name } = document.metadata;
  const record: RecordEvent = (type, reason, message) =>
    deps.store.record(keyOf('HostConfig', name), { type, reason, message });
  switch (step.do) {
    case 'note-boot':
      await deps.state.change({ booted: { bootId, values: valuesByVariable(seen) }, touched: [] });
      return undefined;
    case 'own':
      await deps.state.change({ managed: step.managed });
      return undefined;
    case 'configure':
      if ('persistentLogging' in step.members)
        await deps.state.change({ touched: union(state.touched, [PERSISTENT_LOGGING]) });
      record('Normal', 'Configuring', `Writing config.json: ${step.because}`); // the OS may end this process right after
      await deps.boot.configure(step.members);
      return undefined;
    case 'count-repair':
      memory.repairs.splice(0, memory.repairs.length, ...recentRepairs(memory, deps.monotonic()), deps.monotonic());
      return undefined;
    case 'set':
      await setBootFile(deps, document, seen, step, record);
      return undefined;
    case 'unit':
      memory.requested.set(`${step.unit} ${step.verb === 'start'}`, deps.monotonic());
      await deps.units.switch(step.unit, step.verb);
      record('Normal', 'Switched', `Told ${step.unit} to ${step.verb}: ${step.because}`);
      return undefined;
    case 'write-marker':
      await deps.marker.write();
      deps.logLine(`Reboot has been scheduled to apply changes: ${step.because}`);
      record('Normal', 'RebootRequired', `The device has to be restarted: ${step.because}`);
      return undefined;
    case 'remove-marker':
      await deps.marker.remove();
      return undefined;
    case 'start-timer':
    case 'confirm':
    case 'give-up':
      await executeConfirmStep(deps, 'device', step, { uid, generation }, record);
      return undefined;
    case 'roll-back':
      await rollBack(deps, seen, bootId, step.because);
      record('Warning', 'RolledBack', `What was there before is back: ${step.because}`);
      return undefined;
    case 'leave-restart':
      record('Warning', 'RebootRequired', step.because);
      return undefined;
    case 'note-failed-reboot':
      if (state.reboot) await deps.state.change({ reboot: { ...state.reboot, failed: step.message } });
      record('Warning', 'RebootFailed', `Could not restart the device: ${step.message}; it is tried again`);
      return undefined;
    case 'reboot': {
      const answer = await deps.reboot();
      if (answer.is !== 'scheduled')
        return { outcome: wait('RebootRequired', `${dueText(step.changes)}. ${answer.message}`).outcome };
      await deps.state.change({ reboot: { bootId, uid, generation, changes: step.changes } });
      record('Normal', 'Rebooting', `Restarting the device: ${step.because}`);
      return undefined;
    }
  }
}

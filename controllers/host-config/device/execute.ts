import type { HostConfig } from '../../../crds/model/kinds.js';
import type { DeviceUndo, Trial } from '../../host/host-state.js';
import { PERSISTENT_LOGGING, valuesByVariable } from './compare-boot.js';
import type { PerformDeps, Tell } from './device-deps.js';
import type { UnitMemory } from './observe.js';
import type { DeviceStep, DeviceWorld } from './plan.js';
import { rollBack, withoutDevice } from './roll-back.js';
import { setBootFile, union } from './write-boot.js';

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
      tell('Normal', 'Configuring', `Writing config.json: ${step.because}`); // the OS may end us right after
      await deps.boot.configure(step.members);
      return undefined;
    case 'set':
      await setBootFile(deps, document, seen, step, tell);
      return undefined;
    case 'unit':
      told.set(`${step.unit} ${step.verb === 'start'}`, deps.monotonic());
      await deps.units.switch(step.unit, step.verb);
      tell('Normal', 'Switched', `Told ${step.unit} to ${step.verb}: ${step.because}`);
      return undefined;
    case 'write-marker':
      await deps.marker.write();
      deps.say(`Reboot has been scheduled to apply changes: ${step.because}`);
      tell('Normal', 'RebootRequired', `The device has to be restarted: ${step.because}`);
      return undefined;
    case 'remove-marker':
      await deps.marker.remove();
      return undefined;
    case 'begin-trial':
      await changeTrial(deps, { since: await deps.clock.read(), starts: step.starts });
      return undefined;
    case 'end-trial':
      await deps.state.change({ trials: withoutDevice(state.trials) });
      tell('Normal', 'Confirmed', `The change stays: ${step.because}`);
      return undefined;
    case 'give-up':
      // The generation that has failed: one that comes meanwhile has not been tried.
      await changeTrial(deps, { failed: step.because, uid, generation });
      tell('Warning', 'RollingBack', `The change is taken back: ${step.because}`);
      return undefined;
    case 'restore':
      await rollBack(deps, seen, bootId, step.because);
      tell('Warning', 'RolledBack', `What was there before is back: ${step.because}`);
      return undefined;
    case 'leave-restart':
      tell('Warning', 'RebootRequired', step.because);
      return undefined;
    case 'reboot': {
      const answer = await deps.reboot();
      if (answer.is !== 'scheduled') return answer;
      await deps.state.change({ reboot: { bootId, uid, generation, changes: step.changes } });
      tell('Normal', 'Rebooting', `Restarting the device: ${step.because}`);
      return undefined;
    }
  }
}

async function changeTrial({ state }: PerformDeps, change: Partial<Trial<DeviceUndo>>): Promise<void> {
  const { trials } = await state.load();
  if (trials.device) await state.change({ trials: { ...trials, device: { ...trials.device, ...change } } });
}

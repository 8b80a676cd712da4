import type { EventReason } from '../../crds/model/event-reasons.js';
import type { HostState, HostStateFile, UnconfirmedChange } from '../host/host-state.js';
import type { BootClock } from '../host/power/boot-clock.js';
import type { ConfirmStep } from './commit-confirm.js';

/** Records an event about the document. */
export type RecordEvent = (type: 'Normal' | 'Warning', reason: EventReason, message: string) => void;

interface ConfirmDeps {
  readonly state: HostStateFile;
  readonly clock: BootClock;
}

type Settings = keyof HostState['trials'];

/**
 * Carries out a step about an unconfirmed change, except rolling it back. A decision is on disk before an event reports
 * it, because the agent may end at any point.
 */
export async function executeConfirmStep(
  { state, clock }: ConfirmDeps,
  part: Settings,
  step: Exclude<ConfirmStep, { do: 'roll-back' }>,
  { uid, generation }: Pick<UnconfirmedChange, 'uid' | 'generation'>,
  record: RecordEvent,
): Promise<void> {
  const { trials } = await state.load();
  const change = async (to: Partial<UnconfirmedChange>): Promise<void> => {
    if (trials[part]) await state.change({ trials: { ...trials, [part]: { ...trials[part], ...to } } });
  };
  switch (step.do) {
    case 'start-timer':
      return change({ since: await clock.read(), starts: step.starts });
    case 'confirm':
      await state.change({ trials: withoutChange(trials, part) });
      return record('Normal', 'Confirmed', `The change stays: ${step.because}`);
    case 'give-up':
      // The generation that has failed: a later one has not been tried.
      await change({ failed: step.because, uid, generation });
      return record('Warning', 'RollingBack', `The change is taken back: ${step.because}`);
  }
}

/** Returns the unconfirmed changes without that one. Pure. */
export function withoutChange(trials: HostState['trials'], part: Settings): HostState['trials'] {
  const { [part]: _, ...others } = trials;
  return others;
}

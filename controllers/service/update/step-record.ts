import type { ServiceStep } from '../service-state.js';
import { isOpen, newRecord, timeOf, type UpdateRecord, type UpdateStep, withStep } from './record.js';

/** Tells whether the step begins an update as soon as it has created the container: the old one runs on beside it. Pure. */
export const beginsUpdate = (step: ServiceStep): step is Extract<ServiceStep, { do: 'create' }> =>
  step.do === 'create' && step.surge !== undefined;

/**
 * Returns the record when a step begins: a new one with the end of an old container, none any more when the new
 * container goes again. An update whose creation the engine refuses never began. `createdAheadAt`: see `ServiceResult`.
 * Pure.
 */
export function recordBefore(
  step: ServiceStep,
  last: UpdateRecord | undefined,
  createdAheadAt: number | undefined,
): UpdateRecord | undefined {
  if (step.do !== 'terminate') return last;
  const { update, because } = step;
  if (update?.is === 'first') {
    const record = newRecord(update.strategy, because);
    return createdAheadAt === undefined
      ? record
      : withStep(record, 'Created', { at: createdAheadAt, stoppedForMs: undefined });
  }
  // The reply to its creation was lost, or an agent died before it noted that.
  if (update?.is === 'succeeded') return isOpen(last) ? last : newRecord(update.strategy, because);
  const isTakenBack = isOpen(last) && step.remove && timeOf(last, 'Stopped') === undefined;
  return isTakenBack && timeOf(last, 'Removed') === undefined ? undefined : last;
}

/** Returns the record with what a step has reached: a new one where that begins an update. Pure. */
export const recordReached = (
  step: ServiceStep | undefined,
  reached: UpdateStep,
  last: UpdateRecord | undefined,
): UpdateRecord | undefined =>
  reached === 'Created' && step && beginsUpdate(step) && step.surge ? newRecord(step.surge, step.because) : last;

import type { ServiceStatus } from '../../../crds/model/types.js';
import type { UpdateStrategy } from '../../../crds/model/update-strategy.js';

/** The status's record of the last update. */
export type UpdateRecord = NonNullable<ServiceStatus['update']>;

export type UpdateStep =
  /** Steps of the old container. */
  | 'Stopping'
  | 'Stopped'
  | 'Removed'
  /** Steps of the new container. */
  | 'Created'
  | 'Started'
  | 'Introduced'
  /** Why the old container may go. */
  | 'Signalled'
  | 'TimedOut'
  | 'Healthy'
  | 'Steady'
  /** Nothing is left to do. */
  | 'Complete';

export const newRecord = (strategy: UpdateStrategy, because: string): UpdateRecord => ({
  strategy,
  because,
  steps: [],
});

/**
 * Adds a step to the record; each is noted once, and none after `Complete`. `at` in ms since the epoch; `stoppedForMs`
 * is how long ago the old container was stopped, measured without the wall clock, which may be set. Pure.
 */
export function withStep(
  record: UpdateRecord,
  step: UpdateStep,
  { at, stoppedForMs }: { readonly at: number; readonly stoppedForMs: number | undefined },
): UpdateRecord {
  if (timeOf(record, step) !== undefined || !isOpen(record)) return record;
  const next = { ...record, steps: [...record.steps, { step, at: new Date(at).toISOString() }] };
  if (step === 'Stopped' && timeOf(record, 'Started') !== undefined) return { ...next, downtimeMs: 0 };
  return step === 'Started' && stoppedForMs !== undefined ? { ...next, downtimeMs: Math.round(stoppedForMs) } : next;
}

/** Returns when a step was noted, ms since the epoch; undefined when it was not. Pure. */
export function timeOf(record: UpdateRecord | undefined, step: UpdateStep): number | undefined {
  const found = record?.steps.find((one) => one.step === step);
  return found && Date.parse(found.at);
}

export const isOpen = (record: UpdateRecord | undefined): record is UpdateRecord =>
  record !== undefined && timeOf(record, 'Complete') === undefined;

import type { ServiceStatus } from '../../../crds/model/types.js';
import type { UpdateStrategy } from '../../../crds/model/update-strategy.js';

/** What a status tells of the last update. */
export type UpdateRecord = NonNullable<ServiceStatus['update']>;

export type UpdateStep =
  /** Of the old container. */
  | 'Stopping'
  | 'Stopped'
  | 'Removed'
  /** Of the new one. */
  | 'Created'
  | 'Started'
  | 'Introduced'
  /** Why the old one may go. */
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

/** The record with one more step; each is noted once, and none after the end. `at` in ms since the epoch. Pure. */
export function withStep(record: UpdateRecord, step: UpdateStep, at: number): UpdateRecord {
  if (timeOf(record, step) !== undefined || !isOpen(record)) return record;
  const next = { ...record, steps: [...record.steps, { step, at: new Date(at).toISOString() }] };
  const [stopped, started] = [timeOf(next, 'Stopped'), timeOf(next, 'Started')];
  return stopped === undefined || started === undefined
    ? next
    : { ...next, downtimeMs: Math.max(0, started - stopped) };
}

/** When a step was noted, ms since the epoch. Pure. */
export function timeOf(record: UpdateRecord | undefined, step: UpdateStep): number | undefined {
  const found = record?.steps.find((one) => one.step === step);
  return found && Date.parse(found.at);
}

export const isOpen = (record: UpdateRecord | undefined): record is UpdateRecord =>
  record !== undefined && timeOf(record, 'Complete') === undefined;

import cron from 'node-cron';
import { cronIssue, windowCron } from '../../../crds/model/cron.js';
import type { HostConfigSpec } from '../../../crds/model/types.js';
import { firstMinute, LONGEST_WAIT_MS } from '../../runtime/cron-times.js';
import { InvalidSpecError } from '../../runtime/outcome.js';

/** Whether the device may be restarted now. `inMs`: when to look again; `next`: undefined when no window begins within a week. */
export type RebootPermission =
  | { readonly is: 'allowed' }
  | { readonly is: 'never' }
  | { readonly is: 'later'; readonly inMs: number; readonly next: string | undefined };

const MINUTE_MS = 60_000;
const WEEK_MS = 7 * 24 * 60 * MINUTE_MS;

/** Returns what `spec.reboot` permits at a time. Throws `InvalidSpecError` for an invalid cron expression. */
export function rebootPermission(reboot: HostConfigSpec['reboot'], nowMs: number): RebootPermission {
  if (reboot === 'never') return { is: 'never' };
  const expression = windowCron(reboot);
  if (expression === undefined) return { is: 'allowed' };
  // Documents that were stored before the check may have an invalid expression.
  const message = cronIssue(expression) ?? (cron.validate(expression) ? undefined : 'No month has such a day');
  if (message !== undefined) throw new InvalidSpecError([{ path: 'spec.reboot', message }]);
  // A cron expression without seconds matches the first second of a minute; the window is the whole minute.
  const minute = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  const next = firstMinute(expression, { fromMs: minute, toMs: minute + WEEK_MS });
  if (next === minute) return { is: 'allowed' };
  if (next === undefined) return { is: 'later', inMs: LONGEST_WAIT_MS, next };
  return { is: 'later', inMs: Math.min(next - nowMs, LONGEST_WAIT_MS), next: new Date(next).toISOString() };
}

import { cronIssue, timeZoneIssue } from '../model/cron.js';
import { durationMs } from '../model/duration.js';
import { shorten } from '../model/issue.js';
import { startPeriodMs } from '../model/rollout.js';
import type { AppSpec } from '../model/types.js';
import type { Found } from './check-service.js';

/** Checks what the schema cannot express about when a release is promoted, and when it is good. Pure. */
export const checkRollout = (spec: AppSpec): readonly Found[] => [...tooShortDeadline(spec), ...checkWhen(spec)];

/** A deadline that is over before a healthcheck counts condemns every release. */
function tooShortDeadline({ rollout, services }: AppSpec): Found[] {
  const seconds = rollout?.progressDeadlineSeconds;
  if (seconds === undefined) return [];
  return Object.entries(services ?? {}).flatMap(([name, service]): Found[] => {
    const startMs = startPeriodMs(service);
    if (startMs < seconds * 1000) return [];
    const message = `Shorter than the start period of ${name} (${Math.ceil(startMs / 1000)} s), so no release would ever be good`;
    return [[['rollout', 'progressDeadlineSeconds'], message]];
  });
}

/** Shortest window, ms: it has to be noticed. */
const SHORTEST_WINDOW_MS = 60_000;
/** Longest window, ms. */
const LONGEST_WINDOW_MS = 31 * 24 * 3_600_000;

function checkWhen({ rollout }: AppSpec): Found[] {
  const { apply, window } = rollout ?? {};
  if (!window) {
    const message = 'Needs a window beside it, such as window: {cron: 0 2 * * *, duration: 2h}';
    return apply === 'window' ? [[['rollout', 'apply'], message]] : [];
  }
  const { cron, duration, timeZone } = window;
  const found: Found[] = [];
  const report = (field: string, message: string): void => void found.push([['rollout', 'window', field], message]);
  if (apply !== undefined && apply !== 'window') {
    found.push([['rollout', 'window'], `Has no effect beside apply: ${apply}; take one of them out`]);
  }
  const noCron = cronIssue(cron, 'five');
  if (noCron !== undefined) report('cron', noCron);
  const lengthMs = durationMs(duration) ?? 0;
  if (lengthMs < SHORTEST_WINDOW_MS) report('duration', `Too short: ${shorten(duration)}, at least 1m`);
  if (lengthMs > LONGEST_WINDOW_MS)
    report('duration', `Too long: ${shorten(duration)}, at most 31d; apply: now for always`);
  const noZone = timeZone === undefined ? undefined : timeZoneIssue(timeZone);
  if (noZone !== undefined) report('timeZone', noZone);
  return found;
}

import cron from 'node-cron';
import { cronIssue } from '../../crds/model/cron.js';
import { durationMs } from '../../crds/model/duration.js';
import type { GitSource } from '../../crds/model/kinds.js';
import { outstanding } from '../../crds/model/requests.js';
import { isSuspended } from '../../crds/model/suspend.js';
import type { GitSourceSpec } from '../../crds/model/types.js';
import { InvalidSpecError } from '../runtime/outcome.js';

/** What a pass does about one source. */
export type SourcePlan =
  | { readonly do: 'remove' | 'suspend' | 'rest' }
  | { readonly do: 'sync'; readonly because: string };

export interface SourceFacts {
  /** It is time for the next look. */
  readonly isDue: boolean;
  /** Somebody asked for a pass: a hook, an update, a new generation, a request. */
  readonly isPending: boolean;
  /** The device is another than at the last sync: its name, its tags. */
  readonly isOther: boolean;
  /** The last try failed in a way that may pass. */
  readonly isRetry: boolean;
}

/** Whether to look at the repository now, and why. Pure. */
export function planSource(source: GitSource, facts: SourceFacts): SourcePlan {
  const { metadata, status } = source;
  if (metadata.deletionTimestamp !== undefined) return { do: 'remove' };
  if (isSuspended(source)) return { do: 'suspend' };
  const because =
    (outstanding(source, 'confirm') && 'confirmed') ||
    (outstanding(source, 'sync') && 'asked for') ||
    (status?.checkedAt === undefined && 'not looked at yet') ||
    (status?.observedGeneration !== metadata.generation && 'spec changed') ||
    (facts.isPending && 'asked for') ||
    (facts.isRetry && 'failed before') ||
    (facts.isOther && 'the device changed') ||
    (facts.isDue && 'due') ||
    undefined;
  return because === undefined ? { do: 'rest' } : { do: 'sync', because };
}

const INTERVAL_MS = 5 * 60_000;
/** Documents that were stored before their check knew of it may say more than a date can be, ms. */
const LONGEST_INTERVAL_MS = 3650 * 24 * 3_600_000;
/** A fleet that was switched on at once does not ask at once for ever. */
const JITTER = 0.1;

/** How long until the next look by the interval, less up to a tenth, ms; infinite where only a cron says when. `random`: 0 ≤ x < 1. Pure. */
export function intervalMs(
  { interval, cron: times }: Pick<GitSourceSpec, 'interval' | 'cron'>,
  random: number,
): number {
  if (interval === undefined && times !== undefined) return Number.POSITIVE_INFINITY;
  const everyMs =
    interval === undefined ? INTERVAL_MS : Math.min(durationMs(interval) ?? INTERVAL_MS, LONGEST_INTERVAL_MS);
  return Math.round(everyMs * (1 - random * JITTER));
}

/**
 * How long until a cron expression fits next, ms. Throws InvalidSpecError for a text that is none: documents that were
 * stored before their check knew of it have not passed it.
 */
export function cronInMs(expression: string): number {
  const message = cronIssue(expression) ?? (cron.validate(expression) ? undefined : 'No month has such a day');
  if (message !== undefined) throw new InvalidSpecError([{ path: 'spec.cron', message }]);
  const task = cron.createTask(expression, () => undefined);
  try {
    task.start(); // one that rests has no next run
    const next = task.getNextRun()?.getTime() ?? Number.POSITIVE_INFINITY;
    return Math.max(0, next - Date.now());
  } finally {
    task.destroy();
  }
}

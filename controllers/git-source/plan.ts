import cron from 'node-cron';
import { durationMs } from '../../crds/duration.js';
import type { GitSource } from '../../crds/kinds.js';
import { outstanding } from '../../crds/requests.js';
import { isSuspended } from '../../crds/suspend.js';
import type { GitSourceSpec } from '../../crds/types.js';
import { InvalidSpecError } from '../runtime/outcome.js';

/** What a pass does about one source. */
export type SourcePlan =
  | { readonly do: 'remove' | 'suspend' | 'rest' }
  | { readonly do: 'sync'; readonly because: string };

export interface SourceFacts {
  readonly nowMs: number;
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
    (isDue(status?.nextSyncAt, facts.nowMs) && 'due') ||
    undefined;
  return because === undefined ? { do: 'rest' } : { do: 'sync', because };
}

const isDue = (at: string | undefined, nowMs: number): boolean => at !== undefined && Date.parse(at) <= nowMs;

const INTERVAL_MS = 5 * 60_000;
/** A fleet that was switched on at once does not ask at once for ever. */
const JITTER = 0.1;

/** When to look next, ms since the epoch: the interval, less up to a tenth, or the cron, whichever comes first. `random`: 0 ≤ x < 1. */
export function nextSyncMs(
  { interval, cron: times }: Pick<GitSourceSpec, 'interval' | 'cron'>,
  nowMs: number,
  random: number,
): number {
  const everyMs = interval === undefined ? undefined : durationMs(interval);
  const due: number[] = [];
  if (everyMs !== undefined || times === undefined)
    due.push(nowMs + Math.round((everyMs ?? INTERVAL_MS) * (1 - random * JITTER)));
  if (times !== undefined) due.push(nextRunMs(times));
  return Math.min(...due);
}

/** When a cron expression fits next, ms since the epoch. Throws InvalidSpecError for a text that is none. */
function nextRunMs(expression: string): number {
  if (!cron.validate(expression)) {
    throw new InvalidSpecError([
      { path: 'spec.cron', message: 'Expected a cron expression of five or six fields, such as 0 4 * * *' },
    ]);
  }
  const task = cron.createTask(expression, () => undefined);
  try {
    task.start(); // one that rests has no next run
    return task.getNextRun()?.getTime() ?? Number.POSITIVE_INFINITY;
  } finally {
    task.destroy();
  }
}

import cron from 'node-cron';
import type { Failure } from '../../api/store/sync-report.js';
import { isActive } from '../../crds/model/active.js';
import { isObserved } from '../../crds/model/conditions.js';
import { cronIssue } from '../../crds/model/cron.js';
import { durationMs } from '../../crds/model/duration.js';
import type { GitSource } from '../../crds/model/kinds.js';
import type { ReasonOf } from '../../crds/model/reasons.js';
import { pendingRequest } from '../../crds/model/requests.js';
import { isSuspended } from '../../crds/model/suspend.js';
import type { GitSourceSpec } from '../../crds/model/types.js';
import { InvalidSpecError, type Plan, settled, TerminalError, wait } from '../runtime/outcome.js';

export type GitSourceStep =
  /** Looks at the repository and takes its documents. */
  | { readonly do: 'sync'; readonly because: string }
  /** Pushes the device's status. */
  | { readonly do: 'push' }
  /** Removes what the source declared, as its policy says. */
  | { readonly do: 'remove' };

export interface GitSourceFacts {
  /** The next look is due. */
  readonly isDue: boolean;
  /** A pass was requested: by a webhook, an update, a new generation, a request. */
  readonly isPending: boolean;
  /** The device's name or tags have changed since the last sync. */
  readonly isOther: boolean;
  /** The last try failed in a way that may pass. */
  readonly isRetry: boolean;
  /** What the documents depend on besides the commit. */
  readonly inputs: string;
  /** The status file differs from the one that was pushed last. */
  readonly isUnpushed: boolean;
}

/** Plans whether to look at the repository now, and why. Pure. */
export function planGitSource(source: GitSource, facts: GitSourceFacts): Plan<GitSourceStep, ReasonOf<'GitSource'>> {
  if (!isActive(source)) return { ...settled(), steps: [{ do: 'remove' }] };
  if (isSuspended(source)) return wait('Suspended', 'The source is suspended: its repository is not looked at');
  const { status, spec } = source;
  const because = reasonToLook(source, facts);
  if (because !== undefined) {
    const push = spec.statusBranch === undefined ? [] : [{ do: 'push' } as const];
    return { ...settled(), steps: [{ do: 'sync', because }, ...push] };
  }
  const { failure } = status ?? {};
  return {
    ...settled(),
    steps: facts.isUnpushed ? [{ do: 'push' }] : [],
    // A status holds only failures of a look: its reason is one of ours.
    ...(failure ? { failure: new TerminalError(failure.reason as Failure['reason'], failure.message) } : {}),
  };
}

const reasonToLook = (source: GitSource, facts: GitSourceFacts): string | undefined =>
  (pendingRequest(source, 'confirm') && 'confirmed') ||
  (pendingRequest(source, 'sync') && 'asked for') ||
  (source.status?.checkedAt === undefined && 'not looked at yet') ||
  (!isObserved(source) && 'spec changed') ||
  (facts.isPending && 'asked for') ||
  (facts.isRetry && 'failed before') ||
  (facts.isOther && 'the device changed') ||
  (facts.isDue && 'due') ||
  undefined;

const INTERVAL_MS = 5 * 60_000;
/** Longest interval, ms: documents that were stored before intervals were checked may have one that no date can hold. */
const LONGEST_INTERVAL_MS = 3650 * 24 * 3_600_000;
/** Share of the interval by which looks are spread, so that a fleet that was switched on at once does not stay in step. */
const JITTER = 0.1;

/**
 * Returns the time until the next look by the interval, less up to a tenth, ms; infinite when only a cron expression
 * decides. `random`: 0 ≤ x < 1. Pure.
 */
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
 * Returns the time until a cron expression matches next, ms. Throws `InvalidSpecError` for an invalid one: documents
 * that were stored before the check may have one.
 */
export function cronInMs(expression: string): number {
  const message = cronIssue(expression) ?? (cron.validate(expression) ? undefined : 'No month has such a day');
  if (message !== undefined) throw new InvalidSpecError([{ path: 'spec.cron', message }]);
  const task = cron.createTask(expression, () => undefined);
  try {
    task.start(); // a stopped task has no next run
    const next = task.getNextRun()?.getTime() ?? Number.POSITIVE_INFINITY;
    return Math.max(0, next - Date.now());
  } finally {
    task.destroy();
  }
}

import type { ReasonOf } from '../../crds/model/reasons.js';
import type { Revision } from '../../crds/model/revisions.js';
import { type Plan, settled, wait } from '../runtime/outcome.js';
import type { RevisionFacts } from './observe.js';
import type { RecentRun } from './parts.js';
import { NOTE_MS, nextNoteMs } from './watch-time.js';

export type RevisionStep =
  /** Reads what the container printed last that made a Revision bad: what follows may remove it. */
  | { readonly do: 'read'; readonly container: string }
  /** Asks the engine whether those runs go on: a process that stood still looks at the clock before it reads events. */
  | { readonly do: 'confirm'; readonly runs: readonly RecentRun[] };

export type RevisionPlan = Plan<RevisionStep, ReasonOf<'Revision'>>;

/** A Revision is looked at and never acted upon: what follows from it is done by its App. Pure. */
export function planRevision(_revision: Revision, { looked, isHeld, isSuspended }: RevisionFacts): RevisionPlan {
  if (!looked) return settled();
  const { verdict, guilty, recentRuns, isWell, watched } = looked;
  if (verdict.is === 'bad' && !isHeld && guilty !== undefined) {
    return { ...settled<RevisionStep>(), steps: [{ do: 'read', container: guilty }] };
  }
  if (verdict.is === 'good' && recentRuns.length > 0) {
    return { ...settled<RevisionStep>(), steps: [{ do: 'confirm', runs: recentRuns }] };
  }
  // Nothing comes of a suspended App, however long it is waited for; its end wakes us.
  if (verdict.is !== 'open' || isSuspended || (isHeld && !isWell)) return settled();
  const { message, forMs } = verdict;
  return wait('Watching', message, forMs === undefined ? NOTE_MS : Math.min(forMs, nextNoteMs(watched)));
}

import type { Revision } from '../../crds/model/revisions.js';
import type { RevisionStatus } from '../../crds/model/types.js';
import type { Facts, Progress } from '../runtime/reconciler.js';
import type { RevisionResult } from './execute.js';
import type { Looked, RevisionFacts } from './observe.js';
import type { RevisionPlan } from './plan.js';
import { mayBeUnnotedMs, type Watched } from './watch-time.js';

/** What is known of a Revision, with what was found out now. Pure. */
export function revisionStatus(
  { spec, status }: Revision,
  facts: RevisionFacts,
  { at: progress, result }: Progress<RevisionPlan, RevisionResult>,
  nowMs: number,
): Facts<'Revision'> {
  const { observedGeneration: _generation, conditions: _conditions, ...before } = status ?? {};
  // It is not bad for anybody before its last lines are read: what follows may remove the container.
  if (progress === 'acting') return before;
  const { looked, isReplaced, isSucceeded, isHeld } = facts;
  const isOfThisAttempt = before.attempt === spec.number;
  if (!looked) {
    const isOutOfDate = isReplaced && (!isOfThisAttempt || before.phase === 'Candidate');
    if (isOutOfDate) return superseded(before, spec.number, 'Something else was promoted before it was known');
    if (before.phase === 'Good' && isSucceeded)
      return superseded(before, spec.number, 'Another one that is good took its place');
    return before;
  }
  const kept = isOfThisAttempt ? before : { ...(before.goodSince ? { goodSince: before.goodSince } : {}) };
  const { readySince: _ready, watchedSeconds: _watched, watchedAt: _at, illBefore: _ill, ...still } = kept;
  const { lastLines, ...rest } = still;
  const at = new Date(nowMs).toISOString();
  const verdict = isProven(looked, result) ? looked.verdict : UNPROVEN;
  if (isHeld && verdict.is !== 'good') {
    return {
      ...rest,
      ...(lastLines ? { lastLines } : {}),
      ...(looked.isWell ? { readySince: kept.readySince ?? at } : {}),
    };
  }
  switch (verdict.is) {
    case 'good':
      return {
        ...rest,
        ...found(looked),
        ...{ phase: 'Good', reason: 'Verified', message: verdict.message, attempt: spec.number, decidedAt: at },
        goodSince: before.goodSince ?? at,
        ...(Object.keys(looked.images).length > 0 ? { images: { ...looked.images } } : {}),
      };
    case 'bad': {
      const { goodSince: _good, ...never } = rest;
      return {
        ...never,
        ...found(looked),
        ...{ phase: 'Bad', reason: verdict.reason, message: verdict.message, attempt: spec.number, decidedAt: at },
        ...(result.lastLines && result.lastLines.length > 0 ? { lastLines: [...result.lastLines] } : {}),
      };
    }
    case 'open':
      return {
        ...rest,
        ...found(looked),
        ...{ phase: 'Candidate', reason: 'Verifying', attempt: spec.number },
        ...(looked.isWell ? { readySince: kept.readySince ?? at } : {}),
        ...noted(kept, looked.watched, at),
        ...(looked.illBefore.length > 0 ? { illBefore: [...looked.illBefore] } : {}),
      };
  }
}

/** A verdict that this pass came to only after its step; the change that led to it has another pass follow. */
const UNPROVEN = { is: 'open' } as const;

/** Whether what goes with the verdict is there: a good one is confirmed by the engine, of a bad one the last lines are read. Pure. */
function isProven({ verdict, recentRuns, guilty }: Looked, result: Partial<RevisionResult>): boolean {
  switch (verdict.is) {
    case 'good':
      return recentRuns.length === 0 || result.confirmed === true;
    case 'bad':
      return guilty === undefined || result.lastLines !== undefined;
    case 'open':
      return true;
  }
}

function superseded(before: RevisionStatus, attempt: number, message: string): Facts<'Revision'> {
  const { readySince: _ready, watchedSeconds: _watched, watchedAt: _at, illBefore: _ill, ...rest } = before;
  return { ...rest, phase: 'Superseded', reason: 'Replaced', message, attempt };
}

const found = ({ downtimeMs }: Looked): Pick<RevisionStatus, 'downtimeMs'> =>
  Object.keys(downtimeMs).length > 0 ? { downtimeMs: { ...downtimeMs } } : {};

/** The time until the deadline is written down seldom: each time is a write to the disk. */
function noted(
  { watchedSeconds = 0, watchedAt }: RevisionStatus,
  watched: Watched,
  at: string,
): Pick<RevisionStatus, 'watchedSeconds' | 'watchedAt'> {
  if (watchedAt !== undefined && watched.ms - watchedSeconds * 1000 < mayBeUnnotedMs(watched))
    return { watchedSeconds, watchedAt };
  return { watchedSeconds: Math.floor(watched.ms / 1000), watchedAt: at };
}

import type { Failure, SyncReport } from '../../api/store/sync-report.js';
import { shownTime } from '../../crds/model/due.js';
import type { GitSource } from '../../crds/model/kinds.js';
import { acknowledgementsOf, pendingRequest, type Refusal, withAcknowledged } from '../../crds/model/requests.js';
import { acknowledgedSuspension, isSuspended } from '../../crds/model/suspend.js';
import type { GitSourceStatus } from '../../crds/model/types.js';
import type { Plan } from '../runtime/outcome.js';
import type { Facts, Progress, StepResult } from '../runtime/reconciler.js';
import type { GitSourceStep } from './plan.js';

export interface GitSourceResult extends StepResult {
  /** The result of a look. */
  readonly report: SyncReport;
  /** The requests that the look has seen. */
  readonly requests: GitSource['requests'];
  /** The commit with which the device's status was pushed. */
  readonly pushed: string;
}

/** Returns the status at a stage of a pass. `leftMs`: time until the next look, infinite without one. Pure. */
export function gitSourceStatus(
  source: GitSource,
  { step, result: { report, requests = source.requests, pushed } }: Progress<Plan<GitSourceStep>, GitSourceResult>,
  { nowMs, leftMs }: { readonly nowMs: number; readonly leftMs: number },
): Facts<'GitSource'> {
  const { observedGeneration: _generation, conditions: _conditions, ...before } = source.status ?? {};
  if (isSuspended(source) && !report) return statusSuspended(source);
  if (step?.do === 'sync') return before; // unchanged until the look has a result
  const facts = report
    ? statusAfter({ ...source, requests }, report, { nowMs, nextMs: nowMs + leftMs }, source.requests)
    : { ...before, ...shownNext(before.nextSyncAt, nowMs + leftMs) };
  return pushed === undefined ? facts : { ...facts, pushed };
}

/** Returns the next look as time of day; keeps the written one while it is close, because the clock may have been set. */
const shownNext = (before: string | undefined, nextMs: number): Pick<GitSourceStatus, 'nextSyncAt'> =>
  Number.isFinite(nextMs) ? { nextSyncAt: shownTime(before, nextMs) } : {};

/** Returns the status after a sync, given the one before and the requests that the sync has seen; `requests` are those of now. Pure. */
export function statusAfter(
  source: GitSource,
  report: SyncReport,
  { nowMs, nextMs }: { readonly nowMs: number; readonly nextMs: number },
  requests: GitSource['requests'] = source.requests,
): Facts<'GitSource'> {
  const before = source.status ?? {};
  const at = new Date(nowMs).toISOString();
  const seen = report.seen ?? before.seen;
  const verified = source.spec.verify === undefined ? undefined : (report.verified ?? before.verified);
  const applied = appliedAfter(before.applied, report.applied, at);
  const declares = report.declares ?? before.declares;
  const failure = report.failure && failureAfter(before.failure, report.failure, at);
  return {
    ...(seen ? { seen } : {}),
    ...(verified ? { verified } : {}),
    ...(applied ? { applied } : {}),
    ...(declares ? { declares } : {}),
    ...(failure ? { failure } : {}),
    ...heldAfter(before.held, report),
    ...(before.pushed ? { pushed: before.pushed } : {}),
    checkedAt: at,
    ...(Number.isFinite(nextMs) ? { nextSyncAt: new Date(nextMs).toISOString() } : {}),
    ...handledAfter(source, report, unseenBy(source, report, requests)),
  };
}

function appliedAfter(
  before: GitSourceStatus['applied'],
  now: GitSourceStatus['applied'],
  at: string,
): GitSourceStatus['applied'] {
  if (now === undefined) return before;
  return { ...now, at: before?.commit === now.commit && before.at !== undefined ? before.at : at };
}

/** Keeps what waits for a confirmation while the repository cannot be looked at. */
function heldAfter(before: GitSourceStatus['held'], { held, failure }: SyncReport): Pick<GitSourceStatus, 'held'> {
  const now = held ?? (failure && !failure.final ? before : undefined);
  return now ? { held: now } : {};
}

/** Keeps the time at which the same failure was first found. */
function failureAfter(before: GitSourceStatus['failure'], now: Failure, at: string): GitSourceStatus['failure'] {
  const { reason, message, commit } = now;
  const same = before?.reason === reason && before.commit === commit;
  return { reason, message, at: same ? before.at : at, ...(commit === undefined ? {} : { commit }) };
}

/**
 * Returns a confirmation that came while the repository was looked at: whoever gave it has not seen what was held back.
 * Decided by its id and not by its time, which a clock that was set back makes unusable.
 */
function unseenBy(
  source: GitSource,
  { held }: SyncReport,
  requests: GitSource['requests'],
): GitSource['requests']['confirm'] {
  const confirm = pendingRequest({ ...source, requests }, 'confirm');
  const isNews = held !== undefined && JSON.stringify(held) !== JSON.stringify(source.status?.held);
  return isNews && confirm?.id !== source.requests.confirm?.id ? confirm : undefined;
}

function handledAfter(source: GitSource, { failure, held }: SyncReport, unseen: GitSource['requests']['confirm']) {
  const suspension = acknowledgedSuspension(source);
  const ids: Record<string, string> = { ...suspension.ids };
  const refused: Record<string, Refusal> = { ...suspension.refused };
  const sync = pendingRequest(source, 'sync');
  const confirm = pendingRequest(source, 'confirm');
  if (sync) ids.sync = sync.id;
  if (sync && failure) refused.sync = { reason: 'Failed', message: failure.message };
  if (confirm) ids.confirm = confirm.id;
  if (unseen) ids.confirm = unseen.id;
  if (confirm && !unseen && source.status?.held === undefined) {
    refused.confirm = { reason: 'Failed', message: 'Nothing waits to be confirmed' };
  } else if (unseen || (confirm && held)) {
    refused.confirm = { reason: 'Failed', message: 'The repository would remove something else by now; look again' };
  } else if (confirm && failure) {
    refused.confirm = { reason: 'Failed', message: failure.message };
  }
  return withAcknowledged(acknowledgementsOf(source.status), ids, refused);
}

/** Returns the status of a suspended source: what was requested meanwhile is rejected. Pure. */
export function statusSuspended(source: GitSource): Facts<'GitSource'> {
  const asked = (['sync', 'confirm'] as const).flatMap((name) => (pendingRequest(source, name) ? [name] : []));
  const message = 'The source is suspended; resume it, or set spec.suspend to false';
  const suspension = acknowledgedSuspension(source);
  const ids = {
    ...suspension.ids,
    ...Object.fromEntries(asked.map((name) => [name, source.requests[name]?.id ?? ''])),
  };
  const refusals = asked.map((name): [string, Refusal] => [name, { reason: 'Failed', message }]);
  const refused = { ...suspension.refused, ...Object.fromEntries(refusals) };
  const { observedGeneration: _generation, conditions: _conditions, nextSyncAt: _next, ...facts } = source.status ?? {};
  return { ...facts, ...withAcknowledged(acknowledgementsOf(source.status), ids, refused) };
}

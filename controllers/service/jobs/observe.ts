import { isJob, type JobRun, requestedRunId } from '../../../crds/model/jobs.js';
import type { Request, Service } from '../../../crds/model/kinds.js';
import { pendingRequest } from '../../../crds/model/requests.js';
import type { Schedule } from '../../../crds/model/types.js';
import type { SeenContainer } from '../../engine/engine.js';
import type { Ages } from '../../runtime/ages.js';
import type { CronTimes } from '../../runtime/cron-times.js';
import { type Due, dueAt, followedTo, isFollowed, type Span } from './due.js';
import { lostRun, type Run, runsOf } from './runs.js';
import { scheduleKey, type Timetables } from './timetables.js';

/** What a pass knows of a job besides what it knows of any service. */
export interface JobState {
  readonly service: Service['spec'];
  readonly schedule: Schedule;
  /** The runs that have a container, the latest first. */
  readonly runs: readonly Run[];
  /** The last run, where it has not ended and its container has gone. */
  readonly lost: JobRun | undefined;
  readonly due: Due;
  /** What was followed of the schedule. */
  readonly followed: readonly Span[];
  /** A run that somebody asks for, and its id. */
  readonly request: { readonly id: string; readonly runId: string; readonly by: string | undefined } | undefined;
  /** For how long each run has been going on, ms, by the id of its container. */
  readonly ranMs: ReadonlyMap<string, number>;
  readonly nowMs: number;
  /** No run begins. */
  readonly isHeld: boolean;
}

/** Reads what a job is about to do; undefined for a service without a schedule. */
export function observeJob(
  { now, holdsRuns = false }: { readonly now: () => number; readonly holdsRuns?: boolean },
  { timetables, ages }: { readonly timetables: Timetables; readonly ages: Ages },
  service: Service,
  containers: readonly SeenContainer[],
): JobState | undefined {
  const { spec, status, metadata } = service;
  const { schedule } = spec;
  if (!isJob(spec) || !schedule) return undefined;
  const nowMs = now();
  const runs = runsOf(containers, status);
  const times = timetables.of(metadata.name, schedule);
  const followed = followedOf(service, schedule, times, runs);
  const asked: Request | undefined = pendingRequest(service, 'run');
  return {
    ...{ service: spec, schedule, runs, lost: lostRun(status, runs), followed, nowMs, isHeld: holdsRuns },
    due: dueAt(times, followed, nowMs),
    request: asked && { id: asked.id, runId: requestedRunId(spec, asked), by: asked.by },
    ranMs: new Map(
      runs.flatMap(({ is, container: { id, startedAt } }) =>
        is === 'going' && startedAt !== undefined
          ? [[id, ages.since(`run/${id}`, Date.parse(startedAt))] as const]
          : [],
      ),
    ),
  };
}

/**
 * Returns what was followed of this very schedule: what the status says, and what containers show that it does not know yet,
 * because the agent that made them died. Pure but for what `times` remembers.
 */
function followedOf({ status }: Service, schedule: Schedule, times: CronTimes, runs: readonly Run[]): readonly Span[] {
  const said = status?.followed;
  const isSame = said?.schedule === scheduleKey(schedule);
  if (said && !isSame) return [];
  const noted = (said?.spans ?? []).map(({ from, to }) => ({ fromMs: Date.parse(from), toMs: Date.parse(to) }));
  const unknown = runs.flatMap(({ scheduledMs, noted }) => (noted ? [] : (scheduledMs ?? [])));
  return unknown
    .toSorted((a, b) => a - b)
    .reduce<readonly Span[]>((spans, atMs) => {
      if (isFollowed(spans, atMs) || times.after(atMs - 1) !== atMs) return spans;
      const before = spans.filter(({ toMs }) => toMs <= atMs).map(({ toMs }) => toMs);
      const isNext = before.length > 0 && times.after(Math.max(...before)) === atMs;
      return followedTo(spans, { atMs, passed: isNext ? 1 : 2 });
    }, noted);
}

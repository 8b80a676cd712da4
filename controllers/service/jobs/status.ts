import type { JobRun } from '../../../crds/model/jobs.js';
import { isJob, runOf } from '../../../crds/model/jobs.js';
import type { Service } from '../../../crds/model/kinds.js';
import { keyOf } from '../../../crds/model/kinds.js';
import type { ServiceStatus } from '../../../crds/model/types.js';
import type { SeenContainer } from '../../engine/engine.js';
import type { OwnCondition } from '../../runtime/reconciler.js';
import type { ServiceDeps } from '../deps.js';
import type { ServiceProgress } from '../service-state.js';
import { labelOf } from '../spec/identity.js';
import type { JobState } from './observe.js';
import { type Run, runsOf } from './runs.js';
import { scheduleKey } from './timetables.js';

type JobFacts = Pick<ServiceStatus, 'lastRun' | 'runs' | 'nextRunAt' | 'missed' | 'followed'>;

/**
 * Returns what the status of a job says of its runs, from their containers as they are now; a run ends in it with the step that
 * notes its end. Nothing for a service without a schedule. Pure.
 */
export function jobFacts(
  { spec, status }: Service,
  containers: readonly SeenContainer[],
  job: JobState | undefined,
  { at, step, result }: ServiceProgress,
): JobFacts {
  if (!isJob(spec) || !spec.schedule) return {};
  const { job: reached = {} } = result;
  const ends = at === 'acting' && step?.do === 'terminate' && step.endsRun !== undefined ? step : undefined;
  const known = runsOf(containers, status);
  const runs = known.map((run): JobRun => {
    const noted = reached.run?.runId === run.id ? { ...run.noted, ...reached.run } : run.noted;
    return factsOf({ ...run, noted }, ends?.endsRun === run.id ? ends.because : undefined);
  });
  const lastRun = lastRunOf(status, runs, reached.run);
  const missed = (status?.missed ?? 0) + (reached.missed ?? 0);
  // Written with the runs that it speaks of, at once.
  const followed = reached.followed ?? job?.followed ?? [];
  const spans = followed.map(({ fromMs, toMs }) => ({ from: timeOf(fromMs), to: timeOf(toMs) }));
  const nextMs = at === 'suspended' ? undefined : nextOf(job);
  return {
    ...(lastRun ? { lastRun } : {}),
    ...(runs.length > 0 ? { runs } : {}),
    ...(nextMs === undefined ? {} : { nextRunAt: timeOf(nextMs) }),
    ...(missed > 0 ? { missed } : {}),
    ...(spans.length > 0
      ? { followed: { schedule: scheduleKey(spec.schedule), spans } }
      : status?.followed && !job
        ? { followed: status.followed }
        : {}),
  };
}

const timeOf = (ms: number): string => new Date(ms).toISOString();

function nextOf(job: JobState | undefined): number | undefined {
  switch (job?.due.is) {
    case 'not yet':
      return job.due.nextMs;
    case 'due':
      return job.due.atMs;
    default:
      return undefined;
  }
}

function factsOf({ id, scheduledMs, container, noted, is }: Run, because: string | undefined): JobRun {
  const { finishedAt, exitCode, failed, lastLines } = noted ?? {};
  const said = because ?? noted?.because;
  const hasEnded = is !== 'going' && finishedAt !== undefined;
  return {
    runId: id,
    ...(scheduledMs === undefined ? {} : { scheduledAt: timeOf(scheduledMs) }),
    ...(container.startedAt === undefined ? {} : { startedAt: container.startedAt }),
    ...(hasEnded ? { finishedAt } : {}),
    ...(hasEnded && exitCode !== undefined ? { exitCode } : {}),
    ...(hasEnded && failed ? { failed } : {}),
    ...(said === undefined ? {} : { because: said }),
    ...(hasEnded && lastLines ? { lastLines: [...lastLines] } : {}),
  };
}

/** The one that began last: of a container that the status does not know, or that a step reports. */
function lastRunOf(
  status: ServiceStatus | undefined,
  runs: readonly JobRun[],
  reached: JobRun | undefined,
): JobRun | undefined {
  const added = runs.find(({ runId }) => runOf(status, runId) === undefined);
  const begun = reached && runOf(status, reached.runId) === undefined ? reached : undefined;
  const last = added ?? begun ?? status?.lastRun;
  return last && (runs.find(({ runId }) => runId === last.runId) ?? (reached?.runId === last.runId ? reached : last));
}

/** Returns the word for the state of a job, which runs or has exited; undefined while it has neither an image nor a run. Pure. */
export const jobWord = (job: JobState, hasImage: boolean): string | undefined =>
  job.runs.some(({ is }) => is === 'going') ? 'running' : hasImage || job.runs.length > 0 ? 'exited' : undefined;

/** Returns the condition of a job whose last run failed; while one is going on it stays as it is. Pure. */
export function jobConditions({ lastRun }: JobFacts): readonly OwnCondition[] | undefined {
  if (lastRun && lastRun.finishedAt === undefined) return undefined;
  return lastRun?.failed
    ? [{ type: 'LastRunFailed', status: 'True', reason: 'LastRunFailed', message: endText(lastRun) }]
    : [];
}

/** Records the runs that have ended between two statuses. */
export function announceRuns(
  { store, logs }: Pick<ServiceDeps, 'store' | 'logs'>,
  { metadata, spec, status: before }: Service,
  containers: readonly SeenContainer[],
  after: ServiceStatus | undefined,
): void {
  const runs = [...(after?.runs ?? []), ...(after?.lastRun ? [after.lastRun] : [])];
  for (const run of new Map(runs.map((one) => [one.runId, one])).values()) {
    if (run.finishedAt === undefined || runOf(before, run.runId)?.finishedAt !== undefined) continue;
    const container = containers.find((one) => runsOf([one], undefined)[0]?.id === run.runId);
    if (container) logs.system(`Service exited '${labelOf(container)}'`, { app: spec.app });
    store.record(keyOf('Service', metadata.name), {
      ...(run.failed ? { type: 'Warning', reason: 'RunFailed' } : { type: 'Normal', reason: 'RunSucceeded' }),
      message: endText(run),
    });
  }
}

/** How a run has ended, as a sentence. */
function endText({ runId, startedAt, finishedAt, exitCode, failed, because, lastLines = [] }: JobRun): string {
  const lasted =
    startedAt === undefined || finishedAt === undefined
      ? ''
      : ` after ${Math.max(0, Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000))} s`;
  if (!failed) return `Run ${runId} succeeded${lasted}`;
  const printed = lastLines.length === 0 ? '' : `. It printed last: ${lastLines.join(' | ')}`;
  if (startedAt === undefined && because !== undefined) return `Run ${runId} could not begin: ${because}`;
  if (exitCode === undefined) return `Run ${runId} ended${lasted} without an exit code: ${because}`;
  const why = because === undefined ? '' : `; the agent had stopped it: ${because}`;
  return `Run ${runId} exited with ${exitCode}${lasted}${why}${printed}`;
}

import { type JobRun, runOf } from '../../../crds/model/jobs.js';
import type { ServiceStatus } from '../../../crds/model/types.js';
import type { SeenContainer } from '../../engine/engine.js';
import { RUN, SCHEDULED } from '../../engine/labels.js';
import { hasRun } from '../container/prepared.js';

/** A run of a job that has a container. */
export interface Run {
  readonly id: string;
  readonly container: SeenContainer;
  /** When it was due, ms since the epoch; undefined for one that somebody asked for. */
  readonly scheduledMs: number | undefined;
  /** `made`: not started yet. `going`: it runs, or the engine starts it again. */
  readonly is: 'made' | 'going' | 'over';
  /** What the status says of it; undefined: nothing yet. */
  readonly noted: JobRun | undefined;
}

/** Tells whether a container is a run of a job, whatever its service is now. Pure. */
export const isRun = ({ labels }: Pick<SeenContainer, 'labels'>): boolean => labels[RUN] !== undefined;

/** Returns the runs that have a container, in the order of the containers. Pure. */
export const runsOf = (containers: readonly SeenContainer[], status: ServiceStatus | undefined): readonly Run[] =>
  containers.flatMap((container): Run[] => {
    const { [RUN]: id, [SCHEDULED]: scheduled } = container.labels;
    if (id === undefined) return [];
    const scheduledMs = scheduled === undefined ? undefined : Date.parse(scheduled);
    return [{ id, container, scheduledMs, is: stageOf(container), noted: runOf(status, id) }];
  });

function stageOf(container: SeenContainer): Run['is'] {
  if (!hasRun(container)) return 'made';
  return container.state === 'exited' || container.state === 'dead' || container.state === 'removing'
    ? 'over'
    : 'going';
}

/** Returns whether it is over and the status says how it ended. Pure. */
export const isNoted = ({ noted }: Run): boolean => noted?.finishedAt !== undefined;

/** Returns the last run where it had started, has not ended as far as is known, and has no container any more. Pure. */
export function lostRun(status: ServiceStatus | undefined, runs: readonly Run[]): JobRun | undefined {
  const last = status?.lastRun;
  const isGone = last?.startedAt !== undefined && runs.every(({ id }) => id !== last.runId);
  return isGone && last.finishedAt === undefined ? last : undefined;
}

/** Returns how a run ended whose container has gone: nobody knows how, so it has not succeeded. Pure. */
export const lossOf = (run: JobRun, because: string, nowMs: number): JobRun => ({
  ...run,
  ...{ finishedAt: new Date(nowMs).toISOString(), failed: true, because },
});

/** Returns the labels of the container of a run. Pure. */
export const runLabels = (id: string, scheduledMs: number | undefined): Readonly<Record<string, string>> => ({
  [RUN]: id,
  ...(scheduledMs === undefined ? {} : { [SCHEDULED]: new Date(scheduledMs).toISOString() }),
});

/** Returns how a run ended, as its container tells, and what is known besides. Pure. */
export function endOf({ id, scheduledMs, container, noted }: Run, lastLines: readonly string[], nowMs: number): JobRun {
  const { startedAt, finishedAt, exitCode } = container;
  const failed = hasFailed({ container, noted });
  return {
    ...noted,
    runId: id,
    ...(scheduledMs === undefined ? {} : { scheduledAt: new Date(scheduledMs).toISOString() }),
    ...(startedAt === undefined ? {} : { startedAt }),
    finishedAt: finishedAt ?? new Date(nowMs).toISOString(),
    exitCode,
    ...(failed ? { failed } : {}),
    ...(failed && lastLines.length > 0 ? { lastLines: [...lastLines] } : {}),
  };
}

/** Tells whether a run that is over did not succeed: what the agent has stopped has not, whatever it exits with. Pure. */
export const hasFailed = ({ container, noted }: Pick<Run, 'container' | 'noted'>): boolean =>
  container.exitCode !== 0 || container.state === 'dead' || noted?.because !== undefined;

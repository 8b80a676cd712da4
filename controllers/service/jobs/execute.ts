import { messageWithCauses } from '../../../api/platform/errors.js';
import { keyOf } from '../../../crds/model/kinds.js';
import { readLastLines } from '../../engine/logs/last-lines.js';
import { TerminalError } from '../../runtime/outcome.js';
import type { PendingCommands } from '../commands/commands.js';
import type { ContainerSpec } from '../container/container-options.js';
import type { ServiceDeps } from '../deps.js';
import type { JobResult, JobStep, RunBegin, ServiceResult } from '../service-state.js';
import type { StepContext } from '../steps/step-context.js';
import { endOf, hasFailed, lossOf, runLabels } from './runs.js';

/** Carries out a step of a job that touches nothing on the engine. */
export async function executeJobStep(
  { store, engine, now }: Pick<ServiceDeps, 'store' | 'engine' | 'now'>,
  { service }: Pick<StepContext, 'service'>,
  step: JobStep,
  { run: request }: Pick<PendingCommands, 'run'>,
  report: (result: Partial<ServiceResult>) => void,
): Promise<Partial<ServiceResult>> {
  const miss = (count: number): void =>
    store.record(keyOf('Service', service.metadata.name), {
      ...{ type: 'Warning', reason: 'RunMissed', message: `Missed: ${step.because}`, times: Math.max(1, count) },
    });
  switch (step.do) {
    case 'note': {
      const lastLines = hasFailed(step.run) ? await readLastLines(engine, step.run.container.id, [service]) : [];
      return { job: { run: endOf(step.run, lastLines, now()) } };
    }
    case 'lose':
      return { job: { run: lossOf(step.run, step.because, now()) } };
    case 'follow': {
      if (step.isMissed) miss(1);
      const result = { job: { followed: step.followed, missed: step.missed ?? 0 } };
      if (step.isNew) {
        // What is due from now on is not lost with the agent. A disk that refuses keeps nothing from running.
        report(result);
        await store.flush().catch(() => undefined);
      }
      return result;
    }
    case 'miss':
      miss(step.count);
      return { job: { missed: step.count } };
    case 'decline':
      if (!request) return {};
      return { rejected: { ids: { run: request.id }, refusal: { reason: 'Failed', message: step.because } } };
  }
}

/** Returns what a run that has begun is noted with. Pure. */
export const begunRun = ({ id, scheduledMs, followed, missed }: RunBegin): JobResult => ({
  run: { runId: id, ...(scheduledMs === undefined ? {} : { scheduledAt: new Date(scheduledMs).toISOString() }) },
  ...(followed ? { followed } : {}),
  ...(missed ? { missed } : {}),
});

/**
 * Returns what comes of a run that the engine does not begin and that no further attempt would: it has failed, and the next one
 * is begun at its time. Undefined for a failure that may pass.
 */
export function failedBegin(
  begin: RunBegin,
  error: unknown,
  { run: request }: Pick<PendingCommands, 'run'>,
  nowMs: number,
): Partial<ServiceResult> | undefined {
  if (!(error instanceof TerminalError)) return undefined;
  const message = messageWithCauses(error);
  const { run, ...rest } = begunRun(begin);
  const ended = { finishedAt: new Date(nowMs).toISOString(), failed: true, because: message };
  return {
    job: { ...rest, run: { runId: begin.id, ...run, ...ended } },
    ...(request && begin.scheduledMs === undefined
      ? { rejected: { ids: { run: request.id }, refusal: { reason: 'Failed', message } } }
      : {}),
  };
}

/** Returns the container of a run, made like that of its service, with labels that say which run it is. Pure. */
export const specOfRun = (
  containerSpec: (() => ContainerSpec) | undefined,
  { id, scheduledMs }: RunBegin,
): (() => ContainerSpec) | undefined =>
  containerSpec &&
  (() => {
    const { options, ...rest } = containerSpec();
    return { ...rest, options: { ...options, Labels: { ...options.Labels, ...runLabels(id, scheduledMs) } } };
  });

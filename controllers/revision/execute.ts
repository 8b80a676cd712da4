import { timeoutSignal } from '../../api/platform/time-limit.js';
import type { Revision } from '../../crds/model/revisions.js';
import { readLastLines } from '../engine/logs/last-lines.js';
import { wait } from '../runtime/outcome.js';
import type { StepResult } from '../runtime/reconciler.js';
import type { RevisionDeps } from './observe.js';
import type { RecentRun } from './parts.js';
import type { RevisionStep } from './plan.js';

export interface RevisionResult extends StepResult {
  readonly lastLines: readonly string[];
  /** The engine says, too, that the runs go on which make the release good. */
  readonly confirmed: boolean;
}

const CONFIRM_MS = 10_000;
/** An engine that does not confirm a good release is asked again after this time, ms, if nothing happens before. */
const AGAIN_MS = 10_000;

/** Takes one step; what the engine does not answer is no failure of the Revision. */
export async function executeRevisionStep(
  deps: Pick<RevisionDeps, 'engine' | 'cache'>,
  revision: Pick<Revision, 'spec'>,
  step: RevisionStep,
): Promise<Partial<RevisionResult>> {
  switch (step.do) {
    case 'read':
      return { lastLines: await readLastLines(deps.engine, step.container, revision.spec.documents) };
    case 'confirm': {
      const goOn = await Promise.all(step.runs.map((run) => goesOn(deps, run)));
      if (goOn.every(Boolean)) return { confirmed: true };
      const message = 'The engine does not confirm yet that every service still runs';
      return { confirmed: false, outcome: wait('Watching', message, AGAIN_MS).outcome };
    }
  }
}

/** Whether the container is in that very run, as the engine has it now. */
async function goesOn(
  { cache }: Pick<RevisionDeps, 'cache'>,
  { container, startedAt, restartCount }: RecentRun,
): Promise<boolean> {
  try {
    const seen = await cache.refreshContainer(container, timeoutSignal(CONFIRM_MS));
    return (
      (seen?.state === 'running' || seen?.state === 'paused') &&
      seen.health !== 'unhealthy' &&
      seen.startedAt === startedAt &&
      (seen.restartCount ?? 0) === restartCount
    );
  } catch {
    return false;
  }
}

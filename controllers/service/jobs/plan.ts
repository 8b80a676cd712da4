import { runContainerName, scheduledRunId } from '../../../crds/model/jobs.js';
import type { SeenContainer } from '../../engine/engine.js';
import { InvalidSpecError, type Plan, settled, wait } from '../../runtime/outcome.js';
import { isMadeAfter } from '../commands/commands.js';
import { terminate, waitForNetworksAndVolumes, waitForProviders, waitForSiblings } from '../plan-steps.js';
import type { DesiredContainer, ServicePlan, ServiceState, ServiceStep } from '../service-state.js';
import { type Due, followedFrom, followedTo } from './due.js';
import type { JobState } from './observe.js';
import { hasFailed, isNoted, isRun, type Run } from './runs.js';

/** How many runs keep their containers where the schedule says nothing. */
const KEPT = { successful: 3, failed: 1 };

/**
 * Plans the next step of a job: no container waits for its next run, each run has its own. A job is settled while its runs are
 * going on: nothing is left to do until one ends or the next is due. Throws `InvalidSpecError` for a schedule that never comes.
 * Pure.
 */
export function planJob(state: ServiceState, job: JobState): ServicePlan {
  const { desired, containers, terminating } = state;
  const isLeaving = ({ id, state: now }: SeenContainer): boolean => terminating.has(id) || now === 'removing';
  if (!desired) return planDeleted(state, isLeaving);
  const other = containers.find((one) => !isRun(one));
  if (other && isLeaving(other)) return wait('Stopping', `Waiting for container ${other.name} to go`);
  if (other) return terminate(state, other, 'the service has a schedule now, and a container for each run');

  const runs = job.runs.filter(({ container }) => !isLeaving(container));
  const cleaning = planPurge(state, runs) ?? planEnds(runs, job) ?? planHistory(state, desired, runs, job);
  if (cleaning) return cleaning;
  const going = job.runs.filter(({ is }) => is === 'going');
  if (state.commands.stop !== undefined) {
    const [run] = runs.filter(({ is }) => is === 'going');
    return run ? terminate(state, run.container, 'stop requested', { remove: false, endsRun: run.id }) : settled();
  }
  if (!desired.image) return wait('ImageMissing', `Waiting for image ${desired.reference} to be local`);
  return planMade(desired, runs, job) ?? planRequest(state, desired, going, job) ?? planDue(state, desired, going, job);
}

/** Looks again at once. The job stays Ready all the while: its runs are no part of a release. */
const again = (...steps: readonly ServiceStep[]): Plan<ServiceStep> => ({
  steps,
  outcome: { is: 'settled', forMs: 0 },
});

/** Removes all containers of a job that is deleted; what runs is stopped under the lock. */
function planDeleted(state: ServiceState, isLeaving: (one: SeenContainer) => boolean): ServicePlan {
  const left = state.containers.find((one) => !isLeaving(one));
  if (left && !isOver(left)) return terminate(state, left, 'deleted');
  const [first] = state.containers;
  if (!first) return settled();
  const going = wait<ServiceStep, 'Stopping'>(
    'Stopping',
    `Waiting for container ${(left ?? first).name} to go: deleted`,
  );
  return left ? { ...going, steps: remove(left, 'deleted').steps } : going;
}

const isOver = ({ state }: SeenContainer): boolean => state === 'exited' || state === 'dead' || state === 'created';

/** Removes a container that does not run; nothing is interrupted, and nothing is said. */
const remove = (container: SeenContainer, because: string): Plan<ServiceStep> =>
  again({ do: 'terminate', container, stop: false, remove: true, locked: false, withdrawn: true, because });

/** Removes every container that mounts what a purge of the App empties. */
function planPurge(state: ServiceState, runs: readonly Run[]): ServicePlan | undefined {
  const purge = state.commands.recreate.find(({ name }) => name === 'app.purge');
  const run = purge && runs.find(({ container }) => !isMadeAfter(container, purge));
  if (!run || !purge) return undefined;
  return run.is === 'going'
    ? terminate(state, run.container, purge.because, { endsRun: run.id })
    : remove(run.container, purge.because);
}

/** Notes runs that have ended, and ends one that takes too long. The update lock is not asked: the document says how long it may take. */
function planEnds(runs: readonly Run[], { schedule, ranMs, lost }: JobState): ServicePlan | undefined {
  const over = runs.find((one) => one.is === 'over' && !isNoted(one));
  if (over) return again({ do: 'note', run: over, because: `run ${over.id} has ended` });
  if (lost) return again({ do: 'lose', run: lost, because: lost.because ?? 'its container was removed' });
  const { activeDeadlineSeconds: limit } = schedule;
  if (limit === undefined) return undefined;
  const late = runs.find(({ is, container }) => is === 'going' && (ranMs.get(container.id) ?? 0) >= limit * 1000);
  if (!late) return undefined;
  const because = `it took longer than activeDeadlineSeconds (${limit} s)`;
  return again({
    ...{ do: 'terminate', container: late.container, stop: true, remove: false, locked: false, because },
    endsRun: late.id,
  });
}

/** Removes containers of runs that are over: more than are kept, of another definition, or on a network that has to go. */
function planHistory(
  { closing }: ServiceState,
  { image }: DesiredContainer,
  runs: readonly Run[],
  { schedule }: JobState,
): ServicePlan | undefined {
  const over = runs.filter((one) => one.is === 'over');
  const limit = {
    succeeded: schedule.successfulRunsHistoryLimit ?? KEPT.successful,
    failed: schedule.failedRunsHistoryLimit ?? KEPT.failed,
  };
  const past = [
    ...over.filter((one) => !hasFailed(one)).slice(limit.succeeded),
    ...over.filter(hasFailed).slice(limit.failed),
  ];
  for (const { container } of past) return remove(container, 'more runs are over than are kept');
  for (const { container } of over) {
    if (image && container.specHash !== image.specHash)
      return remove(
        container,
        'the run is over, and its image, volumes and networks are those of an earlier definition',
      );
    const network = Object.keys(container.networks).find((name) => closing.has(name));
    if (network !== undefined) return remove(container, `the run is over, and network ${network} has to go`);
  }
  return undefined;
}

/** Starts a run whose container was made, perhaps by an agent that died then; one that comes too late, or is known to have failed, is removed. */
function planMade(desired: DesiredContainer, runs: readonly Run[], job: JobState): ServicePlan | undefined {
  const made = runs.find(({ is }) => is === 'made');
  if (!made || job.isHeld) return undefined;
  const { container, id, scheduledMs } = made;
  if (isNoted(made)) return remove(container, 'the run could not begin');
  if (scheduledMs === undefined && job.request?.runId !== id)
    return remove(container, 'nobody asks for the run any more');
  if (scheduledMs !== undefined && isLate(scheduledMs, job)) {
    const steps: ServiceStep[] = [{ do: 'miss', count: 1, because: `run ${id} had not begun in time` }];
    return { ...again(...steps, ...remove(container, 'the run had not begun in time').steps) };
  }
  if (container.specHash !== desired.image?.specHash)
    return remove(container, 'it is of an earlier definition, and has not begun');
  const run = { id, scheduledMs };
  return waitFor(desired) ?? again({ ...startOf(container, 'it was made and not started yet'), run });
}

const startOf = (container: SeenContainer, because: string): Extract<ServiceStep, { do: 'start' }> => ({
  do: 'start',
  container,
  because,
});

const isLate = (atMs: number, { schedule, nowMs }: JobState): boolean =>
  schedule.startingDeadlineSeconds !== undefined && nowMs - atMs > schedule.startingDeadlineSeconds * 1000;

/** Begins a run that somebody asks for. */
function planRequest(
  state: ServiceState,
  desired: DesiredContainer,
  going: readonly Run[],
  job: JobState,
): ServicePlan | undefined {
  const { request, runs, schedule } = job;
  // One whose container is there has begun: the status acknowledges it.
  if (!request || job.isHeld || runs.some(({ id }) => id === request.runId)) return undefined;
  const [other] = going;
  if (other && (schedule.concurrencyPolicy ?? 'Forbid') === 'Forbid') {
    const because = `Run ${other.id} is going on, and concurrencyPolicy: Forbid lets no other begin`;
    return again({ do: 'decline', because });
  }
  const because = request.by === undefined ? 'somebody asked for it' : `${request.by} asked for it`;
  return replace(state, going, job) ?? waitFor(desired) ?? again(begin(job, request.runId, undefined, because));
}

/** Begins the run that is due, or says when the next one is. */
function planDue(state: ServiceState, desired: DesiredContainer, going: readonly Run[], job: JobState): ServicePlan {
  const { due, followed, nowMs, schedule } = job;
  switch (due.is) {
    case 'new':
      return again({
        ...{
          do: 'follow',
          followed: followedFrom(followed, nowMs),
          isNew: true,
          because: 'the schedule is followed from now on',
        },
      });
    case 'not yet':
      if (due.nextMs === undefined && going.length === 0) throw new InvalidSpecError([NEVER]);
      return restUntil(due.nextMs, job);
    case 'due':
      break;
  }
  if (job.isHeld) return settled();
  const rest = { followed: followedTo(followed, due) };
  const { atMs, passed, atLeast } = due;
  if (isLate(atMs, job)) {
    const because = `${timesText(passed, atLeast)} due and did not begin within startingDeadlineSeconds (${schedule.startingDeadlineSeconds} s), the last at ${timeText(atMs)}`;
    return again({ do: 'follow', ...rest, missed: passed, because, isMissed: true });
  }
  const [other] = going;
  if (other && (schedule.concurrencyPolicy ?? 'Forbid') === 'Forbid') {
    const because = `${timesText(passed, atLeast)} due while run ${other.id} was going on (concurrencyPolicy: Forbid), the last at ${timeText(atMs)}`;
    return again({ do: 'follow', ...rest, missed: passed, because, isMissed: true });
  }
  const waiting = replace(state, going, job) ?? waitFor(desired);
  // A wait ends with the time by which it had to begin.
  if (waiting) return until(waiting, deadlineMs(atMs, job));
  const because = `it is due at ${timeText(atMs)}`;
  const step = begin(job, scheduledRunId(job.service, atMs), due, because);
  return again(step);
}

const NEVER = { path: 'spec.schedule.cron', message: 'comes at no time within the next five years' };

/** Stops the runs that are going on, where the schedule says so, and waits for their end. */
function replace(state: ServiceState, going: readonly Run[], { schedule }: JobState): ServicePlan | undefined {
  if (schedule.concurrencyPolicy !== 'Replace' || going.length === 0) return undefined;
  const run = going.find(({ container }) => !state.terminating.has(container.id));
  if (!run) return settled(); // its end wakes the job
  return terminate(state, run.container, 'the next run takes its place (concurrencyPolicy: Replace)', {
    remove: false,
    endsRun: run.id,
  });
}

const waitFor = (desired: DesiredContainer): Plan<ServiceStep> | undefined =>
  waitForNetworksAndVolumes(desired) ??
  waitForSiblings(desired.unsatisfied) ??
  waitForSiblings([
    ...new Set(desired.shares.flatMap(({ service, container }) => (container ? [] : [`${service} to be created`]))),
  ]) ??
  waitForProviders(desired);

function begin(
  { followed, service }: JobState,
  id: string,
  due: Extract<Due, { is: 'due' }> | undefined,
  because: string,
): ServiceStep {
  return {
    do: 'create',
    name: runContainerName(service, id),
    start: true,
    because,
    run: {
      id,
      scheduledMs: due?.atMs,
      ...(due ? { followed: followedTo(followed, due), missed: due.passed - 1 } : {}),
    },
  };
}

/** The job is as it is to be until then, or until one of its runs has taken too long. */
function restUntil(nextMs: number | undefined, { schedule, ranMs, nowMs, isHeld }: JobState): ServicePlan {
  if (isHeld) return settled();
  const { activeDeadlineSeconds: limit } = schedule;
  const left = [
    ...(nextMs === undefined ? [] : [nextMs - nowMs]),
    ...(limit === undefined ? [] : [...ranMs.values()].map((ms) => limit * 1000 - ms)),
  ];
  return left.length === 0
    ? settled()
    : { steps: [], outcome: { is: 'settled', forMs: Math.max(1, Math.min(...left)) } };
}

const deadlineMs = (atMs: number, { schedule, nowMs }: JobState): number | undefined =>
  schedule.startingDeadlineSeconds === undefined
    ? undefined
    : Math.max(1, atMs + schedule.startingDeadlineSeconds * 1000 - nowMs + 1);

/** Returns the wait, which ends after that time at the latest. */
const until = ({ steps, outcome }: ServicePlan, ms: number | undefined): ServicePlan =>
  outcome.is === 'waiting' && ms !== undefined
    ? { steps, outcome: { ...outcome, forMs: Math.min(outcome.forMs, ms) } }
    : { steps, outcome };

const timesText = (count: number, atLeast: boolean): string =>
  `${atLeast ? 'More than ' : ''}${count} ${count === 1 ? 'run was' : 'runs were'}`;

/** As in `2026-11-30 03:00 UTC`. */
const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

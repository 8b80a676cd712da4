import type { ServiceStatus } from '../../../crds/model/types.js';
import type { SeenContainer, Updatable } from '../../engine/engine.js';

/** The fields of a status that describe the runs of a container. */
export type RunFacts = Pick<
  ServiceStatus,
  | 'lastExit'
  | 'restarts'
  | 'recentRestarts'
  | 'longestRunSeconds'
  | 'runningSince'
  | 'unhealthySince'
  | 'crashLoopSince'
>;

/** What happened since the status was written. */
export interface RunNews {
  /** Number of ends that nobody had requested. */
  readonly exits: number;
  /** Number of times that the container was started again. */
  readonly starts: number;
}

export interface Look {
  /** The end was requested: we stop the container, or have stopped it. */
  readonly requested: boolean;
  /** For how long the present run has lasted, ms. */
  readonly ranMs: number;
  /** Time of the look; RFC 3339. */
  readonly at: string;
}

/** LOOP_RESTARTS restarts within this time are a crash loop, ms. */
const LOOP_MS = 5 * 60_000;
const LOOP_RESTARTS = 3;
/** A container that has run for this long is out of its crash loop, unless an earlier run was longer and failed all the same, ms. */
const MIN_READY_MS = 60_000;
/** A container that has run for this long is out of every crash loop: ends further apart are no loop, ms. */
const MAX_MIN_READY_MS = 10 * MIN_READY_MS;

/**
 * Returns for how long a container has to run for its crash loop to be over, ms: twice the longest run that was too
 * short, in whole minutes, so that a loop of long runs does not end and begin again with each of them. A healthy
 * container does not need the full minute. Pure.
 */
export function minReadyMs({ longestRunSeconds = 0 }: RunFacts, health: SeenContainer['health']): number {
  const twiceMs = 2_000 * longestRunSeconds;
  const neededMs = health === 'healthy' ? twiceMs : MIN_READY_MS * Math.max(1, Math.ceil(twiceMs / MIN_READY_MS));
  return Math.min(neededMs, MAX_MIN_READY_MS);
}

/**
 * Compares a container with what the status last said of it. A pass may come late; ends and restarts in between are
 * derived from the engine's counters. Of a container that is seen for the first time, only what happens from now on is
 * news, unless it was created just now. Pure.
 */
export function lookAtRuns(
  before: ServiceStatus | undefined,
  seen: SeenContainer,
  { requested, ranMs, at }: Look,
): RunFacts & { readonly news: RunNews } {
  const known = knownOf(before, seen);
  const { restartCount = 0 } = seen;
  const ended = known !== undefined && seen.finishedAt !== known.lastExit?.finishedAt;
  const exits = ended
    ? Math.max(1, timesSince(endsOf(known.restartCount, known.isDown), endsOf(restartCount, isDown(seen))))
    : 0;
  const lastExit = ended || known === undefined ? exitOf(seen, ended && requested) : known.lastExit;
  const unasked = exits - (exits > 0 && requested ? 1 : 0);
  const restarts = known ? known.restarts + restartsSince(known, seen, { unasked, ended }) : restartCount;

  const byPolicy = known ? timesSince(known.restartCount, restartCount) : 0;
  const recentRestarts = [
    ...(known?.recentRestarts ?? []),
    ...Array<string>(Math.min(byPolicy, LOOP_RESTARTS)).fill(at),
  ];
  const latest = recentRestarts.slice(-LOOP_RESTARTS);
  const longestRunSeconds = longestRun(known, seen, ended && unasked > 0);
  const isPastMinReady = ranMs >= minReadyMs({ longestRunSeconds }, seen.health);
  const loops = isLooping(seen, { isPastMinReady, byPolicy, lastExit, latest });
  const crashLoopSince = loops === 'over' ? undefined : (known?.crashLoopSince ?? (loops === 'yes' ? at : undefined));
  const runs = seen.state === 'running' || seen.state === 'paused';
  const unhealthySince = runs && seen.health === 'unhealthy' ? (known?.unhealthySince ?? at) : undefined;
  return {
    ...(lastExit ? { lastExit } : {}),
    ...(restarts > 0 ? { restarts } : {}),
    ...(latest.length > 0 ? { recentRestarts: latest } : {}),
    ...(longestRunSeconds > 0 ? { longestRunSeconds } : {}),
    ...(runs && seen.startedAt !== undefined ? { runningSince: seen.startedAt } : {}),
    ...(unhealthySince === undefined ? {} : { unhealthySince }),
    ...(crashLoopSince === undefined ? {} : { crashLoopSince }),
    news: {
      exits: unasked,
      starts: known && runs && seen.startedAt !== known.startedAt ? startsAfter(known, exits) : 0,
    },
  };
}

/** Counts an end as a restart once the container runs again after it, or is about to. */
function restartsSince(
  known: Known,
  seen: SeenContainer,
  { unasked, ended }: { readonly unasked: number; readonly ended: boolean },
): number {
  const isLast = ended && unasked > 0 && isDown(seen);
  const resumed = known.isPending && seen.startedAt !== known.startedAt;
  return unasked - (isLast ? 1 : 0) + (resumed ? 1 : 0);
}

/**
 * Returns the longest run that the restart policy began and that ended by itself, s; 0 when there is none. A manual
 * start and a run of ten minutes reset it. Ends that were not seen do not count.
 */
function longestRun(known: Known | undefined, seen: SeenContainer, hasFailed: boolean): number {
  const { restartCount = 0, finishedAt, startedAt } = seen;
  const before = restartCount > 0 ? (known?.longestRunSeconds ?? 0) : 0;
  // Two restarts: one began the run, and one follows its end.
  if (!hasFailed || restartCount < 2 || finishedAt === undefined) return before;
  const runsAgain = seen.state === 'running' || seen.state === 'paused';
  const began = runsAgain ? knownStart(known, restartCount) : startedAt;
  const ranMs = began === undefined ? 0 : Date.parse(finishedAt) - Date.parse(began);
  if (ranMs >= MAX_MIN_READY_MS) return 0;
  return Math.max(before, Math.ceil(ranMs / 1000));
}

/** Returns the start of the run that ended just before the present one; undefined when other runs were in between. */
function knownStart(known: Known | undefined, restartCount: number): string | undefined {
  if (known?.startedAt === undefined || known.restartCount !== restartCount - 1) return undefined;
  const { startedAt, lastExit } = known;
  return lastExit === undefined || Date.parse(lastExit.finishedAt) <= Date.parse(startedAt) ? startedAt : undefined;
}

/** Returns the number of starts that follow the given ends; the very first start of a container is not one. */
const startsAfter = ({ startedAt }: Known, exits: number): number =>
  startedAt === undefined ? exits : Math.max(1, exits);

/** Returns what a status says of the runs of that container, which may be the outgoing one. Pure. */
export function recordedRun(status: ServiceStatus | undefined, id: string): RunFacts | undefined {
  if (status?.container?.id === id) return status;
  return status?.outgoing?.id === id ? status.outgoing : undefined;
}

interface Known extends Omit<RunFacts, 'restarts' | 'runningSince'> {
  readonly restarts: number;
  readonly restartCount: number;
  readonly startedAt: string | undefined;
  readonly isDown: boolean;
  /** It had ended unrequested and was to be started again. */
  readonly isPending: boolean;
}

/** Returns what the status says of this container. One that has just been created has done nothing yet. */
function knownOf(before: ServiceStatus | undefined, seen: SeenContainer): Known | undefined {
  if (!before) return undefined;
  const recorded = recordedRun(before, seen.id);
  const { container, outgoing, lastAction } = before;
  if (!recorded) {
    const wasMade = lastAction?.reason === 'Installing' || lastAction?.reason === 'Starting';
    const isYounger = container === undefined || Date.parse(seen.createdAt) >= Date.parse(container.createdAt);
    return wasMade && isYounger ? { ...UNTOUCHED } : undefined;
  }
  // A status gives an exit code only for the newest container.
  const exitCode = recorded === before ? before.exitCode : undefined;
  const { restartCount, startedAt } = (recorded === before ? container : outgoing) ?? {};
  if (restartCount === undefined) return undefined; // an earlier version wrote it
  const isDown = exitCode !== undefined;
  const isPending =
    isDown &&
    !recorded.lastExit?.requested &&
    !hasFinished(policyOf(seen), { state: 'exited', exitCode, error: '', restartCount });
  return { ...recorded, restarts: recorded.restarts ?? 0, restartCount, startedAt, isDown, isPending };
}

const UNTOUCHED: Known = { restarts: 0, restartCount: 0, startedAt: undefined, isDown: false, isPending: false };

const isDown = ({ state }: SeenContainer): boolean => state === 'exited' || state === 'dead';

/** Returns how often a container has ended since its last manual start: each restart follows an end. */
const endsOf = (restartCount: number, isDown: boolean): number => restartCount + (isDown ? 1 : 0);

/** Returns the increase of the engine's counter, which starts again at 0 with a manual start. */
const timesSince = (before: number, now: number): number => (now >= before ? now - before : now);

const policyOf = ({ updatable }: SeenContainer) => updatable?.RestartPolicy ?? { Name: 'always', MaximumRetryCount: 0 };

/**
 * Reads the last end of a container. Docker shows the last exit code until the next start, and the time of the last end
 * until the next end.
 */
function exitOf(seen: SeenContainer, requested: boolean): RunFacts['lastExit'] {
  if (seen.finishedAt === undefined) return undefined;
  const hasExit = isDown(seen) || seen.state === 'restarting';
  return {
    ...(hasExit ? { exitCode: seen.exitCode } : {}),
    finishedAt: seen.finishedAt,
    ...(requested ? { requested } : {}),
  };
}

/**
 * Decides whether a container is in a crash loop. Only restarts by its policy count: a container that somebody stops
 * and starts manually does not crash.
 */
function isLooping(
  { state, exitCode }: SeenContainer,
  {
    isPastMinReady,
    byPolicy,
    lastExit,
    latest,
  }: {
    readonly isPastMinReady: boolean;
    readonly byPolicy: number;
    readonly lastExit: RunFacts['lastExit'];
    readonly latest: readonly string[];
  },
): 'yes' | 'no' | 'over' {
  if (state === 'restarting') {
    if (exitCode !== 0) return 'yes';
  } else if (state !== 'running' || isPastMinReady) return 'over';
  if (byPolicy === 0) return 'no';
  const failed = lastExit?.exitCode !== undefined && lastExit.exitCode !== 0;
  const [first, last] = [latest[0], latest[LOOP_RESTARTS - 1]];
  // A clock that was set back in between makes the difference negative: then it counts.
  const isOften = first !== undefined && last !== undefined && Date.parse(last) - Date.parse(first) <= LOOP_MS;
  return failed || isOften ? 'yes' : 'no';
}

/**
 * Tells whether the document's own restart policy keeps the engine from starting a container again: a one-shot has
 * ended, `on-failure` has succeeded, or failed as often as it may. A container that somebody stopped under another
 * policy has not finished. Docker counts restarts from the last manual start, and keeps the count of an ended container
 * over its own restart. Pure.
 */
export function hasFinished(
  { Name, MaximumRetryCount: most }: Updatable['RestartPolicy'],
  { state, exitCode, error, restartCount = 0 }: Pick<SeenContainer, 'state' | 'exitCode' | 'error' | 'restartCount'>,
): boolean {
  if (state !== 'exited') return false;
  if (Name === 'on-failure' && most > 0 && restartCount >= most) return true;
  // A container whose last start failed has not ended: it was meant to run again.
  return error === '' && (Name === 'no' || (Name === 'on-failure' && exitCode === 0));
}

import type { ServiceStatus } from '../../../crds/model/types.js';
import type { SeenContainer } from '../../engine/engine.js';
import { hasFinished } from './finished.js';

/** What a status tells of the runs of its container. */
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

/** What has happened since the status was written. */
export interface RunNews {
  /** Ends that nobody had asked for. */
  readonly exits: number;
  /** It runs again, so many times over. */
  readonly starts: number;
}

export interface Look {
  /** An end was asked for: we stop it, or have stopped it. */
  readonly requested: boolean;
  /** For how long its present run has lasted, ms. */
  readonly ranMs: number;
  /** RFC 3339. */
  readonly at: string;
}

/** Restarts within this time are a loop when there are so many. */
const LOOP_MS = 5 * 60_000;
const LOOP_RESTARTS = 3;
/** What has run for so long is out of its loop, unless it has run for longer before and failed all the same. */
const MIN_READY_MS = 60_000;
/** What has run for so long is out of every loop: ends that are further apart are no loop. */
const MAX_MIN_READY_MS = 10 * MIN_READY_MS;

/**
 * For how long a container has to run for its crash loop to be over, ms: twice the longest of the runs that were too
 * short, in whole minutes, so that a loop with long runs is not over and begun again with each of them. One that is
 * healthy needs no minute at the least. Pure.
 */
export function minReadyMs({ longestRunSeconds = 0 }: RunFacts, health: SeenContainer['health']): number {
  const twiceMs = 2_000 * longestRunSeconds;
  const neededMs = health === 'healthy' ? twiceMs : MIN_READY_MS * Math.max(1, Math.ceil(twiceMs / MIN_READY_MS));
  return Math.min(neededMs, MAX_MIN_READY_MS);
}

/**
 * Takes in what is seen of a container, compared with what the status said last: a pass may come late, and ends and
 * restarts in between are counted from what the engine counts. Of a container that is seen for the first time only what
 * it does from now on is news, unless it was made just now. Pure.
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

/** An end counts when it runs again after it, or is about to. */
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
 * The longest of its runs that its restart policy began and that ended by themselves, s; 0 when there is none. A start by
 * hand and a run of ten minutes begin anew: then an end is the first one again. What ended unseen counts not.
 */
function longestRun(known: Known | undefined, seen: SeenContainer, hasFailed: boolean): number {
  const { restartCount = 0, finishedAt, startedAt } = seen;
  const before = restartCount > 0 ? (known?.longestRunSeconds ?? 0) : 0;
  // Two: one began the run, and one follows its end.
  if (!hasFailed || restartCount < 2 || finishedAt === undefined) return before;
  const runsAgain = seen.state === 'running' || seen.state === 'paused';
  const began = runsAgain ? knownStart(known, restartCount) : startedAt;
  const ranMs = began === undefined ? 0 : Date.parse(finishedAt) - Date.parse(began);
  if (ranMs >= MAX_MIN_READY_MS) return 0;
  return Math.max(before, Math.ceil(ranMs / 1000));
}

/** When the run began that has ended and was followed by the present one; undefined when others were in between. */
function knownStart(known: Known | undefined, restartCount: number): string | undefined {
  if (known?.startedAt === undefined || known.restartCount !== restartCount - 1) return undefined;
  const { startedAt, lastExit } = known;
  return lastExit === undefined || Date.parse(lastExit.finishedAt) <= Date.parse(startedAt) ? startedAt : undefined;
}

/** The very first start is not another one. */
const startsAfter = ({ startedAt }: Known, exits: number): number =>
  startedAt === undefined ? exits : Math.max(1, exits);

/** What a status tells of the runs of that very container, be it the one that leaves. Pure. */
export function toldOf(status: ServiceStatus | undefined, id: string): RunFacts | undefined {
  if (status?.container?.id === id) return status;
  return status?.outgoing?.id === id ? status.outgoing : undefined;
}

interface Known extends Omit<RunFacts, 'restarts' | 'runningSince'> {
  readonly restarts: number;
  readonly restartCount: number;
  readonly startedAt: string | undefined;
  readonly isDown: boolean;
  /** It had ended, nobody had asked for that, and it was to be started again. */
  readonly isPending: boolean;
}

/** What the status says of this very container. One that has just been made has done nothing yet. */
function knownOf(before: ServiceStatus | undefined, seen: SeenContainer): Known | undefined {
  if (!before) return undefined;
  const told = toldOf(before, seen.id);
  const { container, outgoing, lastAction } = before;
  if (!told) {
    const wasMade = lastAction?.reason === 'Installing' || lastAction?.reason === 'Starting';
    const isYounger = container === undefined || Date.parse(seen.createdAt) >= Date.parse(container.createdAt);
    return wasMade && isYounger ? { ...UNTOUCHED } : undefined;
  }
  // Of the one that leaves a status tells only while it runs.
  const exitCode = told === before ? before.exitCode : undefined;
  const { restartCount, startedAt } = (told === before ? container : outgoing) ?? {};
  if (restartCount === undefined) return undefined; // an earlier version wrote it
  const isDown = exitCode !== undefined;
  const isPending =
    isDown &&
    !told.lastExit?.requested &&
    !hasFinished(policyOf(seen), { state: 'exited', exitCode, error: '', restartCount });
  return { ...told, restarts: told.restarts ?? 0, restartCount, startedAt, isDown, isPending };
}

const UNTOUCHED: Known = { restarts: 0, restartCount: 0, startedAt: undefined, isDown: false, isPending: false };

const isDown = ({ state }: SeenContainer): boolean => state === 'exited' || state === 'dead';

/** How often it has ended since it was last started by hand: each restart follows an end. */
const endsOf = (restartCount: number, isDown: boolean): number => restartCount + (isDown ? 1 : 0);

/** The engine's counter begins anew with a start by hand. */
const timesSince = (before: number, now: number): number => (now >= before ? now - before : now);

const policyOf = ({ updatable }: SeenContainer) => updatable?.RestartPolicy ?? { Name: 'always', MaximumRetryCount: 0 };

/** Docker shows the last exit code until the next start, and the time of the last end until the next end. */
function exitOf(seen: SeenContainer, requested: boolean): RunFacts['lastExit'] {
  if (seen.finishedAt === undefined) return undefined;
  const isTold = isDown(seen) || seen.state === 'restarting';
  return {
    ...(isTold ? { exitCode: seen.exitCode } : {}),
    finishedAt: seen.finishedAt,
    ...(requested ? { requested } : {}),
  };
}

/** Only what its policy does counts: a container that somebody stops and starts by hand does not crash. */
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
  // A clock that was set back in between makes the time negative: then it counts.
  const isOften = first !== undefined && last !== undefined && Date.parse(last) - Date.parse(first) <= LOOP_MS;
  return failed || isOften ? 'yes' : 'no';
}

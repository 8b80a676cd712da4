import type { Rollout } from '../../crds/model/rollout.js';

/** How a part of the release is at this moment. */
export interface GatePart {
  /** As people write it: `web`, `Volume/shop.data`. */
  readonly name: string;
  /** What of it no further waiting mends, or what condemns it at once; undefined while it may still come right. */
  readonly fault?: { readonly reason: string; readonly message: string };
  /** What it is not well for, as a clause; undefined when it is as the release wants it. */
  readonly notReady?: string;
  /** How often its container was restarted since the promotion. */
  readonly restarts: number;
  /** For how long its container has run, ms; undefined for what does not run, and is not to. */
  readonly ranMs?: number;
  /** It was not well before the promotion, and the last good release has it like this one: going back would not mend it. */
  readonly isExcused?: boolean;
  /** It is to end by itself, and has not: waited for until the deadline, and then taken for one that goes on. */
  readonly isToEnd?: boolean;
}

export interface GateFacts {
  readonly parts: readonly GatePart[];
  /** How much of the time until the deadline is used up, ms. */
  readonly watchedMs: number;
  /** Why that time stands still; undefined while it goes on. */
  readonly paused: string | undefined;
  /** For how long every part has been well, ms; undefined while one is not. */
  readonly wellMs: number | undefined;
}

/** `isHeld`: it was found bad and stays nevertheless, so that restarts and lateness condemn it no more. */
export type GateSettings = Rollout & { readonly isHeld?: boolean };

export type Verdict =
  | { readonly is: 'good'; readonly message: string }
  /** `part`: the name of the one that condemns it. */
  | { readonly is: 'bad'; readonly reason: string; readonly message: string; readonly part?: string }
  /** `forMs`: when time alone may change it. */
  | { readonly is: 'open'; readonly message: string; readonly forMs: number | undefined };

/**
 * What a release is worth, by what is observed of it and nothing else: it may be asked at any moment, by any process, as
 * often as one likes. Pure.
 */
export function judge({ parts, watchedMs, paused, wellMs }: GateFacts, settings: GateSettings): Verdict {
  const { deadlineMs, minReadyMs, maxRestarts, isHeld = false } = settings;
  const faulty = parts.find(({ fault }) => fault !== undefined);
  if (faulty?.fault) {
    const { reason, message } = faulty.fault;
    return { is: 'bad', reason, message: `${faulty.name}: ${message}`, part: faulty.name };
  }
  const restless = parts.find(({ restarts }) => restarts > maxRestarts);
  if (restless && !isHeld) {
    const reason = restless.notReady === undefined ? '' : `: ${restless.notReady}`;
    const message = `${restless.name} was restarted ${timesText(restless.restarts)}, more than ${timesText(maxRestarts)}${reason}`;
    return { is: 'bad', reason: 'CrashLoop', message, part: restless.name };
  }
  const late = parts.filter(({ notReady }) => notReady !== undefined);
  // A held one may be well long after its time; what that was is lost with the agent, but not since when it is well.
  const usedMs = isHeld ? Math.max(watchedMs, wellMs ?? 0) : watchedMs;
  const isOver = usedMs >= deadlineMs && paused === undefined;
  const untilMs = paused === undefined ? Math.max(1, deadlineMs - usedMs) : undefined;
  if (late.length > 0 || wellMs === undefined) {
    const what = listOf(late.map(({ name, notReady }) => `${name} (${notReady})`)) || 'what was promoted';
    if (isOver && !isHeld) {
      const message = `Not well ${secondsText(deadlineMs)} after the promotion: ${what}`;
      const [first] = late;
      return { is: 'bad', reason: 'ProgressDeadlineExceeded', message, ...(first ? { part: first.name } : {}) };
    }
    const message = `Waiting for ${what}${paused === undefined ? '' : `; ${paused}`}`;
    return { is: 'open', message, forMs: isHeld ? undefined : untilMs };
  }
  const unfinished = parts.filter(({ isToEnd }) => isToEnd);
  if (unfinished.length > 0 && !isOver) {
    const message = `Waiting for ${listOf(unfinished.map(({ name }) => name))} to end`;
    return { is: 'open', message, forMs: untilMs };
  }
  const steadyMs = Math.min(wellMs, ...parts.flatMap(({ ranMs }) => ranMs ?? []));
  if (steadyMs < minReadyMs) {
    const message = `Every service is well; it counts after ${secondsText(minReadyMs)}`;
    return { is: 'open', message, forMs: Math.max(1, minReadyMs - steadyMs) };
  }
  const ill = parts.filter(({ isExcused }) => isExcused).map(({ name }) => name);
  const but =
    ill.length === 0 ? '' : `, but for ${listOf(ill)}, which ${ill.length === 1 ? 'was' : 'were'} not before either`;
  return { is: 'good', message: `Every service was well for ${secondsText(minReadyMs)}${but}` };
}

/** How many parts a sentence lists. */
const SHOWN = 3;
const listOf = (names: readonly string[]): string =>
  names.length > SHOWN ? `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more` : names.join(', ');

const secondsText = (ms: number): string => `${Math.round(ms / 1000)} s`;
const timesText = (count: number): string => (count === 1 ? 'once' : `${count} times`);

import type { CronTimes } from '../../runtime/cron-times.js';

/** A span of the time of day that was followed, ms since the epoch, its ends included: no time of the schedule in it comes again. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a schedule comes to at a moment. */
export type Due =
  /** Nothing is known of this time: the schedule is followed from now on. */
  | { readonly is: 'new' }
  /** `nextMs`: undefined when nothing comes within five years. */
  | { readonly is: 'not yet'; readonly nextMs: number | undefined }
  /** A run is due. `passed`: how many times have come that were not followed, with this one; `atLeast`: there are more. */
  | { readonly is: 'due'; readonly atMs: number; readonly passed: number; readonly atLeast: boolean };

/** How many times are counted: a device may have been off for years. */
const MOST_COUNTED = 100;
/** How many spans are kept. Each gap makes one: a device that is off, or whose clock is set forward, over a time of its schedule. */
const MOST_SPANS = 8;

/**
 * Tells what is due, by the time of day and by what was followed before; nothing else counts, so a process may die at any
 * moment. A clock that is set back comes into spans that were followed, and nothing in them runs again; one that was far ahead
 * and is put right comes out of them, and goes on where it is. Pure but for what `times` remembers.
 */
export function dueAt(times: CronTimes, followed: readonly Span[], nowMs: number): Due {
  const inside = followed.find(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs);
  if (inside) return { is: 'not yet', nextMs: nextOutside(times, followed, inside.toMs) };
  const before = followed.filter(({ toMs }) => toMs <= nowMs).map(({ toMs }) => toMs);
  if (before.length === 0) return { is: 'new' };
  const sinceMs = Math.max(...before);
  const firstMs = times.after(sinceMs);
  if (firstMs === undefined || firstMs > nowMs) return { is: 'not yet', nextMs: nextOutside(times, followed, sinceMs) };
  let passed = 1;
  let atMs = firstMs;
  for (;;) {
    const nextMs = times.after(atMs);
    if (nextMs === undefined || nextMs > nowMs) return { is: 'due', atMs, passed, atLeast: false };
    atMs = nextMs;
    passed += 1;
    if (passed > MOST_COUNTED)
      return { is: 'due', atMs: times.latest(atMs, nowMs) ?? atMs, passed: MOST_COUNTED, atLeast: true };
  }
}

/** Tells whether a time is in a span. Pure. */
export const isFollowed = (followed: readonly Span[], atMs: number): boolean =>
  followed.some(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs);

/** Returns the next time that is in no span. */
function nextOutside(times: CronTimes, followed: readonly Span[], afterMs: number): number | undefined {
  let nextMs = times.after(afterMs);
  for (;;) {
    const at = nextMs;
    const span = at === undefined ? undefined : followed.find(({ fromMs, toMs }) => fromMs <= at && at <= toMs);
    if (!span) return nextMs;
    nextMs = times.after(span.toMs);
  }
}

/** Returns the spans once the schedule is followed from a moment on of which nothing is known. Pure. */
export const followedFrom = (followed: readonly Span[], nowMs: number): readonly Span[] =>
  kept([...followed, { fromMs: nowMs, toMs: nowMs }]);

/**
 * Returns the spans once a time that is due is dealt with, and those that had passed before it: what passed unseen is no part
 * of a span, so that a clock that was wrong loses nothing when it is put right. Pure.
 */
export function followedTo(
  followed: readonly Span[],
  { atMs, passed }: Pick<Extract<Due, { is: 'due' }>, 'atMs' | 'passed'>,
): readonly Span[] {
  const before = followed.filter(({ toMs }) => toMs <= atMs);
  const last =
    passed === 1 ? before.find(({ toMs }) => toMs === Math.max(...before.map((one) => one.toMs))) : undefined;
  const span = { fromMs: last?.fromMs ?? atMs, toMs: atMs };
  return kept([...followed.filter((one) => one !== last), span]);
}

const kept = (spans: readonly Span[]): readonly Span[] => spans.slice(-MOST_SPANS);

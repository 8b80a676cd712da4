import { messageWithCauses } from '../../api/platform/errors.js';
import type { Condition } from '../../crds/model/conditions.js';
import type { Reason } from '../../crds/model/reasons.js';
import { type Outcome, PassingError, TerminalError } from './outcome.js';

/** How a pass ended: with an outcome, or with what it threw. */
export type Ending = Outcome | { readonly is: 'failed'; readonly error: unknown } | { readonly is: 'aborted' };

/** What the queue does with the key next. */
type Next =
  | { readonly do: 'rest' } // until something wakes it
  | { readonly do: 'again' } // at once
  | { readonly do: 'later'; readonly inMs: number }
  | { readonly do: 'backoff' };

export interface Conclusion {
  readonly next: Next;
  /** The counter of failures starts anew. Progress and waits keep it: a pull that fails each time is started in a pass that waits. */
  readonly forgetBackoff: boolean;
  /** undefined: conditions stay as they are. */
  readonly ready: { readonly status: 'True' | 'False'; readonly reason: Reason; readonly message: string } | undefined;
  readonly reconciling: boolean;
  readonly stalled: boolean;
}

/** Turns the end of a pass into queue operations and conditions: the table of the style guide, and nothing else. Pure. */
export function conclude(ending: Ending): Conclusion {
  switch (ending.is) {
    case 'settled':
      return {
        next: ending.unwell?.forMs === undefined ? { do: 'rest' } : { do: 'later', inMs: ending.unwell.forMs },
        forgetBackoff: true,
        ready: ending.unwell
          ? { status: 'False', reason: ending.unwell.reason, message: ending.unwell.message }
          : { status: 'True', reason: 'Settled', message: 'Nothing differs' },
        reconciling: false,
        stalled: false,
      };
    case 'progressing':
      return {
        next: { do: 'again' },
        forgetBackoff: false,
        ready: { status: 'False', reason: ending.reason, message: ending.message },
        reconciling: true,
        stalled: false,
      };
    case 'waiting':
    case 'retrying':
      return {
        next: { do: 'later', inMs: ending.forMs },
        forgetBackoff: false,
        ready: { status: 'False', reason: ending.reason, message: ending.message },
        reconciling: ending.is === 'retrying',
        stalled: false,
      };
    case 'aborted':
      return { next: { do: 'again' }, forgetBackoff: false, ready: undefined, reconciling: false, stalled: false };
    case 'failed': {
      const message = messageWithCauses(ending.error);
      if (ending.error instanceof TerminalError) {
        const { againInMs } = ending.error;
        return {
          next: againInMs === undefined ? { do: 'rest' } : { do: 'later', inMs: againInMs },
          forgetBackoff: true,
          ready: { status: 'False', reason: ending.error.reason, message },
          reconciling: false,
          stalled: true,
        };
      }
      return {
        next: { do: 'backoff' },
        forgetBackoff: false,
        ready: {
          status: 'False',
          reason: ending.error instanceof PassingError ? ending.error.reason : 'Retrying',
          message,
        },
        reconciling: true,
        stalled: false,
      };
    }
  }
}

/** Conditions that the runtime writes after every pass. */
export const CONCLUDED: readonly string[] = ['Ready', 'Reconciling', 'Stalled'];

/** The three conditions after a pass, and whatever else the kind's own controller says; those that did not change keep their time. Pure. */
export function conditionsAfter(
  before: readonly Condition[] | undefined,
  conclusion: Conclusion,
  generation: number,
  at: string,
): Condition[] {
  const { ready } = conclusion;
  if (!ready) return [...(before ?? [])];
  const text = { reason: ready.reason, message: ready.message };
  const wanted: readonly Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>[] = [
    { type: 'Ready', status: ready.status, ...text },
    ...(conclusion.reconciling ? [{ type: 'Reconciling', status: 'True' as const, ...text }] : []),
    ...(conclusion.stalled ? [{ type: 'Stalled', status: 'True' as const, ...text }] : []),
  ];
  const concluded = wanted.map((condition) => {
    const same = before?.find(({ type, status }) => type === condition.type && status === condition.status);
    return { ...condition, lastTransitionTime: same?.lastTransitionTime ?? at, observedGeneration: generation };
  });
  return [...concluded, ...(before ?? []).filter(({ type }) => !CONCLUDED.includes(type))];
}

/**
 * The conditions of a document whose pass is about to act: Ready no longer, for the reason that the pass will conclude.
 * Otherwise others would build on a Ready that nobody has taken back yet. One that is not Ready keeps what it says. Pure.
 */
export function conditionsBefore(
  before: readonly Condition[] | undefined,
  outcome: Outcome,
  generation: number,
  at: string,
): Condition[] {
  const isReady = before?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return isReady && outcome.is !== 'settled'
    ? conditionsAfter(before, conclude(outcome), generation, at)
    : [...(before ?? [])];
}

import { messageWithCauses } from '../../api/platform/errors.js';
import type { Condition } from '../../crds/model/conditions.js';
import type { Reason } from '../../crds/model/reasons.js';
import { type Outcome, TerminalError, TransientError } from './outcome.js';

/** The end of a pass: an outcome, or what it threw. */
export type PassResult = Outcome | { readonly is: 'failed'; readonly error: unknown } | { readonly is: 'aborted' };

/** What the queue does with the key next. */
type Next =
  | { readonly do: 'rest' } // until something wakes it
  | { readonly do: 'again' } // at once
  | { readonly do: 'later'; readonly inMs: number }
  | { readonly do: 'backoff' };

export interface Action {
  readonly next: Next;
  /** Resets the count of failures. Progress and waits keep it: a pull that fails each time is started in a pass that waits. */
  readonly forgetBackoff: boolean;
  /** undefined: conditions stay as they are */
  readonly ready: { readonly status: 'True' | 'False'; readonly reason: Reason; readonly message: string } | undefined;
  readonly reconciling: boolean;
  readonly stalled: boolean;
}

/** Turns the end of a pass into queue operations and conditions, by the table in docs/design/outcomes.md. Pure. */
export function resultToAction(result: PassResult): Action {
  switch (result.is) {
    case 'settled':
      return {
        next: afterRest(Math.min(result.forMs ?? Infinity, result.unwell?.forMs ?? Infinity)),
        forgetBackoff: true,
        ready: result.unwell
          ? { status: 'False', reason: result.unwell.reason, message: result.unwell.message }
          : { status: 'True', reason: 'Settled', message: 'Nothing differs' },
        reconciling: false,
        stalled: false,
      };
    case 'progressing':
      return {
        next: { do: 'again' },
        forgetBackoff: false,
        ready: { status: 'False', reason: result.reason, message: result.message },
        reconciling: true,
        stalled: false,
      };
    case 'waiting':
    case 'retrying':
      return {
        next: { do: 'later', inMs: result.forMs },
        forgetBackoff: false,
        ready: { status: 'False', reason: result.reason, message: result.message },
        reconciling: result.is === 'retrying',
        stalled: false,
      };
    case 'aborted':
      return { next: { do: 'again' }, forgetBackoff: false, ready: undefined, reconciling: false, stalled: false };
    case 'failed': {
      const message = messageWithCauses(result.error);
      if (result.error instanceof TerminalError) {
        const { requeueAfterMs } = result.error;
        return {
          next: requeueAfterMs === undefined ? { do: 'rest' } : { do: 'later', inMs: requeueAfterMs },
          forgetBackoff: true,
          ready: { status: 'False', reason: result.error.reason, message },
          reconciling: false,
          stalled: true,
        };
      }
      return {
        next: { do: 'backoff' },
        forgetBackoff: false,
        ready: {
          status: 'False',
          reason: result.error instanceof TransientError ? result.error.reason : 'Retrying',
          message,
        },
        reconciling: true,
        stalled: false,
      };
    }
  }
}

const afterRest = (inMs: number): Next =>
  inMs === Infinity ? { do: 'rest' } : inMs === 0 ? { do: 'again' } : { do: 'later', inMs };

/** Conditions that the runtime writes after every pass. */
export const RUNTIME_CONDITIONS: readonly string[] = ['Ready', 'Reconciling', 'Stalled'];

/** Returns the three conditions after a pass, and those of the kind's own controller; those that did not change keep their time. Pure. */
export function conditionsAfter(
  before: readonly Condition[] | undefined,
  action: Action,
  generation: number,
  at: string,
): Condition[] {
  const { ready } = action;
  if (!ready) return [...(before ?? [])];
  const text = { reason: ready.reason, message: ready.message };
  const wanted: readonly Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>[] = [
    { type: 'Ready', status: ready.status, ...text },
    ...(action.reconciling ? [{ type: 'Reconciling', status: 'True' as const, ...text }] : []),
    ...(action.stalled ? [{ type: 'Stalled', status: 'True' as const, ...text }] : []),
  ];
  const ours = wanted.map((condition) => {
    const same = before?.find(({ type, status }) => type === condition.type && status === condition.status);
    return { ...condition, lastTransitionTime: same?.lastTransitionTime ?? at, observedGeneration: generation };
  });
  return [...ours, ...(before ?? []).filter(({ type }) => !RUNTIME_CONDITIONS.includes(type))];
}

/**
 * Returns the conditions of a document whose pass is about to act: Ready becomes False, for the reason that the pass
 * will conclude. Otherwise others would rely on a Ready that is out of date. A document that is not Ready keeps its
 * conditions. Pure.
 */
export function conditionsBefore(
  before: readonly Condition[] | undefined,
  outcome: Outcome,
  generation: number,
  at: string,
): Condition[] {
  const isReady = before?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return isReady && outcome.is !== 'settled'
    ? conditionsAfter(before, resultToAction(outcome), generation, at)
    : [...(before ?? [])];
}

import type { UnwellReason } from '../../crds/model/conditions.js';
import type { Reason } from '../../crds/model/reasons.js';

/** What one pass concluded. Only the runtime turns it into queue operations and the Ready condition. */
export type Outcome<R extends Reason = Reason> =
  /** Nothing differed. `forMs`: when time alone brings something to do, as for the next run of a job; 0: at once. */
  | { readonly is: 'settled'; readonly unwell?: Unwell; readonly forMs?: number }
  | { readonly is: 'progressing'; readonly reason: R; readonly message: string } // acted; look again at once
  | { readonly is: 'waiting'; readonly reason: R; readonly message: string; readonly forMs: number } // waits for somebody else; not a failure
  | { readonly is: 'retrying'; readonly reason: R; readonly message: string; readonly forMs: number }; // a failure whose next attempt the pass itself has planned

/** Nothing is left to do, but what runs crashes or is unhealthy: not Ready, and nothing more is done about it. */
export interface Unwell {
  readonly reason: UnwellReason;
  readonly message: string;
  /** When time alone may end it, ms; undefined when only an event does. */
  readonly forMs?: number;
}

/** Steps to take now, and the outcome after them. */
export interface Plan<Step, R extends Reason = Reason> {
  readonly steps: readonly Step[];
  readonly outcome: Outcome<R>;
  /** Thrown once the steps are done and the status is written, instead of returning `outcome`. */
  readonly failure?: TerminalError;
}

/** How long a wait lasts when no event ends it, ms. */
const LONG_WAIT_MS = 60_000;

export const settled = <Step = never>(): Plan<Step, never> => ({ steps: [], outcome: { is: 'settled' } });

/** Plans steps to take now; the message is why they are taken. */
export const act = <Step, R extends Reason = Reason>(reason: R, ...steps: readonly Step[]): Plan<Step, R> => ({
  steps,
  outcome: { is: 'progressing', reason, message: [...new Set(steps.flatMap(becauseOf))].join('; ') || reason },
});

const becauseOf = (step: unknown): string[] =>
  typeof step === 'object' && step !== null && 'because' in step ? [String(step.because)] : [];

export const wait = <Step = never, R extends Reason = Reason>(
  reason: R,
  message: string,
  forMs = LONG_WAIT_MS,
): Plan<Step, R> => ({
  steps: [],
  outcome: { is: 'waiting', reason, message, forMs },
});

/** Plans to retry a failure after that time, whatever wakes the key meanwhile: the pass itself sees to that. */
export const retry = <Step = never, R extends Reason = Reason>(
  reason: R,
  message: string,
  forMs: number,
): Plan<Step, R> => ({
  steps: [],
  outcome: { is: 'retrying', reason, message, forMs },
});

/** A failure that is not retried before a new generation, a watched change or the slow resync. Calling something terminal is a decision. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  /** Time until this document is looked at again, ms; undefined: with the common resync. */
  readonly requeueAfterMs: number | undefined;
  constructor(
    readonly reason: Reason,
    message: string,
    options?: ErrorOptions & { readonly requeueAfterMs?: number },
  ) {
    super(message, options);
    this.requeueAfterMs = options?.requeueAfterMs;
  }
}

/** A failure with a reason of its own that may pass: it is retried with back-off. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  constructor(
    readonly reason: Reason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The document says something that cannot be made true. Lists every issue with its path, as in `spec.subnets[0]`. */
export class InvalidSpecError extends TerminalError {
  constructor(readonly issues: readonly { readonly path: string; readonly message: string }[]) {
    super('InvalidSpec', issues.map(({ path, message }) => `${path}: ${message}`).join('; '));
  }
}

/** Runs `action`; returns a thrown `TerminalError` as a value and rethrows everything else. */
export function attempt<T>(action: () => T): T | TerminalError {
  try {
    return action();
  } catch (error) {
    if (error instanceof TerminalError) return error;
    throw error;
  }
}

/** One pass over one key. Throws for failures; see the table in the runtime's `resultToAction`. */
export type Reconcile = (key: PassKey, signal: AbortSignal) => Promise<Outcome>;

/** What a pass is about. */
export interface PassKey {
  readonly name: string;
  /** Told of each step before it is taken. */
  readonly onStep?: (step: unknown) => void;
}

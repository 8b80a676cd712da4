import type { ReasonOf } from '../../crds/model/reasons.js';
import { CredentialsError } from '../engine/images/registry-auth.js';
import { TerminalError } from '../runtime/outcome.js';

/**
 * Why a pull failed. `refused`: the registry has answered, and will answer the same until somebody acts. `disk`: there
 * is no room. `passing`: anything else, above all a registry that is down.
 */
export interface PullFailure {
  readonly is: 'refused' | 'disk' | 'passing';
  readonly reason: ReasonOf<'Image'>;
  /** One sentence for people, with what to look at. */
  readonly message: string;
  /** Docker's message. */
  readonly cause: string;
}

interface Words {
  readonly pattern: RegExp;
  readonly is: PullFailure['is'];
  readonly reason: ReasonOf<'Image'>;
  readonly hint: string;
}

/** Patterns of messages: Docker passes on what the registry or the kernel said as text only, with 404 and 500 for nearly everything. */
const WORDS: readonly Words[] = [
  {
    pattern: /no space left on device|disk quota exceeded|not enough room/i,
    is: 'disk',
    reason: 'NotEnoughDisk',
    hint: ': make room on the disk; what runs is not touched',
  },
  {
    pattern: /no matching manifest for|does not match the specified platform|no match for platform/i,
    is: 'refused',
    reason: 'WrongPlatform',
    hint: ': there is none for this processor; build it for this one, or set platform',
  },
  {
    pattern:
      /unauthorized|authentication required|access denied|denied:|no basic auth|insufficient_scope|403 Forbidden|incorrect username or password/i,
    is: 'refused',
    reason: 'AccessDenied',
    hint: ': check the name, and the access to its registry (spec.registries, or the config file of Docker)',
  },
  {
    pattern: /manifest unknown|name unknown|not found|does not exist|manifest invalid/i,
    is: 'refused',
    reason: 'ImageNotFound',
    hint: ': check the name and the tag, and that the image was pushed',
  },
];

/** Classifies a failed pull. Pure. */
export function pullFailure(reference: string, cause: Error): PullFailure {
  if (cause instanceof CredentialsError) {
    const message = `Could not download image ${reference}: the access to its registry is not in order: ${cause.message}`;
    return { is: 'passing', reason: 'CredentialsUnusable', message, cause: cause.message };
  }
  const words = WORDS.find(({ pattern }) => pattern.test(cause.message));
  const message = `Could not download image ${reference}${words?.hint ?? ''}: ${cause.message}`;
  return { is: words?.is ?? 'passing', reason: words?.reason ?? 'Retrying', message, cause: cause.message };
}

/** The pulls of one image that failed in a row. */
export interface Attempts {
  /** What they were for; counting starts again with another document or other credentials. */
  readonly of: string;
  readonly failures: number;
  readonly failure: PullFailure;
  /** When the next one is due; monotonic clock, ms. */
  readonly dueMs: number;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 5 * 60_000;
/** Longest delay while the disk is full, ms: room may appear at any time, and looking for it costs a system call. */
const LONGEST_DISK_DELAY_MS = 60_000;
/** Number of refusals after which a pull counts as hopeless. Before that the image may be on its way to the registry. */
const REFUSALS = 8;
/** Delay between pulls that count as hopeless, ms. */
const STALLED_DELAY_MS = 15 * 60_000;

/** Tells whether trying again soon is of no use. Pure. */
export const isHopeless = ({ failure, failures }: Pick<Attempts, 'failure' | 'failures'>): boolean =>
  failure.is === 'refused' && failures >= REFUSALS;

/** Returns the attempts with one more failure: the delay doubles each time, less a jitter. `random`: 0 ≤ x < 1. Pure. */
export function nextAttempt(
  before: Pick<Attempts, 'of' | 'failures'> | undefined,
  of: string,
  failure: PullFailure,
  nowMs: number,
  random: number,
): Attempts {
  const failures = before?.of === of ? before.failures + 1 : 1;
  const longest = failure.is === 'disk' ? LONGEST_DISK_DELAY_MS : LONGEST_DELAY_MS;
  const full = isHopeless({ failure, failures })
    ? STALLED_DELAY_MS
    : Math.min(FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 20), longest);
  return { of, failures, failure, dueMs: nowMs + Math.round(full * (1 - random / 4)) };
}

/** Returns the error for a pull that somebody has to fix. Pure. */
export const hopeless = ({ failure, dueMs }: Attempts, nowMs: number): TerminalError => {
  const message = `${failure.message}. It is tried again every quarter of an hour`;
  return new TerminalError(failure.reason, message, { requeueAfterMs: dueMs - nowMs });
};

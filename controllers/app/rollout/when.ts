import type { ReasonOf } from '../../../crds/model/reasons.js';
import type { Apply } from '../../../crds/model/rollout.js';
import type { AppStatus } from '../../../crds/model/types.js';
import { LONGEST_WAIT_MS } from '../../runtime/cron-times.js';
import type { WindowState } from './window.js';

type Next = NonNullable<AppStatus['next']>;

/** What decides when the content of an App is promoted. */
export interface WhenFacts {
  readonly app: string;
  readonly apply: Apply;
  /** Undefined unless `apply` is `window`. */
  readonly window: WindowState | undefined;
  /** Name of the Revision that the content will be. */
  readonly revision: string;
  /** It differs from what is declared of the App's children. */
  readonly isNew: boolean;
  /** Services have made room for its images already: only the rest of the promotion brings them back. */
  readonly isStarted: boolean;
  /** What was promoted last runs, or can be brought back: the promotion interrupts something. */
  readonly interrupts: boolean;
  /** Its images are on the device, but for those whose services stop before they are downloaded. */
  readonly hasImages: boolean;
  /** The App is suspended: it is not promoted, and a boot is none that it waits for. */
  readonly isSuspended?: boolean;
  /** What the status says. */
  readonly next: Next | undefined;
  readonly bootId: string;
  /** The time of day, ms since the epoch. */
  readonly nowMs: number;
  /** It is promoted whatever it would wait for: a rehearsal has told of it. */
  readonly goesAhead: boolean;
}

type WaitReason = Extract<ReasonOf<'App'>, 'OutsideWindow' | 'AwaitingReboot' | 'AwaitingApproval'>;

/** Whether the content may be promoted now. `next`: what the status says of it from now on; undefined when it waits for nothing. */
export type When =
  | { readonly is: 'now'; readonly next: Next | undefined }
  | {
      readonly is: 'later';
      readonly reason: WaitReason;
      readonly message: string;
      /** When to look again, ms. */
      readonly forMs: number;
      readonly next: Next;
      /** Nothing but its time is missing. */
      readonly hasImages: boolean;
      /** When the window opens, RFC 3339. */
      readonly until?: string;
    };

/** How soon to look again at what only an event ends, ms. */
const LOOK_MS = 10 * 60_000;

/**
 * Decides whether the content of an App may be promoted now. Only what is new waits, and what was begun goes on. Without
 * anything that it would interrupt it waits for its approval alone: nobody is disturbed, and what nobody has approved
 * does not run. Pure. (docs/design/rollout.md §2.2.)
 */
export function decideWhen(facts: WhenFacts): When {
  const { app, apply, revision, isNew, hasImages, next: before, nowMs, bootId } = facts;
  if (!isNew || apply === 'now') return { is: 'now', next: undefined };
  const known = before?.revision === revision ? before : undefined;
  const { approved, bootId: seenIn = bootId } = known ?? {};
  // A boot that came before it could be promoted does not count: the device has run since, and is not interrupted.
  const counts = (hasImages && !facts.isSuspended) || facts.goesAhead;
  const noted = apply !== 'reboot' ? undefined : counts ? seenIn : bootId;
  const next: Next = {
    revision,
    since: known?.since ?? new Date(nowMs).toISOString(),
    ...(noted === undefined ? {} : { bootId: noted }),
    ...(approved ? { approved } : {}),
  };
  if (approved || facts.isStarted || facts.goesAhead || (!facts.interrupts && apply !== 'approval'))
    return { is: 'now', next };
  const way = `\`supercargo approve ${app}\` lets it go ahead`;
  if (apply === 'approval') {
    const message = `Revision ${revision} waits until somebody approves it: ${way}`;
    return { is: 'later', reason: 'AwaitingApproval', message, forMs: LOOK_MS, next, hasImages };
  }
  if (apply === 'reboot') {
    if (noted !== bootId) return { is: 'now', next };
    const message = `Revision ${revision} waits for the next boot of the device; ${way} without`;
    return { is: 'later', reason: 'AwaitingReboot', message, forMs: LOOK_MS, next, hasImages };
  }
  const { window } = facts;
  if (!window || window.is === 'open') return { is: 'now', next };
  const { opensMs, opensAt } = window;
  if (opensMs === undefined) {
    const message = `Revision ${revision} waits for its window, and none opens within five years: declare another rollout.window; ${way} without`;
    return { is: 'later', reason: 'OutsideWindow', message, forMs: LONGEST_WAIT_MS, next, hasImages };
  }
  return {
    ...{ is: 'later', reason: 'OutsideWindow' },
    message: `Revision ${revision} waits until ${opensAt}, when its window opens; ${way} at once`,
    forMs: Math.min(opensMs - nowMs, LONGEST_WAIT_MS),
    next,
    hasImages,
    until: new Date(opensMs).toISOString(),
  };
}

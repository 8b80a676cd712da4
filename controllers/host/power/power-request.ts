import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../api/platform/clock.js';
import { errorMessage } from '../../../api/platform/errors.js';
import { HOST_OS_UPDATING } from '../../../crds/model/locked-messages.js';
import type { AllLocks } from '../locks/all-locks.js';
import type { Power, PowerVerb } from './power.js';

export type PowerAnswer =
  | { readonly is: 'scheduled' }
  | { readonly is: 'refused' | 'locked'; readonly message: string };

/** An attempt to end the operating system that has failed after it was promised. */
export interface PowerFailure {
  readonly message: string;
  /** How long it is better left alone, ms; twice as long after each failure. */
  readonly inMs: number;
}

const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 60 * 60_000;

/** The failures of this process, for those who ask by themselves and not for somebody who waits for the answer. */
export class PowerFailures {
  readonly #failures = new Map<PowerVerb, { readonly message: string; readonly dueMs: number }>();
  readonly #times = new Map<PowerVerb, number>();

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  /** It is tried (again): how it ends is not known. */
  begin(verb: PowerVerb): void {
    this.#failures.delete(verb);
  }

  note(verb: PowerVerb, message: string): void {
    const times = this.#times.get(verb) ?? 0;
    this.#times.set(verb, times + 1);
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** times, LONGEST_PAUSE_MS);
    this.#failures.set(verb, { message, dueMs: this.clock.monotonic() + pauseMs });
  }

  /** Returns how the last attempt failed; undefined when there was none, and while one is under way. */
  last(verb: PowerVerb): PowerFailure | undefined {
    const { message, dueMs } = this.#failures.get(verb) ?? {};
    return message === undefined || dueMs === undefined
      ? undefined
      : { message, inMs: Math.max(0, dueMs - this.clock.monotonic()) };
  }
}

export interface PowerRequestDeps {
  readonly hostRoot: string;
  readonly power: Power;
  readonly locks: AllLocks;
  /** Writes a line to the system log. */
  logLine(message: string, isError?: boolean): void;
  readonly log: {
    readonly info: (message: string) => void;
    readonly error: (details: object, message: string) => void;
  };
  /** Calls back once, after that many ms. */
  readonly after: (ms: number, call: () => void) => unknown;
  /** Told of every attempt and of what failed. */
  readonly failures?: PowerFailures;
}

/** Files of a host OS update that has not been found good yet; a reboot now would roll it back. */
const UPDATE_MARKERS = ['mnt/state/rollback-health-breadcrumb', 'mnt/state/rollback-altboot-breadcrumb'];
const WORDS = { reboot: 'Rebooting', shutdown: 'Shutting down' } as const;
/** Time for the answer to reach the client, ms. */
const DELAY_MS = 1_000;

/**
 * Reboots or shuts down, a little later than it answers. It is a call and not a request on a document, because a
 * request on disk would be found again after the boot that it asked for. While one is under way, others are not passed
 * on.
 */
export function powerRequests(deps: PowerRequestDeps): (verb: PowerVerb, force: boolean) => Promise<PowerAnswer> {
  const scheduled = new Set<PowerVerb>();
  return async (verb, force) => {
    const { hostRoot, power, locks, logLine, log, after, failures } = deps;
    // The configured override does not count here: only who asks can know that the update may be given up.
    if (!force && UPDATE_MARKERS.some((path) => existsSync(join(hostRoot, path))))
      return { is: 'locked', message: HOST_OS_UPDATING };
    const result = await locks.during(force, async (): Promise<PowerAnswer> => {
      const obstacle = power.obstacle(verb);
      if (obstacle !== undefined) return { is: 'refused', message: obstacle };
      if (scheduled.has(verb)) return { is: 'scheduled' };
      scheduled.add(verb);
      failures?.begin(verb);
      logLine(WORDS[verb]);
      log.info(`${WORDS[verb]}, as the API asked`);
      after(DELAY_MS, () => {
        power
          .end(verb)
          .catch((error: unknown) => {
            log.error({ err: error }, `Could not ${verb}`);
            logLine(`Could not ${verb}: ${errorMessage(error)}`, true);
            failures?.note(verb, errorMessage(error));
          })
          .finally(() => scheduled.delete(verb));
      });
      return { is: 'scheduled' };
    });
    return result.is === 'done' ? result.value : result;
  };
}

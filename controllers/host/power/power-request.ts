import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../../../api/platform/errors.js';
import { HOST_OS_UPDATING } from '../../../crds/model/locked-messages.js';
import type { AllLocks } from '../locks/all-locks.js';
import type { Power, PowerVerb } from './power.js';

export type PowerAnswer =
  | { readonly is: 'scheduled' }
  | { readonly is: 'refused' | 'locked'; readonly message: string };

export interface PowerRequestDeps {
  readonly hostRoot: string;
  readonly power: Power;
  readonly locks: AllLocks;
  /** Writes a line to the system log. */
  say(message: string, isError?: boolean): void;
  readonly log: {
    readonly info: (message: string) => void;
    readonly error: (details: object, message: string) => void;
  };
  /** Calls back once, after that many ms. */
  readonly after: (ms: number, call: () => void) => unknown;
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
    const { hostRoot, power, locks, say, log, after } = deps;
    // The configured override does not count here: only who asks can know that the update may be given up.
    if (!force && UPDATE_MARKERS.some((path) => existsSync(join(hostRoot, path))))
      return { is: 'locked', message: HOST_OS_UPDATING };
    const result = await locks.during(force, async (): Promise<PowerAnswer> => {
      const obstacle = power.obstacle(verb);
      if (obstacle !== undefined) return { is: 'refused', message: obstacle };
      if (scheduled.has(verb)) return { is: 'scheduled' };
      scheduled.add(verb);
      say(WORDS[verb]);
      log.info(`${WORDS[verb]}, as the API asked`);
      after(DELAY_MS, () => {
        power
          .end(verb)
          .catch((error: unknown) => {
            log.error({ err: error }, `Could not ${verb}`);
            say(`Could not ${verb}: ${errorMessage(error)}`, true);
          })
          .finally(() => scheduled.delete(verb));
      });
      return { is: 'scheduled' };
    });
    return result.is === 'done' ? result.value : result;
  };
}

import { type Clock, pause, systemClock } from '../../../api/platform/clock.js';
import { lockfileExists, locksHeld } from '../../../crds/model/locked-messages.js';
import type { UpdateLocks } from './update-locks.js';

/** The end of an action under the locks of all apps, or why it was not started: one sentence in the Supervisor's words. */
type UnderLocks<T> = { readonly is: 'done'; readonly value: T } | { readonly is: 'locked'; readonly message: string };

export interface AllLocksDeps {
  readonly locks: UpdateLocks;
  /** Returns the numbers of all apps. */
  appIds(): readonly number[];
  /** Tells whether the device is configured to override locks. */
  overrides(): boolean;
  /** How long an operation of ours on the same app is waited for, ms. */
  readonly patienceMs?: number;
  /** The machine's own when not said. */
  readonly clock?: Pick<Clock, 'monotonic' | 'after'>;
}

/** Runs actions that concern the whole device: under the update locks of every app, or not at all. */
export interface AllLocks {
  during<T>(force: boolean, action: () => Promise<T>): Promise<UnderLocks<T>>;
}

const PATIENCE_MS = 10_000;
const LOOK_MS = 50;

/** Takes the locks in the order of the app ids, and releases them however the action ends. */
export function allLocks({
  locks,
  appIds,
  overrides,
  patienceMs = PATIENCE_MS,
  clock = systemClock,
}: AllLocksDeps): AllLocks {
  return {
    async during(force, action) {
      const deadline = clock.monotonic() + patienceMs;
      const taken: number[] = [];
      const refusals: string[] = [];
      try {
        for (const appId of [...appIds()].sort((a, b) => a - b)) {
          while (locks.isHeld(appId) && clock.monotonic() < deadline) await pause(clock, LOOK_MS);
          if (locks.isHeld(appId)) {
            refusals.push(locksHeld(appId));
            continue;
          }
          const result = await locks.claim(appId, [], { force: force || overrides() });
          if (result.is === 'held') taken.push(appId);
          else refusals.push(lockfileExists(appId, result.service));
        }
        const message = refusals.at(-1);
        if (message !== undefined) return { is: 'locked', message };
        return { is: 'done', value: await held(locks, taken, action) };
      } finally {
        for (const appId of taken) await locks.release(appId);
      }
    },
  };
}

/** Runs the action while the locks of all these apps are kept. */
async function held<T>(locks: UpdateLocks, [first, ...rest]: readonly number[], action: () => Promise<T>): Promise<T> {
  if (first === undefined) return action();
  const box: { value?: { readonly is: T } } = {};
  const ran = await locks.during(first, async () => {
    box.value = { is: await held(locks, rest, action) };
    return true;
  });
  if (!ran || !box.value) throw new Error(`The update lock of app ${first} was given back before its time`);
  return box.value.is;
}

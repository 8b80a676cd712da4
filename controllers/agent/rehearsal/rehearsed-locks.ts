import type { UpdateLocks } from '../../host/locks/update-locks.js';

/** The lock file of an application, as the host sees it. */
export interface ApplicationLock {
  readonly service: string;
  readonly path: string;
}

export interface RehearsedLocksDeps {
  readonly locks: Pick<UpdateLocks, 'directory' | 'isHeld'>;
  /** What is in the way of a claim; undefined when nothing is. */
  readonly lockedBy: (appId: number) => ApplicationLock | undefined;
  /** Told of a claim that would have to wait. */
  readonly onWait: (lock: ApplicationLock) => void;
}

/** Update locks without files: one that an application holds is told of, and counts as given back. */
export function rehearsedLocks({ locks, lockedBy, onWait }: RehearsedLocksDeps): UpdateLocks {
  const known = new Map<number, boolean>();
  const users = new Map<number, number>();
  const isHeld = (appId: number): boolean => known.get(appId) ?? locks.isHeld(appId);
  return {
    async claim(appId, _services, { force }) {
      const lock = force || isHeld(appId) ? undefined : lockedBy(appId);
      if (lock) onWait(lock);
      known.set(appId, true);
      return { is: 'held' };
    },
    isHeld,
    async during(appId, action) {
      if (!isHeld(appId)) return undefined;
      users.set(appId, (users.get(appId) ?? 0) + 1);
      try {
        return await action();
      } finally {
        users.set(appId, (users.get(appId) ?? 1) - 1);
      }
    },
    async release(appId) {
      if ((users.get(appId) ?? 0) > 0) return 'busy';
      known.set(appId, false);
      return 'released';
    },
    directory: locks.directory,
  };
}

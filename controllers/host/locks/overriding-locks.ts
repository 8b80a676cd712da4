import type { UpdateLocks } from './update-locks.js';

/** The same locks, taken by force whenever the device's configuration says so (SUPERVISOR_OVERRIDE_LOCK). */
export const overridingLocks = (locks: UpdateLocks, overrides: () => boolean): UpdateLocks => ({
  ...locks,
  claim: (appId, services, { force }) => locks.claim(appId, services, { force: force || overrides() }),
});

/**
 * The update lock of an app: files in its services' lock directories (docs/reference/http-api.md §4). All services
 * or none. Our own files belong to uid 65534 and say that they are ours, so that they are recognised after a crash.
 */
export interface UpdateLocks {
  /** Takes the lock for every service directory of the app, existing or named here. Repeatable while held. `force` deletes the application's file first. */
  claim(
    appId: number,
    services: readonly string[],
    options: { readonly force: boolean },
  ): Promise<{ is: 'held' } | { is: 'locked'; service: string; path: string }>;
  /** Held by this process right now. */
  isHeld(appId: number): boolean;
  /** Runs the action only while held, and keeps it held for as long; undefined without running it when not held. */
  during<T>(appId: number, action: () => Promise<T>): Promise<T | undefined>;
  /** `busy` while an action runs under it. Also removes files that an earlier process of ours left. */
  release(appId: number): Promise<'released' | 'busy'>;
  /** The lock directory of a service, as the *host* sees it: what containers bind. */
  directory(appId: number, serviceName: string): string;
}

/** The same locks, taken by force whenever the device's configuration says so (SUPERVISOR_OVERRIDE_LOCK). */
export const overridingLocks = (locks: UpdateLocks, overrides: () => boolean): UpdateLocks => ({
  ...locks,
  claim: (appId, services, { force }) => locks.claim(appId, services, { force: force || overrides() }),
});

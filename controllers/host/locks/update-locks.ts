/**
 * The update lock of an app: files in its services' lock directories (docs/reference/http-api.md §4). All services are
 * locked, or none. Our own files belong to uid 65534 and have our content, so that they are recognized after a crash.
 */
export interface UpdateLocks {
  /**
   * Takes the lock for every service directory of the app, existing or named here. Repeatable while held. `force`
   * deletes the application's file first.
   */
  claim(
    appId: number,
    services: readonly string[],
    options: { readonly force: boolean },
  ): Promise<{ is: 'held' } | { is: 'locked'; service: string; path: string }>;
  /** Tells whether this process holds it. */
  isHeld(appId: number): boolean;
  /** Runs the action while the lock is held, and keeps it for as long; returns undefined without running it when it is not held. */
  during<T>(appId: number, action: () => Promise<T>): Promise<T | undefined>;
  /** Releases the lock; `busy` while an action runs under it. Also removes files that an earlier process of ours left. */
  release(appId: number): Promise<'released' | 'busy'>;
  /** Returns the lock directory of a service as the *host* sees it, for the binds of containers. */
  directory(appId: number, serviceName: string): string;
}

/** Wraps the locks so that they are taken by force while the device's configuration says so (SUPERVISOR_OVERRIDE_LOCK). */
export const overridingLocks = (locks: UpdateLocks, overrides: () => boolean): UpdateLocks => ({
  ...locks,
  claim: (appId, services, { force }) => locks.claim(appId, services, { force: force || overrides() }),
});

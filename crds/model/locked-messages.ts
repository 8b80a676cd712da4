/**
 * The texts of a 423 answer, in the Supervisor's words (docs/reference/http-api.md §4). Controllers write them into a
 * status, from which the compatible API answers.
 */

/** A service holds its update lock. */
export const lockfileExists = (appId: number, service: string): string =>
  `Lockfile exists for { appId: ${appId}, service: ${service} }`;

/** Another command of the agent has locked the app. */
export const locksHeld = (appId: number): string =>
  `Locks for app ${appId} are being held by another supervisor operation`;

/** The host's operating system is being updated: no restart of the device now. */
export const HOST_OS_UPDATING = 'Waiting for Host OS update to finish';

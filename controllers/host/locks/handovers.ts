import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, isMissing } from '../../../api/platform/errors.js';
import { override } from './lock-file.js';
import { checkFolders } from './lock-folders.js';

/** Either name signals that the new container of a service has taken over (docs/reference/http-api.md §4.1). */
const NAMES = ['handover-complete', 'resin-kill-me'] as const;

/** The files by which applications signal that they have taken over, in the lock directories of their services. */
export interface Handovers {
  /** Tells whether the new container of the service has signalled that it has taken over. */
  isComplete(appId: number, serviceName: string): Promise<boolean>;
  /** Removes an earlier signal. Repeatable. Rejects with one sentence that says what stays, and why. */
  forget(appId: number, serviceName: string): Promise<void>;
}

export interface HandoversOptions {
  /** Lock directories, as the host sees them. */
  readonly lockRoot: string;
  /** Path under which the host's root is mounted for the agent. */
  readonly hostRoot: string;
}

/** Reads the files each time; nothing is kept. */
export function openHandovers({ lockRoot, hostRoot }: HandoversOptions): Handovers {
  const pathsOf = (appId: number, serviceName: string): readonly string[] =>
    NAMES.map((name) => join(hostRoot, lockRoot, String(appId), serviceName, name));
  // A link in the path would lead the removal elsewhere.
  const isThere = (appId: number): boolean => checkFolders(hostRoot, join(lockRoot, String(appId)), { make: false });
  return {
    async isComplete(appId, serviceName) {
      if (!isThere(appId)) return false;
      const seen = await Promise.all(pathsOf(appId, serviceName).map(exists));
      return seen.includes(true);
    },
    async forget(appId, serviceName) {
      try {
        if (!isThere(appId)) return;
        for (const path of pathsOf(appId, serviceName)) override(path);
      } catch (error) {
        const what = `Could not remove the sign of a hand-over of service ${serviceName} of app ${appId}`;
        throw new Error(`${what}: ${errorMessage(error)}`, { cause: error });
      }
    },
  };
}

/** Tells whether anything of that name exists. Throws every error but "not there": a look that fails says nothing about the hand-over. */
async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

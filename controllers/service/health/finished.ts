import type { SeenContainer, Updatable } from '../../engine/engine.js';

/**
 * Whether the engine starts a container again no more because the document's own restart policy says so: a one-shot has
 * ended, on-failure has ended well, or as often as it may. What somebody stopped under another policy has not finished.
 * Docker counts restarts from the last start by hand, and keeps the count of a container that has ended over its own
 * restart. Pure.
 */
export function hasFinished(
  { Name, MaximumRetryCount: most }: Updatable['RestartPolicy'],
  { state, exitCode, error, restartCount = 0 }: Pick<SeenContainer, 'state' | 'exitCode' | 'error' | 'restartCount'>,
): boolean {
  if (state !== 'exited') return false;
  if (Name === 'on-failure' && most > 0 && restartCount >= most) return true;
  // One whose last start failed has not ended: it was to run again.
  return error === '' && (Name === 'no' || (Name === 'on-failure' && exitCode === 0));
}

import type { SeenContainer, Updatable } from '../../engine/engine.js';

/**
 * Tells whether the document's own restart policy keeps the engine from starting a container again: a one-shot has
 * ended, `on-failure` has succeeded, or failed as often as it may. A container that somebody stopped under another
 * policy has not finished. Docker counts restarts from the last manual start, and keeps the count of an ended container
 * over its own restart. Pure.
 */
export function hasFinished(
  { Name, MaximumRetryCount: most }: Updatable['RestartPolicy'],
  { state, exitCode, error, restartCount = 0 }: Pick<SeenContainer, 'state' | 'exitCode' | 'error' | 'restartCount'>,
): boolean {
  if (state !== 'exited') return false;
  if (Name === 'on-failure' && most > 0 && restartCount >= most) return true;
  // A container whose last start failed has not ended: it was meant to run again.
  return error === '' && (Name === 'no' || (Name === 'on-failure' && exitCode === 0));
}

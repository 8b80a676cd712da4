/** How often to check whether the last file calls have ended, ms. */
const LOOK_MS = 50;

/** Tells whether calls to file systems have not been answered yet. */
const isAsking = (): boolean => process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'));

/**
 * Ends the process. `process.exit` waits for the threads that make file calls, forever where a file system does not
 * answer; then SIGKILL ends it. Pending calls have `patienceMs` to end.
 */
export function endProcess(code: number, patienceMs = 0): void {
  if (!isAsking()) process.exit(code);
  if (patienceMs <= 0) process.kill(process.pid, 'SIGKILL');
  else setTimeout(() => endProcess(code, patienceMs - LOOK_MS), LOOK_MS);
}

/** How often to look whether the last file calls have ended, ms. */
const LOOK_MS = 50;

/** Calls to file systems that have not been answered. */
const isAsking = (): boolean => process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'));

/**
 * Ends the process. `process.exit` waits for the threads that make file calls, for ever where a file system does not
 * answer; then only the kernel ends it. The calls that are going on have `patienceMs` to end.
 */
export function endProcess(code: number, patienceMs = 0): void {
  if (!isAsking()) process.exit(code);
  if (patienceMs <= 0) process.kill(process.pid, 'SIGKILL');
  else setTimeout(() => endProcess(code, patienceMs - LOOK_MS), LOOK_MS);
}

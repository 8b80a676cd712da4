import { hostname, userInfo } from 'node:os';

/** The name under which requests are made: `ada@laptop`. Of who became root for it, their own. */
export function whoAsks(env: NodeJS.ProcessEnv): string {
  return `${env.SUDO_USER ?? userName()}@${hostname()}`.replace(/\p{C}/gu, '').slice(0, 100);
}

/** A process may run as a number that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

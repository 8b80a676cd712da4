import { readdir, readFile } from 'node:fs/promises';
import { hasCode } from '../../../api/platform/errors.js';

/** Processes of containers, as far as this machine shows them: inside a container the agent sees none. */
export interface ContainerProcesses {
  /**
   * Kills the processes of a container that the engine says does not run, and the shim that its containerd keeps for
   * it. Returns how many processes of the container there were, without the shim.
   */
  kill(container: string): Promise<number>;
}

/**
 * Finds processes by their container's id: it is in the path of the control group (`/docker/<id>`,
 * `docker-<id>.scope`), and on the shim's command line.
 */
export const containerProcesses = (
  proc = '/proc',
  end: (pid: number) => void = (pid) => void process.kill(pid, 'SIGKILL'),
): ContainerProcesses => ({
  async kill(container) {
    if (!/^[0-9a-f]{64}$/.test(container)) return 0;
    const pids = (await readdir(proc).catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
    const read = (pid: number, file: string): Promise<string> =>
      readFile(`${proc}/${pid}/${file}`, 'utf8').catch(() => ''); // it has ended meanwhile, or is not ours to see
    const found = await Promise.all(
      pids.map(async (pid) => {
        const [groups, command] = await Promise.all([read(pid, 'cgroup'), read(pid, 'cmdline')]);
        const [program = '', ...words] = command.split('\0');
        return {
          pid,
          isInside: groups.includes(container),
          isShim: program.includes('containerd-shim') && words.includes(container),
        };
      }),
    );
    const inside = found.filter(({ isInside, isShim }) => isInside && !isShim);
    // The shim comes last: it reports that its container has ended.
    for (const { pid } of [...inside, ...found.filter(({ isShim }) => isShim)]) {
      try {
        end(pid);
      } catch (error) {
        if (!hasCode(error, 'ESRCH')) throw error;
      }
    }
    return inside.length;
  },
});

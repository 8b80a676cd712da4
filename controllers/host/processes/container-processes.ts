import { readdir, readFile } from 'node:fs/promises';
import { hasCode } from '../../../api/platform/errors.js';

/** Processes of containers, as far as this machine shows them: in a container of its own the agent sees none. */
export interface ContainerProcesses {
  /**
   * Kills whatever runs under the id of a container that the engine says does not run, and the shim that its containerd
   * keeps for it. Returns how many processes of the container there were, the shim not counted.
   */
  kill(container: string): Promise<number>;
}

/** A container's id is in the path of its control group (`/docker/<id>`, `docker-<id>.scope`), and on the shim's command line. */
export const containerProcesses = (
  proc = '/proc',
  end: (pid: number) => void = (pid) => void process.kill(pid, 'SIGKILL'),
): ContainerProcesses => ({
  async kill(container) {
    if (!/^[0-9a-f]{64}$/.test(container)) return 0;
    const pids = (await readdir(proc).catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
    const read = (pid: number, file: string): Promise<string> =>
      readFile(`${proc}/${pid}/${file}`, 'utf8').catch(() => ''); // it has ended meanwhile, or is not for us to see
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
    // The shim last: it reports that its container has ended.
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

import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

// One small file at a time, without promises: the kernel answers each of these calls in some microseconds, and finding
// the process that holds a socket takes some hundreds of them. Callers let other work run in between.

/** Why the owner of a process does not count as the owner of this device; undefined when it does. */
export type Objection = 'another user' | 'a container' | 'the kernel does not tell';

/** Returns what to wait for before the next system call; undefined when it may follow at once. */
type YieldTurn = () => Promise<void> | undefined;

export interface LocalProcesses {
  /** Returns the numbers of all visible processes, newest first. */
  pids(): readonly string[];
  /**
   * Returns those of the sockets that the process holds, each with the objection to it. However many sockets there are,
   * the files of the process are read twice: a client may hold thousands. `yieldTurn` is called before each of them.
   */
  holdings(
    pid: string,
    wanted: ReadonlySet<number>,
    yieldTurn?: YieldTurn,
  ): Promise<ReadonlyMap<number, Objection | undefined>>;
  /** Why other processes cannot be seen, for people; undefined when they can. */
  readonly blindness: string | undefined;
}

export interface LocalProcessesOptions {
  readonly proc?: string;
  /** The user whose processes count besides root's. */
  readonly uid?: number;
}

/**
 * Reads `/proc`. Processes in another pid or user namespace, with another root folder, or in the cgroup of a container
 * count as those of containers.
 */
export function localProcesses({
  proc = '/proc',
  uid = process.getuid?.() ?? 0,
}: LocalProcessesOptions = {}): LocalProcesses {
  const owners = new Set([0, uid]);
  const own = { namespaces: namespacesOf(proc, 'self'), containers: containersOf(proc, 'self') };
  // With the host's processes in a container of our own, it is the first process whose root is the host's.
  const roots = new Set(['self', '1'].flatMap((pid) => rootOf(proc, pid) ?? []));

  const objectionTo = (pid: string): Objection | undefined => {
    try {
      const [, ids = ''] = /^Uid:\t(.*)$/m.exec(readFileSync(join(proc, pid, 'status'), 'utf8')) ?? [];
      const root = rootOf(proc, pid);
      if (!ids.split('\t').every((id) => id !== '' && owners.has(Number(id)))) return 'another user';
      if (namespacesOf(proc, pid) !== own.namespaces || root === undefined || !roots.has(root)) return 'a container';
      if ([...containersOf(proc, pid)].some((id) => !own.containers.has(id))) return 'a container';
      return undefined;
    } catch {
      return 'the kernel does not tell'; // it has ended, or is not ours to see
    }
  };

  return {
    pids: () =>
      readdirSync(proc)
        .filter((name) => /^\d+$/.test(name))
        .sort((a, b) => Number(b) - Number(a)),

    async holdings(pid, wanted, yieldTurn = () => undefined) {
      // The folder belongs to the effective user, or to root when the process hides what it is.
      const owner = statSync(join(proc, pid), { throwIfNoEntry: false })?.uid;
      if (owner === undefined || !owners.has(owner)) return new Map();
      const held = await socketsAt(proc, pid, wanted, yieldTurn);
      if (held.size === 0) return new Map();
      const objection = objectionTo(pid);
      // Those that it still holds: what was read is about that process, and not about one that has got its number since.
      const still = objection === undefined ? await socketsAt(proc, pid, held, yieldTurn) : held;
      return new Map([...held].map((inode) => [inode, still.has(inode) ? objection : 'the kernel does not tell']));
    },

    get blindness() {
      if (uid !== 0) return 'it does not run as root, and sees the programs of its own user only';
      const [mine, first] = ['self', '1'].map((pid) => attempt(() => namespacesOf(proc, pid)));
      if (mine === undefined || first === undefined) return 'it may not look at other processes (CAP_SYS_PTRACE)';
      const inside =
        own.containers.size > 0 || ['.dockerenv', 'run/.containerenv'].some((file) => exists(join('/', file)));
      return inside && !hasHostProcesses(proc)
        ? 'it runs in a container without the processes of the host (pid: host)'
        : undefined;
    },
  };
}

/** Number of the first pid namespace of a kernel (PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';
const hasHostProcesses = (proc: string): boolean => readlinkSync(join(proc, 'self/ns/pid')) === FIRST_PID_NAMESPACE;

const namespacesOf = (proc: string, pid: string): string =>
  ['pid', 'user'].map((kind) => readlinkSync(join(proc, pid, 'ns', kind))).join(' ');

/** Returns the root folder of a process. */
function rootOf(proc: string, pid: string): string | undefined {
  return attempt(() => {
    const { dev, ino } = statSync(join(proc, pid, 'root'));
    return `${dev}:${ino}`;
  });
}

/**
 * Returns the containers of a process. Docker, containerd, CRI-O and podman name the cgroup of a container after it: 64
 * hexadecimal digits, in v1 and v2, with and without systemd.
 */
const containersOf = (proc: string, pid: string): ReadonlySet<string> =>
  new Set(readFileSync(join(proc, pid, 'cgroup'), 'utf8').match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g));

/** Returns which of these sockets are among the open files of the process, the latest first: most often that is the one that is looked for. */
async function socketsAt(
  proc: string,
  pid: string,
  wanted: ReadonlySet<number>,
  yieldTurn: YieldTurn,
): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  for (const file of (attempt(() => readdirSync(join(proc, pid, 'fd'))) ?? []).reverse()) {
    const turn = yieldTurn();
    if (turn) await turn;
    const target = attempt(() => readlinkSync(join(proc, pid, 'fd', file))) ?? '';
    const inode = target.startsWith('socket:[') ? Number(target.slice(8, -1)) : undefined;
    if (inode !== undefined && wanted.has(inode)) found.add(inode);
    if (found.size === wanted.size) break;
  }
  return found;
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** Returns undefined for a process that ends meanwhile or that may not be read. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

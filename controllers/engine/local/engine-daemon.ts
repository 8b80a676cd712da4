import { spawn } from 'node:child_process';
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../../../api/platform/errors.js';
import { type Env, findProgram, withoutSecrets } from '../../../api/platform/programs.js';
import { runCommand } from '../../../api/platform/run-program.js';
import { timeoutSignal } from '../../../api/platform/time-limit.js';
import { probeConnection } from '../client/connection-probe.js';
import { dockerHttp } from '../client/docker-http.js';
import { EngineUnreachable } from '../engine.js';
import { ensureBridge, poolOfBridge, removeBridge } from './engine-bridge.js';
import { allowForwarding, forgetForwarding } from './engine-firewall.js';
import { claimFolder, type EngineFolders } from './engine-folders.js';

/** Longest time for a start, ms: a first one formats its storage; one after a crash restores containers. */
const START_LIMIT_MS = 90_000;
const STOP_LIMIT_MS = 30_000;
const POLL_MS = 100;
/** Longest time from the pid file to the socket, ms: a daemon that takes longer has lost it. */
const LISTEN_LIMIT_MS = 5_000;

interface Means {
  readonly env: Env;
  readonly print: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Tells whether a Docker engine answers on that socket within three seconds. */
export async function answers(socketPath: string, signal?: AbortSignal): Promise<boolean> {
  const isAnswering = await pings(socketPath, timeoutSignal(3_000, signal));
  signal?.throwIfAborted();
  return isAnswering;
}

/** Tells whether a Docker engine answers on that socket before the signal fires. */
export async function pings(socketPath: string, signal: AbortSignal): Promise<boolean> {
  const http = dockerHttp({ socketPath });
  return http.ask({ path: '/_ping', signal }).then(
    ({ status }) => status === 200,
    () => false,
  );
}

/**
 * Starts a daemon of our own and waits until it answers. It gets its own session, and so survives us and a Ctrl-C in
 * the terminal: containers go on while the agent restarts.
 */
export async function startDaemon(program: string, folders: EngineFolders, means: Means): Promise<void> {
  const { env, print, signal } = means;
  claimFolder(folders.runFolder);
  if ((await daemonPid(folders)) !== undefined) {
    if (await comesToListen(folders.socket, signal)) return untilAnswers(folders.socket, signal); // it is just starting
    print('The Docker engine of our own runs without its socket: ending it, containers run on');
    await endDaemon(folders);
  }
  await removeStalePids(folders);
  await mkdir(dirname(folders.log), { recursive: true });
  await mkdir(folders.execRoot, { recursive: true, mode: 0o700 });
  const pool = await ensureBridge(folders.bridge, env);

  // A starting daemon empties the DOCKER chains that all daemons share, which cuts off the other one's containers.
  const alone = !(await processes()).some(({ command }) => /^\S*dockerd( |$)/.test(command));
  if (!alone) print('Another Docker engine runs here: ours leaves its firewall rules alone');
  const error = await launch(program, daemonArguments(folders, pool, alone), folders, means);
  if (error !== undefined) {
    if (!alone || !/iptables/.test(error)) throw new Error(`The Docker engine did not start: ${error}`);
    print('The Docker engine cannot set up the firewall here: starting it without');
    const second = await launch(program, daemonArguments(folders, pool, false), folders, means);
    if (second !== undefined) throw new Error(`The Docker engine did not start: ${second}`);
  }
  if (alone) return;
  const blocked = await allowForwarding(pool, env);
  if (blocked !== undefined) print(`Containers may not reach each other: ${blocked}`);
}

/** Ends a daemon of our own and starts it; its containers run on. Rejects and resolves like `startDaemon`. */
export async function restartDaemon(program: string, folders: EngineFolders, means: Means): Promise<void> {
  await endDaemon(folders);
  await startDaemon(program, folders, means);
}

/** Tells whether somebody listens there, now or within seconds: a daemon that has just started has not created its socket yet. */
async function comesToListen(socketPath: string, signal?: AbortSignal): Promise<boolean> {
  const patience = timeoutSignal(LISTEN_LIMIT_MS, signal);
  while (!patience.aborted) {
    if ((await probeConnection({ socketPath }, patience)).is !== 'unreachable') return true;
    await sleep(POLL_MS);
  }
  signal?.throwIfAborted();
  return false;
}

/** Ends the daemon, not its containers, because it runs with `--live-restore`. Resolves when it has gone. */
async function endDaemon(folders: EngineFolders): Promise<void> {
  const pid = await daemonPid(folders);
  if (pid === undefined) return;
  signalProcess(pid, 'SIGTERM');
  const deadline = performance.now() + STOP_LIMIT_MS;
  while ((await daemonPid(folders)) !== undefined) {
    if (performance.now() > deadline) signalProcess(pid, 'SIGKILL');
    await sleep(POLL_MS);
  }
}

/** Starts it once. Resolves with nothing when it answers, or with how it ended and the end of its log. */
async function launch(
  program: string,
  args: readonly string[],
  folders: EngineFolders,
  { env, signal }: Means,
): Promise<string | undefined> {
  const log = await open(folders.log, 'a');
  const logStart = (await log.stat()).size;
  const child = spawn(program, args, {
    detached: true,
    cwd: '/',
    env: withoutSecrets(env),
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  const ended = new AbortController();
  const failed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signalName) => resolve(`it ended with ${signalName ?? `status ${code}`}`));
  });
  child.unref();
  const waited = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
  const how = await Promise.race([failed, untilAnswers(folders.socket, waited).then(() => undefined)]);
  ended.abort();
  return how === undefined ? undefined : `${how}\n${await lastLines(folders.log, logStart)}`;
}

/**
 * Returns the daemon's arguments. `pool`: where its networks get their subnets. `ownsFirewall`: it may write rules.
 * With live-restore containers run on while the daemon is away; without it, one with a pool also deletes `docker0` at
 * its second start, even if that belongs to another daemon (20.10). Pure.
 */
export function daemonArguments(folders: EngineFolders, pool: string, ownsFirewall: boolean): readonly string[] {
  return [
    `--host=unix://${folders.socket}`,
    `--data-root=${folders.dataRoot}`,
    `--exec-root=${folders.execRoot}`,
    `--pidfile=${folders.pidFile}`,
    `--bridge=${folders.bridge}`,
    `--default-address-pool=base=${pool},size=24`,
    '--live-restore',
    ...(ownsFirewall ? [] : ['--iptables=false']),
  ];
}

/** Kills its containers, ends it, and removes what only running engines need. Its data stays. */
export async function stopDaemon(folders: EngineFolders, env: Env): Promise<void> {
  const pid = await daemonPid(folders);
  const interfaces: string[] = [];
  if (pid !== undefined) {
    interfaces.push(...(await killContainers(folders.socket)));
    await endDaemon(folders);
  }
  await killLeftovers(folders);
  await unmountUnder([folders.execRoot, folders.dataRoot], env);
  const pool = await poolOfBridge(folders.bridge, env);
  if (pool !== undefined) await forgetForwarding(pool, env);
  for (const name of [...interfaces, folders.bridge]) await removeBridge(name, env);
  await rm(folders.runFolder, { recursive: true, force: true });
  await rm(folders.socket, { force: true });
}

/** Tells whether the daemon of these folders runs, answering or not. */
export const isRunning = async (folders: EngineFolders): Promise<boolean> => (await daemonPid(folders)) !== undefined;

/** Returns where the containerd of such a daemon listens: its own, else the system's, which it prefers when it finds it. */
export const containerdSockets = ({ execRoot }: EngineFolders): readonly string[] => [
  join(execRoot, 'containerd', 'containerd.sock'),
  '/run/containerd/containerd.sock',
];

/** Returns the running daemon of these folders. A number in a file proves nothing: the process has to be that daemon. */
async function daemonPid(folders: EngineFolders): Promise<number | undefined> {
  const pid = await readPid(folders.pidFile);
  if (pid === undefined) return undefined;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.includes(`--pidfile=${folders.pidFile}`) ? pid : undefined;
}

/**
 * Removes pid files after a crash, or a restart of the surrounding container: dockerd takes any living process of the
 * noted number for its predecessor, or for a containerd that it can use.
 */
async function removeStalePids({ pidFile, execRoot }: EngineFolders): Promise<void> {
  await rm(pidFile, { force: true });
  await killAll((await processes()).filter(({ command }) => isContainerdOf(execRoot, command)));
  await rm(join(execRoot, 'containerd', 'containerd.pid'), { force: true });
}

/** Ends what a killed daemon has left: its containerd, the shims of its containers, their processes. */
async function killLeftovers({ execRoot }: EngineFolders): Promise<void> {
  const all = await processes();
  const shims = all.filter(
    ({ command }) => command.includes('containerd-shim') && command.includes(`${execRoot}/containerd/`),
  );
  const inside = all.filter(({ parent }) => shims.some(({ pid }) => pid === parent));
  await killAll([...all.filter(({ command }) => isContainerdOf(execRoot, command)), ...inside, ...shims]);
}

/** Returns the ids of the containers whose shims run in the daemon's own containerd; none where it uses the system's. */
export const tasksOf = async (folders: EngineFolders): Promise<readonly string[]> =>
  (await processes()).flatMap(({ command }) => shimTask(folders, command) ?? []);

/** Returns the container of a shim of that daemon, by the shim's command line. Plugins of the daemon are in another namespace. Pure. */
export function shimTask({ execRoot }: EngineFolders, command: string): string | undefined {
  const words = command.split(' ');
  const after = (flag: string): string => words[words.indexOf(flag) + 1] ?? '';
  const isOurs =
    words[0]?.includes('containerd-shim') === true &&
    after('-namespace') === 'moby' &&
    after('-address').startsWith(`${execRoot}/containerd/`);
  return isOurs && /^[0-9a-f]{64}$/.test(after('-id')) ? after('-id') : undefined;
}

const isContainerdOf = (execRoot: string, command: string): boolean =>
  /^\S*containerd --config /.test(command) && command.includes(`${execRoot}/containerd/`);

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Words separated by spaces; '' for kernel threads and zombies. */
  readonly command: string;
}

async function processes(): Promise<readonly Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  return Promise.all(
    pids.map(async (pid) => {
      const [command, status] = await Promise.all(
        ['cmdline', 'status'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      );
      const parent = Number(/^PPid:\s*(\d+)/m.exec(status ?? '')?.[1] ?? 0);
      return { pid, parent, command: (command ?? '').replaceAll('\0', ' ').trim() };
    }),
  );
}

/** Kills processes and waits until they are gone. */
async function killAll(victims: readonly Process[]): Promise<void> {
  const deadline = performance.now() + STOP_LIMIT_MS;
  const isLeft = ({ pid, command }: Process, now: readonly Process[]): boolean =>
    now.some((one) => one.pid === pid && one.command === command);
  for (let left = victims; left.length > 0; ) {
    for (const { pid } of left) signalProcess(pid, 'SIGKILL');
    await sleep(POLL_MS);
    const now = await processes();
    left = left.filter((one) => isLeft(one, now));
    if (performance.now() > deadline) throw new Error(`Could not end ${left.map(({ command }) => command).join(', ')}`);
  }
}

/** Sends a signal; a process that is gone already does not matter. */
function signalProcess(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

async function readPid(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return /^\d+\s*$/.test(text) ? Number(text) : undefined;
}

async function untilAnswers(socket: string, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  while (!(await answers(socket, signal))) {
    if (performance.now() > deadline) throw new Error(`The Docker engine does not answer at ${socket}`);
    await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
}

/** Kills running containers. Returns the interfaces of the daemon's networks, which it would leave behind. */
async function killContainers(socketPath: string): Promise<readonly string[]> {
  const http = dockerHttp({ socketPath });
  const signal = timeoutSignal(STOP_LIMIT_MS);
  const idsAt = async (path: string): Promise<string[]> => {
    const { body } = await http.ask({ path, signal });
    return Array.isArray(body) ? (body as { Id: string }[]).map(({ Id }) => Id) : [];
  };
  try {
    const running = await idsAt('/containers/json');
    await Promise.all(running.map((id) => http.ask({ method: 'POST', path: `/containers/${id}/kill`, signal })));
    return (await idsAt('/networks')).map((id) => `br-${id.slice(0, 12)}`);
  } catch (error) {
    if (signal.aborted || error instanceof EngineUnreachable) return []; // it hangs or is going: it gets its signal all the same
    throw error;
  }
}

/** Unmounts what a killed daemon leaves mounted: container file systems, network namespaces. Deepest first. */
async function unmountUnder(folders: readonly string[], env: Env): Promise<void> {
  if (findProgram('umount', env) === undefined) return;
  const mounts = (await readFile('/proc/self/mounts', 'utf8').catch(() => ''))
    .split('\n')
    .map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
    .filter((path) => folders.some((folder) => path === folder || path.startsWith(`${folder}/`)));
  for (const mount of mounts.sort((a, b) => b.length - a.length)) await runCommand('umount', ['-l', mount], { env });
}

async function lastLines(file: string, from: number): Promise<string> {
  const text = (await readFile(file)).subarray(from).toString();
  return text.trimEnd().split('\n').slice(-8).join('\n');
}

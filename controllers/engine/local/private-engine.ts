import { existsSync } from 'node:fs';
import { errorMessage } from '../../../api/platform/errors.js';
import { type Env, findProgram } from '../../../api/platform/programs.js';
import { timeoutSignal } from '../../../api/platform/time-limit.js';
import { DEFAULT_SOCKET, parseDockerHost } from '../client/docker-address.js';
import { connectEngine } from '../client/dockerode-engine.js';
import { daemonLook } from '../daemon-look.js';
import type { Daemon } from '../engine-keeper.js';
import { installPackages, isDebian, isRoot } from './debian-packages.js';
import {
  answers,
  containerdSockets,
  isRunning,
  pings,
  restartDaemon,
  startDaemon,
  stopDaemon,
  tasksOf,
} from './engine-daemon.js';
import { claimFolder, engineFolders } from './engine-folders.js';
import { portProxyOf } from './port-proxy.js';

/** A daemon that accepts a connection and takes longer than this over a ping hangs, ms. */
const ANSWER_LIMIT_MS = 10_000;

export interface EngineSearch {
  /** `external`: the one at DOCKER_HOST or the usual socket. `private`: our own. `auto`: the external one, else our own. */
  readonly mode: 'auto' | 'external' | 'private';
  readonly dataFolder: string;
  readonly env: Env;
  /** Prints for people what is about to be done on their machine. */
  readonly print: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds an engine that answers. `started`: it is our own, started now or by an earlier run (its containers have kept
 * running). Throws with a way out when there is none.
 */
export async function findEngine(search: EngineSearch): Promise<{ dockerHost: string; started: boolean }> {
  const { mode, env, signal } = search;
  const given = mode === 'private' ? '' : (env.DOCKER_HOST ?? '');
  if (given !== '') {
    await assertAnswers(given, signal);
    return { dockerHost: given, started: false };
  }
  if (mode !== 'private' && (await answers(DEFAULT_SOCKET, signal))) return usual();
  if (mode === 'external') {
    throw new Error(`No Docker engine answers at ${DEFAULT_SOCKET}: start it, or set DOCKER_HOST to where it listens`);
  }
  return privateEngine(search);
}

/** Ends the engine of that data folder with its containers; images and volumes stay in the folder. */
export async function stopPrivateEngine(dataFolder: string, env: Env = process.env): Promise<void> {
  await stopDaemon(engineFolders(dataFolder), env);
}

const usual = () => ({ dockerHost: `unix://${DEFAULT_SOCKET}`, started: false });

async function assertAnswers(dockerHost: string, signal?: AbortSignal): Promise<void> {
  parseDockerHost(dockerHost);
  try {
    await connectEngine({ dockerHost }).info(timeoutSignal(10_000, signal));
  } catch (cause) {
    signal?.throwIfAborted();
    throw new Error(
      `DOCKER_HOST is ${dockerHost}, but no Docker engine answers there: correct it, or unset it to let supercargo look for one`,
      { cause },
    );
  }
}

async function privateEngine(search: EngineSearch): Promise<{ dockerHost: string; started: boolean }> {
  const { mode, dataFolder, env, print, signal } = search;
  const folders = engineFolders(dataFolder);
  const ours = { dockerHost: `unix://${folders.socket}`, started: true };
  const patience = timeoutSignal(ANSWER_LIMIT_MS, signal);
  // Before anything in it is believed: a socket and a process number are read from there.
  if (isRoot()) claimFolder(folders.runFolder);
  if (await pings(folders.socket, patience)) return ours;
  signal?.throwIfAborted();
  if (patience.aborted && (await isRunning(folders))) {
    print('The Docker engine of our own runs, but does not answer: going on without it');
    return ours;
  }
  if (!isRoot()) {
    throw new Error(
      `No Docker engine answers at ${DEFAULT_SOCKET}, and starting one needs root: start Docker, set DOCKER_HOST, or run supercargo as root`,
    );
  }
  const missing = ['dockerd', 'ip', 'iptables'].filter((program) => findProgram(program, env) === undefined);
  if (missing.length > 0) {
    if (!(await isDebian(env))) {
      throw new Error(
        `There is no Docker engine here (${missing.join(', ')} not found): install Docker, or set DOCKER_HOST to one elsewhere`,
      );
    }
    await installPackages(['docker.io', 'iptables', 'iproute2'], `${missing.join(', ')} not found`, {
      env,
      print,
      log: folders.installLog,
      signal,
    });
    // Where an init system runs, the package has started the machine's own engine.
    if (mode === 'auto' && existsSync(DEFAULT_SOCKET) && (await answers(DEFAULT_SOCKET, signal))) return usual();
  }
  print(`Starting a Docker engine of our own, data in ${folders.dataRoot}`);
  const isKnown = existsSync(folders.dataRoot);
  try {
    await privateDaemon(dataFolder, { env, print }).process.start(signal);
  } catch (error) {
    // It has worked before: its keeper starts it again. The rest of the device needs an agent meanwhile.
    signal?.throwIfAborted();
    if (!isKnown) throw error;
    print(`${errorMessage(error)}; it is tried again`);
  }
  return ours;
}

/** Returns the daemon of that data folder, to be watched. */
export function privateDaemon(
  dataFolder: string,
  { env, print }: Pick<EngineSearch, 'env' | 'print'>,
): Daemon & Required<Pick<Daemon, 'process'>> {
  const folders = engineFolders(dataFolder);
  const program = (): string => {
    const found = findProgram('dockerd', env);
    if (found === undefined) throw new Error('The Docker engine did not start: dockerd is not to be found');
    return found;
  };
  return {
    name: 'The Docker engine of our own',
    look: daemonLook(`unix://${folders.socket}`, containerdSockets(folders)),
    process: {
      isRunning: () => isRunning(folders),
      start: async (signal) => startDaemon(program(), folders, { env, print, signal }),
      tasks: () => tasksOf(folders),
      portProxy: (at) => portProxyOf(folders, at),
      restart: async (signal) => restartDaemon(program(), folders, { env, print, signal }),
    },
  };
}

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The folders and files of an engine of our own. */
export interface EngineFolders {
  /** Images, containers, volumes: survives a reboot. */
  readonly dataRoot: string;
  /** Sockets, pid, mounts of what runs: of no use after a reboot. */
  readonly runFolder: string;
  readonly execRoot: string;
  readonly pidFile: string;
  readonly socket: string;
  readonly log: string;
  readonly installLog: string;
  /** Its network interface. */
  readonly bridge: string;
}

/** Longest path of a unix socket, bytes (unix(7): 108 with the final zero). */
const LONGEST_SOCKET_PATH = 107;

/**
 * Returns the layout for one data folder. Two data folders share nothing. What runs is kept under `/run`, by a short
 * name: the daemon appends up to 50 bytes to it for its own sockets. The API socket is in the data folder unless that
 * makes its path too long.
 */
export function engineFolders(dataFolder: string): EngineFolders {
  const folder = join(resolve(dataFolder), 'engine');
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 10);
  const runFolder = join(existsSync('/run') ? '/run' : tmpdir(), `supercargo-${hash}`);
  const socket = join(folder, 'docker.sock');
  return {
    dataRoot: join(folder, 'data'),
    runFolder,
    execRoot: join(runFolder, 'exec'),
    pidFile: join(runFolder, 'dockerd.pid'),
    socket: Buffer.byteLength(socket) <= LONGEST_SOCKET_PATH ? socket : join(runFolder, 'docker.sock'),
    log: join(folder, 'dockerd.log'),
    installLog: join(folder, 'install.log'),
    bridge: `sc${hash}`, // interface names have at most 15 bytes
  };
}

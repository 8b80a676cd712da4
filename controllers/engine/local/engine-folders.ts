import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { hasCode } from '../../../api/platform/errors.js';

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

/**
 * Makes a folder that nobody else may look into, or takes one that is there and ours. Below `/tmp` anybody could have made
 * it before us: throws for a link, for what is no folder, and for one of another user or that others may write to.
 */
export function claimFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
    return;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  const { uid, mode } = lstatSync(path);
  const S_IFMT = 0o170000;
  const S_IFDIR = 0o040000;
  const isFolder = (mode & S_IFMT) === S_IFDIR; // that of a link is another one: it is not followed
  if (!isFolder || uid !== process.geteuid?.() || (mode & 0o022) !== 0) {
    throw new Error(`${path} is not a folder of ours alone: somebody else has made it; remove it`);
  }
  if ((mode & 0o077) !== 0) chmodSync(path, 0o700);
}

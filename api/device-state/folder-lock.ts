import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { StorageError, storageError } from '../platform/disk.js';
import { errorMessage, hasCode } from '../platform/errors.js';

const LOCK_FILE = 'lock';
/** The file may be replaced between our opening it and our having it; not for ever. */
const TRIES = 5;
/** The descriptor under which flock(1) finds our file: the first one after the standard ones. */
const HANDED_ON = 3;
/** What flock(1) of util-linux and of busybox exits with when somebody else has the lock. */
const TAKEN = 1;

/**
 * Makes a data folder ours, for as long as this process lives: two agents on one folder would remove each other's
 * temporary files and overwrite each other's documents. Resolves with how to let go; rejects with `StorageError` while
 * another process has it, or when there is no folder to work in.
 *
 * The lock is a flock(2) on a file in the folder. The kernel gives it to one at a time and takes it back however the
 * process ends, so that nothing is left to judge or to clean up after a crash or a reboot; it reaches over all
 * namespaces, because it belongs to the file; and the file can be opened by its owner only, so that no other user can take
 * it. A socket in the abstract namespace can be bound by every user and ends with the network namespace; a socket or a
 * number of a process in the folder outlives its process, and cannot be taken over without a race.
 *
 * Node has no flock(2). A lock belongs to the open file, not to the process that asked: flock(1), which gets our
 * descriptor, takes it and ends, and it stays until our descriptor is closed. Programs that we start do not inherit it.
 */
export async function lockFolder(folder: string): Promise<() => void> {
  const path = join(folder, LOCK_FILE);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const descriptor = openLockFile(folder, path);
    try {
      if (!(await lock(descriptor))) {
        throw new StorageError(`Another supercargo is at work on ${folder}: stop it, or choose another data folder`);
      }
      if (isAt(path, descriptor)) return () => closeSync(descriptor);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    closeSync(descriptor);
  }
  throw new StorageError(`Cannot lock ${folder}: somebody keeps replacing ${path}`);
}

/** Makes what is missing. Nobody but the owner can open the file, whatever the folder allows. */
function openLockFile(folder: string, path: string): number {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const descriptor = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
    fchmodSync(descriptor, 0o600);
    return descriptor;
  } catch (error) {
    throw storageError('write', path, error);
  }
}

/** Whether the open file is locked for us now; false while somebody else has it. */
async function lock(descriptor: number): Promise<boolean> {
  const program = spawn('flock', ['-n', String(HANDED_ON)], { stdio: ['ignore', 'ignore', 'pipe', descriptor] });
  const { stderr } = program;
  if (!stderr) throw new Error('flock was started without its error output');
  const [[code], said] = await Promise.all([
    once(program, 'close').catch((cause: unknown) => {
      const isAbsent = hasCode(cause, 'ENOENT');
      const why = isAbsent ? 'the program flock (of util-linux or busybox) is missing' : errorMessage(cause);
      throw new StorageError(`Cannot lock the data folder: ${why}`, { cause });
    }),
    text(stderr),
  ]);
  if (code === 0) return true;
  if (code === TAKEN && said === '') return false;
  throw new StorageError(`Cannot lock the data folder: flock says ${said.trim() || `nothing, and ends with ${code}`}`);
}

/** Whether the path still leads to the open file. */
function isAt(path: string, descriptor: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  const open = fstatSync(descriptor);
  return found?.ino === open.ino && found.dev === open.dev;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { StorageError, storageError } from '../platform/disk.js';
import { errorMessage, hasCode } from '../platform/errors.js';

const LOCK_FILE = 'lock';
/** How often the lock is tried: the file may be replaced between opening and locking it. */
const TRIES = 5;
/** The descriptor by which flock(1) gets our file: the first one after the standard ones. */
const HANDED_ON = 3;
/** Exit code of flock(1), of util-linux and of busybox, when somebody else has the lock. */
const TAKEN = 1;

/**
 * Locks a data folder for as long as this process lives: two agents on one folder would remove each other's temporary
 * files and overwrite each other's documents. Resolves with how to unlock it; rejects with `StorageError` while another
 * process has it, or when there is no folder to work in. The lock is a flock(2) on a file in the folder. The kernel
 * gives it to one process at a time and takes it back however the process ends, so nothing is left to clean up after a
 * crash or a reboot; it works across all namespaces, because it belongs to the file; and only the file's owner can open
 * the file, so no other user can take it. A socket in the abstract namespace can be bound by every user and ends with
 * the network namespace; a socket or a process number in the folder outlives its process, and cannot be taken over
 * without a race. Node has no flock(2). A lock belongs to the open file, not to the process that asked for it:
 * flock(1), which gets our descriptor, takes it and ends, and it stays until our descriptor is closed. Programs that we
 * start do not inherit it.
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

/** Opens the lock file, creating what is missing. Only the owner can open the file, whatever the folder permits. */
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

/** Locks the open file; returns false while somebody else has the lock. */
async function lock(descriptor: number): Promise<boolean> {
  const program = spawn('flock', ['-n', String(HANDED_ON)], { stdio: ['ignore', 'ignore', 'pipe', descriptor] });
  const { stderr } = program;
  if (!stderr) throw new Error('flock was started without its error output');
  const [[code], output] = await Promise.all([
    once(program, 'close').catch((cause: unknown) => {
      const isAbsent = hasCode(cause, 'ENOENT');
      const why = isAbsent ? 'the program flock (of util-linux or busybox) is missing' : errorMessage(cause);
      throw new StorageError(`Cannot lock the data folder: ${why}`, { cause });
    }),
    text(stderr),
  ]);
  if (code === 0) return true;
  if (code === TAKEN && output === '') return false;
  throw new StorageError(
    `Cannot lock the data folder: flock says ${output.trim() || `nothing, and ends with ${code}`}`,
  );
}

/** Tells whether the path still leads to the open file. */
function isAt(path: string, descriptor: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  const open = fstatSync(descriptor);
  return found?.ino === open.ino && found.dev === open.dev;
}

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchownSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../../api/platform/errors.js';

// One file or folder at a time, without promises: each of these calls takes the kernel some microseconds, and an app of
// two hundred services needs two thousand of them before anything of it may be stopped. Through Node's four threads
// they take a third of a second, and twenty times the processor time.

/** Owner of the files that an agent created as root, as with a Supervisor. Applications may run as that user, too. */
const AGENT_UID = 65534;
/** Content of our files: together with their owner it tells them from an application's. */
const MARK = 'held by supercargo\n';
/** Prefix of a lock file that is not in place yet. */
const ASIDE = '.lock-';
/** How often a claim is tried: an application may drop its file between two looks. */
const TRIES = 5;

/**
 * Makes the file at `path` ours; returns false when it belongs to an application. Without `aside` it is ours already.
 * With `force` it is taken whatever an application has put there: a file is replaced, a folder is renamed.
 */
export function take(path: string, aside: string | undefined, force: boolean): boolean {
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (aside !== undefined && linkTo(path, aside)) return true;
    const seen = look(path);
    if (seen === 'ours') return true;
    if (seen === 'other') {
      if (!force) return false;
      override(path);
    }
  }
  return false;
}

/**
 * Creates a lock file with its owner already set, where no container looks: a crash between `open(wx)` and `chown`
 * would leave one in place that looks like an application's, and the app locked until the next boot. One for each
 * service, so that `flock` on it does not meet another service.
 */
export function makeAside(folder: string): string {
  const aside = join(folder, `${ASIDE}${randomBytes(6).toString('hex')}`);
  const descriptor = openSync(aside, 'wx', 0o644);
  try {
    writeSync(descriptor, MARK);
    if (isRoot()) fchownSync(descriptor, AGENT_UID, AGENT_UID);
  } finally {
    closeSync(descriptor);
  }
  return aside;
}

/** Puts the file into place; returns false when something is there: `link` refuses an existing name as `wx` does. */
function linkTo(path: string, aside: string): boolean {
  try {
    linkSync(aside, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Returns what is at the path. Everything counts: a file, a folder, a symbolic link to nowhere. */
export function look(path: string): 'none' | 'ours' | 'other' {
  const seen = lstatSync(path, { throwIfNoEntry: false });
  if (!seen) return 'none';
  if (!seen.isFile()) return 'other';
  const isOwn = seen.uid === AGENT_UID || (!isRoot() && seen.uid === process.getuid?.());
  return isOwn && seen.size === MARK.length && textOf(path) === MARK ? 'ours' : 'other';
}

/** Reads a file. An application may put a link or a pipe there meanwhile; neither is followed or waited for. */
function textOf(path: string): string | undefined {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const bytes = Buffer.alloc(MARK.length);
      return bytes.toString('utf8', 0, readSync(descriptor, bytes));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined; // gone, exchanged or not ours to read: in each case not what we have put there
  }
}

/**
 * Removes what an application has put at `path`. A folder with something in it is renamed beside its old place, because
 * only the application knows what it holds. Nothing below `path` is read or removed: whoever may write there can
 * replace one of its folders by a link to any folder of the host between two steps of a walk.
 */
export function override(path: string): void {
  for (let tries = 1; !drop(path) && !dropFolder(path); tries += 1) {
    if (tries === TRIES) throw new Error(`Could not remove ${path}: it changes between a file and a folder`);
  }
}

/** Removes a folder, or renames it when there is something in it. Returns false when it is no folder any more. */
function dropFolder(path: string): boolean {
  try {
    rmdirSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) return false;
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) {
      unlessAbsent(() => renameSync(path, `${path}.overridden-${randomBytes(6).toString('hex')}`));
    } else if (!hasCode(error, 'ENOENT')) throw error;
  }
  return true;
}

/** Removes a file, or a link itself; one that is gone already counts as removed. Returns false for a folder, and does nothing. */
export function drop(path: string): boolean {
  try {
    unlessAbsent(() => unlinkSync(path));
    return true;
  } catch (error) {
    // Linux answers EISDIR, other systems EPERM; Linux has EPERM for a file that is immutable.
    if (hasCode(error, 'EISDIR')) return false;
    if (hasCode(error, 'EPERM') && lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return false;
    throw error;
  }
}

export function foldersIn(folder: string): readonly string[] {
  const entries = unlessAbsent(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Returns the files that a killed process has left aside. */
export function asidesIn(folder: string): readonly string[] {
  const names = unlessAbsent(() => readdirSync(folder)) ?? [];
  return names.filter((name) => name.startsWith(ASIDE)).map((name) => join(folder, name));
}

const isRoot = (): boolean => process.getuid?.() === 0;

function unlessAbsent<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    return undefined;
  }
}

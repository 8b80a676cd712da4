import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../../api/platform/errors.js';

// /tmp belongs to everybody: whoever comes first may create /tmp/balena-supervisor, as a folder of their own or as a
// link to another. Every folder on the way to a service's has to be one in which nobody but root, or we, can replace
// the next one.

/** Sticky and open to all: applications of any user put their own lock files there. */
const SERVICE_MODE = 0o1777;
/** Set regardless of the umask: others do not write here. */
const FOLDER_MODE = 0o755;
const STICKY = 0o1000;
const BY_OTHERS = 0o002;

/** Somebody else could change what is below this folder; says what to do. */
class ForeignFolderError extends Error {
  override readonly name = 'ForeignFolderError';
}

/**
 * Checks every folder from the host's root down to `path`, and with `make` creates the missing ones. Returns false when
 * one does not exist. Throws `ForeignFolderError` for one that others can replace or fill.
 */
export function checkFolders(hostRoot: string, path: string, { make }: { readonly make: boolean }): boolean {
  let folder = hostRoot;
  let isOpen = false;
  for (const part of path.split('/').filter((one) => one !== '')) {
    folder = join(folder, part);
    const seen = lstatSync(folder, { throwIfNoEntry: false }) ?? (make ? made(folder) : undefined);
    if (!seen) return false;
    isOpen = checkFolder(folder, seen, isOpen);
  }
  return true;
}

/** Returns whether everybody may create entries in it. */
function checkFolder(folder: string, entry: Stats, isParentOpen: boolean): boolean {
  // A link that only root can have created, such as /tmp on some hosts, is followed. Where everybody may write, it may
  // be anybody's.
  const isLink = entry.isSymbolicLink();
  const seen = isLink && !isParentOpen ? statSync(folder) : entry;
  const way = `look at it, remove it (rm -r ${folder}), and the agent creates it again`;
  if (seen.isSymbolicLink()) throw new ForeignFolderError(`${folder} is a link, which anybody can have made: ${way}`);
  if (!seen.isDirectory()) throw new ForeignFolderError(`a file is in the place of a folder (${folder})`);
  const owner = [entry, seen].map(({ uid }) => uid).find((uid) => uid !== 0 && uid !== process.getuid?.());
  if (owner !== undefined) {
    throw new ForeignFolderError(`${folder} belongs to user ${owner}, who could change what lies in it: ${way}`);
  }
  const isOpen = (seen.mode & BY_OTHERS) !== 0;
  if (isOpen && (seen.mode & STICKY) === 0) {
    throw new ForeignFolderError(
      `every user can change what lies in ${folder}: take that right away (chmod o-w ${folder})`,
    );
  }
  return isOpen;
}

function made(folder: string): Stats {
  try {
    mkdirSync(folder, FOLDER_MODE);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  return lstatSync(folder);
}

/**
 * Lets every application put its lock file into a service's folder, and creates the folder if it is missing. The folder
 * may have any owner, because a container can change it; it is opened without following a link, and only what was
 * opened is changed.
 */
export function openToAll(folder: string): void {
  const descriptor = openFolder(folder);
  try {
    if ((fstatSync(descriptor).mode & 0o7777) !== SERVICE_MODE) fchmodSync(descriptor, SERVICE_MODE);
  } finally {
    closeSync(descriptor);
  }
}

const NO_LINK = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

function openFolder(folder: string): number {
  if (!lstatSync(folder, { throwIfNoEntry: false })) made(folder);
  try {
    return openSync(folder, NO_LINK);
  } catch (error) {
    // Linux answers ENOTDIR for a link too, where a folder is asked for.
    if (!lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) throw error;
    throw new ForeignFolderError(`${folder} is a link: remove it, and the agent makes a folder`);
  }
}

import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode, errorMessage } from './errors.js';

/** The disk refused: full, read-only, no permission. The old state is intact. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
}

/** The calls that change the disk, so that tests can make each of them fail. */
export interface Disk {
  /** Creates a file of mode 0600 and makes its bytes durable. */
  create(path: string, text: string): Promise<void>;
  /** Replaces `to` atomically. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; it may be absent. */
  remove(path: string): Promise<void>;
  /** Makes the names in a folder durable: what was renamed or removed stays so after a power failure. */
  syncFolder(path: string): Promise<void>;
}

export const nodeDisk: Disk = {
  create: (path, text) => writeDurably(path, text, { flag: 'wx', mode: 0o600 }),
  rename,
  remove: (path) => rm(path, { force: true }),
  syncFolder: syncPath,
};

/** Writes a file from its beginning and makes its bytes durable. `mode` is for a new file. */
export async function writeDurably(
  path: string,
  content: string | Uint8Array,
  { flag, mode }: { readonly flag: 'w' | 'wx'; readonly mode: number },
): Promise<void> {
  const file = await open(path, flag, mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a file's bytes, or a folder's names, durable. */
export async function syncPath(path: string): Promise<void> {
  const opened = await open(path, 'r');
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

const TEMPORARY = /^\..*\.tmp$/;

/** Tells whether it is a file that a killed writer has left. Pure. */
export const isTemporary = (fileName: string): boolean => TEMPORARY.test(fileName);

/**
 * Replaces the text at the path: afterwards the file holds the old bytes or the new ones, never a part. The new name is
 * durable only after `syncFolder`. Rejects with `StorageError`.
 */
export async function replaceFile(disk: Disk, path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomUUID().slice(0, 8)}.tmp`);
  try {
    await disk.create(temporary, text);
    await disk.rename(temporary, path);
  } catch (error) {
    // A file that cannot be removed now is removed at the next start; the first error is thrown.
    await disk.remove(temporary).catch(() => undefined);
    throw storageError('write', path, error);
  }
}

/** Calls `syncFolder` for every folder once, at the same time. Rejects with `StorageError`. */
export async function syncFolders(disk: Disk, folders: Iterable<string>): Promise<void> {
  await Promise.all(
    [...new Set(folders)].map((folder) =>
      disk.syncFolder(folder).catch((error: unknown) => {
        throw storageError('write', folder, error);
      }),
    ),
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EIO: 'the disk reports an input/output error',
  ENOENT: 'the folder is missing',
  ENOTDIR: 'something on the way there is no folder',
  EEXIST: 'something else than a folder is there',
};

/** Returns an error that names the file and the reason. Pure. */
export function storageError(action: 'write' | 'read' | 'remove', path: string, cause: unknown): StorageError {
  const code = errorCode(cause);
  const known = code === undefined ? undefined : REASONS[code];
  const reason = known ? `${known} (${code})` : errorMessage(cause);
  return new StorageError(`Could not ${action} ${path}: ${reason}`, { cause });
}

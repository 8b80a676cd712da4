import { readdir } from 'node:fs/promises';
import { type Disk, nodeDisk, syncPath, writeDurably } from '../../api/platform/disk.js';
import { isMissing } from '../../api/platform/errors.js';
import { readBounded } from '../../api/platform/read-file.js';

/** Largest file that is read, bytes: pictures are the largest on a boot partition. */
export const LIMIT_BYTES = 16 * 1024 * 1024;

/** The calls on host files, so that tests can make each of them fail. Files belong to the host and are changed in place. */
export interface HostFs extends Pick<Disk, 'rename' | 'remove'> {
  /** Undefined when there is no such file. */
  read(path: string): Promise<Buffer | undefined>;
  /** Returns the names in a folder; none when it does not exist. */
  list(folder: string): Promise<readonly string[]>;
  /** Writes the file from its beginning and makes its bytes durable. `mode` is for a new file. */
  write(path: string, bytes: Uint8Array, mode?: number): Promise<void>;
  /** Makes a file's bytes, or a folder's names, durable. */
  sync(path: string): Promise<void>;
}

export const nodeHostFs: HostFs = {
  read: (path) => readBounded(path, { bytes: LIMIT_BYTES }).catch(unlessAbsent),
  list: async (folder) => (await readdir(folder).catch(unlessAbsent)) ?? [],
  write: (path, bytes, mode = 0o644) => writeDurably(path, bytes, { flag: 'w', mode }),
  rename: nodeDisk.rename,
  remove: nodeDisk.remove,
  sync: syncPath,
};

function unlessAbsent(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

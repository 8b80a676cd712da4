import { open, readdir, rename, rm } from 'node:fs/promises';
import { isMissing } from '../../api/platform/errors.js';
import { readBounded } from '../../api/platform/read-file.js';

/** Pictures are the largest of what lies on a boot partition. */
const LIMIT_BYTES = 16 * 1024 * 1024;

/** The calls on host files, so that tests can make each of them fail. */
export interface FileCalls {
  /** Undefined when there is no such file. */
  read(path: string): Promise<Buffer | undefined>;
  /** Names in a folder; none when it is not there. */
  list(folder: string): Promise<readonly string[]>;
  /** Writes the file from its beginning and makes its bytes durable. `mode` is for a file that is made. */
  write(path: string, bytes: Uint8Array, mode?: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Absent already is fine. */
  remove(path: string): Promise<void>;
  /** Makes a file's bytes, or a folder's names, durable. */
  sync(path: string): Promise<void>;
}

export const nodeFileCalls: FileCalls = {
  read: (path) => readBounded(path, { bytes: LIMIT_BYTES }).catch(unlessAbsent),
  list: async (folder) => (await readdir(folder).catch(unlessAbsent)) ?? [],
  async write(path, bytes, mode = 0o644) {
    const file = await open(path, 'w', mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async sync(path) {
    const file = await open(path, 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  },
};

function unlessAbsent(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

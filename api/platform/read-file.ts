import { constants, statfsSync } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import { settledWithin } from './time-limit.js';

/** A path leads to something that is not to be read: no regular file, too large, or nobody answers. One sentence, without the path. */
export class UnfitFileError extends Error {
  override readonly name = 'UnfitFileError';
  constructor(
    readonly code: 'EFTYPE' | 'EFBIG' | 'ETIMEDOUT',
    message: string,
  ) {
    super(message);
  }
}

export interface ReadLimits {
  /** Largest file, bytes. Default: 1 MiB, more than any text for people has. */
  readonly bytes?: number;
  /** Longest wait, ms. Default: 10 s. */
  readonly ms?: number;
}

/** Magic numbers of file systems whose files the kernel generates while they are read: statfs(2), linux/magic.h. */
const MADE_UP: ReadonlySet<number> = new Set([
  ...[0x9fa0 /* proc */, 0x62656572 /* sysfs */, 0x64626720 /* debugfs */, 0x74726163 /* tracefs */],
  ...[0x27e0eb /* cgroup */, 0x63677270 /* cgroup2 */, 0x73636673 /* securityfs */, 0xcafe4a11 /* bpf */],
]);
const CHUNK_BYTES = 64 * 1024;

/**
 * Reads a file that others could have put there. Opening never waits for a writer, only a regular file of a file system
 * that stores files is read, no more than the limit and one byte is taken, whatever size the file claims, and after the
 * time limit it is given up. Rejects with `UnfitFileError`, or with the system error.
 */
export const readBounded = (path: string, { bytes = 1024 * 1024, ms = 10_000 }: ReadLimits = {}): Promise<Buffer> =>
  answerWithin(readRegular(path, bytes), ms);

/**
 * Waits for the answer of a file system; rejects with `UnfitFileError` when it takes longer. The call goes on: one to a
 * file system that has died cannot be cancelled, and keeps one of the four threads of Node until it ends.
 */
export const answerWithin = <T>(asked: Promise<T>, ms: number): Promise<T> =>
  settledWithin(ms, asked, () => {
    return new UnfitFileError('ETIMEDOUT', `The file system has not answered for ${Math.ceil(ms / 1000)} s`);
  });

/** Reads a regular file without a time limit, for callers that see to it that a call which hangs is not repeated. */
export async function readRegular(path: string, limit: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    if (!(await file.stat()).isFile() || (await isMadeUp(path))) {
      throw new UnfitFileError('EFTYPE', 'This is not a file that is kept on a disk');
    }
    return await readAtMost(file, limit);
  } finally {
    await file.close();
  }
}

/** The largest file of `/proc` and `/sys` that is read, bytes: tables of a machine with many routes or mounts. */
const KERNEL_BYTES = 16 * 1024 * 1024;

/**
 * Reads a file that should be one of the kernel's (`/proc`, `/sys`) below a folder where somebody may have put anything:
 * with the limits of `readBounded`, and also where the kernel generates it. Rejects like that.
 */
export async function readKernelFile(
  path: string,
  { bytes = KERNEL_BYTES, ms = 10_000 }: ReadLimits = {},
): Promise<Buffer> {
  const read = async (): Promise<Buffer> => {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      if (!(await file.stat()).isFile()) throw new UnfitFileError('EFTYPE', 'This is not a file');
      return await readAtMost(file, bytes);
    } finally {
      await file.close();
    }
  };
  return answerWithin(read(), ms);
}

/** Tells whether a path is in a file system of the kernel, which stores no files. */
export const isMadeUp = async (path: string): Promise<boolean> => MADE_UP.has((await statfs(path)).type);

/** Tells the same synchronously, for the start. */
export const isMadeUpSync = (path: string): boolean => MADE_UP.has(statfsSync(path).type);

/** Reads to the end of an open file. Its size is not trusted: it may grow, and some files have none. */
export async function readAtMost(file: FileHandle, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const want = Math.min(CHUNK_BYTES, limit + 1 - total);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(want), 0, want);
    if (bytesRead === 0) return Buffer.concat(chunks);
    total += bytesRead;
    if (total > limit)
      throw new UnfitFileError('EFBIG', `The file has more than ${limit} bytes, the most that is read`);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

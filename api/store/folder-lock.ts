import { mkdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { storageError } from './disk.js';
import { StorageError } from './store.js';

/**
 * Makes a data folder ours, for as long as this process lives: two agents on one folder would remove each other's
 * temporary files and overwrite each other's documents. Resolves with how to let go; rejects with `StorageError` while
 * another process has it, or when there is no folder to work in.
 *
 * A Unix socket in the abstract namespace (unix(7)) is bound by one process at a time and goes with it however it ends,
 * so nothing is left to clean up after a crash, as there would be of a file. It reaches as far as the network namespace.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const name = `\0supercargo-data:${identityOf(folder)}`;
  const socket = createServer((connection) => connection.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new StorageError(`Another supercargo is at work on ${folder}: stop it, or choose another data folder`)
          : storageError('write', folder, error),
      ),
    );
    socket.listen(name, resolve);
  });
  socket.unref();
  return () => new Promise((resolve) => socket.close(() => resolve()));
}

/** The same for every path that leads to the folder. */
function identityOf(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { dev, ino } = statSync(folder);
    return `${dev}:${ino}`;
  } catch (error) {
    throw storageError('write', folder, error);
  }
}

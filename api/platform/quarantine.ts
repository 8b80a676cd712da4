import { readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { storageError } from './disk.js';

/** Unusable files that are kept in one folder for people to look at. */
const KEPT = 8;
const ASIDE = /\.corrupt-(\d+)$/;

export const isSetAside = (fileName: string): boolean => ASIDE.test(fileName);

/**
 * The text of a file of our own; undefined when there is none. Empty, which no such file is, where something else than a
 * file has its name: that is to be set aside like a file that cannot be used. Throws `StorageError`.
 */
export function readOwnFile(path: string): string | undefined {
  try {
    const seen = statSync(path, { throwIfNoEntry: false });
    if (!seen) return undefined;
    return seen.isFile() ? readFileSync(path, 'utf8') : '';
  } catch (error) {
    throw storageError('read', path, error);
  }
}

/**
 * Renames a file that cannot be used to `<name>.corrupt-<ms since the epoch>` and removes the oldest such files of its
 * folder. Returns the new path; throws when it cannot be renamed.
 */
export function quarantine(path: string, nowMs: number): string {
  const aside = `${path}.corrupt-${nowMs}`;
  renameSync(path, aside);
  const folder = dirname(path);
  const others = readdirSync(folder)
    .filter((name) => isSetAside(name) && name !== basename(aside))
    .sort((a, b) => Number(ASIDE.exec(b)?.[1]) - Number(ASIDE.exec(a)?.[1]));
  for (const old of others.slice(KEPT - 1)) rmSync(join(folder, old), { force: true, recursive: true });
  return aside;
}

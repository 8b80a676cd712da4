import { chmodSync, lstatSync, mkdirSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { StorageError, storageError } from '../platform/disk.js';

/** The folder that every agent creates in its data folder: a folder with other things and without it belongs to somebody else. */
const OURS = 'documents';
/** Bits of a mode. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
const OTHERS_ENTER = 0o011;

/**
 * Creates the data folder when it is missing, and checks that it and its files are for their owner only. Throws
 * `StorageError` where another user has put something there, or could have: whoever puts keys or documents there owns
 * the device, and only a person can tell what is genuine. Files that others could merely read are closed and logged, in
 * a folder that is an agent's or empty.
 */
export function closeDataFolder(folder: string, log: Pick<Logger, 'warn'>): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const self = statSync(folder);
    const entries = readdirSync(folder).map((name) => ({ name, path: join(folder, name) }));
    refuseForeign(folder, self, entries);
    if (entries.length > 0 && !entries.some(({ name }) => name === OURS)) return;
    closeFiles(self, entries, log);
    if ((self.mode & OTHERS) !== 0) chmodSync(folder, 0o700);
  } catch (error) {
    throw error instanceof StorageError ? error : storageError('read', folder, error);
  }
}

interface Entry {
  readonly name: string;
  readonly path: string;
}

function refuseForeign(folder: string, self: Stats, entries: readonly Entry[]): void {
  if (isForeign(self)) {
    throw new StorageError(
      `The data folder ${folder} belongs to another user (${self.uid}), who could put keys and documents there: ` +
        'look through it and give it to the user of the agent (chown -R), or choose another data folder',
    );
  }
  for (const { path } of entries) {
    const seen = lstatSync(path, { throwIfNoEntry: false });
    if (!seen) continue;
    if (isForeign(seen)) {
      throw new StorageError(
        `${path} in the data folder belongs to another user (${seen.uid}): look through the data folder, then remove ` +
          'what is not yours or give it to the user of the agent (chown -R)',
      );
    }
    if ((self.mode & OTHERS_ENTER) !== 0 && isOpenToWrite(seen)) throw openToWrite(path, seen);
  }
  if (isOpenToWrite(self)) throw openToWrite(folder, self);
}

/** Tells whether neither root nor the user of the agent owns it. */
const isForeign = ({ uid }: Stats): boolean => uid !== 0 && uid !== process.geteuid?.();

/** Tells whether others may write to it. Links have no mode of their own. */
const isOpenToWrite = (seen: Stats): boolean =>
  (seen.isFile() || seen.isDirectory()) && (seen.mode & OTHERS_WRITE) !== 0;

const openToWrite = (path: string, { mode }: Stats): StorageError =>
  new StorageError(
    `Others on this device can change ${path} (mode ${(mode & 0o777).toString(8).padStart(4, '0')}), and so say what runs ` +
      `here: look through it and close it with chmod go-rwx ${path}, or choose another data folder`,
  );

function closeFiles(self: Stats, entries: readonly Entry[], log: Pick<Logger, 'warn'>): void {
  for (const { path } of entries) {
    const seen = lstatSync(path, { throwIfNoEntry: false });
    if (!seen?.isFile() || (seen.mode & OTHERS) === 0) continue;
    chmodSync(path, seen.mode & 0o700);
    if ((self.mode & OTHERS_ENTER) === 0) continue; // nobody else can reach it
    log.warn({ path }, 'Other users of this device could read this file; it is for its owner only now');
  }
}

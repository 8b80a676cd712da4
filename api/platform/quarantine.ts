import { closeSync, constants, openSync, readdirSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { storageError } from './disk.js';
import { parsePrivateJson } from './json-text.js';
import { isMadeUpSync } from './read-file.js';

/** Number of set-aside files of one name that are kept for people to look at. */
const KEPT = 8;
const ASIDE = /\.corrupt-(\d+)$/;
/** A file whose content was declared again has one more suffix. */
const KEPT_ASIDE = /\.corrupt-(\d+)(?:\.superseded)?$/;

export const isSetAside = (fileName: string): boolean => ASIDE.test(fileName);

/** Returns the name that a set-aside file had. Pure. */
export const withoutSetAside = (fileName: string): string => fileName.replace(ASIDE, '');

/** Largest size of a file of our own that is read, bytes. A document with everything that waits for its place has a few MiB. */
export const LIMIT_OWN_BYTES = 64 * 1024 * 1024;

const CHUNK_BYTES = 64 * 1024;

/** A file of our own: its text, or one sentence why it cannot be one of ours. */
export type OwnFile = { readonly text: string; readonly unfit?: undefined } | { readonly unfit: string };

/**
 * Reads a file of our own; undefined when there is none. Never waits for a writer. Something else, or a file larger
 * than any of ours, is `unfit`: it is to be set aside like one that cannot be parsed. Throws `StorageError` when the
 * disk refuses.
 */
export function readOwnFile(path: string, limitBytes = LIMIT_OWN_BYTES): OwnFile | undefined {
  try {
    const seen = statSync(path, { throwIfNoEntry: false });
    if (!seen) return undefined;
    if (!seen.isFile()) return { unfit: 'it is not a file' };
    if (seen.size > limitBytes) return { unfit: `it has ${seen.size} bytes, and at most ${limitBytes} are read` };
    if (isMadeUpSync(path)) return { unfit: 'it is not a file that is kept on a disk' };
    const content = readAtMostSync(path, limitBytes);
    return content ? { text: content.toString('utf8') } : { unfit: `it has more than ${limitBytes} bytes` };
  } catch (error) {
    throw storageError('read', path, error);
  }
}

/** Reads a file, whatever becomes of it meanwhile; undefined when it has more bytes than the limit. */
function readAtMostSync(path: string, limit: number): Buffer | undefined {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; total <= limit; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, limit + 1 - total));
      const bytes = readSync(file, chunk);
      if (bytes === 0) return Buffer.concat(chunks);
      total += bytes;
      chunks.push(chunk.subarray(0, bytes));
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** Parses a file of our own. Throws for anything but JSON, without showing its content. */
export function jsonOf(file: OwnFile): unknown {
  if (file.unfit !== undefined) throw new Error(file.unfit);
  return parsePrivateJson(file.text);
}

/**
 * Renames a file that cannot be used to `<name>.corrupt-<ms since the epoch>` and removes the oldest such files of that
 * name. Returns the new path; throws when it cannot be renamed.
 */
export function quarantine(path: string, nowMs: number): string {
  const aside = `${path}.corrupt-${nowMs}`;
  renameSync(path, aside);
  const folder = dirname(path);
  const own = basename(path);
  const others = readdirSync(folder)
    .filter((name) => name.replace(KEPT_ASIDE, '') === own && name !== own && name !== basename(aside))
    .sort((a, b) => Number(KEPT_ASIDE.exec(b)?.[1]) - Number(KEPT_ASIDE.exec(a)?.[1]));
  for (const old of others.slice(KEPT - 1)) rmSync(join(folder, old), { force: true, recursive: true });
  return aside;
}

import { isUtf8 } from 'node:buffer';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, relative, resolve } from 'node:path';
import { parseDocument } from '../../crds/schema/parse.js';
import { errorCode, errorMessage, isMissing } from '../platform/errors.js';
import { readBounded } from '../platform/read-file.js';
import { type Converted, convertProject } from '../sources/compose/convert.js';
import type { FileAnswer } from '../sources/compose/load.js';
import { CommandError } from './failure.js';

export interface ProjectOptions {
  readonly profiles?: readonly string[];
}

/**
 * Reads the project of Compose files on this machine, or of a folder. Its variables are those of `.env` and of nothing
 * else, so that it comes to the same wherever it is read.
 */
export async function readComposeProject(
  paths: readonly string[],
  { profiles }: ProjectOptions = {},
): Promise<Converted> {
  const [first = '.', ...others] = paths.map((path) => resolve(path));
  const isFolder = (await stat(first).catch((cause: unknown) => unreadable(paths[0] ?? '.', cause))).isDirectory();
  if (isFolder && others.length > 0) throw new CommandError(`${paths[0]} is a folder; give its files`);
  return convertProject(
    {
      folder: isFolder ? first : dirname(first),
      ...(isFolder ? {} : { files: [first, ...others] }),
      readFile: readText,
      home: homedir(),
      ...(profiles === undefined ? {} : { profiles }),
      shown,
    },
    parseDocument,
  );
}

/** Returns a path below the present folder without it. */
function shown(path: string): string {
  const below = relative(process.cwd(), path) || '.';
  return below.startsWith('..') ? path : below;
}

async function readText(path: string): Promise<FileAnswer> {
  try {
    const bytes = await readBounded(path);
    return isUtf8(bytes) ? { text: bytes.toString() } : { text: undefined, why: `${shown(path)} is not text in UTF-8` };
  } catch (error) {
    if (isMissing(error)) return { text: undefined };
    return { text: undefined, why: `Cannot read ${shown(path)}: ${errorMessage(error)}` };
  }
}

function unreadable(path: string, cause: unknown): never {
  const why = errorCode(cause) === 'ENOENT' ? 'there is no such file' : errorMessage(cause);
  throw new CommandError(`Cannot read ${path}: ${why}`, { cause });
}

import { constants, mkdirSync } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { NAME } from '../../crds/model/names.js';
import { errorCode, hasCode, isMissing } from '../platform/errors.js';
import { readAtMost } from '../platform/read-file.js';

/** Largest file, bytes: keyrings and lists of host keys are the largest. */
const LIMIT_BYTES = 1024 * 1024;

/** A file with a secret is missing or cannot be used. The message names the file and never shows its content. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError';
}

/**
 * The kind of content. `private`: a key, token or password, which nobody but its owner may read. `public`: no secret,
 * but it decides whom this device trusts (host keys, certificates, signers); others may read and not write it.
 */
type Content = 'private' | 'public';

/** Reads secrets of the device: files that people put into one folder, and that documents only name. */
export interface SecretFiles {
  /** Returns the path of the file, for a program that reads it itself. Checked as for `read`. Rejects with `SecretFileError`. */
  path(name: string, content: Content): Promise<string>;
  /** Returns the text of a private file, without the line end at its end. Rejects with `SecretFileError`. */
  read(name: string): Promise<string>;
}

/**
 * Opens the folder `secrets` of the data folder; created when missing, for its owner only. Files are read each time.
 * Each has to be in this very folder and not a link, and its mode is read from the open file, so that what was checked
 * is what is read.
 */
export function openSecretFiles({ dataFolder }: { readonly dataFolder: string }): SecretFiles {
  const folder = join(dataFolder, 'secrets');
  mkdirSync(folder, { recursive: true, mode: 0o700 });

  async function withFile<T>(name: string, content: Content, use: (file: FileHandle, path: string) => Promise<T>) {
    if (!NAME.test(name)) throw new SecretFileError(`"${name}" is not the name of a file in ${folder}`);
    const path = join(folder, name);
    let file: FileHandle | undefined;
    try {
      await checkFolder(dataFolder, folder);
      file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      await checkFile(file, name, path, content);
      return await use(file, path);
    } catch (error) {
      throw secretError(error, name, path);
    } finally {
      await file?.close();
    }
  }

  return {
    path: (name, content) => withFile(name, content, async (_file, path) => path),
    read: (name) =>
      withFile(name, 'private', async (file) => (await readAtMost(file, LIMIT_BYTES)).toString().replace(/\r?\n$/, '')),
  };
}

/** Checks the folder itself: O_NOFOLLOW is about the last part of a path only. The data folder may be reached through links. */
async function checkFolder(dataFolder: string, folder: string): Promise<void> {
  if ((await realpath(folder)) !== join(await realpath(dataFolder), 'secrets')) {
    throw new SecretFileError(
      `${folder} is a link that leads elsewhere: make it a folder with the files themselves in it`,
    );
  }
}

async function checkFile(file: FileHandle, name: string, path: string, content: Content): Promise<void> {
  const found = await file.stat();
  if (!found.isFile()) throw new SecretFileError(`The secret ${name} is not a file: ${path}`);
  if (found.size > LIMIT_BYTES) throw new SecretFileError(`The secret ${name} is larger than 1 MiB: ${path}`);
  if (found.uid !== 0 && found.uid !== process.geteuid?.()) {
    throw new SecretFileError(
      `The secret ${name} belongs to another user (${found.uid}), who can change it: chown it to the user of the agent: ${path}`,
    );
  }
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  if (content === 'private' && (found.mode & 0o077) !== 0) {
    throw new SecretFileError(
      `The secret ${name} can be used by others on this device (mode ${mode}): chmod 600 ${path}`,
    );
  }
  if ((found.mode & 0o022) !== 0) {
    throw new SecretFileError(
      `The file ${name} can be changed by others on this device (mode ${mode}): chmod go-w ${path}`,
    );
  }
}

function secretError(error: unknown, name: string, path: string): SecretFileError {
  if (error instanceof SecretFileError) return error;
  if (isMissing(error)) {
    return new SecretFileError(`The secret ${name} is not there: put it into the file ${path}`, { cause: error });
  }
  if (hasCode(error, 'ELOOP', 'EMLINK')) {
    return new SecretFileError(`The secret ${name} is a link: put the file itself there, as ${path}`, { cause: error });
  }
  return new SecretFileError(`The secret ${name} cannot be read (${errorCode(error)}): ${path}`, { cause: error });
}

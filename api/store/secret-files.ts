import { mkdirSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NAME } from '../../crds/names.js';

/** Keyrings and lists of host keys are the largest of them. */
const LIMIT_BYTES = 1024 * 1024;

/** A file with a secret is missing or cannot be used. The message names the file and never shows what is in it. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError';
}

/** Secrets of the device: files that people put into one folder and that documents only name. */
export interface SecretFiles {
  /** Where the file is, once it was found to be usable. Rejects with SecretFileError. */
  path(name: string): Promise<string>;
  /** What is in it, as text without the line end at its end. Rejects with SecretFileError, also when others can read it. */
  read(name: string): Promise<string>;
}

/** The folder `secrets` of the data folder; made when missing, for its owner only. Files are read when asked for. */
export function openSecretFiles({ dataFolder }: { readonly dataFolder: string }): SecretFiles {
  const folder = join(dataFolder, 'secrets');
  mkdirSync(folder, { recursive: true, mode: 0o700 });

  const path = async (name: string): Promise<string> => {
    if (!NAME.test(name)) throw new SecretFileError(`"${name}" is not the name of a file in ${folder}`);
    const file = join(folder, name);
    const found = await stat(file).catch((cause: unknown) => {
      throw new SecretFileError(`The secret ${name} is not there: put it into the file ${file}`, { cause });
    });
    if (!found.isFile()) throw new SecretFileError(`The secret ${name} is not a file: ${file}`);
    if (found.size > LIMIT_BYTES) throw new SecretFileError(`The secret ${name} is larger than 1 MiB: ${file}`);
    return file;
  };

  return {
    path,
    async read(name) {
      const file = await path(name);
      if (((await stat(file)).mode & 0o077) !== 0) {
        throw new SecretFileError(`The secret ${name} can be read by others on this device: chmod 600 ${file}`);
      }
      const text = await readFile(file, 'utf8').catch((cause: unknown) => {
        throw new SecretFileError(`The secret ${name} cannot be read: ${file}`, { cause });
      });
      return text.replace(/\r?\n$/, '');
    },
  };
}

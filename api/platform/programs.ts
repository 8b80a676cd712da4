import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Folders of system programs, whatever PATH says: an ordinary user's leaves out sbin. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export type Env = Readonly<Record<string, string | undefined>>;

/** Returns PATH with the system folders appended. Pure. */
const fullPath = (env: Env): string =>
  [...new Set([...(env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), ...SYSTEM_FOLDERS])].join(
    delimiter,
  );

/** Returns the environment for another program: everything but our own settings, one of which is a key. Pure. */
export const withoutSecrets = (env: Env): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || name.startsWith('SUPERCARGO_') ? [] : [[name, value]],
    ),
  ),
  PATH: fullPath(env),
});

/** Returns the full path of a program; undefined when there is none of that name. */
export function findProgram(name: string, env: Env): string | undefined {
  return fullPath(env)
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

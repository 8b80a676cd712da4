import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where system programs are, whatever PATH says: an ordinary user's leaves out sbin. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export type Env = Readonly<Record<string, string | undefined>>;

/** PATH with the system folders behind it. Pure. */
const fullPath = (env: Env): string =>
  [...new Set([...(env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), ...SYSTEM_FOLDERS])].join(
    delimiter,
  );

/** What another program gets to see of our environment: everything but our own settings, one of which is a key. Pure. */
export const withoutSecrets = (env: Env): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || name.startsWith('SUPERCARGO_') ? [] : [[name, value]],
    ),
  ),
  PATH: fullPath(env),
});

/** The full path of a program, if there is one of that name. */
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

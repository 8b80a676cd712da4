import { execFile } from 'node:child_process';
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

export interface CommandResult {
  readonly ok: boolean;
  readonly stdout: string;
  /** Both streams, for people. */
  readonly output: string;
}

export interface CommandOptions {
  readonly env: Env;
  readonly cwd?: string;
  readonly signal?: AbortSignal | undefined;
  /** What the program reads; nothing when absent. */
  readonly input?: string | undefined;
}

/** Runs a program to its end, without a shell. Not ending well is a value; not being there too. */
export function runCommand(
  program: string,
  args: readonly string[],
  { env, cwd, signal, input }: CommandOptions,
): Promise<CommandResult> {
  const options = {
    env: withoutSecrets(env),
    maxBuffer: 16 * 1024 * 1024,
    ...(cwd === undefined ? {} : { cwd }),
    ...(signal === undefined ? {} : { signal }),
  };
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      if (signal?.aborted) reject(signal.reason);
      else resolve({ ok: error === null, stdout, output: `${stdout}${stderr}${error === null ? '' : error.message}` });
    });
    if (input === undefined) return;
    child.stdin?.on('error', () => undefined); // one that ends before it has read all says why itself
    child.stdin?.end(input);
  });
}

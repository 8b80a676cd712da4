import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Env, findProgram } from '../../../api/platform/programs.js';
import { type CommandResult, runCommand } from '../../../api/platform/run-program.js';

/** Asks no questions, and waits for another apt rather than failing. */
const APT_ENV = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
/** Longest time for apt, ms: packages may come through a slow line. */
const APT_LIMIT_MS = 3_600_000;
const APT_OPTIONS = ['-o', 'DPkg::Lock::Timeout=120'];

/** Tells whether packages come through apt here (Debian, Ubuntu and derivatives). */
export async function isDebian(env: Env): Promise<boolean> {
  if (findProgram('apt-get', env) === undefined || !existsSync('/etc/os-release')) return false;
  const release = await readFile('/etc/os-release', 'utf8');
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
}

export const isRoot = (): boolean => process.getuid?.() === 0;

/** Runs apt-get, writing its output to `log` if given. Throws with its last lines. */
export async function aptGet(
  args: readonly string[],
  { env, cwd, log, signal }: { env: Env; cwd?: string; log?: string; signal?: AbortSignal | undefined },
): Promise<CommandResult> {
  const result = await runCommand('apt-get', [...APT_OPTIONS, ...args], {
    env: { ...env, ...APT_ENV },
    ...(cwd === undefined ? {} : { cwd }),
    signal,
    timeoutMs: APT_LIMIT_MS,
  });
  if (log !== undefined) {
    await mkdir(dirname(log), { recursive: true });
    await appendFile(log, `$ apt-get ${args.join(' ')}\n${result.output}\n`);
  }
  if (!result.ok) {
    throw new Error(`apt-get ${args.join(' ')} failed: ${result.output.trim().split('\n').slice(-5).join('\n')}`);
  }
  return result;
}

/** Installs Debian packages, without those that are only recommended. Announces it first. */
export async function installPackages(
  packages: readonly string[],
  why: string,
  {
    env,
    print,
    log,
    signal,
  }: { env: Env; print: (text: string) => void; log?: string; signal?: AbortSignal | undefined },
): Promise<void> {
  print(`${why}: installing ${packages.join(' ')} with apt-get`);
  const options = { env, signal, ...(log === undefined ? {} : { log }) };
  await aptGet(['update'], options);
  await aptGet(['install', '-y', '--no-install-recommends', ...packages], options);
}

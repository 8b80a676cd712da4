import { spawn } from 'node:child_process';
import { errorMessage, hasCode } from './errors.js';
import { memoryOf } from './processes/process-memory.js';
import { type Env, withoutSecrets } from './programs.js';

export interface ProgramCall {
  readonly args: readonly string[];
  /** All of its environment: ours is not inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  /** Its standard input; empty when absent. */
  readonly input?: string | Buffer | undefined;
  /** It is ended with all processes that it has started when it runs longer, ms. */
  readonly timeoutMs: number;
  /** It is ended when it prints more, bytes. */
  readonly limitBytes: number;
  /** It is ended with all processes that it has started when together they take more memory, bytes. */
  readonly memoryBytes?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called now and then while it runs; a text that it returns ends the program, for that reason. */
  readonly watch?: () => Promise<string | undefined>;
}

export interface ProgramResult {
  /** null: a signal ended it. */
  readonly code: number | null;
  readonly stdout: Buffer;
  /** The last part of it. */
  readonly stderr: string;
  /** Why we ended it. */
  readonly ended?: 'timeout' | 'limit' | 'memory' | (string & {});
}

const STDERR_BYTES = 16 * 1024;
const WATCH_MS = 250;

/** The program does not exist. */
export class ProgramMissing extends Error {
  override readonly name = 'ProgramMissing';
}

/**
 * Runs a program to its end without a shell, in a process group of its own. A failure is returned as a value. Rejects
 * with `ProgramMissing` when it does not exist, and with the signal's reason when that fires.
 */
export function runProgram(program: string, call: ProgramCall): Promise<ProgramResult> {
  const { args, env, cwd, input = '', timeoutMs, limitBytes, memoryBytes, signal, watch } = call;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const child = spawn(program, [...args], { env: { ...env }, cwd, stdio: 'pipe', detached: true });
    const out: Buffer[] = [];
    let outBytes = 0;
    let stderr = '';
    let ended: string | undefined;

    const end = (because?: string): void => {
      ended ??= because;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself meanwhile.
      }
    };
    const onAbort = (): void => end();
    const timer = setTimeout(() => end('timeout'), timeoutMs);
    const watcher = watch && setInterval(() => void watch().then((because) => because && end(because)), WATCH_MS);
    const { pid } = child;
    const weigh = async (limit: number): Promise<void> => {
      if (pid !== undefined && (await memoryOf(pid)) > limit) end('memory');
    };
    const scales = memoryBytes === undefined ? undefined : setInterval(() => void weigh(memoryBytes), WATCH_MS);
    signal?.addEventListener('abort', onAbort);

    child.stdout.on('data', (chunk: Buffer) => {
      outBytes += chunk.length;
      if (outBytes > limitBytes) end('limit');
      else out.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-STDERR_BYTES);
    });
    child.stdin.on('error', () => undefined); // it need not read everything: how it ends says what went wrong
    child.stdin.end(input);

    const settle = (): void => {
      clearTimeout(timer);
      clearInterval(watcher);
      clearInterval(scales);
      signal?.removeEventListener('abort', onAbort);
    };
    child.once('error', (error) => {
      settle();
      reject(
        hasCode(error, 'ENOENT', 'EACCES')
          ? new ProgramMissing(`There is no program ${program}`, { cause: error })
          : error,
      );
    });
    child.once('close', (code) => {
      settle();
      if (signal?.aborted) return reject(signal.reason);
      resolve({ code, stdout: Buffer.concat(out), stderr, ...(ended === undefined ? {} : { ended }) });
    });
  });
}

export interface CommandResult {
  readonly ok: boolean;
  readonly stdout: string;
  /** Both streams, and why it failed, for people. */
  readonly output: string;
}

export interface CommandOptions {
  /** Our own environment: the program gets it without our settings. */
  readonly env: Env;
  readonly cwd?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly input?: string | undefined;
  /** Default: a minute, which programs that only talk to the kernel or to a daemon never need. */
  readonly timeoutMs?: number;
}

const COMMAND_LIMIT_BYTES = 16 * 1024 * 1024;

/** Runs a system program. A failure is returned as a value, also when the program does not exist. */
export async function runCommand(
  program: string,
  args: readonly string[],
  { env, timeoutMs = 60_000, ...rest }: CommandOptions,
): Promise<CommandResult> {
  const call = { ...rest, args, env: withoutSecrets(env), timeoutMs, limitBytes: COMMAND_LIMIT_BYTES };
  try {
    const result = await runProgram(program, call);
    const why = whyNot(program, result, timeoutMs);
    const stdout = result.stdout.toString();
    return { ok: why === undefined, stdout, output: `${stdout}${result.stderr}${why ?? ''}` };
  } catch (error) {
    rest.signal?.throwIfAborted();
    return { ok: false, stdout: '', output: errorMessage(error) };
  }
}

/** Returns why a program failed; undefined when it did not. Pure. */
function whyNot(program: string, { code, ended }: ProgramResult, timeoutMs: number): string | undefined {
  if (ended === 'timeout') return `${program} has not ended within ${timeoutMs / 1_000} s`;
  if (ended === 'limit') return `${program} has printed too much`;
  if (code === 0 && ended === undefined) return undefined;
  return code === null ? `${program} was ended by a signal` : `${program} ended with ${code}`;
}

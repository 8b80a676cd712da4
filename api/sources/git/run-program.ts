import { spawn } from 'node:child_process';
import { hasCode } from '../../platform/errors.js';
import { memoryOf } from './process-memory.js';

export interface ProgramCall {
  readonly args: readonly string[];
  /** All of its environment: nothing of ours comes along. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly input?: string | Buffer;
  /** It is ended with everything that it has started when it runs longer, ms. */
  readonly timeoutMs: number;
  /** It is ended when it prints more, bytes. */
  readonly limitBytes: number;
  /** It is ended with everything that it has started when all of them take more memory, bytes. */
  readonly memoryBytes?: number;
  readonly signal: AbortSignal;
  /** Looked at now and then while it runs; a text ends it, for that reason. */
  readonly watch?: () => Promise<string | undefined>;
}

export interface ProgramResult {
  /** null: a signal ended it. */
  readonly code: number | null;
  readonly stdout: Buffer;
  /** The end of it. */
  readonly stderr: string;
  /** Why we ended it. */
  readonly ended?: 'timeout' | 'limit' | 'memory' | (string & {});
}

const STDERR_BYTES = 16 * 1024;
const WATCH_MS = 250;

/** The program is not there. */
export class ProgramMissing extends Error {
  override readonly name = 'ProgramMissing';
}

/**
 * Runs a program to its end without a shell, in a process group of its own. Not ending well is a value. Rejects with
 * ProgramMissing when there is none, and with the signal's reason when that is given.
 */
export function runProgram(program: string, call: ProgramCall): Promise<ProgramResult> {
  const { args, env, cwd, input = '', timeoutMs, limitBytes, memoryBytes, signal, watch } = call;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
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
        // It has ended by itself meanwhile: that is what was wanted.
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
    signal.addEventListener('abort', onAbort);

    child.stdout.on('data', (chunk: Buffer) => {
      outBytes += chunk.length;
      if (outBytes > limitBytes) end('limit');
      else out.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-STDERR_BYTES);
    });
    child.stdin.on('error', () => undefined); // it need not read all: how it ends says what went wrong
    child.stdin.end(input);

    const settle = (): void => {
      clearTimeout(timer);
      clearInterval(watcher);
      clearInterval(scales);
      signal.removeEventListener('abort', onAbort);
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
      if (signal.aborted) return reject(signal.reason);
      resolve({ code, stdout: Buffer.concat(out), stderr, ...(ended === undefined ? {} : { ended }) });
    });
  });
}

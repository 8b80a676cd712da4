import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FileResult, LaneMessage, LaneRequest, TestResult } from './results.js';

const LANE = fileURLToPath(new URL('./lane.ts', import.meta.url));
/** From asking a lane to end until it is killed, ms. */
const END_LIMIT_MS = 60_000;
/** From the end of a process until the last of its output has been read, ms. */
const DRAIN_MS = 100;

/** How one lane differs from its siblings. */
export interface Lane {
  readonly env?: NodeJS.ProcessEnv;
  /** Programs to start it through, such as `unshare --net`. */
  readonly through?: readonly string[];
  /** Files of this pattern it leaves to the others. */
  readonly without?: RegExp;
  /** After its process has ended, in whatever way. */
  readonly clean?: () => Promise<void>;
}

export interface LanesOptions {
  readonly lanes: readonly Lane[];
  /** Limit of each test and hook, ms. */
  readonly timeoutMs: number;
  /** Limit of a whole file: then its lane is killed, ms. */
  readonly fileLimitMs: number;
  readonly begun?: (file: string) => void;
  readonly done: (result: FileResult) => void;
}

/**
 * Runs test files side by side, each lane a process that takes the next file when it is done with one: earlier files
 * begin earlier. A lane that ends by itself or takes too long fails its file, with the test that it was at, and is
 * replaced. Resolves with the results in the order in which files ended.
 */
export async function runInLanes(files: readonly string[], options: LanesOptions): Promise<readonly FileResult[]> {
  const waiting = [...files];
  const results: FileResult[] = [];
  const next = ({ without }: Lane): string | undefined => {
    const index = waiting.findIndex((file) => !without?.test(file));
    return index < 0 ? undefined : waiting.splice(index, 1)[0];
  };
  await Promise.all(
    options.lanes.map(async (lane) => {
      let worker: Worker | undefined;
      try {
        for (let file = next(lane); file !== undefined; file = next(lane)) {
          worker = worker?.isAlive ? worker : await Worker.start(lane);
          options.begun?.(file);
          const result = await worker.run({ file, timeoutMs: options.timeoutMs }, options.fileLimitMs);
          results.push(result);
          options.done(result);
        }
      } finally {
        await worker?.end();
      }
    }),
  );
  return results;
}

class Worker {
  #output = '';
  #at = '';
  #hasEnded = false;
  readonly #exit: Promise<string>;

  private constructor(
    readonly child: ChildProcess,
    readonly lane: Lane,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    this.#exit = new Promise((resolve) => {
      child.once('error', (error) => resolve(`could not be started: ${error.message}`));
      // Not `close`: a process that it started may hold its output open. What it has written is there a moment later.
      child.once('exit', (code, signal) => {
        this.#hasEnded = true;
        setTimeout(() => {
          for (const stream of [child.stdout, child.stderr]) stream?.destroy();
          resolve(`ended with ${signal ?? `exit code ${code}`}`);
        }, DRAIN_MS);
      });
    });
  }

  static async start(lane: Lane): Promise<Worker> {
    const [program = '', ...args] = [...(lane.through ?? []), process.execPath, '--import', 'tsx', LANE];
    const child = spawn(program, args, {
      env: { ...process.env, ...lane.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const worker = new Worker(child, lane);
    const how = await Promise.race([worker.#exit, once(child, 'message').then(() => undefined)]);
    if (how !== undefined) throw new Error(`A process for tests ${how}\n${worker.#output}`);
    return worker;
  }

  get isAlive(): boolean {
    return !this.#hasEnded && this.child.connected;
  }

  async run(request: LaneRequest, limitMs: number): Promise<FileResult> {
    const { file } = request;
    const started = performance.now();
    this.#at = '';
    const listening = new AbortController();
    const answered = new Promise<{ ms: number; tests: readonly TestResult[] }>((resolve) => {
      const onMessage = (message: LaneMessage): void => {
        if (message.is === 'begun') this.#at = message.title;
        if (message.is === 'done') resolve(message);
      };
      this.child.on('message', onMessage);
      listening.signal.addEventListener('abort', () => this.child.off('message', onMessage));
    });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.child.kill('SIGKILL');
    }, limitMs);
    this.child.send(request);
    const answer = await Promise.race([answered, this.#exit]);
    clearTimeout(timer);
    listening.abort();
    const output = this.#output;
    this.#output = '';
    if (typeof answer !== 'string') return { file, ms: answer.ms, tests: answer.tests, output };
    const ms = Math.round(performance.now() - started);
    const why = isLate ? `was killed: the file took longer than ${limitMs} ms` : answer;
    const error = `The process of this file ${why}. It was at: ${this.#at || 'loading'}\n${output.trim().slice(-2000)}`;
    return {
      file,
      ms,
      output,
      tests: [{ file, path: [this.#at || '(loading the file)'], state: 'failed', ms, error }],
    };
  }

  async end(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), END_LIMIT_MS);
    await this.#exit;
    clearTimeout(timer);
    await this.lane.clean?.();
  }
}

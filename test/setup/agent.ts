import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import { type Kind, PLURALS, type Problem, type Resource } from '../../crds/model/kinds.js';
import { freePort } from './docker.js';
import { until } from './until.js';

/** A bundle other than the one of this checkout can be tested as well. */
const BUNDLE = resolve(process.env.SUPERCARGO_TEST_BUNDLE ?? 'dist/supercargo.js');
/** A release is good as soon as all of it is well: what tests wait for is not time. */
const AT_ONCE = { SUPERCARGO_MIN_READY: '0s' };
/** Whatever the shell of whoever runs the tests has exported: no test ends its machine. */
const POWERLESS = { SUPERCARGO_POWER: 'off', SUPERCARGO_REBOOT_COMMAND: '', SUPERCARGO_SHUTDOWN_COMMAND: '' };
const START_LIMIT_MS = 90_000;
const STOP_LIMIT_MS = 60_000;

export interface AgentOptions {
  readonly dockerHost: string;
  /** Address to listen on; 127.0.0.1 unless a test wants more. */
  readonly host?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One line that the agent printed. */
export interface AgentLine {
  readonly level?: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where to connect to, when not to 127.0.0.1. */
  readonly address?: string;
}

export interface Reply {
  readonly status: number;
  readonly text: string;
  /** Throws unless the text is JSON. */
  json<T>(): T;
}

/** An open answer, line by line. */
export interface LineStream {
  readonly status: number;
  readonly lines: readonly string[];
  close(): void;
}

export interface AppSnapshot {
  readonly appId: number;
  readonly commit: string | null;
  readonly services: Readonly<Record<string, { readonly status: string; readonly downloadProgress: number | null }>>;
}

export interface DeviceStatus {
  readonly appState: 'applying' | 'applied';
  readonly containers: readonly { readonly serviceName: string; readonly containerId: string }[];
}

/**
 * The built agent as a process of its own, with temporary folders that it keeps over restarts. Nothing runs before
 * `start`.
 */
export class AgentProcess {
  readonly #options: AgentOptions;
  readonly #lines: AgentLine[] = [];
  #child: ChildProcess | undefined;

  private constructor(
    options: AgentOptions,
    readonly folder: string,
    readonly port: number,
  ) {
    this.#options = options;
  }

  /** Makes the folders and picks a port. */
  static async prepare(options: AgentOptions): Promise<AgentProcess> {
    if (!existsSync(BUNDLE)) throw new Error(`${BUNDLE} is not there: npm run build`);
    const folder = await mkdtemp(join(tmpdir(), 'supercargo-e2e-'));
    const agent = new AgentProcess(options, folder, await freePort());
    for (const one of [agent.manifests, agent.lockRoot]) await mkdir(one);
    return agent;
  }

  get data(): string {
    return join(this.folder, 'data');
  }
  get manifests(): string {
    return join(this.folder, 'manifests');
  }
  get lockRoot(): string {
    return join(this.folder, 'locks');
  }
  /** Everything that it has printed, over all its runs. */
  get lines(): readonly AgentLine[] {
    return this.#lines;
  }
  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts the process; resolves when `/ping` answers. */
  async start(): Promise<void> {
    const { dockerHost, host = '127.0.0.1', args = [], env = {} } = this.#options;
    const child = spawn(
      process.execPath,
      [
        BUNDLE,
        ...['--data', this.data, '--manifests', this.manifests, '--lock-root', this.lockRoot],
        ...['--listen', `${host}:${this.port}`],
        ...args,
      ],
      {
        env: { ...process.env, ...POWERLESS, ...AT_ONCE, DOCKER_HOST: dockerHost, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#child = child;
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on('line', (line) => this.#lines.push(parseLine(line)));
    }
    const answer = await until(
      'the agent answers /ping',
      async () => (this.isRunning ? (await this.ask('/ping')).status : 'it has ended'),
      (seen) => seen === 200 || seen === 'it has ended',
      { withinMs: START_LIMIT_MS, everyMs: 10, hint: () => this.tail() },
    );
    if (answer !== 200) throw new Error(`The agent did not start\n${this.tail()}`);
  }

  /** Ends it in good order; resolves with its exit code. */
  async stop(): Promise<number | null> {
    return (await this.#end('SIGTERM')).code;
  }

  /** Kills it where it stands. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Kills it if it runs and removes its folders. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<{ code: number | null }> {
    const child = this.#child;
    if (!child) return { code: null };
    if (this.isRunning) {
      const exited = once(child, 'exit', { signal: timeoutSignal(STOP_LIMIT_MS) });
      child.kill(signal);
      await exited.catch((cause: unknown) => {
        child.kill('SIGKILL');
        throw new Error(`The agent did not end within ${STOP_LIMIT_MS} ms of ${signal}\n${this.tail()}`, { cause });
      });
    }
    return { code: child.exitCode };
  }

  /** The global key. */
  async key(): Promise<string> {
    const text = await readFile(join(this.data, 'keys.json'), 'utf8');
    return (JSON.parse(text) as { global: string }).global;
  }

  /** The last lines that it printed, for failures. */
  tail(count = 15): string {
    const last = this.#lines.slice(-count).map(({ msg, ...rest }) => `  | ${msg} ${JSON.stringify(rest)}`);
    return [`The agent ${this.isRunning ? 'runs' : 'does not run'}. It said last:`, ...last].join('\n');
  }

  /** One request, whole. Rejects only when there is no answer. */
  ask(path: string, ask: Ask = {}): Promise<Reply> {
    return new Promise((done, fail) => {
      const request = this.#request(path, ask, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          done({ status: response.statusCode ?? 0, text, json: <T>() => JSON.parse(text) as T });
        });
      });
      request.on('error', fail);
    });
  }

  /** The JSON of a GET; throws unless 200. */
  async get<T>(path: string): Promise<T> {
    const reply = await this.ask(path);
    if (reply.status !== 200) throw new Error(`GET ${path}: ${reply.status} ${reply.text}`);
    return reply.json<T>();
  }

  post(path: string, body: unknown): Promise<Reply> {
    return this.ask(path, { method: 'POST', body });
  }

  /** Opens an answer that does not end, such as a watch. */
  stream(path: string): Promise<LineStream> {
    return new Promise((done, fail) => {
      const request = this.#request(path, {}, (response) => {
        const lines: string[] = [];
        const over = (): void => undefined; // a stream that is cut has just ended
        response.on('error', over);
        createInterface({ input: response })
          .on('line', (line) => lines.push(line))
          .on('error', over);
        done({ status: response.statusCode ?? 0, lines, close: () => request.destroy() });
      });
      request.on('error', fail);
    });
  }

  #request(path: string, { method = 'GET', body, headers = {}, address }: Ask, on: (_: IncomingMessage) => void) {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const request = httpRequest(
      {
        host: address ?? '127.0.0.1',
        port: this.port,
        path,
        method,
        agent: false,
        headers: { ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      },
      on,
    );
    request.end(text);
    return request;
  }

  /** A document, or undefined when there is none of that name. */
  async document<K extends Kind>(kind: K, name: string): Promise<Resource<K> | undefined> {
    const reply = await this.ask(`/apis/supercargo.io/v1/${PLURALS[kind]}/${name}`);
    if (reply.status === 404) return undefined;
    if (reply.status !== 200) throw new Error(`${kind}/${name}: ${reply.status} ${reply.text}`);
    return reply.json<Resource<K>>();
  }

  async documents<K extends Kind>(kind: K): Promise<readonly Resource<K>[]> {
    const { items } = await this.get<{ items: readonly Resource<K>[] }>(`/apis/supercargo.io/v1/${PLURALS[kind]}`);
    return items;
  }

  async problems(): Promise<readonly Problem[]> {
    return (await this.get<{ items: readonly Problem[] }>('/apis/supercargo.io/v1/problems')).items;
  }

  /** Sentences of a document's events, oldest first. */
  async events(kind: Kind, name: string): Promise<readonly string[]> {
    const path = `/apis/supercargo.io/v1/${PLURALS[kind]}/${name}/events`;
    const { items } = await this.get<{ items: readonly { reason: string; message: string }[] }>(path);
    return items.map(({ reason, message }) => `${reason}: ${message}`);
  }

  status(): Promise<DeviceStatus> {
    return this.get<DeviceStatus>('/v2/state/status');
  }

  /** `/v2/applications/state`: by app name. */
  applications(): Promise<Readonly<Record<string, AppSnapshot>>> {
    return this.get('/v2/applications/state');
  }
}

function parseLine(line: string): AgentLine {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && 'msg' in value) return value as AgentLine;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { msg: line };
}

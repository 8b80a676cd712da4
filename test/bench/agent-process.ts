import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../setup/docker.js';
import { httpClient } from './http-client.js';
import { type ProcessFigures, processFigures } from './proc.js';
import { type Changed, targetState } from './target.js';

/** Another build is named by `SUPERCARGO_BENCH_AGENT`, to compare two. */
const BUNDLE =
  process.env.SUPERCARGO_BENCH_AGENT ?? fileURLToPath(new URL('../../dist/supercargo.js', import.meta.url));

/** The agent as people run it: the built bundle in a process of its own. */
export interface AgentProcess {
  readonly port: number;
  /** From the spawn to the first 200 of `/ping`, ms. */
  readonly pingMs: number;
  /** Declares that many services; resolves with the time when the request left. */
  post(count: number, changed?: Changed): Promise<number>;
  /** Declares any target state; resolves with the time when the request left. */
  postState(body: object): Promise<number>;
  /** Asks for the status until `appState` is `applied`; resolves with the time when it was. */
  applied(limitMs?: number): Promise<number>;
  /** Returns the JSON of an answer of the resource API. */
  ask(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown>;
  figures(): Promise<ProcessFigures>;
  /** Every file and folder of the data folder with what changes when it is written. */
  disk(): Promise<ReadonlyMap<string, string>>;
  /** Stands still while the floor is measured. */
  freeze(): void;
  thaw(): void;
  /** The containers keep running. */
  stop(): Promise<void>;
}

/** A folder for an agent's data, locks and log, which several processes may use one after the other. */
export async function agentFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'supercargo-bench-'));
  for (const one of ['data', 'manifests', 'locks']) await mkdir(join(folder, one));
  return folder;
}

export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

export async function startAgent(folder: string, dockerHost: string): Promise<AgentProcess> {
  const port = await freePort();
  const log = await open(join(folder, 'log'), 'a');
  const args = [BUNDLE, '--data', join(folder, 'data'), '--manifests', join(folder, 'manifests')];
  args.push('--lock-root', join(folder, 'locks'), '--listen', `127.0.0.1:${port}`, '--engine', 'external');
  const startedMs = performance.now();
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, DOCKER_HOST: dockerHost, SUPERCARGO_MIN_READY: '0s' },
    stdio: ['ignore', log.fd, log.fd],
  });
  const ended = once(child, 'exit');
  const abandon = (): boolean => child.kill('SIGKILL');
  process.once('exit', abandon); // an interrupted benchmark leaves no agent behind
  const client = httpClient({ port });
  await log.close();

  const status = async (): Promise<string> => {
    const { text } = await client.ask('GET', '/v2/state/status');
    return (JSON.parse(text) as { appState: string }).appState;
  };
  const postState = async (body: object): Promise<number> => {
    const atMs = Date.now();
    const { status: code, text } = await client.ask('POST', '/v2/local/target-state', body);
    if (code !== 200) throw new Error(`The agent refused the target state: ${code} ${text}`);
    return atMs;
  };
  const pid = child.pid;
  if (pid === undefined) throw new Error('The agent did not start');
  await answers(child, () => client.ask('GET', '/ping'), folder);
  const pingMs = performance.now() - startedMs;

  return {
    port,
    pingMs,
    post: (count, changed) => postState(targetState(count, changed)),
    postState,
    async applied(limitMs = 120_000) {
      for (const until = Date.now() + limitMs; Date.now() < until; await sleep(1)) {
        if ((await status()) === 'applied') return Date.now();
      }
      throw new Error(`Not applied after ${limitMs} ms:\n${await logTail(folder)}`);
    },
    async ask(method, path, body) {
      const { status: code, text } = await client.ask(method, path, body);
      if (code >= 300) throw new Error(`${method} ${path}: ${code} ${text}`);
      return JSON.parse(text) as unknown;
    },
    figures: () => processFigures(pid),
    disk: () => listDisk(join(folder, 'data')),
    freeze: () => process.kill(pid, 'SIGSTOP'),
    thaw: () => process.kill(pid, 'SIGCONT'),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const hurry = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await ended;
      process.off('exit', abandon);
      clearTimeout(hurry);
      client.close();
    },
  };
}

async function answers(child: ChildProcess, ping: () => Promise<{ status: number }>, folder: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const up = await ping().then(
      ({ status }) => status === 200,
      () => false, // nobody listens yet
    );
    if (up) return;
    if (child.exitCode !== null || attempt > 5_000)
      throw new Error(`The agent did not start:\n${await logTail(folder)}`);
    await sleep(2);
  }
}

async function logTail(folder: string): Promise<string> {
  return (await readFile(join(folder, 'log'), 'utf8')).split('\n').slice(-12).join('\n');
}

/** A write in place changes mtime, one by rename changes inode, file and folder: nothing that is written stays the same. */
async function listDisk(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder, { recursive: true });
  const rows = await Promise.all(
    ['.', ...names].map(async (name): Promise<[string, string]> => {
      const { ino, size, mtimeNs, ctimeNs } = await stat(join(folder, name), { bigint: true });
      return [name, `${ino} ${size} ${mtimeNs} ${ctimeNs}`];
    }),
  );
  return new Map(rows);
}

/** What differs between two listings. Pure. */
export function writtenBetween(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name));
}

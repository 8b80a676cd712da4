import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashSync } from 'bcryptjs';
import { findProgram } from '../../api/platform/programs.js';
import { parseDockerHost } from '../../controllers/engine/client/docker-address.js';
import {
  type Call,
  type DockerHttp,
  dockerHttp,
  parseBody,
  readAll,
  refusal,
} from '../../controllers/engine/client/docker-http.js';
import { connectEngine } from '../../controllers/engine/client/dockerode-engine.js';
import { splitReference } from '../../controllers/engine/client/engine-streams.js';
import type { Engine } from '../../controllers/engine/engine.js';
import { pullProgress } from '../../controllers/engine/images/pull-progress.js';
import { busyboxFiles, staticBusybox } from '../../controllers/engine/local/busybox.js';
import { findEngine, stopPrivateEngine } from '../../controllers/engine/local/private-engine.js';
import { importImage } from '../../controllers/engine/local/seed-image.js';
import type { TarEntry } from '../../controllers/engine/local/tar.js';
import { needPrograms } from './programs.js';

const found: { busybox?: ReturnType<typeof staticBusybox> } = {};

/** Looked for, or downloaded, once in a process, unless `SUPERCARGO_TEST_BUSYBOX` says where it is. */
function busybox(say: (text: string) => void): ReturnType<typeof staticBusybox> {
  const given = process.env.SUPERCARGO_TEST_BUSYBOX;
  found.busybox ??= given === undefined ? staticBusybox(process.env, say) : readFile(given);
  return found.busybox;
}

const say = (text: string): void => console.error(`    ${text}`);

/** A real engine for tests, and what a person with the docker command would do to it. */
export interface TestEngine {
  readonly dockerHost: string;
  readonly socketPath: string;
  readonly engine: Engine;
  readonly http: DockerHttp;
  /** Any request that is not a verb of `Engine`. Throws unless 2xx. */
  request(call: Omit<Call, 'signal'>): Promise<unknown>;
  /** Makes a local image from busybox. */
  makeImage(reference: string, image?: TestImage): Promise<void>;
  tag(image: string, as: string): Promise<void>;
  push(reference: string, login?: Login): Promise<void>;
  close(): Promise<void>;
}

interface TestImage {
  readonly files?: readonly TarEntry[];
  readonly cmd?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Further Dockerfile lines. */
  readonly changes?: readonly string[];
}

/** The engine that the environment gives (`SUPERCARGO_TEST_DOCKER_HOST`), or one of its own that `close` ends. */
export async function useEngine(): Promise<TestEngine> {
  const given = process.env.SUPERCARGO_TEST_DOCKER_HOST;
  if (given) return useEngineAt(given);
  const dataFolder = await mkdtemp(join(tmpdir(), 'supercargo-engine-'));
  const { dockerHost } = await findEngine({ mode: 'private', dataFolder, env: process.env, print: say });
  return testEngine(dockerHost, async () => {
    await stopPrivateEngine(dataFolder);
    await rm(dataFolder, { recursive: true, force: true });
  });
}

/** An engine that runs already and that somebody else ends. */
export const useEngineAt = (dockerHost: string): TestEngine => testEngine(dockerHost, async () => undefined);

function testEngine(dockerHost: string, close: () => Promise<void>): TestEngine {
  const address = parseDockerHost(dockerHost);
  if (!('socketPath' in address)) throw new Error(`The tests need an engine on this machine, not ${dockerHost}`);
  const http = dockerHttp(address);
  const { signal } = new AbortController();

  const request = async (call: Omit<Call, 'signal'>): Promise<unknown> => {
    const { status, body } = await http.ask({ ...call, signal });
    if (status >= 300) throw refusal(status, body);
    return body;
  };

  return {
    dockerHost,
    socketPath: address.socketPath,
    engine: connectEngine({ dockerHost }),
    http,
    request,
    async makeImage(reference, { files = [], cmd = ['sh'], labels = {}, env = {}, changes = [] } = {}) {
      const binary = await busybox(say);
      if (binary === undefined) throw new Error('No static busybox to make images from');
      const lines = [
        `CMD ${JSON.stringify(cmd)}`,
        'ENV PATH=/usr/bin:/bin',
        ...Object.entries(env).map(([name, value]) => `ENV ${name}=${JSON.stringify(value)}`),
        ...Object.entries(labels).map(([name, value]) => `LABEL ${name}=${JSON.stringify(value)}`),
        ...changes,
      ];
      await importImage(http, reference, [...(await busyboxFiles(binary, process.env)), ...files], lines, signal);
    },
    async tag(image, as) {
      const { fromImage: repo, tag } = splitReference(as);
      await request({ method: 'POST', path: `/images/${image}/tag`, query: { repo, tag } });
    },
    async push(reference, login = { username: '', password: '' }) {
      const { fromImage, tag } = splitReference(reference);
      const { status, stream } = await http.open({
        method: 'POST',
        path: `/images/${fromImage}/push`,
        query: { tag },
        auth: { ...login, serveraddress: '' }, // the header is obligatory
        signal,
      });
      const text = await readAll(stream);
      if (status !== 200) throw refusal(status, parseBody(text));
      const progress = pullProgress(); // throws what the stream reports
      for (const line of text.split('\n').filter((one) => one.trim() !== '')) progress.take(JSON.parse(line));
    },
    close,
  };
}

export interface TestRegistry {
  /** `127.0.0.1:port`: the beginning of its references. */
  readonly address: string;
  close(): Promise<void>;
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** Debian's docker-registry on a free port, with an empty store that goes with it. `login`: what it wants to see. */
export async function useRegistry(login?: Login): Promise<TestRegistry> {
  const env = process.env;
  await needPrograms('docker-registry');
  const program = findProgram('docker-registry', env);
  if (program === undefined) throw new Error('docker-registry is not to be found');
  const folder = await mkdtemp(join(tmpdir(), 'supercargo-registry-'));
  const address = `127.0.0.1:${await freePort()}`;
  const config = join(folder, 'config.yml');
  const users = join(folder, 'htpasswd');
  if (login) await writeFile(users, `${login.username}:${hashSync(login.password, 4)}\n`);
  await writeFile(
    config,
    [
      'version: 0.1',
      'log: { level: error, accesslog: { disabled: true } }',
      `storage: { filesystem: { rootdirectory: ${JSON.stringify(join(folder, 'store'))} }, delete: { enabled: true } }`,
      `http: { addr: ${JSON.stringify(address)}, secret: ${randomBytes(8).toString('hex')} }`,
      ...(login ? [`auth: { htpasswd: { realm: test, path: ${JSON.stringify(users)} } }`] : []),
      '',
    ].join('\n'),
  );
  const child = spawn(program, ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (let attempt = 0; ; attempt += 1) {
    const up = await fetch(`http://${address}/v2/`).then(
      ({ status }) => status === (login ? 401 : 200),
      () => false,
    );
    if (up) break;
    if (child.exitCode !== null || attempt > 200) throw new Error(`The registry did not start: ${output}`);
    await sleep(50);
  }
  return {
    address,
    async close() {
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A TCP port of 127.0.0.1 that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('No port')),
      );
    });
  });
}

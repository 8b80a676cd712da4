import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { findProgram } from '../../api/platform/programs.js';
import { freePort } from './docker.js';
import type { TestRepository } from './git.js';
import { until } from './until.js';

export interface GitServer {
  readonly url: string;
  close(): Promise<void>;
}

export interface HttpGitServer extends GitServer {
  /** What callers have to log in with; anybody may when absent. */
  login: string | undefined;
  /** Requests are not answered. */
  isSilent: boolean;
  readonly requests: string[];
  /** Where requests are sent on to, by their path and query; undefined for those that are answered. */
  redirect: ((url: string) => string | undefined) | undefined;
  /** What the callers logged in with. */
  readonly logins: string[];
}

/** Serves a repository over smart HTTP on 127.0.0.1: git's own http-backend behind a small server. */
export async function serveHttp(repository: TestRepository, port = 0): Promise<HttpGitServer> {
  repository.inBare('config', 'http.receivepack', 'true');
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (request.headers.authorization !== undefined) served.logins.push(request.headers.authorization);
    if (served.isSilent) return;
    const location = served.redirect?.(request.url ?? '/');
    if (location !== undefined) return void response.writeHead(302, { location }).end();
    const expected = served.login && `Basic ${Buffer.from(served.login).toString('base64')}`;
    if (expected && request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    runBackend(repository, request, response);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/fleet.git`;
  const served: HttpGitServer = {
    url,
    login: undefined,
    isSilent: false,
    requests,
    redirect: undefined,
    logins: [],
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return served;
}

function runBackend(repository: TestRepository, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: repository.folder,
      GIT_PROJECT_ROOT: repository.folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'uploadpack.allowFilter',
      GIT_CONFIG_VALUE_0: 'true',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      REMOTE_USER: 'somebody',
      REMOTE_ADDR: '127.0.0.1',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.once('close', () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf('\r\n\r\n');
    const head = output.toString('latin1', 0, end).split('\r\n');
    const fields = head.map((line): [string, string] => {
      const at = line.indexOf(':');
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    });
    const status = Number(fields.find(([name]) => name === 'status')?.[1].split(' ')[0] ?? 200);
    response.writeHead(status, Object.fromEntries(fields.filter(([name]) => name !== 'status')));
    response.end(output.subarray(end + 4));
  });
}

export interface SshGitServer extends GitServer {
  /** A line of known_hosts. */
  readonly knownHosts: string;
  /** A private key that may log in. */
  readonly key: string;
}

/** An sshd on a free port of 127.0.0.1 that lets one new key in. */
export async function serveSsh(repository: TestRepository): Promise<SshGitServer> {
  const folder = join(repository.folder, 'ssh');
  mkdirSync(folder, { mode: 0o700 });
  const keyFile = (name: string): string => {
    const file = join(folder, name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
    return file;
  };
  const host = keyFile('host');
  const user = keyFile('user');
  const port = await freePort();
  const config = join(folder, 'sshd_config');
  writeFileSync(
    config,
    [
      'ListenAddress 127.0.0.1',
      `Port ${port}`,
      `HostKey ${host}`,
      `AuthorizedKeysFile ${user}.pub`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin yes',
      '',
    ].join('\n'),
  );
  const program = findProgram('sshd', process.env);
  if (program === undefined) throw new Error('There is no sshd');
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const child = spawn(program, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await until(
    'sshd listens',
    () => canConnect(port),
    (can) => can,
    { hint: () => output },
  );
  const login = execFileSync('id', ['-un']).toString().trim();
  return {
    url: `ssh://${login}@127.0.0.1:${port}${repository.bare}`,
    knownHosts: `[127.0.0.1]:${port} ${readFileSync(`${host}.pub`, 'utf8')}`,
    key: readFileSync(user, 'utf8'),
    close: () => ended(child),
  };
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** `git daemon` on a free port of 127.0.0.1, for the folder of a repository. */
export async function serveDaemon(repository: TestRepository): Promise<GitServer> {
  const port = await freePort();
  const child = spawn(
    'git',
    ['daemon', '--export-all', '--listen=127.0.0.1', `--port=${port}`, `--base-path=${dirname(repository.bare)}`],
    { stdio: 'ignore', env: { PATH: process.env.PATH ?? '', HOME: repository.folder }, detached: true },
  );
  await until(
    'git daemon listens',
    () => canConnect(port),
    (can) => can,
  );
  return {
    url: `git://127.0.0.1:${port}/fleet.git`,
    close: async () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      await ended(child);
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await exit;
}

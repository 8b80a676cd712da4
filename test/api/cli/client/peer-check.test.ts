import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { connect, createServer, type Socket, type Server as SocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseHost } from '../../../../api/cli/client/address.js';
import { connect as connectClient } from '../../../../api/cli/client/client.js';
import { checkPeer, checkSocketFile } from '../../../../api/cli/client/peer-check.js';

const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65534;

describe('who gets the key of this machine', () => {
  let folder: string;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'peer-')));
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const check = (socket: Socket): Promise<void> => checkPeer(socket, { dataFolder: folder });
  const connected = async (port: number, host = '127.0.0.1'): Promise<Socket> => {
    const socket = connect(port, host);
    await once(socket, 'connect');
    return socket;
  };
  const portOf = (server: Server | SocketServer): number => {
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  };
  /** A program that listens and answers every request with 401; prints what keys it has got. */
  async function stranger(
    before: readonly string[] = [],
    uid = NOBODY,
  ): Promise<{ port: number; next(): Promise<string> }> {
    const script = `
      const server = require('node:http').createServer((request, response) => {
        console.log(String(request.headers.authorization));
        response.writeHead(401).end('{}');
      }).listen(0, '127.0.0.1', () => console.log(server.address().port));`;
    const [program = '', ...args] = [...before, process.execPath, '-e', script];
    const child = spawn(program, args, { uid, gid: uid, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => String((await lines.next()).value);
    return { port: Number(await next()), next };
  }

  for (const [host, listen] of [
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '::'],
    ['::1', '::'],
  ] as const) {
    it(`is whoever runs the command, at ${host} of ${listen}`, async () => {
      const server = createServer().listen(0, listen);
      await once(server, 'listening');
      const socket = await connected(portOf(server), host);
      await check(socket);
      socket.destroy();
      server.close();
    });
  }

  it('is nobody while the connection is not accepted', async () => {
    // Its only thread sleeps as soon as it listens.
    const script = `const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
      require('node:fs').writeSync(1, server.address().port + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const socket = await connected(Number(line));
    await assert.rejects(
      checkPeer(socket, { dataFolder: folder, patienceMs: 30 }),
      /whom this machine does not tell: the key was not sent/,
    );
    socket.destroy();
  });

  it('cannot be told where there is no table, and is not refused', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = await connected(portOf(server));
    await checkPeer(socket, { dataFolder: folder, proc: folder });
    mkdirSync(join(folder, 'net'));
    writeFileSync(join(folder, 'net/tcp'), '');
    await assert.rejects(checkPeer(socket, { dataFolder: folder, proc: folder }), /does not tell/);
    socket.destroy();
    server.close();
  });

  if (IS_ROOT) {
    it('is no other user, but the one who owns the data folder', async () => {
      const { port } = await stranger();
      const socket = await connected(port);
      await assert.rejects(
        check(socket),
        new RegExp(
          `^CommandError: Port ${port} of 127\\.0\\.0\\.1 is held by \\S+ \\(pid \\d+, uid ${NOBODY}\\), which is not the agent: the key was not sent`,
        ),
      );
      chownSync(folder, NOBODY, NOBODY);
      await check(socket);
      socket.destroy();
    });

    it('is no root in a container, unless it has the lock of the data folder', async () => {
      writeFileSync(join(folder, 'lock'), '');
      const isolation = ['unshare', '--pid', '--fork', '--kill-child'];
      const { port } = await stranger(isolation, 0);
      const socket = await connected(port);
      await assert.rejects(check(socket), /\(pid \d+, uid 0\) in a container, which is not the agent/);
      socket.destroy();
      const locked = await stranger(['sh', '-c', `exec 9<'${join(folder, 'lock')}'; exec "$@"`, 'sh', ...isolation], 0);
      const other = await connected(locked.port);
      await check(other);
      other.destroy();
    });

    describe('over the whole way', () => {
      const clientOf = (port: number, isNamed: boolean, key?: string) =>
        connectClient({
          ...{ address: parseHost(`127.0.0.1:${port}`), key, check, isNamed },
          localKey: async () => 'secret',
        });

      it('is not asked for by a stranger', async () => {
        const { port, next } = await stranger();
        await assert.rejects(clientOf(port, true).ask('GET', '/x'), /is not the agent: the key was not sent/);
        assert.equal(await next(), 'undefined');
        const other = clientOf(port, true)
          .ask('GET', '/y')
          .catch(() => undefined);
        assert.equal(await next(), 'undefined', 'the key did not come between');
        await other;
      });

      it('is not sent to an address that was not named, nor is a document', async () => {
        const { port, next } = await stranger();
        await assert.rejects(clientOf(port, false, 'mine').ask('GET', '/x'), /is not the agent/);
        await assert.rejects(clientOf(port, false).ask('PUT', '/x', {}), /is not the agent/);
        await assert.rejects(clientOf(port, true, 'mine').ask('GET', '/x'), /does not know this key/);
        assert.equal(await next(), 'Bearer mine', 'a key for a named address is for whoever is there');
      });
    });
  }

  it('goes over a connection that was looked at, once for many requests', async () => {
    const keys: (string | undefined)[] = [];
    const server = createHttpServer(({ headers: { authorization } }, response) => {
      keys.push(authorization);
      response.writeHead(authorization ? 200 : 401).end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    let looks = 0;
    const client = connectClient({
      address: parseHost(`127.0.0.1:${portOf(server)}`),
      key: undefined,
      localKey: async () => 'secret',
      check: async (socket) => {
        looks += 1;
        await check(socket);
      },
    });
    await client.ask('GET', '/x');
    await client.ask('GET', '/y');
    assert.deepEqual(keys, [undefined, 'Bearer secret', 'Bearer secret']);
    assert.equal(looks, 1);
    server.closeAllConnections();
    server.close();
  });

  describe('by a socket file', () => {
    const file = (): string => join(folder, 'run', 'a.sock');
    let server: SocketServer;
    beforeEach(async () => {
      mkdirSync(join(folder, 'run'), { mode: 0o755 });
      server = createServer().listen(file());
      await once(server, 'listening');
    });
    afterEach(() => server.close());
    const look = (path = file()): void => checkSocketFile(path, { dataFolder: folder });

    it('is the one who made it, where nobody else could', () => {
      look();
      look(join(folder, 'run', 'none.sock'));
      symlinkSync(file(), join(folder, 'link.sock'));
      look(join(folder, 'link.sock'));
    });

    it('is nobody where others could replace it', () => {
      chmodSync(join(folder, 'run'), 0o777);
      assert.throws(() => look(), /Others may replace what is in \S+run \(mode 777\): the key was not sent/);
      chmodSync(join(folder, 'run'), 0o1777);
      look();
    });

    if (IS_ROOT) {
      it('is no other user', () => {
        chownSync(file(), NOBODY, NOBODY);
        assert.throws(() => look(), /a\.sock belongs to uid 65534, which is not the agent's/);
        chownSync(file(), 0, 0);
        chownSync(join(folder, 'run'), NOBODY, NOBODY);
        assert.throws(() => look(), /run belongs to uid 65534/);
      });
    }
  });
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerDeps } from '../../../api/http/server.js';
import { openLocalPeers } from '../../../api/platform/processes/local-peers.js';
import { API_VERSION } from '../../../crds/model/kinds.js';
import { aServer, type Bench } from './a-server.js';

/** A connection to the server, and all that it has said. */
async function aClient(
  bench: Bench,
): Promise<{ readonly socket: Socket; readonly received: () => string; readonly closed: Promise<unknown> }> {
  const [host = '', port] = (bench.server.addresses[0] ?? '').split(':');
  const socket = connect({ host, port: Number(port), allowHalfOpen: true });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString();
  });
  socket.on('error', () => undefined);
  socket.once('end', () => socket.end());
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, received: () => text, closed };
}

const head = (path: string, ...headers: readonly string[]): string =>
  `${[`POST ${path} HTTP/1.1`, 'host: localhost', 'content-type: application/json', ...headers].join('\r\n')}\r\n\r\n`;
const GET = 'GET /v2/version HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';

const SECRET = 'a long secret';
const PUSH = '{"ref":"refs/heads/main"}';
const SOURCE = { apiVersion: API_VERSION, kind: 'GitSource', metadata: { name: 'fleet' } } as const;

describe('sockets that behave badly', () => {
  let bench: Bench;
  const limits = { connections: 40, reserved: 0, headMs: 300, requestMs: 600, idleMs: 60_000, checkMs: 50 };
  const settings = { localMode: true, development: false, version: '0.1.0', listen: '127.0.0.1:0' };
  const open = async (some: object = {}, deps: Partial<ServerDeps> = {}): Promise<void> => {
    const secrets = { read: async () => SECRET };
    bench = await aServer({ settings, limits: { ...limits, ...some }, secrets, ...deps });
    await bench.server.start();
  };
  afterEach(() => bench.close());

  async function isWell(): Promise<void> {
    const client = await aClient(bench);
    client.socket.write(GET);
    await client.closed;
    assert.match(client.received(), /^HTTP\/1\.1 200 OK/);
  }

  it('a body that comes byte by byte: 408 at its time, others are served meanwhile', async () => {
    await open();
    const { socket, received, closed } = await aClient(bench);
    socket.write(head('/v1/restart', 'content-length: 1000'));
    const drip = setInterval(() => socket.write(' '), 20);
    await isWell();
    await closed;
    clearInterval(drip);
    assert.match(received(), /^HTTP\/1\.1 408 /);
    await isWell();
  });

  it('a head that never ends: 408', async () => {
    await open();
    const { socket, received, closed } = await aClient(bench);
    socket.write('GET /ping HTTP/1.1\r\n');
    const drip = setInterval(() => socket.write(`x-a: ${'y'.repeat(9)}\r\n`), 20);
    await closed;
    clearInterval(drip);
    assert.match(received(), /^HTTP\/1\.1 408 /);
  });

  it('a head that is too large: 431', async () => {
    await open();
    const { socket, received, closed } = await aClient(bench);
    socket.write(`GET /ping HTTP/1.1\r\nx-a: ${'y'.repeat(20_000)}\r\n\r\n`);
    await closed;
    assert.match(received(), /^HTTP\/1\.1 431 /);
  });

  it('what is not HTTP: 400', async () => {
    await open();
    for (const junk of ['\0\0\0\0\r\n\r\n', 'GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', '\x16\x03\x01\x02\x00\x01']) {
      const { socket, received, closed } = await aClient(bench);
      socket.write(junk);
      await closed;
      assert.match(received(), /^HTTP\/1\.1 (400|505) /, JSON.stringify(junk));
    }
    await isWell();
  });

  it('bodies that are given up half-way change nothing', async () => {
    await open();
    const before = bench.store.resourceVersion;
    for (let count = 0; count < 30; count += 1) {
      const { socket, closed } = await aClient(bench);
      socket.write(`${head('/v2/local/target-state', 'content-length: 500')}{"local":{"apps":{`);
      await sleep(1);
      socket.destroy();
      await closed;
    }
    await isWell();
    assert.equal(bench.store.resourceVersion, before);
  });

  it('a client that has said all it will say still gets its answer', async () => {
    await open();
    const { socket, received, closed } = await aClient(bench);
    socket.end('GET /v2/version HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await closed;
    assert.match(received(), /^HTTP\/1\.1 200 OK/);
  });

  for (const path of ['/v2/local/logs', '/apis/supercargo.io/v1/apps?watch=1']) {
    it(`a stream of ${path} is forgotten when its client leaves, whole or half`, async () => {
      await open();
      for (const leave of ['end', 'destroy'] as const) {
        const clients = await Promise.all(Array.from({ length: 10 }, () => aClient(bench)));
        for (const { socket } of clients) socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
        while (clients.some(({ received }) => !received().includes('\r\n\r\n'))) await sleep(2);
        for (const { socket } of clients) socket[leave]();
        await Promise.all(clients.map(({ closed }) => closed));
        while (bench.server.streams > 0) await sleep(2);
      }
    });
  }

  it('a thousand idle connections keep nobody from an answer, and are cut', async () => {
    await open({ connections: 1_100, headMs: 5_000, requestMs: 5_000 });
    const idle = await Promise.all(Array.from({ length: 1_000 }, () => aClient(bench)));
    const cut = Promise.all(idle.map(({ closed }) => closed));
    assert.equal(await Promise.race([isWell().then(() => 'answered'), cut.then(() => 'cut')]), 'answered');
    await cut;
    await isWell();
  }).timeout(120_000);

  it('two thousand callers of root about whom the kernel is asked keep nobody from an answer', async () => {
    const peers = openLocalPeers({ log: { debug: () => undefined } });
    await open({ connections: 2_100, headMs: 60_000, requestMs: 60_000 }, { peers });
    const callers = await Promise.all(Array.from({ length: 2_000 }, () => aClient(bench)));
    for (const { socket } of callers) socket.write(GET);
    const usage = process.cpuUsage();
    const client = await aClient(bench);
    client.socket.write(GET.replace('/v2/version', '/v1/healthy'));
    await client.closed;
    const { user, system } = process.cpuUsage(usage); // other processes use none of it
    assert.match(client.received(), /^HTTP\/1\.1 200 OK/);
    assert.ok(user + system < 3_000_000, `answered after ${(user + system) / 1_000} ms of processor time`);
    await Promise.all(callers.map(({ closed }) => closed));
    assert.deepEqual(new Set(callers.map(({ received }) => received().slice(0, 15))), new Set(['HTTP/1.1 200 OK']));
  }).timeout(120_000);

  it('connections that come while it is busy are kept by the kernel until it takes them', async () => {
    await open({ connections: 2_000 });
    const most = Number(await readFile('/proc/sys/net/core/somaxconn', 'utf8'));
    const count = Math.min(1_500, most);
    const [, port = ''] = (bench.server.addresses[0] ?? '').split(':');
    const connecting = `
      let count = 0;
      const end = () => { console.log(count); process.exit(); };
      for (let at = 0; at < ${count}; at += 1) {
        require('node:net').connect(${port}, '127.0.0.1', () => { count += 1; if (count === ${count}) end(); });
      }
      setTimeout(end, 5_000);`;
    // Waits without the event loop: nothing is accepted meanwhile.
    assert.equal(spawnSync(process.execPath, ['-e', connecting], { encoding: 'utf8' }).stdout.trim(), String(count));
  });

  it('a connection that comes to a full house takes the place of the one that has been idle for longest', async () => {
    await open({ connections: 5, reserved: 0, headMs: 5_000, requestMs: 5_000 });
    const clients = await Promise.all(Array.from({ length: 5 }, () => aClient(bench)));
    await isWell();
    await clients[0]?.closed;
    for (const { socket } of clients) socket.destroy();
    await Promise.all(clients.map(({ closed }) => closed));
  });

  it('one that comes while all others have requests under way is closed', async () => {
    await open({ connections: 5, reserved: 0, headMs: 5_000, requestMs: 5_000 });
    const clients = await Promise.all(Array.from({ length: 5 }, () => aClient(bench)));
    for (const { socket } of clients) socket.write('GET /v2/local/logs HTTP/1.1\r\nhost: localhost\r\n\r\n');
    while (bench.server.streams < 5) await sleep(2);
    const one = await aClient(bench);
    one.socket.write(GET);
    await one.closed;
    assert.equal(one.received(), '');
    for (const { socket } of clients) socket.destroy();
    await Promise.all(clients.map(({ closed }) => closed));
    while (bench.server.streams > 0) await sleep(2);
    await isWell();
  });

  it('connections from one address keep out neither others, nor itself, nor this machine', async () => {
    await open({ connections: 60, perAddress: 50, reserved: 5, headMs: 60_000, requestMs: 60_000 });
    await bench.server.listen('127.0.0.1:0', 'gateway');
    const port = Number(bench.server.addresses[1]?.split(':').at(-1));
    const idleFrom = async (localAddress: string) => {
      const socket = connect({ host: '127.0.0.1', port, localAddress }).on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    };
    const idle = [];
    for (let count = 0; count < 200; count += 1) idle.push(await idleFrom('127.0.0.2'));
    for (let count = 0; count < 40; count += 1) idle.push(await idleFrom('127.0.0.3'));
    for (const localAddress of ['127.0.0.2', '127.0.0.4', '127.0.0.1']) {
      const [answer] = await once(
        get({ host: '127.0.0.1', port, localAddress, path: '/ping', agent: false }),
        'response',
      );
      assert.equal(answer.statusCode, 200, localAddress);
    }
    for (const socket of idle) socket.destroy();
  });

  describe('calls of /hooks without a key', () => {
    const slow = { connections: 40, reserved: 0, headMs: 60_000, requestMs: 60_000, signedBodyMs: 60_000 };
    const LENGTH = `content-length: ${PUSH.length}`;
    const signed = (text: string) =>
      `x-hub-signature-256: sha256=${createHmac('sha256', SECRET).update(text).digest('hex')}`;
    const REMOTE = 'x-forwarded-for: 192.0.2.7'; // as somebody from outside: without it this machine needs no key
    const openWith = async (some: object = {}): Promise<void> => {
      await open({ ...slow, ...some });
      const spec = { url: 'https://git.example.org/x', webhook: { secret: 'hook' } };
      await bench.store.propose({ origin: 'files', documents: [{ document: { ...SOURCE, spec } }] });
    };

    for (const [what, path, ...headers] of [
      ['of a source that does not exist', '/hooks/x', signed('')],
      ['of a source without a signature', '/hooks/fleet'],
      ['with a false token', '/hooks/fleet', 'x-gitlab-token: wrong'],
    ] as const) {
      it(`${what} are refused before their body has come`, async () => {
        await openWith();
        const { socket, received } = await aClient(bench);
        socket.write(head(path, REMOTE, LENGTH, ...headers));
        await once(socket, 'data');
        assert.match(received(), /^HTTP\/1\.1 401 /);
        socket.destroy();
      });
    }

    it('that never end keep out neither others nor a true one', async () => {
      await openWith();
      for (let count = 0; count < 100; count += 1) {
        const { socket } = await aClient(bench);
        socket.write(`${head('/hooks/fleet', REMOTE, LENGTH, signed('other'))}{`);
      }
      await isWell();
      const { socket, received } = await aClient(bench);
      socket.write(head('/hooks/fleet', REMOTE, LENGTH, signed(PUSH)) + PUSH);
      await once(socket, 'data');
      assert.match(received(), /^HTTP\/1\.1 202 /);
      socket.destroy();
    });

    it('with a signed body that comes byte by byte: 408 at its time', async () => {
      await openWith({ signedBodyMs: 200 });
      const { socket, received, closed } = await aClient(bench);
      socket.write(head('/hooks/fleet', REMOTE, 'content-length: 1000000', signed('other')));
      const drip = setInterval(() => socket.write(' '), 20);
      await closed;
      clearInterval(drip);
      assert.match(received(), /^HTTP\/1\.1 408 /);
    });
  });
});

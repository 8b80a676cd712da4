import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { get, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Listeners } from '../../../../api/http/transport/listeners.js';
import { RawClient } from '../../../setup/raw-client.js';
import { aServer, withKey } from '../a-server.js';

async function answerOf(to: string | RequestOptions): Promise<IncomingMessage> {
  const sent = typeof to === 'string' ? get(to) : get(to);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  return answer;
}

describe('the listeners', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'listen-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const settings = (listen: string, localMode = true) => ({ localMode, development: false, version: '0.1.0', listen });

  it('serve several addresses, and one more later', async () => {
    const socketPath = join(folder, 'a.sock');
    const { server, close } = await aServer({ settings: settings(`127.0.0.1:0, unix:${socketPath}`) });
    await server.start();
    assert.equal(server.addresses.length, 2);
    const path = '/v2/version';
    assert.equal((await answerOf(`http://${server.addresses[0]}${path}`)).statusCode, 200);
    assert.equal((await answerOf({ socketPath, path })).statusCode, 200);
    await server.listen('127.0.0.1:0', 'gateway');
    const gateway = `http://${server.addresses[2]}${path}`;
    assert.equal((await answerOf(gateway)).statusCode, 401, 'a gateway caller is not this machine');
    assert.equal((await answerOf(`${gateway}?apikey=aaaabbbbccccdddd`)).statusCode, 200);
    await close();
    await assert.rejects(stat(socketPath), /ENOENT/);
  });

  it('add nothing where an open one receives already', async () => {
    const { server, close } = await aServer({ settings: settings('0.0.0.0:0') });
    await server.start();
    const port = server.addresses[0]?.split(':').at(-1);
    await server.listen(`127.0.0.1:${port}`, 'gateway');
    assert.equal(server.addresses.length, 1);
    await close();
  });

  it('take over the socket file of a process that died', async () => {
    const socketPath = join(folder, 'stale.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(socketPath)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    assert.ok((await stat(socketPath)).isSocket());
    const { server, close } = await aServer({ settings: settings(`unix:${socketPath}`) });
    await server.start();
    assert.equal((await answerOf({ socketPath, path: '/ping' })).statusCode, 200);
    await close();
  });

  it('leave a socket alone that somebody answers on', async () => {
    const socketPath = join(folder, 'live.sock');
    const other = createSocketServer().listen(socketPath);
    await once(other, 'listening');
    const { server, close } = await aServer({ settings: settings(`unix:${socketPath}`) });
    await assert.rejects(server.start(), { message: /live\.sock: a program answers there already\. Stop it/ });
    await close();
    other.close();
  });

  it('say who has their port, and what to do', async () => {
    const other = createSocketServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const taken = other.address();
    const port = typeof taken === 'object' && taken ? taken.port : 0;
    for (const host of ['127.0.0.1', '0.0.0.0', '[::]', 'localhost']) {
      const { server, close } = await aServer({ settings: settings(`${host}:${port}`) });
      await assert.rejects(server.start(), ({ message }: Error) => {
        assert.match(
          message,
          /^Cannot listen at .*: the port is taken by \S+ \(pid \d+, uid \d+\)\. End that .*--listen/,
        );
        assert.ok(message.includes(`(pid ${process.pid}, uid ${process.getuid?.()})`), message);
        return true;
      });
      await close();
    }
    other.close();
  });

  it('keep a connection for more requests, also after a POST without a body', async () => {
    const { server, close } = await aServer({ settings: settings('127.0.0.1:0') });
    await server.start();
    const [host, port] = (server.addresses[0] ?? '').split(':');
    const socket = connect(Number(port), host);
    const request = (line: string) =>
      `${line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Type: application/json\r\n\r\n`;
    socket.write(request('POST /v2/nope') + request('GET /ping'));
    let text = '';
    for await (const chunk of socket) {
      text += chunk;
      if (text.endsWith('OK')) break;
    }
    assert.match(text, /^HTTP\/1\.1 404/);
    assert.match(text, /Keep-Alive: timeout=5/);
    await close();
  });

  it('show the sender of a body that is too large what is wrong', async () => {
    const { server, close } = await aServer({ settings: settings('127.0.0.1:0') });
    await server.start();
    const response = await fetch(`http://${server.addresses[0]}/v2/local/target-state`, {
      method: 'POST',
      headers: { ...withKey, 'content-type': 'application/json' },
      body: `{"a":"${'x'.repeat(11 * 1024 * 1024)}"}`,
    });
    assert.deepEqual(
      [response.status, await response.text()],
      [503, '{"status":"failed","message":"request entity too large"}'],
    );
    await close();
  });

  it('cut what is left at the deadline', async () => {
    const target = { accept: () => new Promise<never>(() => undefined), render: () => ({}) };
    const { server, close } = await aServer({ settings: settings('127.0.0.1:0'), target });
    await server.start();
    const stuck = fetch(`http://${server.addresses[0]}/v2/local/target-state`, { method: 'POST' });
    await answerOf(`http://${server.addresses[0]}/ping`);
    const stopped = server.stop(50);
    await assert.rejects(stuck);
    await stopped;
    await close();
  });

  it('let many that come at once in between the requests of those who never pause', async () => {
    const served: string[] = [];
    const busyUntilMs = (ms: number): void => {
      while (performance.now() < ms);
    };
    const listeners = new Listeners((request, response) => {
      served.push(request.url ?? '');
      busyUntilMs(performance.now() + 1);
      response.end();
    });
    await listeners.add({ is: 'tcp', host: '127.0.0.1', port: 0 }, 'tcp');
    const port = Number(listeners.addresses[0]?.split(':').at(-1));
    const old = Array.from({ length: 30 }, () => new RawClient(port));
    await Promise.all(old.map((client) => client.ask('GET', '/old')));
    let isOver = false;
    const hammering = old.map(async (client) => {
      while (!isOver) await client.ask('GET', '/old');
    });
    served.length = 0;
    const come = Array.from({ length: 30 }, () => new RawClient(port));
    await Promise.all(come.map((client) => client.ask('GET', '/new')));
    isOver = true;
    const between = served.slice(0, served.lastIndexOf('/new')).filter((one) => one === '/old').length;
    await Promise.all(hammering);
    for (const client of [...old, ...come]) client.close();
    await listeners.close(1_000);
    // With a whole round of everybody's requests for each of them it is 480.
    assert.ok(between < 300, `${between} requests were served before the last that came`);
  });
});

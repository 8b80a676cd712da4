import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection, LocalPeers } from '../../../../crds/model/local-peers.js';
import { APP_2_KEY, aServer, type Bench, GLOBAL_KEY } from '../a-server.js';

const STATE = '/v2/applications/state';

/** Answers as the test says, and remembers what it was asked. */
class ScriptedPeers implements LocalPeers {
  readonly asked: Connection[] = [];
  #answer: Promise<boolean> = Promise.resolve(true);

  answers(answer: boolean | Promise<boolean>): void {
    this.#answer = Promise.resolve(answer);
  }

  isOwner(connection: Connection): Promise<boolean> {
    this.asked.push(connection);
    return this.#answer;
  }
}

describe('who calls from this machine', () => {
  let peers: ScriptedPeers;
  let bench: Bench;
  let agents: Agent[];
  let folder: string;
  const opened: Bench[] = [];

  const open = async (change: Parameters<typeof aServer>[0] = {}): Promise<Bench> => {
    const one = await aServer({ localMode: true, peers, ...change });
    await one.server.start();
    opened.push(one);
    return one;
  };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'owners-'));
    peers = new ScriptedPeers();
    agents = [];
    bench = await open();
  });
  afterEach(async () => {
    for (const agent of agents) agent.destroy();
    for (const one of opened.splice(0)) await one.close();
    rmSync(folder, { recursive: true });
  });

  /** Keeps its connection open. */
  const client = (): Agent => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    return agent;
  };
  const ask = (options: RequestOptions, to = bench): Promise<number> => {
    const [host, port] = (to.server.addresses[0] ?? '').split(':');
    const where = options.socketPath === undefined ? { host, port: Number(port) } : {};
    return new Promise((resolve, reject) => {
      request({ agent: client(), ...where, ...options }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      })
        .on('error', reject)
        .end();
    });
  };
  const bearer = (key: string): IncomingHttpHeaders => ({ authorization: `Bearer ${key}` });

  it('is asked of the kernel with both ends of the connection', async () => {
    assert.equal(await ask({ path: STATE }), 200);
    const [host, port] = (bench.server.addresses[0] ?? '').split(':');
    const [{ remoteAddress, remotePort, ...local } = { remotePort: 0 }] = peers.asked;
    assert.equal(remoteAddress, '127.0.0.1');
    assert.ok(remotePort > 0);
    assert.deepEqual(local, { localAddress: host, localPort: Number(port) });
  });

  it('without a key only the owner is served, through the routes as well', async () => {
    peers.answers(false);
    for (const path of [STATE, `${STATE}?x=1`, '/apis/supercargo.io/v1/apps', '/nowhere', '/%']) {
      assert.equal(await ask({ path }), 401, path);
    }
    peers.answers(true);
    assert.equal(await ask({ path: STATE }), 200);
    assert.equal(await ask({ path: '/apis/supercargo.io/v1/apps' }), 200);
  });

  it('is asked once for each connection, however many requests come over it', async () => {
    for (const answer of [true, false]) {
      peers = new ScriptedPeers();
      peers.answers(answer);
      const server = await open();
      const agent = client();
      for (let count = 0; count < 5; count += 1) {
        assert.equal(await ask({ path: STATE, agent }, server), answer ? 200 : 401);
      }
      assert.equal(peers.asked.length, 1);
      await ask({ path: STATE }, server);
      assert.equal(peers.asked.length, 2, 'another connection is asked about again');
    }
  });

  it('is not asked for those who have a key, nor for what everybody gets', async () => {
    peers.answers(false);
    assert.equal(await ask({ path: STATE, headers: bearer(GLOBAL_KEY) }), 200);
    assert.equal(await ask({ path: `${STATE}?apikey=${APP_2_KEY}` }), 200);
    assert.equal(await ask({ path: '/ping' }), 200);
    assert.equal(await ask({ path: '/v1/healthy' }), 200);
    assert.deepEqual(peers.asked, []);
  });

  it('is asked when the key is unknown, which then counts as none', async () => {
    assert.equal(await ask({ path: STATE, headers: bearer('wrong') }), 200);
    peers.answers(false);
    assert.equal(await ask({ path: STATE, headers: bearer('wrong') }), 401);
    assert.equal(peers.asked.length, 2);
  });

  it('is not asked outside local mode, in development, and of what a proxy passes on', async () => {
    assert.equal(await ask({ path: STATE }, await open({ localMode: false })), 401);
    assert.equal(await ask({ path: STATE }, await open({ development: true })), 200);
    for (const name of ['x-forwarded-for', 'forwarded', 'via']) {
      assert.equal(await ask({ path: STATE, headers: { [name]: '192.0.2.1' } }), 401, name);
    }
    assert.deepEqual(peers.asked, []);
  });

  it('what a proxy passes on is not taken for its owner on a connection that is known', async () => {
    const agent = client();
    assert.equal(await ask({ path: STATE, agent }), 200);
    assert.equal(await ask({ path: STATE, agent, headers: { 'x-forwarded-for': '192.0.2.1' } }), 401);
    assert.equal(await ask({ path: STATE, agent }), 200);
  });

  it('holds back one connection only while the kernel is asked', async () => {
    let answer: (isOwner: boolean) => void = () => undefined;
    peers.answers(new Promise((resolve) => (answer = resolve)));
    const waiting = ask({ path: STATE });
    assert.equal(await ask({ path: STATE, headers: bearer(GLOBAL_KEY) }), 200);
    assert.equal(await ask({ path: '/v1/healthy' }), 200);
    answer(true);
    assert.equal(await waiting, 200);
  });

  it('on a unix socket is told by the mode of its file', async () => {
    const path = join(folder, 'api.sock');
    const settings = { localMode: true, development: false, version: '0.1.0', listen: `unix:${path}` };
    const server = await open({ settings });
    peers.answers(false);
    for (const [mode, code] of [
      [0o755, 200],
      [0o600, 200],
      [0o660, 200],
      [0o666, 401],
      [0o777, 401],
    ] as const) {
      chmodSync(path, mode);
      assert.equal(await ask({ path: STATE, socketPath: path }, server), code, mode.toString(8));
    }
    assert.equal(await ask({ path: STATE, socketPath: path, headers: bearer(GLOBAL_KEY) }, server), 200);
    assert.deepEqual(peers.asked, []);
  });
});

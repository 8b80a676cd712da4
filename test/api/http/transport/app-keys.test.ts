import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import type { LineOwner } from '../../../../api/device-state/logs.js';
import { mayUse } from '../../../../api/http/transport/app-keys.js';
import { APP_2_KEY, anApp, aServer, type Bench, declare, withKey } from '../a-server.js';

const asApp2 = { authorization: `Bearer ${APP_2_KEY}` };
const TARGET = '/v2/local/target-state';
const APP_2 = { type: 'app', appId: 2 } as const;

describe('the key of an app', () => {
  const opened: Bench[] = [];
  const open = async (change: Parameters<typeof aServer>[0] = {}): Promise<Bench> => {
    const bench = await aServer(change);
    opened.push(bench);
    await declare(bench.store, 'files', anApp('one', { appId: 1 }), anApp('two', { appId: 2 }));
    return bench;
  };
  afterEach(async () => {
    for (const bench of opened.splice(0)) await bench.close();
  });
  const narrowed = (): Promise<Bench> =>
    open({
      settings: { localMode: true, development: false, appKeys: 'app', version: '0.1.0', listen: '127.0.0.1:0' },
    });
  const post = async ({ server }: Bench, headers: Record<string, string>) => {
    const { statusCode, payload } = await server.inject({
      method: 'POST',
      url: TARGET,
      headers,
      payload: { local: {} },
    });
    return [statusCode, JSON.parse(payload).message];
  };

  it('cannot post a target state, from this machine either', async () => {
    for (const localMode of [true, false]) {
      assert.deepEqual(await post(await open({ localMode }), asApp2), [401, 'Unauthorized']);
    }
    assert.deepEqual(await post(await open({ localMode: true }), withKey), [200, 'OK']);
    assert.deepEqual(await post(await open({ localMode: true, development: true }), asApp2), [200, 'OK']);
  });

  it('reads the target state, and all else that the Supervisor lets it', async () => {
    const { server } = await open();
    for (const url of [TARGET, '/v1/device', '/v2/device/tags', '/v1/device/host-config', '/v2/local/device-info']) {
      assert.equal((await server.inject({ url, headers: asApp2 })).statusCode, 200, url);
    }
    assert.equal((await server.inject({ method: 'POST', url: '/v1/reboot', headers: asApp2 })).statusCode, 202);
    assert.equal((await server.inject({ url: '/apis/supercargo.io/v1/apps', headers: asApp2 })).statusCode, 403);
  });

  it('gets the lines of its own app and of the device at /v2/local/logs, and the global key gets all', async () => {
    const bench = await open();
    await bench.server.start();
    const [host, port] = (bench.server.addresses[0] ?? '').split(':');
    const answers: IncomingMessage[] = [];
    const follow = async (headers: Record<string, string>): Promise<AsyncIterator<string>> => {
      const sent = request({ host, port: Number(port), path: '/v2/local/logs', headers });
      sent.end();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      answers.push(answer);
      const lines = createInterface({ input: answer })[Symbol.asyncIterator]();
      await lines.next(); // `Streaming logs`
      return lines;
    };
    const [scoped, whole] = [await follow(asApp2), await follow(withKey)];
    const ofApps = ['one', 'two', 1, 2, 'gone'].map((app): LineOwner => ({ app }));
    const owners: readonly LineOwner[] = [...ofApps, 'nobody', 'device'];
    const textOf = (owner: LineOwner) => JSON.stringify(owner);
    for (const owner of owners) {
      bench.logs.system(`system ${textOf(owner)}`, owner);
      const message = `container ${textOf(owner)}`;
      bench.logs.write({ serviceName: 'main', message, isStdErr: false, timestamp: 1, serviceId: 1 }, owner);
    }
    bench.logs.system('end', 'device');
    const read = async (lines: AsyncIterator<string>): Promise<readonly string[]> => {
      const { message } = JSON.parse((await lines.next()).value);
      return message === 'end' ? [] : [message, ...(await read(lines))];
    };
    const both = (some: readonly LineOwner[]) =>
      some.flatMap((owner) => [`system ${textOf(owner)}`, `container ${textOf(owner)}`]);
    assert.deepEqual(await read(scoped), both([{ app: 'two' }, { app: 2 }, 'device']));
    assert.deepEqual(await read(whole), both(owners));
    for (const answer of answers) answer.destroy();
  });

  it('reaches nothing but its own app when SUPERCARGO_APP_KEYS says so', async () => {
    const bench = await narrowed();
    const open = bench.server.routes.filter(
      ({ path, callers }) =>
        !/^\/(apis?|openapi)\b/.test(path) && callers === 'any key' && mayUse(APP_2, callers, 'app'),
    );
    assert.deepEqual(open.map(({ method, path }) => `${method} ${path}`).sort(), [
      'GET /v1/apps/{appId}',
      'GET /v2/applications/state',
      'GET /v2/applications/{appId}/state',
      'GET /v2/cleanup-volumes',
      'GET /v2/containerId',
      'GET /v2/device/name',
      'GET /v2/local/device-info',
      'GET /v2/local/logs',
      'GET /v2/state/status',
      'GET /v2/version',
      'POST /v1/apps/{appId}/start',
      'POST /v1/apps/{appId}/stop',
      'POST /v1/purge',
      'POST /v1/regenerate-api-key',
      'POST /v1/restart',
      ...['purge', 'restart', 'restart-service', 'start-service', 'stop-service'].map(
        (verb) => `POST /v2/applications/{appId}/${verb}`,
      ),
      'POST /v2/cleanup-volumes',
      'POST /v2/local/device-info',
      'POST /v2/local/logs',
    ]);
  });

  it('is then refused with 401 wherever it concerns more than its app, whatever stands ready', async () => {
    const { server } = await narrowed();
    const ask = async (method: 'GET' | 'POST' | 'PATCH', url: string, headers: Record<string, string>) =>
      (await server.inject({ method, url, headers })).statusCode;
    for (const [method, url] of [
      ...['/v1/reboot', '/v1/shutdown', '/v1/update', '/v1/blink', TARGET].map((url) => ['POST', url] as const),
      ...['/v1/device', '/v1/device/host-config', '/v2/device/tags', '/v2/device/vpn', '/v2/journal-logs', TARGET].map(
        (url) => ['GET', url] as const,
      ),
      ['PATCH', '/v1/device/host-config'],
      ['PATCH', '/v2/device/tags'],
    ] as const) {
      assert.equal(await ask(method, url, asApp2), 401, `${method} ${url}`);
    }
    assert.equal(await ask('GET', '/v2/applications/state', asApp2), 200);
    assert.equal(await ask('GET', '/v2/applications/1/state', asApp2), 409);
    assert.equal(await ask('GET', '/v1/device', withKey), 200);
    assert.equal(await ask('GET', TARGET, withKey), 200);
    await server.start();
    const sent = request(`http://${server.addresses[0]}${TARGET}`, { headers: asApp2 });
    sent.end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    assert.equal(answer.statusCode, 401, 'what is answered before the routes');
  });
});

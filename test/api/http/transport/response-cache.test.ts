import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { aDevice } from '../a-device.js';
import { APP_2_KEY, aServer, type Bench, report, withKey } from '../a-server.js';

const PATHS = [
  '/v1/device',
  '/v2/version',
  '/v2/applications/state',
  '/v2/applications/2/state',
  '/v2/state/status',
  '/v2/containerId',
  '/v2/local/target-state',
  '/apis/supercargo.io/v1/apps',
  '/apis/supercargo.io/v1/services',
];
const scoped = { authorization: `Bearer ${APP_2_KEY}` };

/** The whole answer but for the date. */
async function answerOf(message: IncomingMessage) {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const { date, ...headers } = message.headers;
  assert.ok(date);
  return { code: message.statusCode, headers, text: Buffer.concat(chunks).toString() };
}

describe('reads that are ready', () => {
  let bench: Bench;
  before(async () => {
    bench = await aServer();
    await aDevice(
      bench.store,
      { appId: 1, name: 'ünë', services: ['web'] },
      { appId: 2, name: 'two', services: ['main'] },
    );
    await bench.server.start();
  });
  after(() => bench.close());

  const ask = async (path: string, headers: OutgoingHttpHeaders, body = '') => {
    const sent = request(`http://${bench.server.addresses[0]}${path}`, { headers, agent: false });
    sent.end(body);
    const [message] = (await once(sent, 'response')) as [IncomingMessage];
    return answerOf(message);
  };
  /** Another spelling of a path is always left to its route. */
  const same = async (path: string, headers: OutgoingHttpHeaders) => {
    const answer = await ask(path, headers);
    assert.deepEqual(answer, await ask(`${path}/`, headers));
    return answer;
  };

  for (const path of PATHS) {
    it(`are byte for byte what the route of ${path} sends`, async () => {
      const { code, headers } = await same(path, withKey);
      assert.equal(code, 200);
      await same(path, scoped);
      await same(path, { ...withKey, connection: 'keep-alive' });
      assert.equal((await same(path, {})).code, 401);
      assert.equal((await same(path, { authorization: 'Bearer nobody' })).code, 401);
      const again = await ask(path, { ...withKey, 'if-none-match': String(headers.etag) });
      assert.deepEqual([again.code, again.text, again.headers.etag], [304, '', headers.etag]);
      const broken = { ...withKey, 'content-type': 'application/json', 'content-length': '2' };
      assert.ok((await ask(path, broken, '{x')).code !== 200);
    });
  }

  it('are byte for byte what the route sends wherever a route is declared so', async () => {
    const cached = bench.server.routes
      .filter(({ isCached }) => isCached)
      .map(({ path }) => path.replace('{appId}', '2'));
    assert.deepEqual(
      [...PATHS, '/ping', '/v1/healthy'].filter((path) => !cached.includes(path)),
      [],
    );
    for (const path of cached) assert.equal((await same(path, withKey)).code, 200, path);
  });

  for (const path of ['/ping', '/v1/healthy']) {
    it(`are what the route of ${path} sends, whoever asks`, async () => {
      assert.equal((await same(path, withKey)).code, 200);
      const { code, headers } = await same(path, {});
      assert.equal(code, 200);
      assert.equal((await ask(path, { 'if-none-match': String(headers.etag) })).code, 304);
      assert.equal((await same(path, { authorization: 'Bearer nobody' })).code, 200);
    });
  }

  it('are none while something is wrong', async () => {
    const checks = () => [{ name: 'disk', ok: false }];
    const ill = await aServer({ checks });
    await ill.server.start();
    const reply = await fetch(`http://${ill.server.addresses[0]}/v1/healthy`);
    assert.deepEqual([reply.status, await reply.text()], [500, 'Unhealthy']);
    await ill.close();
  });

  it('leave what cannot be read to its route', async () => {
    const target = {
      accept: async () => ({ ok: true }) as const,
      render: () => {
        throw new Error('no boot files');
      },
    };
    const broken = await aServer({ target });
    await broken.server.start();
    const reply = await fetch(`http://${broken.server.addresses[0]}/v2/local/target-state`, { headers: withKey });
    assert.deepEqual([reply.status, await reply.text()], [503, '{"status":"failed","message":"no boot files"}']);
    await broken.close();
  });

  for (const path of ['/v2/applications/0/state', '/v2/applications/9/state']) {
    it(`leave ${path} to its route`, async () => {
      const { code = 0, headers } = await same(path, withKey);
      assert.ok(code >= 400);
      assert.equal(headers.etag, undefined);
    });
  }

  it('show a change at once', async () => {
    const { store } = bench;
    const text = async () => (await ask('/v2/applications/2/state', withKey)).text;
    assert.match(await text(), /"Running"/);
    const { container } = store.get('Service', 'two.main')?.status ?? {};
    report(store, 'Service', 'two.main', { state: 'exited', ...(container ? { container } : {}) });
    assert.match(await text(), /"exited"/);
  });
});

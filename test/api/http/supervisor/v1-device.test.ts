import assert from 'node:assert/strict';
import { API_VERSION } from '../../../../crds/model/kinds.js';
import { aDevice, controllers } from '../a-device.js';
import { APP_2_KEY, aServer, type Bench, declare, GLOBAL_KEY, report, withKey } from '../a-server.js';

const scoped = { authorization: `Bearer ${APP_2_KEY}` };

describe('GET /v1/device', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await aServer();
  });
  afterEach(() => bench.close());

  const device = async (headers = withKey): Promise<string> => {
    const reply = await bench.server.inject({ url: '/v1/device', headers });
    assert.equal(reply.statusCode, 200);
    return reply.payload;
  };
  const HEAD =
    '{"api_port":48484,"ip_address":"192.0.2.2","os_version":"balenaOS 5.1.20","supervisor_version":"19.0.5",';
  const flags = (pending: boolean, failed: boolean, downloaded: boolean): string =>
    `"update_pending":${pending},"update_failed":${failed},"update_downloaded":${downloaded}`;

  it('leaves out what is not known', async () => {
    assert.equal(await device(), `${HEAD}${flags(false, false, false)}}`);
  });

  describe('with two apps', () => {
    beforeEach(() =>
      aDevice(
        bench.store,
        { appId: 2, name: 'two', services: ['main'] },
        { appId: 1, name: 'one', services: ['web', 'db'] },
      ),
    );

    it('shows the first service of the first one, to every key', async () => {
      const want = `${HEAD}${flags(false, false, false)},"commit":"c1","status":"Idle","download_progress":null}`;
      assert.equal(await device(), want);
      assert.equal(await device(scoped), want);
    });

    it('passes other states on', async () => {
      report(bench.store, 'Service', 'one.web', { ...bench.store.get('Service', 'one.web')?.status, state: 'exited' });
      assert.match(await device(), /"status":"exited"/);
    });

    it('tells of an update that is under way, and of no commit meanwhile', async () => {
      report(bench.store, 'App', 'one', { release: { commit: 'c1', id: 1 } }, 'Waiting', 'ImagesNotReady');
      assert.equal(await device(), `${HEAD}${flags(true, false, false)},"status":"Idle","download_progress":null}`);
    });

    it('tells of one that is blocked by the update lock', async () => {
      report(bench.store, 'App', 'two', { release: { commit: 'c2', id: 2 } }, 'Waiting', 'UpdatesLocked');
      assert.ok((await device()).startsWith(`${HEAD}${flags(true, true, false)},"status"`));
    });

    it('tells of an image that came', async () => {
      const image = { app: 'one', image: 'web:1', services: ['web'] };
      await bench.store.put('api', {
        document: { apiVersion: API_VERSION, kind: 'Image', metadata: { name: 'one.web' }, spec: image },
      });
      report(bench.store, 'Image', 'one.web', { state: 'Downloaded' });
      report(bench.store, 'App', 'one', { release: { commit: 'c1', id: 1 } }, 'Waiting', 'ChildrenNotReady');
      assert.ok((await device()).startsWith(`${HEAD}${flags(true, false, true)},"status"`));
    });

    it('does not take a restart for an update, but shows no commit', async () => {
      await bench.store.request('App/one', { restart: {} });
      assert.equal(await device(), `${HEAD}${flags(false, false, false)},"status":"Idle","download_progress":null}`);
    });

    it('tells of an update that came during a restart, before any pass has seen it', async () => {
      await bench.store.request('App/one', { restart: {} });
      const { spec } = bench.store.get('App', 'one') ?? {};
      await bench.store.put(bench.store.get('App', 'one')?.metadata.origin ?? 'api', {
        document: { apiVersion: API_VERSION, kind: 'App', metadata: { name: 'one' }, spec: { ...spec, name: 'other' } },
      });
      assert.equal(await device(), `${HEAD}${flags(true, false, false)},"status":"Idle","download_progress":null}`);
    });
  });
});

describe('GET /v2/device/name', () => {
  it('is the name that was given, or local', async () => {
    const bench = await aServer();
    const name = async () => (await bench.server.inject({ url: '/v2/device/name', headers: scoped })).payload;
    try {
      assert.equal(await name(), '{"status":"success","deviceName":"local"}');
      await declare(bench.store, 'local', {
        apiVersion: API_VERSION,
        kind: 'HostConfig',
        metadata: { name: 'device' },
        spec: { name: 'Home' },
      });
      assert.equal(await name(), '{"status":"success","deviceName":"Home"}');
    } finally {
      await bench.close();
    }
  });
});

describe('POST /v1/update', () => {
  const cases = [
    { instant: true, payload: {}, want: [204, ''], reads: 1, asked: [] },
    { instant: true, payload: { cancel: true }, want: [204, ''], reads: 1, asked: [] },
    { instant: true, payload: { force: 'true' }, want: [204, ''], reads: 1, asked: ['App/two force'] },
    { instant: false, payload: {}, want: [202, 'Accepted'], reads: 0, asked: [] },
    { instant: false, payload: { cancel: true, force: 'yes' }, want: [202, 'Accepted'], reads: 0, asked: [] },
    { instant: false, payload: { force: 1 }, want: [204, ''], reads: 1, asked: ['App/two force'] },
  ] as const;
  for (const { instant, payload, want, reads, asked } of cases) {
    it(`${JSON.stringify(payload)} with instant updates ${instant ? 'on' : 'off'} is ${want[0]}`, async () => {
      const seen: string[] = [];
      const updates = { instant: () => instant, rereadSources: async () => void seen.push('read') };
      const bench = await aServer({ updates });
      try {
        await aDevice(bench.store, { appId: 2, name: 'two', services: ['main'] });
        const played = controllers(bench.store);
        const touched: string[] = [];
        bench.store.watch(({ key, parts }) => parts.length === 0 && touched.push(key));
        const reply = await bench.server.inject({ method: 'POST', url: '/v1/update', headers: scoped, payload });
        assert.deepEqual([reply.statusCode, reply.payload], want);
        assert.equal(seen.length, reads);
        assert.deepEqual(played.asked, asked);
        assert.deepEqual(touched, reads > 0 ? ['App/two'] : []);
      } finally {
        await bench.close();
      }
    });
  }

  it('is 204 although a source cannot be read', async () => {
    const updates = { instant: () => true, rereadSources: () => Promise.reject(new Error('no disk')) };
    const bench = await aServer({ updates });
    try {
      const reply = await bench.server.inject({ method: 'POST', url: '/v1/update', headers: withKey });
      assert.equal(reply.statusCode, 204);
    } finally {
      await bench.close();
    }
  });
});

describe('POST /v1/regenerate-api-key', () => {
  const keys = (used: string[]) => ({
    scopeOf: (key: string) =>
      key === GLOBAL_KEY
        ? ({ type: 'global' } as const)
        : key === APP_2_KEY
          ? ({ type: 'app', appId: 2 } as const)
          : undefined,
    regenerate: async (key: string) => {
      used.push(key);
      return 'f'.repeat(32);
    },
  });

  it('replaces the key that asks, and has its app look at its containers', async () => {
    const used: string[] = [];
    const bench = await aServer({ keys: keys(used) });
    try {
      await aDevice(
        bench.store,
        { appId: 1, name: 'one', services: ['web'] },
        { appId: 2, name: 'two', services: ['main'] },
      );
      const touched: string[] = [];
      bench.store.watch(({ key, parts }) => parts.length === 0 && touched.push(key));
      const ask = (headers: Record<string, string>) =>
        bench.server.inject({
          method: 'POST',
          url: '/v1/regenerate-api-key',
          headers: { ...headers, 'content-type': 'application/json' },
          payload: '{ not looked at',
        });
      const reply = await ask(scoped);
      assert.deepEqual([reply.statusCode, reply.payload], [200, 'f'.repeat(32)]);
      assert.equal(reply.headers['content-type'], 'text/html; charset=utf-8');
      assert.deepEqual([used, touched], [[APP_2_KEY], ['Service/two.main']]);
      await ask(withKey);
      assert.deepEqual([used, touched], [[APP_2_KEY, GLOBAL_KEY], ['Service/two.main']]);
      assert.equal((await ask({ authorization: 'Bearer nobody' })).statusCode, 401);
    } finally {
      await bench.close();
    }
  });

  it('has the app of the key look also where every caller may see everything', async () => {
    const bench = await aServer({ localMode: true, keys: keys([]) });
    try {
      await aDevice(bench.store, { appId: 2, name: 'two', services: ['main'] });
      const touched: string[] = [];
      bench.store.watch(({ key, parts }) => parts.length === 0 && touched.push(key));
      await bench.server.inject({
        method: 'POST',
        url: '/v1/regenerate-api-key',
        headers: { ...scoped, host: 'localhost' },
        remoteAddress: '127.0.0.1',
      });
      assert.deepEqual(touched, ['Service/two.main']);
    } finally {
      await bench.close();
    }
  });

  it('is 503 for whoever needs no key and has none', async () => {
    const bench = await aServer({ localMode: true, keys: keys([]) });
    try {
      const reply = await bench.server.inject({
        method: 'POST',
        url: '/v1/regenerate-api-key',
        headers: { host: 'localhost' },
        remoteAddress: '127.0.0.1',
      });
      assert.deepEqual([reply.statusCode, reply.payload], [503, '{"status":"failed","message":""}']);
    } finally {
      await bench.close();
    }
  });
});

import assert from 'node:assert/strict';
import type { Refusal } from '../../../../crds/model/requests.js';
import { aDevice, containerId, controllers } from '../a-device.js';
import { APP_2_KEY, aServer, type Bench, report, withKey } from '../a-server.js';

const HTML = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
const APP_NOT_FOUND =
  "App not found: an app needs to be installed for this endpoint to work.\n\tIf you've recently moved this device from another app,\n\tplease push an app and wait for it to be installed first.";
const V2_PARAMS =
  'serviceName or imageId parameters were not provided or the app is multi-container. Use the v2 service action endpoints.';
const locked: Refusal = { reason: 'Locked', message: 'Lockfile exists for { appId: 2, service: main }' };
const failure: Refusal = { reason: 'Failed', message: 'hello.web: port is already allocated' };
const failed = (message: string): string => JSON.stringify({ status: 'failed', message });
const scoped = { authorization: `Bearer ${APP_2_KEY}` };

/** App 1 has two services, app 2 one, app 3 one that is no longer in the target, app 4 nothing at all. */
interface Case {
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  readonly payload?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly refusal?: Refusal;
  readonly want: readonly [status: number, type: string, body: string];
  readonly asked?: readonly string[];
}

const id = containerId('main');
const CASES: readonly Case[] = [
  { url: '/v1/restart', payload: { appId: 1 }, want: [200, HTML, 'OK'], asked: ['App/one restart'] },
  {
    url: '/v1/restart',
    payload: { appId: '1.0', force: 'true' },
    want: [200, HTML, 'OK'],
    asked: ['App/one restart force'],
  },
  {
    url: '/V1/RESTART/',
    payload: 'appId=1&force=on',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    want: [200, HTML, 'OK'],
    asked: ['App/one restart force'],
  },
  { url: '/v1/restart', payload: { appId: 1, force: 'yes' }, want: [200, HTML, 'OK'], asked: ['App/one restart'] },
  { url: '/v1/restart', want: [400, HTML, 'Missing app id'] },
  { url: '/v1/restart', payload: [], want: [400, HTML, 'Missing app id'] },
  { url: '/v1/restart', payload: { appId: 'x' }, want: [400, HTML, 'Missing app id'] },
  { url: '/v1/restart', payload: { appId: null }, want: [400, HTML, 'Missing app id'] },
  { url: '/v1/restart', payload: { appId: {} }, headers: scoped, want: [400, HTML, 'Missing app id'] },
  { url: '/v1/restart', payload: { appId: 1 }, headers: scoped, want: [401, JSON_TYPE, failed('Unauthorized')] },
  { url: '/v1/restart', payload: { appId: 2 }, headers: scoped, want: [200, HTML, 'OK'], asked: ['App/two restart'] },
  {
    url: '/v1/restart',
    payload: { appId: 2 },
    refusal: locked,
    want: [423, JSON_TYPE, failed(locked.message)],
    asked: ['App/two restart'],
  },
  {
    url: '/v1/restart',
    payload: { appId: 2 },
    refusal: failure,
    want: [503, JSON_TYPE, failed(failure.message)],
    asked: ['App/two restart'],
  },
  ...[9000, 0, -5, 4].map((appId) => ({
    url: '/v1/restart',
    payload: { appId },
    want: [503, JSON_TYPE, failed(`Application with ID ${appId} is not in the current state`)] as const,
  })),
  {
    url: '/v1/restart',
    payload: '{"appId":',
    headers: { 'content-type': 'application/json' },
    want: [503, JSON_TYPE, failed('Unexpected end of JSON input')],
  },

  {
    url: '/v1/purge',
    payload: { appId: 1 },
    want: [200, JSON_TYPE, '{"Data":"OK","Error":""}'],
    asked: ['App/one purge'],
  },
  { url: '/v1/purge', want: [400, HTML, 'Invalid or missing appId'] },
  { url: '/v1/purge', payload: { appId: 1 }, headers: scoped, want: [401, JSON_TYPE, failed('Unauthorized')] },
  {
    url: '/v1/purge',
    payload: { appId: 2 },
    refusal: locked,
    want: [423, JSON_TYPE, failed(locked.message)],
    asked: ['App/two purge'],
  },
  {
    url: '/v1/purge',
    payload: { appId: 9000 },
    want: [503, JSON_TYPE, failed('Application with ID 9000 is not in the current state')],
  },

  {
    method: 'GET',
    url: '/v1/apps/2',
    want: [
      200,
      JSON_TYPE,
      `{"appId":2,"commit":"c2","containerId":"${id}","env":{"FOO":"bar","BALENA_APP_ID":"2"},"imageId":"sha256:main","releaseId":2}`,
    ],
  },
  { method: 'GET', url: '/v1/apps/x', want: [400, HTML, 'Missing app id'] },
  { method: 'GET', url: '/v1/apps/x', headers: scoped, want: [400, HTML, 'Missing app id'] },
  {
    method: 'GET',
    url: '/v1/apps/1',
    headers: scoped,
    want: [401, JSON_TYPE, failed('Application is not available')],
  },
  { method: 'GET', url: '/v1/apps/9000', want: [400, HTML, 'App not found'] },
  { method: 'GET', url: '/v1/apps/4', want: [400, HTML, 'App not found'] },
  {
    method: 'GET',
    url: '/v1/apps/1',
    want: [400, HTML, 'Some v1 endpoints are only allowed on single-container apps'],
  },

  ...(['stop', 'start'] as const).flatMap((verb): Case[] => [
    {
      url: `/v1/apps/2/${verb}`,
      payload: { force: 1 },
      want: [200, JSON_TYPE, `{"containerId":"${id}"}`],
      asked: [`Service/two.main ${verb} force`],
    },
    { url: `/v1/apps/x/${verb}`, want: [400, HTML, 'Invalid app id'] },
    { url: `/v1/apps/1/${verb}`, headers: scoped, want: [401, HTML, 'Unauthorized'] },
    { url: `/v1/apps/9000/${verb}`, want: [400, HTML, APP_NOT_FOUND] },
    { url: `/v1/apps/0/${verb}`, want: [400, HTML, APP_NOT_FOUND] },
    { url: `/v1/apps/4/${verb}`, want: [400, HTML, APP_NOT_FOUND] },
    { url: `/v1/apps/1/${verb}`, want: [400, HTML, V2_PARAMS] },
    { url: `/v1/apps/3/${verb}`, want: [404, HTML, 'Service does not exist in target release'] },
    {
      url: `/v1/apps/2/${verb}`,
      refusal: failure,
      want: [503, JSON_TYPE, failed(failure.message)],
      asked: [`Service/two.main ${verb}`],
    },
  ]),
  {
    url: '/v1/apps/2/stop',
    refusal: locked,
    want: [423, JSON_TYPE, failed(locked.message)],
    asked: ['Service/two.main stop'],
  },
];

describe('commands for apps of version 1', () => {
  let bench: Bench;
  before(async () => {
    bench = await aServer();
    await aDevice(
      bench.store,
      { appId: 1, name: 'one', services: ['web', 'db'] },
      { appId: 2, name: 'two', services: ['main'] },
      { appId: 3, name: 'three', services: ['old'], gone: ['old'] },
      { appId: 4, name: 'four', services: [] },
    );
  });
  after(() => bench.close());

  for (const { method = 'POST', url, payload, headers = withKey, refusal, want, asked = [] } of CASES) {
    const who = headers === scoped ? ' with the key of app 2' : '';
    const how = refusal ? ` (${refusal.reason})` : '';
    it(`${method} ${url} ${JSON.stringify(payload) ?? ''}${who}${how} is ${want[0]} ${want[2].slice(0, 60)}`, async () => {
      const played = controllers(bench.store, refusal);
      const reply = await bench.server.inject({
        method,
        url,
        headers: { ...withKey, ...headers },
        ...(payload === undefined ? {} : { payload }),
      });
      assert.deepEqual([reply.statusCode, reply.headers['content-type'], reply.payload], want);
      played.stop();
      assert.deepEqual(played.asked, asked);
    });
  }

  it('need a key', async () => {
    for (const url of ['/v1/restart', '/v1/purge', '/v1/apps/2/stop', '/v1/apps/x/start']) {
      const reply = await bench.server.inject({ method: 'POST', url, payload: '{' });
      assert.deepEqual([reply.statusCode, reply.payload], [401, 'Unauthorized'], url);
    }
  });
});

describe('an answer to a command', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await aServer();
    await aDevice(bench.store, { appId: 2, name: 'two', services: ['main'] });
  });
  afterEach(() => bench.close());

  it('says that the application holds the lock, and the command is taken back', async () => {
    controllers(bench.store, locked);
    await bench.server.inject({ method: 'POST', url: '/v1/restart', headers: withKey, payload: { appId: 2 } });
    assert.deepEqual(bench.store.get('App', 'two')?.requests, {});
  });

  it('comes when the disk knows that the command is over', async () => {
    controllers(bench.store);
    const flush = bench.store.flush.bind(bench.store);
    const order: string[] = [];
    bench.store.flush = async () => {
      await flush();
      order.push('flushed');
    };
    const reply = await bench.server.inject({ method: 'POST', url: '/v1/apps/2/stop', headers: withKey });
    assert.equal(reply.statusCode, 200);
    assert.deepEqual(order, ['flushed']);
  });

  it('is 503 after a while, and the command stays asked', async () => {
    const reply = await bench.server.inject({
      method: 'POST',
      url: '/v1/restart',
      headers: withKey,
      payload: { appId: 2 },
    });
    assert.equal(reply.statusCode, 503);
    assert.match(reply.payload, /still under way/);
    assert.ok(bench.store.get('App', 'two')?.requests.restart);
  });

  it('comes at once while the engine is down, and the command does not happen later', async () => {
    const ask = () =>
      bench.server.inject({ method: 'POST', url: '/v1/restart', headers: withKey, payload: { appId: 2 } });
    const waiting = ask();
    const stopWatching = bench.store.watch(({ parts, key }) => {
      if (key === 'App/two' && parts.includes('requests'))
        report(bench.store, 'App', 'two', {}, 'Waiting', 'EngineUnreachable');
    });
    assert.deepEqual([(await waiting).statusCode, (await waiting).payload], [503, failed('as the test says')]);
    stopWatching();
    assert.deepEqual(bench.store.get('App', 'two')?.requests, {});
    assert.equal((await ask()).statusCode, 503);
    assert.deepEqual(bench.store.get('App', 'two')?.requests, {});
  });

  it('comes to both of two that overlap, when the later one is done', async () => {
    const ask = (force: boolean) =>
      bench.server.inject({ method: 'POST', url: '/v1/restart', headers: withKey, payload: { appId: 2, force } });
    const both = Promise.all([ask(false), ask(true)]);
    await new Promise<void>((resolve) => {
      const seen: string[] = [];
      const stop = bench.store.watch(({ parts }) => {
        if (parts.includes('requests')) seen.push('request');
        if (seen.length === 2) {
          stop();
          resolve();
        }
      });
    });
    const { restart } = bench.store.get('App', 'two')?.requests ?? {};
    report(bench.store, 'App', 'two', { handled: { restart: restart?.id ?? '' } });
    assert.deepEqual(
      (await both).map(({ statusCode }) => statusCode),
      [200, 200],
    );
  });
});

import assert from 'node:assert/strict';
import type { Refusal } from '../../../../crds/model/requests.js';
import { aDevice, controllers } from '../a-device.js';
import { APP_2_KEY, aServer, type Bench, withKey } from '../a-server.js';

const HTML = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
const APP_NOT_FOUND =
  "App not found: an app needs to be installed for this endpoint to work.\n\tIf you've recently moved this device from another app,\n\tplease push an app and wait for it to be installed first.";
const V2_PARAMS =
  'serviceName or imageId parameters were not provided or the app is multi-container. Use the v2 service action endpoints.';
const SVC_NOT_FOUND = 'Service not found, a container must exist for this endpoint to work';
const locked: Refusal = { reason: 'Locked', message: 'Lockfile exists for { appId: 2, service: main }' };
const failed = (message: string): string => JSON.stringify({ status: 'failed', message });
const scoped = { authorization: `Bearer ${APP_2_KEY}` };

interface Case {
  readonly url: string;
  readonly payload?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly refusal?: Refusal;
  readonly want: readonly [status: number, type: string, body: string];
  readonly asked?: readonly string[];
}

const CASES: readonly Case[] = [
  ...(['restart', 'purge'] as const).flatMap((verb): Case[] => [
    { url: `/v2/applications/1/${verb}`, want: [200, HTML, 'OK'], asked: [`App/one ${verb}`] },
    {
      url: `/v2/applications/1/${verb}`,
      payload: { force: '1' },
      want: [200, HTML, 'OK'],
      asked: [`App/one ${verb} force`],
    },
    { url: `/v2/applications/0/${verb}`, want: [400, JSON_TYPE, failed('Missing app id')] },
    { url: `/v2/applications/x/${verb}`, headers: scoped, want: [400, JSON_TYPE, failed('Missing app id')] },
    { url: `/v2/applications/1/${verb}`, headers: scoped, want: [401, JSON_TYPE, failed('Unauthorized')] },
    {
      url: `/v2/applications/9000/${verb}`,
      want: [503, JSON_TYPE, failed('Application with ID 9000 is not in the current state')],
    },
    {
      url: `/v2/applications/2/${verb}`,
      refusal: locked,
      want: [423, JSON_TYPE, failed(locked.message)],
      asked: [`App/two ${verb}`],
    },
  ]),

  ...(['restart', 'stop', 'start'] as const).flatMap((verb): Case[] => {
    const url = (appId: number | string): string => `/v2/applications/${appId}/${verb}-service`;
    return [
      { url: url(1), payload: { serviceName: 'web' }, want: [200, HTML, 'OK'], asked: [`Service/one.web ${verb}`] },
      { url: url(1), payload: { imageId: '12' }, want: [200, HTML, 'OK'], asked: [`Service/one.db ${verb}`] },
      {
        url: url('1.0'),
        payload: { imageId: 12, force: 'ON' },
        want: [200, HTML, 'OK'],
        asked: [`Service/one.db ${verb} force`],
      },
      { url: url(1), payload: { serviceName: 'nope' }, want: [404, HTML, SVC_NOT_FOUND] },
      { url: url(1), payload: { imageId: 99 }, want: [404, HTML, SVC_NOT_FOUND] },
      { url: url(2), payload: { serviceName: 'nope' }, want: [200, HTML, 'OK'], asked: [`Service/two.main ${verb}`] },
      { url: url(2), want: [400, HTML, V2_PARAMS] },
      { url: url(2), payload: { serviceName: '' }, want: [400, HTML, V2_PARAMS] },
      { url: url(2), payload: { serviceName: 'null', imageId: 'x' }, want: [400, HTML, V2_PARAMS] },
      { url: url(0), want: [400, JSON_TYPE, failed('Invalid app id')] },
      { url: url('123invalid'), headers: scoped, want: [400, JSON_TYPE, failed('Invalid app id')] },
      { url: url(1), headers: scoped, want: [401, JSON_TYPE, failed('Unauthorized')] },
      { url: url(9000), payload: { imageId: 1 }, want: [404, HTML, APP_NOT_FOUND] },
      { url: url(9000), want: [400, HTML, V2_PARAMS] },
      { url: url(3), payload: { imageId: 1 }, want: [404, HTML, 'Service does not exist in target release'] },
      {
        url: url(2),
        payload: { serviceName: 'main' },
        refusal: locked,
        want: [423, JSON_TYPE, failed(locked.message)],
        asked: [`Service/two.main ${verb}`],
      },
    ];
  }),
  {
    url: '/v2/applications/5/start-service',
    payload: { serviceName: 'b' },
    want: [200, HTML, 'OK'],
    asked: ['Service/five.b start'],
  },
  { url: '/v2/applications/5/stop-service', payload: { serviceName: 'b' }, want: [404, HTML, SVC_NOT_FOUND] },

  {
    url: '/v2/cleanup-volumes',
    want: [200, JSON_TYPE, '{"status":"success"}'],
    asked: ['App/one cleanup', 'App/two cleanup', 'App/three cleanup', 'App/five cleanup'],
  },
  {
    url: '/v2/cleanup-volumes',
    headers: scoped,
    want: [200, JSON_TYPE, '{"status":"success"}'],
    asked: ['App/two cleanup'],
  },
  {
    url: '/v2/cleanup-volumes',
    headers: scoped,
    refusal: { reason: 'Failed', message: 'no' },
    want: [503, JSON_TYPE, failed('no')],
    asked: ['App/two cleanup'],
  },
];

describe('commands of version 2', () => {
  let bench: Bench;
  before(async () => {
    bench = await aServer();
    await aDevice(
      bench.store,
      { appId: 1, name: 'one', services: ['web', 'db'] },
      { appId: 2, name: 'two', services: ['main'] },
      { appId: 3, name: 'three', services: ['old'], gone: ['old'] },
      { appId: 5, name: 'five', services: ['a', 'b'], without: ['b'] },
    );
  });
  after(() => bench.close());

  for (const { url, payload, headers = withKey, refusal, want, asked = [] } of CASES) {
    const who = headers === scoped ? ' with the key of app 2' : '';
    const how = refusal ? ` (${refusal.reason})` : '';
    it(`POST ${url} ${JSON.stringify(payload) ?? ''}${who}${how} is ${want[0]} ${want[2].slice(0, 60)}`, async () => {
      const played = controllers(bench.store, refusal);
      const reply = await bench.server.inject({
        method: 'POST',
        url,
        headers,
        ...(payload === undefined ? {} : { payload }),
      });
      assert.deepEqual([reply.statusCode, reply.headers['content-type'], reply.payload], want);
      played.stop();
      assert.deepEqual(played.asked, asked);
    });
  }

  it('GET /v2/cleanup-volumes does the same', async () => {
    const played = controllers(bench.store);
    const reply = await bench.server.inject({ url: '/v2/cleanup-volumes', headers: scoped });
    assert.deepEqual([reply.statusCode, played.asked], [200, ['App/two cleanup']]);
  });
});

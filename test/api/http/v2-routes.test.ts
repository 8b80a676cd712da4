import assert from 'node:assert/strict';
import { APP_2_KEY, anApp, aServer, type Bench, declare, report, withKey } from './a-server.js';

const asApp2 = { authorization: `Bearer ${APP_2_KEY}` };

describe('the v2 routes', () => {
  let bench: Bench;
  before(async () => {
    bench = await aServer();
    const { store } = bench;
    const apps = [1, 2].map((id) => anApp(`app${id}`, { appId: id, services: { [`main${id}`]: { image: 'a' } } }));
    await declare(store, 'files', ...apps);
    for (const id of [1, 2]) {
      await declare(store, `App/app${id}`, {
        apiVersion: 'supercargo.io/v1',
        kind: 'Service',
        metadata: { name: `app${id}.main${id}` },
        spec: { app: `app${id}`, serviceName: `main${id}`, image: 'a:latest', imageId: id, serviceId: id },
      });
      report(store, 'Service', `app${id}.main${id}`, {
        state: 'running',
        container: {
          id: `c${id}`,
          name: 'x',
          createdAt: `2026-01-0${id}T00:00:00.000Z`,
          image: 'sha256:a',
          imageId: id,
          releaseId: 1,
          commit: 'local',
        },
      });
    }
  });
  after(() => bench.close());

  const ids = '{"status":"success","services":{"main2":"c2","main1":"c1"}}';
  const unknown = '{"status":"failed","message":"Could not find service with that name"}';
  const cases: readonly [
    it: string,
    url: string,
    headers: Record<string, string>,
    code: number,
    body: string | RegExp,
  ][] = [
    ['all apps for the global key', '/v2/applications/state', withKey, 200, /^{"app1":{"appId":1,.*"app2":{"appId":2,/],
    ['only its own for an app key', '/v2/applications/state', asApp2, 200, /^{"app2":{"appId":2,/],
    [
      'one app',
      '/v2/applications/1/state',
      withKey,
      200,
      '{"local":{"1":{"services":{"1":{"status":"Running","releaseId":1,"download_progress":null}}}},"dependent":{}}',
    ],
    ['one app by a number with a point', '/v2/applications/1.0/state', withKey, 200, /^{"local":{"1"/],
    [
      'an id that is none',
      '/v2/applications/123invalid/state',
      withKey,
      400,
      '{"status":"failed","message":"Invalid application ID: 123invalid"}',
    ],
    ['the id 0', '/v2/applications/0/state', withKey, 400, '{"status":"failed","message":"Invalid application ID: 0"}'],
    [
      'an unknown app',
      '/v2/applications/9000/state',
      withKey,
      409,
      '{"status":"failed","message":"Application ID does not exist: 9000"}',
    ],
    [
      'a negative id',
      '/v2/applications/-1/state',
      withKey,
      409,
      '{"status":"failed","message":"Application ID does not exist: -1"}',
    ],
    [
      'an app out of scope',
      '/v2/applications/1/state',
      asApp2,
      409,
      '{"status":"failed","message":"Application ID does not exist: 1"}',
    ],
    ['all container ids', '/v2/containerId', withKey, 200, ids],
    ['container ids in scope', '/v2/containerId', asApp2, 200, '{"status":"success","services":{"main2":"c2"}}'],
    [
      'a container id by the CLI’s parameter',
      '/v2/containerId?serviceName=main1',
      withKey,
      200,
      '{"status":"success","containerId":"c1"}',
    ],
    [
      'a container id by the documented parameter',
      '/v2/containerId?service=main1',
      withKey,
      200,
      '{"status":"success","containerId":"c1"}',
    ],
    [
      'serviceName before service',
      '/v2/containerId?service=main1&serviceName=main2',
      withKey,
      200,
      '{"status":"success","containerId":"c2"}',
    ],
    ['an unknown service', '/v2/containerId?serviceName=x', withKey, 503, unknown],
    ['an empty service name', '/v2/containerId?serviceName=', withKey, 503, unknown],
    ['a service name given twice', '/v2/containerId?serviceName=main1&serviceName=main1', withKey, 503, unknown],
    ['a service out of scope', '/v2/containerId?serviceName=main1', asApp2, 503, unknown],
    [
      'the status of the youngest container’s app',
      '/v2/state/status',
      withKey,
      200,
      /"containers":\[{"status":"Running","serviceName":"main2","appId":2,"imageId":2,"serviceId":2,"containerId":"c2"/,
    ],
    [
      'the device',
      '/v2/local/device-info',
      withKey,
      200,
      '{"status":"success","info":{"arch":"amd64","deviceType":"generic-amd64"}}',
    ],
  ];
  for (const [what, url, headers, code, body] of cases) {
    it(`answer for ${what}`, async () => {
      const answer = await bench.server.inject({ url, headers });
      assert.equal(answer.statusCode, code, answer.payload);
      if (typeof body === 'string') assert.equal(answer.payload, body);
      else assert.match(answer.payload, body);
    });
  }

  it('show a change at once', async () => {
    const { store, server } = bench;
    const ask = async () => (await server.inject({ url: '/v2/applications/state', headers: withKey })).payload;
    assert.match(await ask(), /"main1":{"status":"Running"/);
    const service = store.get('Service', 'app1.main1');
    const { container } = service?.status ?? {};
    report(store, 'Service', 'app1.main1', { state: 'exited', ...(container ? { container } : {}) });
    assert.match(await ask(), /"main1":{"status":"exited"/);
  });
});

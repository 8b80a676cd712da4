import assert from 'node:assert/strict';
import { conditionOf } from '../../../../crds/model/conditions.js';
import type { AnyDeclared } from '../../../../crds/model/kinds.js';
import { aServer, withKey } from '../../../api/http/a-server.js';
import { declareApp } from '../../../setup/declared.js';
import { Device } from '../../../simulation/device.js';

/** What clients of the compatible API read of a device. */
const PATHS = [
  ...['/ping', '/v1/healthy', '/v1/device', '/v2/state/status', '/v2/applications/state', '/v2/applications/1/state'],
  ...['/v1/apps/1', '/v2/containerId', '/v2/version'],
];
const good = declareApp({ web: {}, db: {} }, { volumes: { data: {} } });
const declareNext = (services: Parameters<typeof declareApp>[0]) =>
  declareApp(services, { volumes: { data: {} }, release: { commit: 'b', id: 2 } });

describe('the compatible API, of a release that is verified or has gone back', () => {
  let device: Device;
  let bench: Awaited<ReturnType<typeof aServer>>;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1');
    await device.boot();
    bench = await aServer({ store: agent().store, commandDeadlineMs: 60_000 });
  });
  afterEach(async () => {
    await bench.close();
    await device.stop();
  });

  const agent = () => device.agent ?? assert.fail('no agent');
  const ready = () => {
    const app = agent().store.get('App', 'hello');
    return app && conditionOf(app, 'Ready');
  };
  const bring = async (document: AnyDeclared) => {
    await agent().propose([document]);
    await agent().settle();
  };
  const answers = async () =>
    Object.fromEntries(
      await Promise.all(
        PATHS.map(async (url) => {
          const { statusCode, payload } = await bench.server.inject({ url, headers: withKey });
          return [url, `${statusCode} ${payload}`] as const;
        }),
      ),
    );
  /** Little time passes, never as much as a release is looked at. */
  const turns = async (until: () => boolean) => {
    for (let turn = 0; turn < 100 && !until(); turn += 1) {
      await agent().quiet();
      device.clock.advance(20);
    }
    assert.ok(until());
  };
  const isVerifying = () => ready()?.reason === 'Verifying';
  const post = async (url: string, payload: object) => {
    let answer: string | undefined;
    const asked = bench.server.inject({ method: 'POST', url, headers: withKey, payload }).then((reply) => {
      answer = `${reply.statusCode} ${reply.payload}`;
    });
    await turns(() => answer !== undefined);
    await asked;
    return answer;
  };

  it('answers while it is verified what it answers when it is good, byte for byte', async () => {
    await agent().propose([good]);
    await turns(isVerifying);
    const meanwhile = await answers();
    assert.equal(JSON.parse(String(meanwhile['/v2/state/status']).slice(4)).appState, 'applied');
    await agent().settle();
    assert.equal(ready()?.status, 'True');
    assert.deepEqual(meanwhile, await answers());
  });

  it('answers restart and purge with their last step, though nobody knows yet whether the release is good', async () => {
    await agent().propose([good]);
    await turns(isVerifying);
    assert.equal(await post('/v1/restart', { appId: 1 }), '200 OK');
    await turns(isVerifying);
    assert.equal(await post('/v2/applications/1/restart-service', { serviceName: 'db' }), '200 OK');
    await turns(isVerifying);
    assert.equal(await post('/v1/purge', { appId: 1 }), '200 {"Data":"OK","Error":""}');
    await turns(isVerifying);
    assert.equal(await post('/v2/applications/1/purge', {}), '200 OK');
  });

  it('answers after it has gone back what it answered before, byte for byte', async () => {
    await bring(good);
    const before = await answers();
    await bring(declareNext({ web: { runtime: 'none-such' }, db: {} }));
    assert.equal(ready()?.reason, 'RolledBack');
    assert.deepEqual(await containersOf(device), ['db_7_1_a running', 'web_7_1_a running']);
    const { '/v2/containerId': _ids, ...after } = await answers();
    const { '/v2/containerId': _old, ...same } = before;
    assert.deepEqual(withoutIds(after), withoutIds(same));
  });

  const waiting = async (): Promise<void> => {
    const next = declareApp(
      { web: { image: 'web:2' } },
      { release: { commit: 'b', id: 2 }, rollout: { apply: 'approval' } },
    );
    device.engine.images.serve('web:2');
    await agent().propose([next]);
    await agent().settle({ waiting: ['App/hello'] });
    await turns(() => ready()?.reason === 'AwaitingApproval');
  };

  it('answers while a release waits for its time what it answered before, but that an update is under way', async () => {
    await bring(good);
    const { '/v1/device': device1, '/v2/state/status': status, ...before } = await answers();
    await waiting();
    const { '/v1/device': device2, '/v2/state/status': status2, ...after } = await answers();
    assert.deepEqual(after, before);
    const bodyOf = (answer = '') => JSON.parse(answer.slice(4));
    const { images, ...state } = bodyOf(status2);
    const { images: imagesBefore, ...stateBefore } = bodyOf(status);
    assert.deepEqual(state, { ...stateBefore, appState: 'applying' });
    assert.deepEqual(
      images.filter(({ name }: { readonly name: string }) => name !== 'web:2'), // the image that it has downloaded
      imagesBefore,
    );
    const { commit, ...same } = bodyOf(device1);
    assert.equal(commit, 'a');
    assert.deepEqual(bodyOf(device2), { ...same, update_pending: true, update_downloaded: true });
  });

  it('restarts and purges what runs while a release waits', async () => {
    await bring(good);
    await waiting();
    assert.equal(await post('/v1/restart', { appId: 1 }), '200 OK');
    assert.equal(await post('/v1/purge', { appId: 1 }), '200 {"Data":"OK","Error":""}');
    assert.equal(await post('/v2/applications/1/restart-service', { serviceName: 'db' }), '200 OK');
    await turns(() => ready()?.reason === 'AwaitingApproval');
    assert.deepEqual(await containersOf(device), ['db_7_1_a running', 'web_7_1_a running']);
  });

  it('restarts and purges what runs after it has gone back', async () => {
    await bring(good);
    await bring(declareNext({ web: { runtime: 'none-such' }, db: {} }));
    assert.equal(await post('/v1/restart', { appId: 1 }), '200 OK');
    assert.equal(await post('/v1/purge', { appId: 1 }), '200 {"Data":"OK","Error":""}');
    await agent().settle();
    assert.equal(ready()?.reason, 'RolledBack');
    assert.deepEqual(await containersOf(device), ['db_7_1_a running', 'web_7_1_a running']);
  });
});

const containersOf = async ({ engine }: Device): Promise<readonly string[]> =>
  engine.docker.containers.map(({ name, state }) => `${name} ${state}`).sort();

/** Containers of another release that came and went leave others of the same name. */
const withoutIds = (answers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(answers).map(([url, text]) => [url, text.replace(/"(containerId|createdAt)":"[^"]*"/g, '"$1":""')]),
  );

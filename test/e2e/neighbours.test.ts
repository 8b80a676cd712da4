import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort } from '../setup/docker.js';
import { Scene, unchanged } from '../setup/scene.js';

describe('what the agent finds on the machine', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.close());

  it('a taken port is named and tried again until it is free; nobody else waits', async () => {
    const port = await freePort();
    const holder = createServer();
    holder.listen(port, '0.0.0.0');
    await once(holder, 'listening');
    holder.unref(); // a failure does not keep the tests from ending
    const [name, neighbour] = [`${scene.prefix}-port`, `${scene.prefix}-other`];
    const [appId, neighbourId] = [scene.appId(), scene.appId()];
    await scene.put(name, {
      appId,
      services: { main: scene.service({ ports: [`${port}:80`] }), idle: scene.service() },
    });
    await scene.untilReason('Service', `${name}.main`, 'PortInUse', new RegExp(`\\b${port}\\b`));
    await scene.untilReason('App', name, 'ChildrenNotReady', new RegExp(`\\b${port}\\b`));
    await scene.put(neighbour, { appId: neighbourId, services: { main: scene.service() } });
    await scene.untilReady(neighbour);
    const [idle] = await scene.containers(appId);
    assert.equal(idle?.state, 'running');

    holder.close();
    await once(holder, 'close');
    await scene.untilReady(name, { withinMs: 60_000 });
    const [stillIdle] = await scene.untilRunning(appId, ['idle', 'main']);
    assert.equal(stillIdle?.id, idle.id);
  });

  describe('objects of somebody else', () => {
    const { signal } = new AbortController();
    const request: Scene['docker']['request'] = (call) => scene.docker.request(call);
    let appId: number;
    let name: string;

    before(() => {
      appId = scene.appId();
      name = `${scene.prefix}-mine`;
    });

    async function foreignContainer(called: string): Promise<string> {
      const { Id } = (await request({
        method: 'POST',
        path: '/containers/create',
        query: { name: called },
        body: { Image: scene.image, Cmd: ['sleep', '1000000'], StopSignal: 'SIGKILL' },
      })) as { Id: string };
      scene.onClose(() => scene.docker.engine.removeContainer(Id, signal));
      await request({ method: 'POST', path: `/containers/${Id}/start` });
      return Id;
    }

    it('stay as they are while apps come, change and go, and while agents restart', async () => {
      const id = await foreignContainer(`${scene.prefix}-foreign`);
      const network = (await request({
        method: 'POST',
        path: '/networks/create',
        body: { Name: `${scene.prefix}-foreign` },
      })) as { Id: string };
      scene.onClose(() => scene.docker.engine.removeNetwork(network.Id, signal));
      await request({ method: 'POST', path: '/volumes/create', body: { Name: `${scene.prefix}-foreign` } });
      scene.onClose(() => scene.docker.engine.removeVolume(`${scene.prefix}-foreign`, signal));
      const before = await scene.container(id);

      const spec = (version: string) => ({
        appId,
        services: { main: scene.service({ environment: { VERSION: version }, volumes: ['data:/data'] }) },
        volumes: { data: null },
        volumeReclaim: 'Delete' as const,
      });
      await scene.put(name, spec('1'));
      await scene.untilReady(name);
      await scene.put(name, spec('2'));
      await scene.untilReady(name);
      await scene.agent.restart();
      await scene.delete(name);
      await scene.untilGone(name);

      assert.deepEqual(await scene.container(id), before);
      assert.ok(await scene.docker.engine.inspectNetwork(network.Id, signal));
      assert.ok(await scene.docker.engine.inspectVolume(`${scene.prefix}-foreign`, signal));
    });

    it('with a name that an app needs are named, and left alone', async () => {
      const wanted = `main_7_1_${scene.prefix}`;
      const id = await foreignContainer(wanted);
      await scene.put(name, {
        appId,
        release: { commit: scene.prefix, id: 1 },
        services: { main: scene.service({ imageId: 7 }) },
      });
      await scene.untilReason('Service', `${name}.main`, 'Retrying', new RegExp(wanted));
      assert.equal((await scene.container(id))?.state, 'running');
      await scene.docker.engine.removeContainer(id, signal);
      await scene.untilReady(name, { withinMs: 60_000 });
      await scene.delete(name);
      await scene.untilGone(name);
    });

    it('with the name that a service gives its container are left alone, and the name follows when they are gone', async () => {
      const [name, appId, wanted] = [`${scene.prefix}-named`, scene.appId(), `${scene.prefix}-front`];
      const service = (value: string) =>
        scene.service({ containerName: wanted, environment: { V: value }, updateStrategy: 'rolling' });
      const made = await scene.docker.request({
        ...{ method: 'POST', path: '/containers/create', query: { name: wanted } },
        body: { Image: scene.image, Cmd: ['sleep', '1'] },
      });
      const { Id: foreign } = made as { readonly Id: string };
      await scene.put(name, { appId, services: { main: service('1') } });
      await scene.untilReason('Service', `${name}.main`, 'Retrying', new RegExp(`The name ${wanted} is taken`));
      assert.deepEqual(await scene.containers(appId), []);
      await scene.docker.engine.removeContainer(foreign, new AbortController().signal);
      await scene.untilReady(name, { withinMs: 60_000 });
      const [first] = await scene.untilRunning(appId, ['main']);
      assert.equal(first?.name, wanted);

      await scene.put(name, { appId, services: { main: service('2') } });
      await scene.untilReady(name);
      const [next, another] = await scene.untilRunning(appId, ['main']);
      assert.equal(another, undefined);
      assert.equal(next?.name, wanted);
      assert.notEqual(next?.id, first?.id);
    });

    it('such as a network are not taken over', async () => {
      const network = (await request({
        method: 'POST',
        path: '/networks/create',
        body: { Name: `${appId}_default`, Labels: { owner: 'somebody' } },
      })) as { Id: string };
      await scene.put(name, { appId, services: { main: scene.service() } });
      await scene.untilReason('Network', `${name}.default`, 'NameTaken', new RegExp(`${appId}_default`));
      await scene.delete(name);
      await scene.untilGone(name);
      const [seen] = (await scene.networks(appId)).filter((one) => one.id === network.Id);
      assert.ok(seen, 'the network is still there');
    });
  });

  it('an app whose services refuse to start does not disturb one that runs', async () => {
    const [name, bad] = [`${scene.prefix}-good`, `${scene.prefix}-bad`];
    const [appId, badId] = [scene.appId(), scene.appId()];
    await scene.put(name, { appId, services: { main: scene.service() } });
    await scene.untilReady(name);
    const old = await scene.untilRunning(appId, ['main']);
    await scene.put(bad, { appId: badId, services: { main: scene.service({ command: ['no-such-program'] }) } });
    await scene.untilReason('Service', `${bad}.main`, 'CommandNotFound', /no-such-program/);
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));
  });

  it('a cycle of dependencies is refused before anything is made', async () => {
    const name = `${scene.prefix}-cycle`;
    const appId = scene.appId();
    const services = { a: scene.service({ depends_on: ['b'] }), b: scene.service({ depends_on: ['a'] }) };
    await assert.rejects(scene.put(name, { appId, services }), /: 422 .*a → b → a/);
    assert.deepEqual(await scene.containers(appId), []);
    assert.deepEqual(await scene.networks(appId), []);
  });
});

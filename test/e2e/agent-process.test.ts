import assert from 'node:assert/strict';
import type { AppSpec } from '../../crds/model/types.js';
import { type Container, Scene, unchanged } from '../setup/scene.js';

const SERVICES = ['api', 'db', 'web'];

describe('the agent as a process', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.close());

  const spec = (appId: number, version: string): AppSpec => ({
    appId,
    release: { commit: `commit${version}`, id: Number(version) },
    services: {
      db: scene.service({ environment: { VERSION: version }, volumes: ['data:/data'] }),
      api: scene.service({ environment: { VERSION: version }, depends_on: ['db'] }),
      web: scene.service({ environment: { VERSION: version }, depends_on: ['api'] }),
    },
    networks: {
      default: { driver_opts: { 'com.docker.network.driver.mtu': Number(version) % 2 === 0 ? '1300' : '1400' } },
    },
    volumes: { data: {} },
  });

  describe('that is asked to end', () => {
    it('leaves the containers running and ends with 0; the next one does not touch them', async () => {
      const name = `${scene.prefix}-term`;
      const appId = scene.appId();
      await scene.put(name, spec(appId, '1'));
      await scene.untilReady(name);
      const old = await scene.untilRunning(appId, SERVICES);
      const record = await scene.record(appId);

      assert.equal(await scene.agent.stop(), 0);
      assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));

      await scene.agent.start();
      // That another app comes up shows that every controller is at work again.
      const bystander = `${scene.prefix}-witness`;
      const bystanderId = scene.appId();
      await scene.put(bystander, { appId: bystanderId, services: { main: scene.service() } });
      await scene.untilReady(bystander);
      await scene.untilReady(name);
      record.stop();
      assert.deepEqual(record.seen, []);
      assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));
    });

    it('while a roll-out is under way lets the next one finish it', async () => {
      const name = `${scene.prefix}-drain`;
      const appId = scene.appId();
      await scene.put(name, spec(appId, '1'));
      await scene.untilReady(name);
      await scene.put(name, spec(appId, '2'));
      assert.equal(await scene.agent.stop(), 0);
      await scene.agent.start();
      await finished(name, appId, '2');
    });
  });

  /** The one end state of every interruption. */
  async function finished(name: string, appId: number, version: string): Promise<readonly Container[]> {
    await scene.untilReady(name, { withinMs: 90_000 });
    const containers = await scene.untilRunning(appId, SERVICES);
    for (const { env, name: called } of containers) {
      assert.ok(env.includes(`VERSION=${version}`), `${called} is of version ${version}`);
      assert.match(called, new RegExp(`_${version}_commit${version}$`));
    }
    assert.deepEqual(
      (await scene.networks(appId)).map((one) => one.name),
      [`${appId}_default`],
    );
    assert.deepEqual(await scene.volumes(appId), [`${appId}_data`]);
    assert.deepEqual(await scene.lockFiles(appId), []);
    assert.deepEqual((await scene.agent.document('App', name))?.status?.release, {
      commit: `commit${version}`,
      id: Number(version),
    });
    return containers;
  }

  describe('that is killed in the middle of a roll-out', () => {
    const moments: readonly { readonly when: string; readonly event: string | undefined }[] = [
      { when: 'right after the release was accepted', event: undefined },
      { when: 'when the first container ended', event: 'container die' },
      { when: 'when the first container was removed', event: 'container destroy' },
      { when: 'when the network was removed', event: 'network destroy' },
      { when: 'when the network was made', event: 'network create' },
      { when: 'when the first container was made', event: 'container create' },
      { when: 'when the first container was started', event: 'container start' },
    ];
    let name: string;
    let appId: number;
    let version = 1;
    before(async () => {
      name = `${scene.prefix}-killed`;
      appId = scene.appId();
      await scene.put(name, spec(appId, '1'));
      await scene.untilReady(name);
    });

    for (const { when, event } of moments) {
      it(`${when}, comes to the same end`, async () => {
        const record = await scene.record(appId);
        version += 1;
        await scene.put(name, spec(appId, String(version)));
        if (event !== undefined) {
          await scene.until(
            event,
            () => record.seen,
            (seen) => seen.includes(event),
            { everyMs: 1 },
          );
        }
        await scene.agent.kill();
        record.stop();
        await scene.agent.start();
        await finished(name, appId, String(version));
      });
    }

    it('while it takes the app down, comes to the same end', async () => {
      const record = await scene.record(appId);
      await scene.delete(name);
      await scene.until(
        'the first container is removed',
        () => record.seen,
        (seen) => seen.includes('container destroy'),
        { everyMs: 1 },
      );
      await scene.agent.kill();
      record.stop();
      await scene.agent.start();
      await scene.untilGone(name);
      assert.deepEqual(await scene.containers(appId), []);
      assert.deepEqual(await scene.networks(appId), []);
      assert.deepEqual(await scene.lockFiles(appId), []);
    });
  });
});

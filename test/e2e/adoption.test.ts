import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import type { AppSpec } from '../../crds/model/types.js';
import { Scene, unchanged } from '../setup/scene.js';
import { type SupervisedApp, supervisorMade } from '../setup/supervisor-made.js';

describe('a device that a balena Supervisor looked after', () => {
  let scene: Scene;
  let app: SupervisedApp;
  let name: string;
  let target: AppSpec;
  const signal = timeoutSignal(600_000);

  before(async () => {
    scene = await Scene.open({ started: false });
    name = `${scene.prefix}-adopted`;
    const appId = scene.appId();
    app = {
      appId,
      uuid: String(appId),
      release: { id: 12, commit: scene.prefix },
      services: {
        web: { serviceId: 3, imageId: 31, volumes: ['data:/data', 'plain:/plain'] },
        db: { serviceId: 4, imageId: 41 },
      },
      volumes: ['data'],
    };
    const web = { ...scene.service(), serviceId: 3, imageId: 31, volumes: ['data:/data', 'plain:/plain'] };
    const db = { ...scene.service(), serviceId: 4, imageId: 41 };
    target = { ...app, release: app.release, services: { web, db }, volumes: { data: {}, plain: {} } };
    await makeAll();
  });
  after(() => scene?.close());

  async function makeAll(): Promise<void> {
    const { engine } = scene.docker;
    const { networks, volumes, containers } = supervisorMade(app, scene.image, { lockRoot: scene.agent.lockRoot });
    for (const one of networks) await engine.createNetwork(one.name, one.options, signal);
    for (const one of volumes) await engine.createVolume(one.name, one.options, signal);
    await engine.createVolume(`${app.appId}_plain`, { Labels: {} }, signal);
    for (const one of containers) {
      const made = await engine.createContainer(one.name, one.options, signal);
      if (made.is !== 'created') throw new Error(`${one.name}: ${made.is}`);
      await engine.startContainer(made.id, signal);
    }
    const [, web] = await scene.containers(app.appId);
    for (const folder of ['data', 'plain']) {
      const write = ['sh', '-c', `echo precious > /${folder}/file`];
      assert.equal((await scene.exec(web?.id ?? '', write)).code, 0);
    }
  }

  it('keeps what runs while the application holds the update lock', async () => {
    const old = await scene.containers(app.appId);
    const folder = join(scene.agent.lockRoot, String(app.appId), 'web');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'updates.lock'), '');
    await scene.agent.start();
    await scene.put(name, target);
    await scene.untilReason('App', name, 'UpdatesLocked', /updates\.lock/);
    assert.deepEqual(unchanged(await scene.containers(app.appId)), unchanged(old));
    await rm(join(folder, 'updates.lock'));
  });

  it('keeps networks and data, and replaces each container once', async () => {
    const networks = await scene.networks(app.appId);
    const record = await scene.record(app.appId);
    await scene.untilReady(name, { withinMs: 90_000 });
    record.stop();
    const now = await scene.untilRunning(app.appId, ['db', 'web']);
    assert.deepEqual(
      now.map((one) => one.name),
      [`db_41_12_${scene.prefix}`, `web_31_12_${scene.prefix}`],
    );
    const count = (what: string): number => record.seen.filter((one) => one === what).length;
    assert.ok(count('container create') <= 2, record.seen.join());
    assert.equal(count('network create') + count('network destroy'), 0);
    assert.deepEqual(await scene.networks(app.appId), networks);
    for (const folder of ['data', 'plain']) {
      assert.match((await scene.exec(now[1]?.id ?? '', ['cat', `/${folder}/file`])).output, /precious/);
    }
  });

  it('has nothing more to do after a restart of the agent', async () => {
    const old = await scene.containers(app.appId);
    const record = await scene.record(app.appId);
    await scene.agent.restart();
    await scene.untilReady(name);
    record.stop();
    assert.deepEqual(record.seen, []);
    assert.deepEqual(unchanged(await scene.containers(app.appId)), unchanged(old));
  });

  it('keeps volumes without labels when the app goes', async () => {
    await scene.delete(name);
    await scene.untilGone(name);
    assert.deepEqual([...(await scene.volumes(app.appId))].sort(), [`${app.appId}_data`, `${app.appId}_plain`]);
  });
});

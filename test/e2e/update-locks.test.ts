import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppSpec } from '../../crds/model/types.js';
import { Scene, unchanged } from '../setup/scene.js';

describe('update locks', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.close());

  const spec = (appId: number, version: string, command = 'exec sleep 1000000'): AppSpec => ({
    appId,
    services: {
      main: scene.service({ environment: { VERSION: version }, command: ['sh', '-c', command] }),
      other: scene.service(),
    },
  });

  it('wait for the file that the application made in its container, and go on when it is gone', async () => {
    const name = `${scene.prefix}-waits`;
    const appId = scene.appId();
    // As `lockfile` does it: only if the file is not there, because until then the agent holds the lock.
    const locking = 'set -C; until true > /tmp/balena/updates.lock; do sleep 0.05; done; exec sleep 1000000';
    await scene.put(name, spec(appId, '1', locking));
    await scene.untilReady(name);
    const old = await scene.untilRunning(appId, ['main', 'other']);
    const path = join(scene.agent.lockRoot, String(appId), 'main', 'updates.lock');
    await scene.until(
      'the application has its lock',
      () => scene.lockFiles(appId),
      (files) => files.length > 0,
    );

    await scene.put(name, spec(appId, '2'));
    const message = await scene.untilReason('App', name, 'UpdatesLocked');
    assert.ok(message.includes(path), message);
    const app = await scene.agent.document('App', name);
    assert.deepEqual(app?.status?.lock, { state: 'Blocked', blockedBy: path });
    assert.equal((await scene.agent.status()).appState, 'applying');
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));

    await rm(path);
    await scene.untilReady(name);
    const [main, other] = await scene.untilRunning(appId, ['main', 'other']);
    assert.ok(main?.env.includes('VERSION=2'));
    assert.equal(other?.id, old[1]?.id, 'what did not change was not touched');
    assert.deepEqual(await scene.lockFiles(appId), []);
  });

  it('count where the application makes them through a bind mount of the lock folder, as the user that the agent uses', async () => {
    const name = `${scene.prefix}-bound`;
    const appId = scene.appId();
    const folder = join(scene.agent.lockRoot, String(appId), 'main');
    await mkdir(folder, { recursive: true });
    const locking = 'set -C; until true > /locks/updates.lock; do sleep 0.05; done; exec sleep 1000000';
    const bound = (version: string): AppSpec => ({
      ...spec(appId, version),
      allowHostBinds: true,
      services: {
        ...spec(appId, version).services,
        other: scene.service({
          ...{ user: '65534:65534', command: ['sh', '-c', locking] },
          volumes: [`${folder}:/locks`],
        }),
      },
    });
    await scene.put(name, bound('1'));
    await scene.untilReady(name);
    const old = await scene.untilRunning(appId, ['main', 'other']);
    await scene.until(
      'the application has its lock',
      () => scene.lockFiles(appId),
      (files) => files.join() === 'main/updates.lock',
    );

    await scene.put(name, bound('2'));
    const message = await scene.untilReason('App', name, 'UpdatesLocked');
    assert.ok(message.includes(join(folder, 'updates.lock')), message);
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));

    const { code, output } = await scene.exec(old[1]?.id ?? '', ['rm', '/locks/updates.lock']);
    assert.equal(code, 0, output);
    await scene.untilReady(name);
    const [main] = await scene.untilRunning(appId, ['main', 'other']);
    assert.ok(main?.env.includes('VERSION=2'));
    assert.deepEqual(await scene.lockFiles(appId), []);
  });

  it('of one service keep every service of the app as it is, and nothing of another app', async () => {
    const [name, neighbour] = [`${scene.prefix}-all`, `${scene.prefix}-neighbour`];
    const [appId, neighbourId] = [scene.appId(), scene.appId()];
    await scene.put(name, spec(appId, '1'));
    await scene.put(neighbour, spec(neighbourId, '1'));
    await scene.untilReady(name);
    await scene.untilReady(neighbour);
    const old = await scene.containers(appId);
    const folder = join(scene.agent.lockRoot, String(appId), 'other');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'resin-updates.lock'), '');

    await scene.put(name, spec(appId, '2'));
    await scene.put(neighbour, spec(neighbourId, '2'));
    await scene.untilReason('App', name, 'UpdatesLocked', /other\/resin-updates\.lock/);
    await scene.untilReady(neighbour);
    const [main] = await scene.untilRunning(neighbourId, ['main', 'other']);
    assert.ok(main?.env.includes('VERSION=2'));
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));
    await rm(join(folder, 'resin-updates.lock'));
    await scene.untilReady(name);
  });

  it('give way to a target state with force', async () => {
    const appId = scene.appId();
    const target = (version: string, force: boolean) => ({
      force,
      local: {
        name: 'Home',
        config: {},
        apps: {
          [appId]: {
            name: 'forced',
            commit: `commit${version}`,
            releaseId: version,
            services: {
              '1': {
                ...scene.service(),
                serviceName: 'main',
                serviceId: 1,
                imageId: 1,
                environment: { VERSION: version },
                labels: {},
              },
            },
            volumes: {},
            networks: {},
          },
        },
      },
    });
    const name = `app-${appId}`;
    const post = async (body: object) =>
      assert.equal((await scene.agent.post('/v2/local/target-state', body)).status, 200);
    await post(target('1', false));
    await scene.untilReady(name);
    const [old] = await scene.containers(appId);
    const folder = join(scene.agent.lockRoot, String(appId), 'main');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'updates.lock'), '');

    await post(target('2', false));
    await scene.untilReason('App', name, 'UpdatesLocked');
    assert.equal((await scene.container(old?.id ?? ''))?.state, 'running');

    await post(target('2', true));
    await scene.untilReady(name);
    const [main] = await scene.untilRunning(appId, ['main']);
    assert.ok(main?.env.includes('VERSION=2'));
    assert.deepEqual(await scene.lockFiles(appId), []);
  });
});

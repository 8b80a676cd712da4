import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppSpec } from '../../crds/model/types.js';
import { Scene, unchanged } from '../setup/scene.js';

describe('commands', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.close());

  const post = async (path: string, body: object = {}): Promise<readonly [number, string]> => {
    const { status, text } = await scene.agent.post(path, body);
    return [status, text];
  };
  const api = { 'io.balena.features.supervisor-api': '1' };

  /** Two services, one of them with data; settled. */
  async function anApp(suffix: string, more: Partial<AppSpec> = {}) {
    const name = `${scene.prefix}-${suffix}`;
    const appId = scene.appId();
    await scene.put(name, {
      appId,
      services: { main: scene.service({ volumes: ['data:/data'] }), other: scene.service() },
      volumes: { data: {} },
      ...more,
    });
    await scene.untilReady(name);
    const [main, other] = await scene.untilRunning(appId, ['main', 'other']);
    assert.ok(main && other);
    return { name, appId, main, other };
  }

  const write = async (container: string, text: string): Promise<void> => {
    assert.equal((await scene.exec(container, ['sh', '-c', `echo ${text} > /data/file`])).code, 0);
  };
  const read = async (container: string): Promise<string> =>
    (await scene.exec(container, ['sh', '-c', 'cat /data/file 2>/dev/null'])).output.trim();

  async function lock(appId: number): Promise<string> {
    const folder = join(scene.agent.lockRoot, String(appId), 'other');
    await mkdir(folder, { recursive: true });
    const path = join(folder, 'updates.lock');
    await writeFile(path, '');
    return path;
  }

  const untilUnlocked = (appId: number) =>
    scene.until(
      'no lock is left',
      () => scene.lockFiles(appId),
      (files) => files.length === 0,
    );

  it('restart an app: other containers, the same data, and the other app untouched', async () => {
    const { appId, main, other } = await anApp('restart');
    const neighbour = await anApp('neighbour');
    await write(main.id, 'kept');
    assert.deepEqual(await post('/v1/restart', { appId }), [200, 'OK']);
    const [newMain, newOther] = await scene.untilRunning(appId, ['main', 'other']);
    assert.notEqual(newMain?.id, main.id);
    assert.notEqual(newOther?.id, other.id);
    assert.equal(newMain?.name, main.name);
    assert.equal(await read(newMain?.id ?? ''), 'kept');
    assert.deepEqual(unchanged(await scene.containers(neighbour.appId)), unchanged([neighbour.main, neighbour.other]));
    await untilUnlocked(appId);
  });

  it('restart one service', async () => {
    const { appId, main, other } = await anApp('one');
    assert.deepEqual(await post(`/v2/applications/${appId}/restart-service`, { serviceName: 'other' }), [200, 'OK']);
    const [newMain, newOther] = await scene.untilRunning(appId, ['main', 'other']);
    assert.equal(newMain?.id, main.id);
    assert.notEqual(newOther?.id, other.id);
  });

  it('purge an app: its volume is empty, that of the other app is not', async () => {
    const { appId, main } = await anApp('purge');
    const neighbour = await anApp('full');
    await write(main.id, 'gone');
    await write(neighbour.main.id, 'kept');
    assert.deepEqual(await post('/v1/purge', { appId }), [200, '{"Data":"OK","Error":""}']);
    const [newMain] = await scene.untilRunning(appId, ['main', 'other']);
    assert.equal(await read(newMain?.id ?? ''), '');
    assert.equal(await read(neighbour.main.id), 'kept');

    await write(newMain?.id ?? '', 'new');
    await scene.agent.kill();
    await scene.agent.start();
    const [still] = await scene.untilRunning(appId, ['main', 'other']);
    assert.equal(still?.id, newMain?.id);
    assert.equal(await read(still?.id ?? ''), 'new');
  });

  it('stop a service, which stays stopped until it is started, or the agent starts again', async () => {
    const { name, appId, main, other } = await anApp('stop');
    const service = `/v2/applications/${appId}`;
    assert.deepEqual(await post(`${service}/stop-service`, { serviceName: 'main' }), [200, 'OK']);
    const state = (wanted: string) =>
      scene.until(
        `main is ${wanted}`,
        async () => (await scene.container(main.id))?.state,
        (seen) => seen === wanted,
      );
    await state('exited');
    await scene.untilReady(name);
    assert.deepEqual(unchanged(await scene.containers(appId))[1], unchanged([other])[0]);
    await scene.put(name, {
      appId,
      release: { commit: 'b', id: 2 },
      services: { main: scene.service({ volumes: ['data:/data'] }), other: scene.service() },
      volumes: { data: {} },
    });
    await scene.untilReady(name);
    assert.equal((await scene.container(main.id))?.state, 'exited', 'an equal release');
    assert.match((await scene.container(main.id))?.name ?? '', /_2_b$/);

    assert.deepEqual(await post(`${service}/start-service`, { serviceName: 'main' }), [200, 'OK']);
    assert.equal((await scene.container(main.id))?.state, 'running');

    await post(`${service}/stop-service`, { serviceName: 'main' });
    await state('exited');
    await scene.untilReady(name);
    await scene.agent.kill();
    await scene.agent.start();
    await state('running');
  });

  it('are refused while the application holds its lock, and forced', async () => {
    const { appId, main, other } = await anApp('locked');
    const path = await lock(appId);
    await write(main.id, 'data');
    const message = `Lockfile exists for { appId: ${appId}, service: other }`;
    const refused = [423, JSON.stringify({ status: 'failed', message })] as const;
    assert.deepEqual(await post('/v1/restart', { appId }), refused);
    assert.deepEqual(await post(`/v2/applications/${appId}/purge`), refused);
    assert.deepEqual(await post(`/v2/applications/${appId}/stop-service`, { serviceName: 'main' }), refused);
    assert.deepEqual(await post(`/v2/applications/${appId}/restart-service`, { serviceName: 'main' }), refused);
    assert.deepEqual(await post(`/v2/applications/${appId}/start-service`, { serviceName: 'main' }), [200, 'OK']);
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged([main, other]));
    assert.equal(await read(main.id), 'data');
    assert.ok((await readdir(join(path, '..'))).includes('updates.lock'));

    assert.deepEqual(await post('/v1/purge', { appId, force: 'true' }), [200, '{"Data":"OK","Error":""}']);
    const [newMain] = await scene.untilRunning(appId, ['main', 'other']);
    assert.notEqual(newMain?.id, main.id);
    assert.equal(await read(newMain?.id ?? ''), '');
    await untilUnlocked(appId);
  });

  it('wait for nobody: a program in a container that holds the lock is asked first, and let be', async () => {
    const taking = 'set -C; until true > /tmp/balena/updates.lock; do sleep 0.05; done; exec sleep 1000000';
    const { appId, main, other } = await anApp('holder', {
      services: {
        main: scene.service({ volumes: ['data:/data'] }),
        other: scene.service({ command: ['sh', '-c', taking] }),
      },
    });
    await scene.until(
      'the program has the lock',
      () => scene.lockFiles(appId),
      (files) => files.length > 0,
    );
    const message = `Lockfile exists for { appId: ${appId}, service: other }`;
    const refused = [423, JSON.stringify({ status: 'failed', message })] as const;
    assert.deepEqual(await post('/v1/restart', { appId }), refused);
    assert.deepEqual(await post(`/v2/applications/${appId}/stop-service`, { serviceName: 'main' }), refused);
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged([main, other]));
    assert.equal((await scene.exec(other.id, ['rm', '/tmp/balena/updates.lock'])).code, 0);
    assert.deepEqual(await post(`/v2/applications/${appId}/stop-service`, { serviceName: 'main' }), [200, 'OK']);
    assert.deepEqual(await post('/v1/restart', { appId }), [200, 'OK']);
    await scene.untilRunning(appId, ['main', 'other']);
  });

  it('stop and start a whole app through a request on its document', async () => {
    const { name, appId, main, other } = await anApp('whole');
    const ask = async (verb: string): Promise<void> => {
      const path = `/apis/supercargo.io/v1/apps/${name}`;
      const { status, text } = await scene.agent.ask(`${path}/requests`, { method: 'POST', body: { name: verb } });
      assert.equal(status, 202, text);
      const { id } = JSON.parse(text).request;
      await scene.until(
        `the ${verb} is handled`,
        () => scene.agent.document('App', name),
        (app) => (app?.status as { handled?: Record<string, string> } | undefined)?.handled?.[verb] === id,
      );
    };
    await ask('stop');
    await scene.until(
      'both have stopped',
      () => scene.containers(appId),
      (all) => all.length === 2 && all.every(({ state }) => state === 'exited'),
    );
    await untilUnlocked(appId);
    await scene.untilReady(name);
    await ask('start');
    const running = await scene.untilRunning(appId, ['main', 'other']);
    assert.deepEqual(running.map(({ id }) => id).sort(), [main.id, other.id].sort());
  });

  it('that overlap are all carried out', async () => {
    const { appId, main, other } = await anApp('overlap');
    const answers = await Promise.all([
      post('/v1/restart', { appId }),
      post(`/v2/applications/${appId}/purge`),
      post(`/v2/applications/${appId}/restart-service`, { serviceName: 'main' }),
      post('/v1/restart', { appId }),
    ]);
    assert.deepEqual(
      answers,
      [...new Array(4)].map(() => [200, 'OK']),
    );
    const [newMain, newOther] = await scene.untilRunning(appId, ['main', 'other']);
    assert.notEqual(newMain?.id, main.id);
    assert.notEqual(newOther?.id, other.id);
  });

  it('survive an agent that dies right after they were accepted', async () => {
    const { appId, main } = await anApp('crash');
    await write(main.id, 'gone');
    const answer = scene.agent.post('/v1/purge', { appId }).catch(() => undefined);
    const { name } = await scene.until(
      'the request is accepted',
      async () =>
        (await scene.agent.documents('App')).find(({ spec }) => spec.appId === appId)?.metadata ?? { name: '' },
      ({ name: found }) => found !== '',
    );
    await scene.until(
      'the request is on the document',
      () => scene.agent.document('App', name),
      (app) => JSON.stringify(app)?.includes('"purge":{"id"') === true,
      { everyMs: 1 },
    );
    await scene.agent.kill();
    await answer;
    await scene.agent.start();
    await scene.until(
      'the purge was carried out',
      () => scene.agent.document('App', name),
      (app) => app?.status?.handled?.purge !== undefined && app.status.handled.purge === app.requests.purge?.id,
    );
    const [newMain] = await scene.untilRunning(appId, ['main', 'other']);
    assert.equal(await read(newMain?.id ?? ''), '');
  });

  it('show the only container of an app, and give it a new key', async () => {
    const name = `${scene.prefix}-single`;
    const appId = scene.appId();
    await scene.put(name, { appId, services: { main: scene.service({ environment: { FOO: 'bar' }, labels: api }) } });
    await scene.untilReady(name);
    const [main] = await scene.untilRunning(appId, ['main']);
    const keyOf = (env: readonly string[] = []) =>
      env.find((one) => one.startsWith('BALENA_SUPERVISOR_API_KEY='))?.split('=')[1] ?? '';
    const shown = await scene.agent.get<{ containerId: string; env: Record<string, string> }>(`/v1/apps/${appId}`);
    assert.equal(shown.containerId, main?.id);
    assert.equal(shown.env.FOO, 'bar');
    assert.ok(!JSON.stringify(shown).includes(keyOf(main?.env)));

    const headers = { authorization: `Bearer ${keyOf(main?.env)}` };
    const { status, text } = await scene.agent.ask('/v1/regenerate-api-key', { method: 'POST', headers });
    assert.equal(status, 200);
    const renewed = await scene.until(
      'the container has the new key',
      async () => (await scene.containers(appId))[0],
      (one) => one?.state === 'running' && keyOf(one.env) === text,
    );
    assert.notEqual(renewed?.id, main?.id);
  });
});

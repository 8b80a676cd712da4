import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineFolders } from '../../controllers/engine/local/engine-folders.js';
import { findEngine, stopPrivateEngine } from '../../controllers/engine/local/private-engine.js';
import { conditionOf } from '../../crds/model/conditions.js';
import { useEngineAt } from '../setup/docker.js';
import { Scene } from '../setup/scene.js';

describe('an engine that restarts', () => {
  let scene: Scene;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'supercargo-e2e-engine-'));
    scene = await Scene.open({ docker: useEngineAt(await startEngine()) });
  });
  after(async () => {
    await scene?.close();
    await stopPrivateEngine(folder);
    await rm(folder, { recursive: true, force: true });
  });

  async function startEngine(): Promise<string> {
    const say = (text: string): void => console.error(`        ${text}`);
    return (await findEngine({ mode: 'private', dataFolder: folder, env: process.env, print: say })).dockerHost;
  }

  /** As an init system does it: the daemon ends its containers and itself. */
  async function endEngine(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { pidFile } = engineFolders(folder);
    const pid = Number(await readFile(pidFile, 'utf8'));
    process.kill(pid, signal);
    await scene.until(
      'the daemon has ended',
      () => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''),
      (stat) => stat === '' || /\) Z /.test(stat),
    );
  }

  /** The processes of an app's containers that run. */
  async function pidsOf(appId: number): Promise<readonly number[]> {
    const inspected = await Promise.all(
      (await scene.containers(appId)).map(({ id }) => scene.docker.request({ path: `/containers/${id}/json` })),
    );
    return inspected.map((one) => (one as { State: { Pid: number } }).State.Pid).filter((pid) => pid > 0);
  }

  /** A container may have ended by itself. */
  function killIfThere(pid: number): void {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`by ${signal} is missed, said to be missed, and found again: what ran runs again, nothing is recreated`, async () => {
      const name = `${scene.prefix}-${signal.toLowerCase()}`;
      const appId = scene.appId();
      await scene.put(name, {
        appId,
        services: {
          first: scene.service({ volumes: ['data:/data'] }),
          second: scene.service({ depends_on: ['first'] }),
          done: scene.service({ command: 'true', restart: 'no' }),
        },
        volumes: { data: null },
      });
      await scene.untilReady(name);
      const old = await scene.until(
        'the one-shot has ended',
        () => scene.containers(appId),
        (seen) => seen.map(({ state }) => state).join() === 'exited,running,running',
      );

      await endEngine(signal);
      await scene.untilReason('App', name, 'EngineUnreachable');
      assert.equal((await scene.agent.ask('/ping')).status, 200);
      assert.equal((await scene.agent.ask('/v1/healthy')).status, 200);
      const { [name]: reported } = await scene.agent.applications();
      assert.deepEqual(Object.keys(reported?.services ?? {}).sort(), ['done', 'first', 'second']);

      await startEngine();
      await scene.untilReady(name, { withinMs: 60_000 });
      const now = await scene.until(
        'the containers run again',
        () => scene.containers(appId),
        (seen) => seen.map(({ state }) => state).join() === 'exited,running,running',
      );
      assert.deepEqual(
        now.map(({ id, service }) => ({ id, service })),
        old.map(({ id, service }) => ({ id, service })),
      );
      assert.equal(now[0]?.startedAt, old[0]?.startedAt, 'what had finished is not run again');
      await scene.delete(name);
      await scene.untilGone(name);
    });
  }

  for (const moment of ['that is decided', 'the bad one is gone'])
    it(`with the whole device on the way back from a bad release, when ${moment}: the good one runs, the bad one is not tried again`, async function () {
      this.timeout(120_000);
      const name = `${scene.prefix}-${moment === 'that is decided' ? 'decided' : 'gone'}`;
      const appId = scene.appId();
      const declare = (version: string, command: readonly string[]) =>
        scene.put(name, {
          appId,
          rollout: { minReadySeconds: 2, maxRestarts: 0 },
          services: {
            main: scene.service({ environment: { VERSION: version }, command: [...command], volumes: ['data:/data'] }),
            other: scene.service(),
          },
          volumes: { data: null },
        });
      await declare('good', ['sleep', '1000000']);
      await scene.untilReady(name);
      const [, other] = await scene.untilRunning(appId, ['main', 'other']);
      await declare('bad', ['sh', '-c', 'sleep 1; exit 1']);
      const bad = await scene.until(
        'it is decided',
        () => scene.agent.document('App', name),
        (app) => app?.status?.rollback !== undefined,
        { withinMs: 60_000, everyMs: 20 },
      );
      if (moment === 'the bad one is gone')
        await scene.until(
          moment,
          () => scene.containers(appId),
          (seen) => !seen.some(({ env, state }) => env.includes('VERSION=bad') && state !== 'created'),
          { everyMs: 20 },
        );
      const pids = await pidsOf(appId);
      await Promise.all([scene.agent.kill(), endEngine('SIGKILL')]);
      for (const pid of pids) killIfThere(pid);

      await startEngine();
      await scene.agent.start();
      const back = await scene.until(
        'it has gone back',
        () => scene.agent.document('App', name),
        (app) => app !== undefined && conditionOf(app, 'Available')?.status === 'True',
        { withinMs: 60_000 },
      );
      assert.deepEqual(back?.status?.rollback, bad?.status?.rollback);
      const now = await scene.untilRunning(appId, ['main', 'other']);
      assert.ok(now[0]?.env.includes('VERSION=good'));
      if (now[1]?.id !== other?.id) {
        // A killed engine may have kept what hinders the next start of a container: then only a new one runs.
        const { replaced } = (await scene.agent.document('Service', `${name}.other`))?.status ?? {};
        assert.match(replaced?.because ?? 'nothing says why', /^the engine could not start it again: /);
      }
      assert.deepEqual(await scene.lockFiles(appId), []);
      await scene.delete(name);
      await scene.untilGone(name);
    });

  it('takes what was declared while it was away', async () => {
    const name = `${scene.prefix}-meanwhile`;
    const appId = scene.appId();
    await endEngine('SIGTERM');
    await scene.put(name, { appId, services: { main: scene.service() } });
    await scene.untilReason('App', name, 'EngineUnreachable');
    assert.equal((await scene.agent.status()).appState, 'applying');
    await startEngine();
    await scene.untilReady(name, { withinMs: 60_000 });
    await scene.untilRunning(appId, ['main']);
  });

  it('is named within 30 s when it hangs, though nothing is asked of it, and believed again when it goes on', async () => {
    const name = `${scene.prefix}-hangs`;
    const appId = scene.appId();
    await scene.put(name, { appId, services: { main: scene.service() } });
    await scene.untilReady(name);
    const pid = Number(await readFile(engineFolders(folder).pidFile, 'utf8'));
    process.kill(pid, 'SIGSTOP');
    try {
      await scene.untilReason('App', name, 'EngineUnreachable', /does not answer within 15 s, since/, {
        withinMs: 30_000,
      });
      assert.equal((await scene.agent.ask('/v1/healthy')).status, 200, 'a restart of the agent would not help');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await scene.untilReady(name);
  });
});

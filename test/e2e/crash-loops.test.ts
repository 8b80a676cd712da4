import assert from 'node:assert/strict';
import { conditionOf } from '../../crds/model/conditions.js';
import type { App, Service } from '../../crds/model/kinds.js';
import { CommandProcess } from '../setup/command.js';
import { Scene } from '../setup/scene.js';

describe('what crashes or is unhealthy', function () {
  this.timeout(400_000);
  let scene: Scene;
  let command: CommandProcess;
  before(async () => {
    scene = await Scene.open();
    command = await CommandProcess.make();
  });
  after(async () => {
    await command?.remove();
    await scene?.close();
  });

  const service = (name: string): Promise<Service> =>
    scene.agent.get<Service>(`/apis/supercargo.io/v1/services/${name}`);
  const app = (name: string): Promise<App> => scene.agent.get<App>(`/apis/supercargo.io/v1/apps/${name}`);

  it('is no longer Ready, and applied all the same for clients of the compatible API', async () => {
    const appId = scene.appId();
    const name = `${scene.prefix}-cl`;
    const document = {
      apiVersion: 'supercargo.io/v1',
      kind: 'App',
      metadata: { name },
      spec: {
        appId,
        services: {
          crash: scene.service({ command: ['sh', '-c', 'echo no database; sleep 0.5; exit 1'] }),
          unhealthy: scene.service({ healthcheck: { test: ['CMD', 'false'], interval: '1s', retries: 1 } }),
        },
      },
    };
    const { code, out, err } = await command.run(['apply', '-f', '-'], {
      env: { SUPERCARGO_HOST: `127.0.0.1:${scene.agent.port}` },
      input: JSON.stringify(document),
    });
    assert.equal(code, 1, out + err);
    assert.match(err, /^error: service\/\S+: (?:CrashLoop|Unhealthy): /);
    const crash = await scene.until(
      'the loop is counted',
      () => service(`${name}.crash`),
      ({ status }) => (status?.restarts ?? 0) >= 3 && status?.lastExit?.exitCode === 1,
    );
    assert.equal(conditionOf(crash, 'Ready')?.reason, 'CrashLoop');
    await scene.until(
      'the other is unhealthy',
      () => service(`${name}.unhealthy`),
      (seen) => conditionOf(seen, 'Ready')?.reason === 'Unhealthy',
    );
    const message = conditionOf(await app(name), 'Ready')?.message ?? '';
    assert.match(message, /\.crash \(CrashLoop: /);
    assert.match(message, /\.unhealthy \(Unhealthy: /);
    const status = await scene.agent.get<{ appState: string }>('/v2/state/status');
    assert.equal(status.appState, 'applied');
    await scene.delete(name); // what crashes and is checked every second would go on beside the next test
  });

  it('is Ready all the same where it is a job, whose runs begin by hand, fail and are kept', async () => {
    const appId = scene.appId();
    const name = `${scene.prefix}-job`;
    const schedule = { cron: '@yearly', timeZone: 'UTC' };
    const fields = scene.service({
      schedule,
      command: ['sh', '-c', 'echo saved; exit 3'],
      environment: { TOKEN: 'saved' },
    });
    await scene.put(name, { appId, services: { backup: fields } });
    const seen = (what: string, holds: (one: Service) => boolean): Promise<Service> =>
      scene.until(what, () => service(`${name}.backup`), holds);
    const waiting = await seen('it is scheduled', (one) => conditionOf(one, 'Ready')?.status === 'True');
    assert.deepEqual([waiting.status?.state, waiting.status?.container], ['exited', undefined]);
    const { code, out, err } = await command.run(['run', `${name}/backup`], {
      env: { SUPERCARGO_HOST: `127.0.0.1:${scene.agent.port}` },
    });
    assert.deepEqual([code, out], [3, 'saved\n'], err);
    const failed = await seen('its run has failed', (one) => conditionOf(one, 'LastRunFailed')?.status === 'True');
    const { lastRun, container } = failed.status ?? {};
    assert.deepEqual([lastRun?.exitCode, lastRun?.failed, lastRun?.lastLines], [3, true, ['***']]);
    assert.equal(container?.name, `backup_${lastRun?.runId}`);
    assert.equal(conditionOf(failed, 'Ready')?.status, 'True');
    await scene.agent.restart();
    const later = await seen('it is looked at again', (one) => conditionOf(one, 'Ready')?.status === 'True');
    assert.deepEqual([later.status?.lastRun, later.status?.runs?.length], [lastRun, 1]);
    await scene.delete(name);
  });

  it('and has finished when on-failure:3 has given up, over restarts of the agent', async () => {
    const appId = scene.appId();
    const name = `${scene.prefix}-rp`;
    const fields = scene.service({ restart: 'on-failure:3', command: ['sh', '-c', 'echo run; exit 1'] });
    await scene.put(name, { appId, services: { onf3: fields } });
    const failed = (): Promise<Service> =>
      scene.until(
        'it has failed for good',
        () => service(`${name}.onf3`),
        (seen) => conditionOf(seen, 'Ready')?.reason === 'Failed',
        { withinMs: 90_000 },
      );
    const { status } = await failed();
    assert.deepEqual([status?.restarts, status?.exitCode, status?.lastExit?.exitCode], [3, 1, 1]);
    const id = status?.container?.id;
    await scene.agent.restart();
    const later = await failed();
    assert.deepEqual([later.status?.container?.id, later.status?.restarts], [id, 3]);
    const lines = await command.run(['logs', name], { env: { SUPERCARGO_HOST: `127.0.0.1:${scene.agent.port}` } });
    assert.equal(lines.out, 'onf3 | run\n'.repeat(4));
  });
});

import assert from 'node:assert/strict';
import { conditionOf } from '../../crds/model/conditions.js';
import type { Service } from '../../crds/model/kinds.js';
import { Scene } from '../setup/scene.js';

describe('restart_unhealthy', function () {
  this.timeout(120_000);
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.close());

  const service = (name: string): Promise<Service> =>
    scene.agent.get<Service>(`/apis/supercargo.io/v1/services/${name}`);
  const check = (...test: readonly string[]) => ({
    healthcheck: { test: ['CMD', ...test], interval: '500ms', retries: 1 },
  });
  /** Counts its runs in its own file system, which a restart keeps. */
  const COUNTING = 'echo x >> /runs; exec sleep 1000000';

  it('restarts a container until it is healthy, and leaves another one of the app alone', async () => {
    const [appId, name] = [scene.appId(), `${scene.prefix}-until`];
    await scene.put(name, {
      appId,
      services: {
        // Is healthy in its third run.
        web: scene.service({
          ...{ command: ['sh', '-c', COUNTING], restart_unhealthy: true },
          ...check('sh', '-c', 'test $(wc -l < /runs) -ge 3'),
        }),
        db: scene.service(check('true')),
      },
    });
    const web = await scene.until(
      'it is healthy in its third run',
      () => service(`${name}.web`),
      ({ status }) => status?.health === 'healthy',
    );
    await scene.untilReady(name);
    const db = await service(`${name}.db`);
    assert.equal(web.status?.unhealthyRestarts?.count, 2);
    assert.equal(web.status?.unhealthyRestarts?.exhausted, undefined);
    assert.equal(web.status?.restarts, undefined, 'a restart of ours is no crash');
    assert.equal(db.status?.unhealthyRestarts, undefined);
    const { items } = await scene.agent.get<{ items: { message: string; involvedObject: { name: string } }[] }>(
      '/apis/supercargo.io/v1/events',
    );
    assert.deepEqual(
      items
        .filter((one) => one.involvedObject.name === `${name}.web` && / unhealthy \(restart /.test(one.message))
        .map(({ message }) => message.replace(/.*\((restart [^)]*)\).*/, '$1'))
        .toSorted(),
      ['restart 1 of 5/300s', 'restart 2 of 5/300s'],
    );
    await scene.delete(name); // its checks, four processes a second, would go on beside the next test
  });

  it('stays unhealthy when the budget is used up, over a restart of the agent', async () => {
    const [appId, name] = [scene.appId(), `${scene.prefix}-budget`];
    await scene.put(name, {
      appId,
      services: { web: scene.service({ restart_unhealthy: '2/1h', ...check('false') }) },
    });
    const exhausted = (): Promise<Service> =>
      scene.until(
        'its restarts are used up',
        () => service(`${name}.web`),
        ({ status }) => status?.unhealthyRestarts?.exhausted === true,
      );
    const before = await exhausted();
    assert.equal(conditionOf(before, 'Ready')?.reason, 'Unhealthy');
    assert.match(
      conditionOf(before, 'Ready')?.message ?? '',
      /it was restarted 2 times, and is not restarted any more/,
    );
    await scene.agent.restart();
    await scene.untilReason('Service', `${name}.web`, 'Unhealthy');
    const after = await exhausted();
    assert.deepEqual(
      [after.status?.unhealthyRestarts, after.status?.container?.startedAt],
      [before.status?.unhealthyRestarts, before.status?.container?.startedAt],
    );
  });
});

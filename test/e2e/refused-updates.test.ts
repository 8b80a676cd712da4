import assert from 'node:assert/strict';
import { conditionOf } from '../../crds/model/conditions.js';
import type { AppService } from '../../crds/model/types.js';
import { Scene, unchanged } from '../setup/scene.js';

describe('an update that the engine refuses', () => {
  let scene: Scene;
  let name: string;
  let appId: number;
  let version = 0;
  before(async () => {
    scene = await Scene.open();
    name = `${scene.prefix}-refused`;
    appId = scene.appId();
    await put({});
    await scene.untilReady(name);
  });
  after(() => scene?.close());

  const put = (fields: Partial<AppService>): Promise<unknown> => {
    version += 1;
    const environment = { VERSION: String(version) };
    const services = { main: scene.service({ environment, ...fields }), other: scene.service() };
    // It stays, so that what is seen is what the refusal leaves.
    return scene.put(name, { appId, allowHostBinds: true, rollout: { onFailure: 'hold' }, services });
  };
  const service = () => scene.agent.document('Service', `${name}.main`);
  const lock = async () => (await scene.agent.document('App', name))?.status?.lock?.state;

  /** What only an engine knows, or only the device. */
  const cases: readonly {
    readonly it: string;
    readonly fields: Partial<AppService>;
    readonly reason: string;
    readonly says: RegExp;
  }[] = [
    {
      it: 'a runtime that it lacks',
      fields: { runtime: 'none-such' },
      reason: 'RuntimeMissing',
      says: /the engine has no runtime none-such/,
    },
    {
      it: 'a log driver that it lacks',
      fields: { logging: { driver: 'none-such' } },
      reason: 'InvalidSpec',
      says: /the engine refuses it: error looking up logging plugin none-such/,
    },
    {
      it: 'an option of a log driver',
      fields: { logging: { driver: 'syslog', options: { 'syslog-address': 'nonsense' } } },
      reason: 'InvalidSpec',
      says: /the engine refuses it: .*nonsense/,
    },
    {
      it: 'more CPUs than there are',
      fields: { cpus: 4_096 },
      reason: 'InvalidSpec',
      says: /the engine refuses it: Range of CPUs/,
    },
    {
      it: 'a path that is not there',
      fields: { volumes: [{ type: 'bind', source: '/not/mounted', target: '/x', bind: { create_host_path: false } }] },
      reason: 'HostPathMissing',
      says: /\/not\/mounted does not exist on this host/,
    },
  ];
  for (const { it: what, fields, reason, says } of cases) {
    it(`for ${what} leaves the container running, and one that is corrected goes through`, async () => {
      const old = await scene.untilRunning(appId, ['main', 'other']);
      const record = await scene.record(appId);
      await put(fields);
      await scene.untilReason('Service', `${name}.main`, reason, says);
      await scene.until('the lock is given back', lock, (state) => state === undefined);
      assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));
      assert.deepEqual(
        record.seen.filter((event) => /^container (kill|die|stop|destroy|rename)$/.test(event)),
        [],
      );
      const { status } = (await service()) ?? {};
      assert.equal(status?.state, 'running');
      assert.equal(status?.container?.id, old[0]?.id);
      assert.equal(status?.outgoing, undefined);

      await put({});
      await scene.untilReady(name);
      record.stop();
      const now = await scene.untilRunning(appId, ['main', 'other']);
      assert.notEqual(now[0]?.id, old[0]?.id);
      assert.equal(now[1]?.id, old[1]?.id, 'the other service notices nothing');
      assert.deepEqual(
        record.seen.filter((event) => /^container (create|start|die|destroy|rename)$/.test(event)),
        ['container create', 'container die', 'container destroy', 'container rename', 'container start'],
      );
      assert.deepEqual(await scene.lockFiles(appId), []);
    });
  }

  it('leaves the container running under another agent, too', async () => {
    const old = await scene.untilRunning(appId, ['main', 'other']);
    await put({ runtime: 'none-such' });
    await scene.untilReason('Service', `${name}.main`, 'RuntimeMissing');
    const record = await scene.record(appId);
    await scene.agent.kill();
    await scene.agent.start();
    await scene.untilReason('App', name, 'ChildrenNotReady');
    await scene.until('the lock is given back', lock, (state) => state === undefined);
    record.stop();
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));
    assert.deepEqual(record.seen, []);
    const found = await service();
    assert.equal(found && conditionOf(found, 'Stalled')?.reason, 'RuntimeMissing');
  });
});

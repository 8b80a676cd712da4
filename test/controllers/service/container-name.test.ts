import assert from 'node:assert/strict';
import { conditionOf, isReady } from '../../../crds/model/conditions.js';
import { type AnyDeclared, API_VERSION } from '../../../crds/model/kinds.js';
import { parseDocument } from '../../../crds/schema/parse.js';
import { type Agent, Device } from '../../simulation/device.js';

const parsed = (name: string, services: object) =>
  parseDocument({
    ...{ apiVersion: API_VERSION, kind: 'App', metadata: { name } },
    spec: { rollout: { minReadySeconds: 0 }, services },
  });
const app = (fields: object, name = 'shop'): AnyDeclared => {
  const result = parsed(name, { web: { image: 'web:1', ...fields } });
  assert.ok(result.ok, JSON.stringify(result));
  return result.document;
};

describe('the name that a service gives its container', () => {
  let device: Device;
  let agent: Agent;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1');
    agent = await device.boot();
  });
  afterEach(() => device.stop());

  const settle = async (): Promise<void> => {
    for (let second = 0; second < 30; second += 1) {
      await agent.quiet();
      device.clock.advance(1_000);
    }
    await agent.quiet();
  };
  const declare = async (...documents: readonly AnyDeclared[]): Promise<void> => {
    await agent.propose(documents);
    await settle();
  };
  const names = (): readonly string[] => device.engine.docker.containers.map(({ name }) => name);
  const service = () => agent.store.get('Service', 'shop.web') ?? assert.fail('no service');

  it('is given, and a second look does nothing', async () => {
    await declare(app({ containerName: 'nextcloud' }));
    assert.deepEqual(names(), ['nextcloud']);
    assert.ok(isReady(service()));
    device.engine.forgetCalls();
    await agent.relist();
    await settle();
    assert.deepEqual(
      device.engine.calls.filter(({ verb }) => /create|rename|start|stop|remove/.test(verb)),
      [],
    );
  });

  it('is changed, and taken back, without another container', async () => {
    await declare(app({ containerName: 'nextcloud' }));
    const [before] = device.engine.docker.containers;
    await declare(app({ containerName: 'cloud' }));
    assert.deepEqual(names(), ['cloud']);
    await declare(app({}));
    assert.match(names().join(), /^web_\d+_\d+_local$/);
    assert.equal(device.engine.docker.containers[0]?.id, before?.id);
    assert.ok(isReady(service()));
  });

  for (const updateStrategy of ['hand-over', 'rolling'] as const) {
    it(`has the default strategy followed instead of ${updateStrategy}`, async () => {
      await declare(app({ containerName: 'nextcloud', updateStrategy }));
      const condition = conditionOf(service(), 'StrategyFollowed');
      assert.equal(condition?.reason, 'FixedName');
      assert.match(
        condition?.message ?? '',
        /the service has the fixed name nextcloud; download-then-kill is followed/,
      );
      await declare(app({ containerName: 'nextcloud', updateStrategy, environment: { V: '2' } }));
      assert.deepEqual(names(), ['nextcloud']);
      assert.ok(isReady(service()));
    });
  }

  it('is refused to a second App, which is told the first', async () => {
    await declare(app({ containerName: 'nextcloud' }));
    const result = await agent.propose([app({ containerName: 'nextcloud' }), app({ containerName: 'nextcloud' }, 'b')]);
    assert.match(JSON.stringify(result), /container nextcloud.*shop/);
    assert.match(JSON.stringify(result), /spec\.services\.web\.containerName/);
    await settle();
    assert.deepEqual(names(), ['nextcloud']);
    assert.equal(agent.store.get('App', 'b'), undefined);
  });

  it('is refused to a second service of the App', () => {
    const fields = { image: 'web:1', containerName: 'nextcloud' };
    const result = parsed('shop', { web: fields, db: fields });
    assert.ok(!result.ok);
    assert.deepEqual(result.issues, [
      { path: 'spec.services.db.containerName', message: 'nextcloud is the container of web already' },
    ]);
  });

  it('is refused where another service of the App has it by itself, wherever that stands', () => {
    const [web, db] = [
      { image: 'web:1', imageId: 7 },
      { image: 'web:1', containerName: 'web_7_1_local' },
    ];
    for (const services of [
      { web, db },
      { db, web },
    ]) {
      const result = parsed('shop', services);
      assert.ok(!result.ok);
      assert.deepEqual(result.issues, [
        { path: 'spec.services.db.containerName', message: 'web_7_1_local is the container of web already' },
      ]);
    }
  });

  it('waits for a foreign container that has it, and leaves that alone', async () => {
    const foreign = device.engine.docker.createContainer('nextcloud', { Image: 'web:1' });
    await declare(app({ containerName: 'nextcloud' }));
    assert.match(
      conditionOf(service(), 'Ready')?.message ?? '',
      /The name nextcloud is taken by a container that does not belong to this service/,
    );
    assert.deepEqual(
      device.engine.docker.containers.map(({ id }) => id),
      [foreign],
    );
    device.engine.docker.removeContainer(foreign);
    device.clock.advance(300_000);
    await settle();
    assert.deepEqual(names(), ['nextcloud']);
    assert.ok(isReady(service()));
  });
});

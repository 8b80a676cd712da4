import assert from 'node:assert/strict';
import { conditionOf, isReady } from '../../../crds/model/conditions.js';
import { API_VERSION } from '../../../crds/model/kinds.js';
import { parseDocument } from '../../../crds/schema/parse.js';
import { type Agent, Device } from '../../simulation/device.js';

/** What Compose says of images and of checks at the start. */
describe('pull_policy and start_interval', () => {
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
  const declare = async (fields: object): Promise<void> => {
    const services = { web: { image: 'web:1', ...fields } };
    const parsed = parseDocument({
      ...{ apiVersion: API_VERSION, kind: 'App', metadata: { name: 'shop' } },
      spec: { rollout: { minReadySeconds: 0 }, services },
    });
    assert.ok(parsed.ok, JSON.stringify(parsed));
    await agent.propose([parsed.document]);
    await settle();
  };
  const shop = () => agent.store.get('App', 'shop') ?? assert.fail('no App');
  const warnings = (): string => JSON.stringify(agent.store.events().filter(({ type }) => type === 'Warning'));
  const running = (): readonly string[] =>
    device.engine.docker.containers.filter(({ state }) => state === 'running').map(({ id }) => id);
  /** A second look at what is settled does nothing, and neither does another agent. */
  const rests = async (): Promise<void> => {
    const before = running();
    await device.halt();
    device.engine.forgetCalls();
    agent = await device.boot();
    await settle();
    assert.deepEqual(running(), before);
    assert.deepEqual(
      device.engine.calls.filter(({ verb }) => /create|start|stop|remove|pull/i.test(verb)),
      [],
    );
  };

  for (const updateStrategy of ['download-then-kill', 'kill-then-download', 'delete-then-download']) {
    it(`never downloads an image that has to be there, and stops nothing for it with ${updateStrategy}`, async () => {
      await declare({ updateStrategy });
      const before = running();
      await declare({ updateStrategy, image: 'web:2', pull_policy: 'never' });
      assert.match(
        conditionOf(shop(), 'Ready')?.message ?? '',
        /Image web:2 is not on the device, and pull_policy: never keeps it from being downloaded: build or load it here/,
      );
      assert.deepEqual(
        device.engine.calls.filter(({ verb }) => verb === 'pullImage'),
        [],
      );
      assert.deepEqual(running(), before);
      device.engine.images.add('web:2');
      await settle();
      assert.ok(isReady(shop()), conditionOf(shop(), 'Ready')?.message);
      await rests();
    });
  }

  it('follows always as missing, and says so', async () => {
    await declare({ pull_policy: 'always' });
    assert.ok(isReady(shop()));
    assert.match(warnings(), /pull_policy: always is followed as missing: a release takes its image once/);
    await rests();
  });

  it('leaves start_interval out where the engine does not know it, says so, and recreates no container for it', async () => {
    await declare({ healthcheck: { test: 'true' } });
    const before = running();
    await declare({ healthcheck: { test: 'true', start_interval: '2s' } });
    assert.deepEqual(running(), before);
    await declare({ healthcheck: { test: 'true', start_interval: '2s' }, environment: { V: '1' } });
    assert.notDeepEqual(running(), before);
    assert.match(
      warnings(),
      /healthcheck\.start_interval: left out, because the engine \(API 1\.41\) does not know it/,
    );
    await rests();
  });
});

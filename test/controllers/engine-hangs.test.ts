import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Verb } from '../../controllers/engine/simulated/memory-engine.js';
import { conditionOf } from '../../crds/model/conditions.js';
import { declareApp } from '../setup/declared.js';
import { type Agent, Device } from '../simulation/device.js';

const NAME = 'web_7_1_a';

describe('an engine that does not come to an end with something', () => {
  let device: Device;
  let agent: Agent;
  let release: () => void;

  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1');
    agent = await device.boot();
    await agent.quiet();
  });
  afterEach(async () => {
    release();
    await device.stop();
  });

  /** From now on calls of that verb hang, until they are released. */
  function hang(verb: Verb): void {
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    device.engine.before = (called) => (called === verb ? held : undefined);
  }
  /** What does not wait for the engine comes to an end. */
  async function pass(ms: number): Promise<void> {
    for (let turn = 0; turn < 200; turn += 1) await nextTurn();
    device.clock.advance(ms);
    for (let turn = 0; turn < 200; turn += 1) await nextTurn();
  }
  const ready = (kind: 'App' | 'Service' | 'Network', name: string) => {
    const document = agent.store.get(kind, name);
    return document && conditionOf(document, 'Ready');
  };

  for (const [verb, words] of [
    ['createContainer', `create container ${NAME}`],
    ['startContainer', `start container`],
  ] as const) {
    it(`has the service say so while ${verb} hangs, and goes on when that has been answered`, async () => {
      hang(verb);
      await agent.propose([declareApp({ web: {} })]);
      await pass(29_000);
      assert.notEqual(ready('Service', 'hello.web')?.reason, 'EngineHangs');
      await pass(2_000);
      const { status, reason, message } = ready('Service', 'hello.web') ?? assert.fail();
      assert.deepEqual([status, reason], ['False', 'EngineHangs']);
      assert.match(message, new RegExp(`^The Docker engine has not answered since \\S+Z to: ${words}`));
      assert.match(agent.cache.unanswered() ?? '', new RegExp(words), 'for the health check');
      await pass(1_000);
      assert.match(ready('App', 'hello')?.message ?? '', /EngineHangs/);
      release();
      await agent.settle();
      assert.equal(ready('Service', 'hello.web')?.status, 'True');
      assert.equal(agent.cache.unanswered(), undefined);
    });
  }

  for (const verb of ['stopContainer', 'removeContainer'] as const) {
    it(`has the service say so while ${verb} hangs in the background, and goes on when that has been answered`, async () => {
      await agent.propose([declareApp({ web: {} })]);
      await agent.settle();
      hang(verb);
      await agent.propose([declareApp({ web: { environment: { A: '1' } } })]);
      await pass(29_000);
      assert.equal(ready('Service', 'hello.web')?.reason, 'Stopping');
      await pass(12_000);
      const { reason, message } = ready('Service', 'hello.web') ?? assert.fail();
      assert.equal(reason, 'EngineHangs');
      assert.match(message, new RegExp(`to: ${verb === 'stopContainer' ? 'stop' : 'remove'} container ${NAME}$`));
      release();
      await agent.settle();
      assert.equal(ready('Service', 'hello.web')?.status, 'True');
    });
  }

  it('has the service say so while its container cannot be inspected', async () => {
    await agent.propose([declareApp({ web: {} })]);
    await agent.settle();
    release = () => undefined;
    device.engine.before = (verb) => {
      if (verb === 'inspectContainer') throw new Error('runtime is stuck');
    };
    device.engine.docker.exit(NAME, 1);
    for (let second = 0; second < 8; second += 1) await pass(1_000);
    const { reason, message } = ready('Service', 'hello.web') ?? assert.fail();
    assert.equal(reason, 'EngineHangs');
    assert.match(message, /cannot be asked about container web_7_1_a since \S+Z: runtime is stuck$/);
    device.engine.before = undefined;
    device.engine.docker.restartNow(NAME);
    await agent.settle();
    assert.notEqual(ready('Service', 'hello.web')?.reason, 'EngineHangs');
  });

  it('has a network say so while it is created', async () => {
    hang('createNetwork');
    await agent.propose([declareApp({ web: {} })]);
    await pass(31_000);
    const networks = agent.store.list('Network').map(({ metadata }) => ready('Network', metadata.name)?.reason);
    assert.ok(networks.includes('EngineHangs'), networks.join());
    release();
    await agent.settle();
  });
});

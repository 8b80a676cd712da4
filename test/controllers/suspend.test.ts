import assert from 'node:assert/strict';
import { conditionOf, isReady } from '../../crds/model/conditions.js';
import type { AnyDeclared } from '../../crds/model/kinds.js';
import { declareApp } from '../setup/declared.js';
import { type Agent, Device } from '../simulation/device.js';
import { viewOf } from '../simulation/device-view.js';

const app = (v: string, suspend?: boolean): AnyDeclared =>
  declareApp(
    { web: { environment: { V: v }, volumes: ['data:/data'] }, db: {}, aside: { network_mode: 'none' } },
    { volumes: { data: {} }, networks: { front: {} }, ...(suspend === undefined ? {} : { suspend }) },
  );
const CHILDREN = ['Service/hello.web', 'Service/hello.db', 'Service/hello.aside', 'Network/hello.front'];
const SLEEPERS = ['App/hello', ...CHILDREN, 'Network/hello.default', 'Volume/hello.data'];

describe('an App that says spec.suspend', () => {
  let device: Device;
  let agent: Agent;
  const changes: string[] = [];

  before(async () => {
    device = new Device();
    device.engine.images.add('web:1');
    agent = await device.boot();
    await agent.propose([app('1')]);
    await agent.settle();
  });
  after(() => device.stop());

  const settled = () => agent.settle({ waiting: SLEEPERS });
  const readyOf = (key: string) => {
    const [kind, name = ''] = key.split('/');
    const document = agent.documents().find((one) => one.kind === kind && one.metadata.name === name);
    return document && conditionOf(document, 'Ready');
  };

  it('says so, itself and in everything that belongs to it', async () => {
    await agent.propose([app('2', true)]);
    await settled();
    for (const key of SLEEPERS) {
      assert.deepEqual([key, readyOf(key)?.status, readyOf(key)?.reason], [key, 'False', 'Suspended']);
      assert.match(readyOf(key)?.message ?? '', /App hello is suspended: .*spec\.suspend is taken back/);
    }
    assert.equal(agent.store.get('App', 'hello')?.status?.phase, 'Suspended');
  });

  it('is neither rolled out nor repaired, whatever happens', async () => {
    const { docker } = device.engine;
    docker.removeContainer('aside_7_1_a');
    docker.pauseContainer('web_7_1_a');
    docker.stopContainer('db_7_1_a');
    docker.removeNetwork('u_front');
    await settled();
    device.clock.advance(120_000);
    await settled();
    const { containers, networks } = viewOf(device);
    assert.deepEqual(containers, ['db_7_1_a exited web:1 on u_default', 'web_7_1_a paused web:1 V=1 on u_default']);
    assert.deepEqual(networks, ['u_default']);
    assert.equal(agent.store.get('Service', 'hello.db')?.status?.state, 'exited', 'what is seen is told');
    assert.equal(agent.store.get('Service', 'hello.aside')?.status?.container, undefined);
  });

  it('refuses requests with a sentence', async () => {
    const { restart } = await agent.store.request('Service/hello.db', { restart: { force: true } });
    const { purge, cleanup } = await agent.store.request('App/hello', { purge: {}, cleanup: {} });
    await settled();
    const service = agent.store.get('Service', 'hello.db')?.status;
    assert.equal(service?.handled?.restart, restart?.id);
    assert.match(service?.refused?.restart?.message ?? '', /is suspended/);
    const status = agent.store.get('App', 'hello')?.status;
    assert.deepEqual([status?.handled?.purge, status?.handled?.cleanup], [purge?.id, cleanup?.id]);
    assert.match(status?.refused?.purge?.message ?? '', /is suspended/);
    assert.ok(device.engine.docker.volume('1_data'));
  });

  it('makes no call and no write while nothing changes, also after a restart of the agent', async () => {
    const rest = async (): Promise<void> => {
      const from = agent.steps.length;
      const stop = agent.store.watch(({ key, parts }) => parts.length > 0 && changes.push(`${key} ${parts}`));
      for (const loop of agent.loops) loop.resync();
      await settled();
      await agent.propose([app('2', true)]);
      await settled();
      stop();
      assert.deepEqual(agent.steps.slice(from), []);
      assert.deepEqual(changes, []);
    };
    await rest();
    await device.halt();
    agent = await device.boot();
    await agent.propose([app('2', true)]);
    await settled();
    await rest();
  });

  it('is repaired and rolled out once it is resumed', async () => {
    await agent.propose([app('2')]);
    await agent.settle();
    assert.deepEqual(viewOf(device).containers, [
      'aside_7_1_a running web:1 on none',
      'db_7_1_a running web:1 on u_default',
      'web_7_1_a running web:1 V=2 on u_default',
    ]);
    assert.deepEqual(viewOf(device).networks, ['u_default', 'u_front']);
    assert.ok(agent.documents().every(isReady));
    const reasons = agent.store.events('App/hello').map(({ reason }) => reason);
    assert.ok(reasons.includes('Resumed'), reasons.join());
  });

  it('gives the update lock back', async () => {
    const held = new Set<string>();
    device.engine.before = (verb) => {
      if (verb === 'stopContainer') throw new Error('not yet');
    };
    await agent.propose([app('3')]);
    await agent.quiet();
    device.clock.step();
    await agent.quiet();
    if (agent.store.get('App', 'hello')?.status?.lock?.state === 'Held') held.add('before');
    await agent.propose([app('3', true)]);
    await settled();
    if (agent.store.get('App', 'hello')?.status?.lock?.state === 'Held') held.add('after');
    assert.deepEqual([...held], ['before']);
    device.engine.before = undefined;
    assert.deepEqual(viewOf(device).locks, []);
  });

  it('is suspended by a request, too, over new documents and another agent, until another request ends that', async () => {
    await agent.propose([app('4')]);
    await agent.settle();
    const request = async (name: 'suspend' | 'resume'): Promise<string | undefined> =>
      (await agent.store.request('App/hello', { [name]: {} }))[name]?.id;
    const suspended = await request('suspend');
    await settled();
    assert.equal(readyOf('Service/hello.web')?.reason, 'Suspended');
    assert.equal(agent.store.get('App', 'hello')?.status?.handled?.suspend, suspended);
    assert.equal(agent.store.isPending('App/hello'), false);
    await agent.propose([app('5')]);
    await settled();
    device.kill();
    agent = await device.boot();
    await agent.propose([app('5')]);
    await settled();
    assert.ok(viewOf(device).containers.includes('web_7_1_a running web:1 V=4 on u_default'), 'as it was');

    const resumed = await request('resume');
    await agent.settle();
    assert.ok(viewOf(device).containers.includes('web_7_1_a running web:1 V=5 on u_default'));
    assert.equal(agent.store.get('App', 'hello')?.status?.handled?.resume, resumed);
    assert.equal(agent.store.get('App', 'hello')?.status?.refused?.resume, undefined);
  });

  it('is not resumed by a request against the word of its document', async () => {
    await agent.propose([app('5', true)]);
    await settled();
    await agent.store.request('App/hello', { resume: {} });
    await settled();
    assert.equal(readyOf('App/hello')?.reason, 'Suspended');
    assert.match(agent.store.get('App', 'hello')?.status?.refused?.resume?.message ?? '', /spec\.suspend: true/);
    await agent.propose([app('5')]);
    await agent.settle();
  });

  it('is taken down all the same when it is deleted', async () => {
    await agent.propose([]);
    await agent.settle();
    assert.deepEqual(viewOf(device).containers, []);
    assert.deepEqual(viewOf(device).volumes, ['1_data']);
  });
});

import assert from 'node:assert/strict';
import { API_VERSION, type Declared } from '../../crds/kinds.js';
import { isReady } from '../../crds/conditions.js';
import { Device } from '../setup/device.js';

const anApp = (spec: Declared<'App'>['spec'], name = 'hello'): Declared<'App'> => ({
  apiVersion: API_VERSION,
  kind: 'App',
  metadata: { name },
  spec,
});

describe('all controllers together', () => {
  let device: Device;
  beforeEach(() => {
    device = new Device();
  });
  afterEach(() => device.stop());

  const containers = () =>
    device.engine.docker.containers.map(({ name, state }) => `${name} ${state}`).sort();

  it('brings an app up, and then does nothing', async () => {
    device.engine.images.add('web:1');
    device.engine.images.serve('db:1');
    const agent = await device.boot();
    const app = anApp({
      appId: 1,
      services: {
        web: { image: 'web:1', depends_on: ['db'], ports: ['8080:80'] },
        db: { image: 'db:1', volumes: ['data:/data'] },
      },
      volumes: { data: {} },
    });
    await agent.propose([app]);
    await agent.settle();
    assert.deepEqual(containers().map((one) => one.replace(/_\d+_1_local/, '')), ['db running', 'web running']);
    assert.ok(isReady(agent.store.get('App', 'hello') ?? assert.fail()));
    await agent.store.flush();
    const before = agent.steps.length;
    for (const loop of agent.loops) loop.wakeAll();
    await agent.settle();
    await agent.propose([app]);
    await agent.settle();
    assert.deepEqual(agent.steps.slice(before), []);
  });
});

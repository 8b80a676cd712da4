import assert from 'node:assert/strict';
import { declareApp } from '../setup/declared.js';
import { type Agent, Device } from '../simulation/device.js';

/** What sounds as if something had gone wrong. */
const SOUNDS_BAD = /\b(not found|not declared|not local|cannot|could not|did not|fail\w*|error)\b/i;

describe('events', () => {
  let device: Device;
  let agent: Agent;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1');
    agent = await device.boot();
  });
  afterEach(() => device.stop());

  const bring = async (...documents: Parameters<Agent['propose']>[0]): Promise<void> => {
    await agent.propose(documents);
    await agent.settle();
  };
  const events = () =>
    agent.documents().flatMap(({ kind, metadata }) => agent.store.events(`${kind}/${metadata.name}`));

  it('of what ended well do not sound like failures', async () => {
    const app = (A: string) =>
      declareApp(
        {
          web: { environment: { A }, volumes: ['data:/data'], restart: 'on-failure' },
          db: { network_mode: 'service:web' },
        },
        { volumes: { data: {} } },
      );
    await bring(app('1'));
    device.engine.docker.stopContainer('web_7_1_a');
    await agent.settle();
    device.engine.docker.removeContainer('db_7_1_a');
    await agent.settle();
    await bring(app('2'));
    await agent.store.request('App/hello', { restart: {} });
    await agent.settle();
    const normal = events().filter(({ type }) => type === 'Normal');
    assert.ok(normal.length > 10);
    assert.deepEqual(
      normal.filter(({ message }) => SOUNDS_BAD.test(message)),
      [],
    );
    const messages = normal.map(({ message }) => message);
    for (const message of [
      'Created network u_default: there was none',
      'Created container web_7_1_a: there was none',
      'Started service web',
    ])
      assert.ok(messages.includes(message), `${message}, among\n${messages.join('\n')}`);
  });

  it('of what was not done are warnings', async () => {
    await bring(declareApp({ web: {} }));
    await agent.propose([declareApp({ web: {} }, { suspend: true })]);
    await agent.quiet();
    await agent.store.request('App/hello', { restart: {} });
    await agent.quiet();
    assert.deepEqual(
      agent.store
        .events('App/hello')
        .filter(({ message }) => SOUNDS_BAD.test(message))
        .map(({ type, reason }) => `${type} ${reason}`),
      ['Warning Refused'],
    );
  });
});

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Key, RequestName } from '../../crds/model/kinds.js';
import { declareApp } from '../setup/declared.js';
import { type Agent, Device } from '../simulation/device.js';

/**
 * What the log stream says of the agent itself, in the Supervisor's words and order (docs/reference/http-api.md §9).
 */
describe('the lines of the agent', () => {
  let device: Device;
  let agent: Agent;
  let lines: string[];
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1');
    agent = await device.boot();
    await agent.propose([declareApp({ web: {} })]);
    await agent.settle();
    lines = [];
    agent.logs.listen((line) => {
      if ('isSystem' in line) lines.push(line.message);
    });
  });
  afterEach(() => device.stop());

  /** The lines without the image of the service. */
  const output = (): readonly string[] => lines.splice(0).map((line) => line.replace(/ '(\w+) [^']*'/, ' $1'));
  async function ask(key: Key, name: RequestName): Promise<readonly string[]> {
    await agent.store.request(key, { [name]: {} });
    await agent.settle();
    return output();
  }

  const CASES: readonly (readonly [key: Key, asked: readonly RequestName[], want: readonly string[]])[] = [
    [
      'Service/hello.web',
      ['restart'],
      [
        ...['Taking update locks', 'Killing service web', 'Service exited web', 'Killed service web'],
        ...['Installing service web', 'Installed service web', 'Starting service web', 'Started service web'],
        'Releasing update locks',
      ],
    ],
    [
      'Service/hello.web',
      ['stop'],
      [
        ...['Taking update locks', 'Killing service web', 'Killed service web', 'Service exited web'],
        'Releasing update locks',
      ],
    ],
    ['Service/hello.web', ['stop', 'start'], ['Starting service web', 'Started service web', 'Restarting service web']],
    ['App/hello', ['stop', 'start'], ['Starting service web', 'Started service web', 'Restarting service web']],
  ];
  for (const [key, asked, want] of CASES) {
    it(`${key} ${asked.join(', then ')}`, async () => {
      let last: readonly string[] = [];
      for (const name of asked) last = await ask(key, name);
      assert.deepEqual(last, want);
    });
  }

  it('a purge', async () => {
    const purged = await ask('App/hello', 'purge');
    assert.equal(purged[0], 'Taking update locks');
    assert.equal(purged[1], 'Purging data for app 1');
    assert.deepEqual(purged.slice(-2), ['Purged data', 'Releasing update locks']);
  });

  it('a container that somebody else stops, starts and removes', async () => {
    const { docker } = device.engine;
    docker.stopContainer('web_7_1_a');
    await agent.settle();
    const started = ['Starting service web', 'Started service web', 'Restarting service web'];
    assert.deepEqual(output(), ['Service exited web', ...started]);
    await ask('Service/hello.web', 'stop');
    docker.startContainer('web_7_1_a');
    await agent.settle();
    assert.deepEqual(output(), ['Restarting service web']);
    docker.removeContainer('web_7_1_a');
    await agent.settle();
    assert.deepEqual(output().slice(-4), [
      ...['Installing service web', 'Installed service web', 'Starting service web', 'Started service web'],
    ]);
  });

  it('an update that the application locks: each failure once, with the time of the next try', async () => {
    const path = join(device.folder, 'locks/1/web/updates.lock');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
    await agent.propose([declareApp({ web: { environment: { V: '2' } } })]);
    await agent.quiet();
    const reason = 'Reason: Lockfile exists for { appId: 1, service: web }';
    assert.deepEqual(output(), ['Taking update locks', `Updates are locked, retrying in 1s. ${reason}`]);
    device.clock.advance(1_000);
    await agent.quiet();
    assert.deepEqual(output(), [`Updates are locked, retrying in 2s. ${reason}`]);
  });
});

import assert from 'node:assert/strict';
import { declareApp } from '../setup/declared.js';
import { Device } from './device.js';

describe('waiting until a device is quiet', () => {
  let device: Device;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1');
    await device.boot();
  });
  afterEach(() => device.discard());

  it('says what has not come to an end', async () => {
    device.engine.before = (verb) => (verb === 'createContainer' ? new Promise(() => undefined) : undefined);
    await device.agent?.propose([declareApp({ web: {} })]);
    const words = [
      /^Never quiet in \d{4,} turns: calls under way: createContainer; pulls held: 0; loops at work: Service;/,
      /not settled: [^;]*App\/hello ChildrenNotReady: /,
      /timers in ms: \d/,
      /last steps: .*createContainer$/,
    ];
    const text = await device.agent?.quiet({ patienceMs: 0 }).catch(String);
    for (const one of words) assert.match(text?.replace(/^Error: /, '') ?? '', one);
  });

  it('does not take a machine that stands still for an agent that never ends', async () => {
    await device.agent?.propose([declareApp({ web: {} })]);
    await device.agent?.quiet({ patienceMs: -1 });
    assert.deepEqual(
      device.engine.docker.containers.map(({ state }) => state),
      ['running'],
    );
  });
});

import assert from 'node:assert/strict';
import { EngineError } from '../../../../controllers/engine/engine.js';
import { serviceLogs } from '../../../../controllers/service/output/service-logs.js';
import { declareApp } from '../../../setup/declared.js';
import { type Agent, Device } from '../../../simulation/device.js';

const service = (more: object = {}) => ({ image: 'busybox:latest', ...more });

describe('the output of services', () => {
  let device: Device;
  let agent: Agent;
  let ending: AbortController;
  beforeEach(async () => {
    ending = new AbortController();
    device = new Device();
    device.engine.images.add('busybox:latest');
    agent = await device.boot();
    await agent.propose([declareApp({ web: service(), db: service() }, { name: 'one' })]);
    await agent.settle();
  });
  afterEach(async () => {
    ending.abort();
    await device.stop();
  });

  const containerOf = (name: string): string => agent.store.get('Service', name)?.status?.container?.id ?? '';
  const print = (name: string, message: string): void => {
    device.clock.advance(10);
    device.engine.docker.print(containerOf(`one.${name}`), message);
  };
  const open = (choice: Partial<Parameters<typeof serviceLogs>[1]> = {}) => {
    const deps = { store: agent.store, engine: device.engine, clock: device.clock };
    return serviceLogs(deps, { app: 'one', follow: false, ...choice }, ending.signal);
  };
  const all = async (lines: ReturnType<typeof open>): Promise<string[]> => {
    const seen: string[] = [];
    for await (const line of lines) seen.push(`${line.service} ${line.message}`);
    return seen;
  };

  it('is in the order of time over all services', async () => {
    print('web', 'a');
    print('db', 'b');
    print('web', 'c');
    assert.deepEqual(await all(open()), ['web a', 'db b', 'web c']);
    assert.deepEqual(await all(open({ service: 'db' })), ['db b']);
    assert.deepEqual(await all(open({ tailLines: 1 })), ['db b', 'web c']);
    assert.deepEqual(await all(open({ sinceMs: device.clock.now() })), ['web c']);
  });

  it('of one container that cannot be read does not hide that of the others', async () => {
    print('web', 'a');
    print('db', 'b');
    device.engine.before = (verb, [id]) => {
      const message = 'configured logging driver does not support reading';
      if (verb === 'pastLogs' && id === containerOf('one.web')) throw new EngineError(message, 501);
    };
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { service, message } of open()) seen.push(`${service} ${message}`);
    })();
    await assert.rejects(reading, {
      message: 'The output of web (configured logging driver does not support reading) cannot be read',
    });
    assert.deepEqual(seen, ['db b']);
  });

  it('goes on with what comes, each line once, also of the next container and after a broken stream', async () => {
    print('web', 'before');
    const lines = open({ follow: true })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { value } = await lines.next();
      return `${value.service} ${value.message}`;
    };
    assert.equal(await next(), 'web before');
    const second = next();
    print('web', 'live');
    assert.equal(await second, 'web live');

    await agent.propose([declareApp({ web: service({ environment: { A: '1' } }), db: service() }, { name: 'one' })]);
    const third = next();
    await agent.settle();
    print('web', 'successor');
    assert.equal(await third, 'web successor');

    device.engine.goAway();
    device.engine.comeBack();
    const fourth = next();
    print('web', 'after');
    await agent.quiet();
    device.clock.advance(2_000);
    assert.equal(await fourth, 'web after');

    const last = lines.next();
    ending.abort();
    assert.equal((await last).done, true);
  });

  it('fails when the engine is away, unless it may wait', async () => {
    device.engine.goAway();
    await assert.rejects(all(open()), /engine/i);
  });
});

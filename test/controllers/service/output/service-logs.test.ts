import assert from 'node:assert/strict';
import { EngineError } from '../../../../controllers/engine/engine.js';
import { serviceLogs } from '../../../../controllers/service/output/service-logs.js';
import { declareApp } from '../../../setup/declared.js';
import { aService } from '../../../setup/documents.js';
import { FakeClock, PUNCTUALITIES } from '../../../setup/fake-clock.js';
import { fire } from '../../../setup/own-timers.js';
import { type Agent, Device } from '../../../simulation/device.js';
import { aContainer, flush, ScriptedEngine } from '../../engine/scripted-engine.js';

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

const HOUR_MS = 3_600_000;

/** The output of one service, followed; what befalls its clock is the test's to say. */
async function follow(clock: FakeClock) {
  const engine = new ScriptedEngine(() => clock.now());
  engine.containers.set('c1', aContainer());
  engine.pastLogs = async function* () {
    yield* [];
  };
  const container = { id: 'c1', name: 'web', startedAt: new Date(clock.now()).toISOString() };
  const service = aService({ status: { container } as never });
  const received: ((change: never) => void)[] = [];
  const store = {
    list: (() => [service]) as never,
    get: (() => service) as never,
    watch: (listener: (change: never) => void) => {
      received.push(listener);
      return () => undefined;
    },
  };
  const ending = new AbortController();
  const lines: string[] = [];
  const choice = { app: service.spec.app, follow: true };
  const reading = (async () => {
    for await (const { message } of serviceLogs({ store, engine, clock }, choice, ending.signal)) lines.push(message);
  })();
  await flush();
  return {
    engine,
    lines,
    tell: () => {
      for (const listener of received) listener({ object: service, type: 'MODIFIED', parts: ['status'] } as never);
    },
    end: async () => {
      ending.abort();
      await reading;
    },
  };
}

for (const punctuality of PUNCTUALITIES) {
  describe(`the output of services that is followed, when timers fire ${punctuality}`, () => {
    it('goes on after every stream that breaks, each line once', async () => {
      const clock = new FakeClock(undefined, punctuality);
      const { engine, lines, end } = await follow(clock);
      engine.printLine('c1', 'a');
      await flush();
      for (const line of ['b', 'c']) {
        engine.fault = (request) => (/^followLogs/.test(request) ? new EngineError('not now', 500) : undefined);
        engine.endLog('c1', new EngineError('read error', 500));
        await fire(clock, 3);
        engine.printLine('c1', line);
        engine.fault = () => undefined;
        await fire(clock, 3);
        clock.advance(1);
      }
      assert.deepEqual([lines, engine.openLogs], [['a', 'b', 'c'], ['c1']]);
      await end();
    });
  });
}

for (const byMs of [-8 * HOUR_MS, 48 * HOUR_MS]) {
  describe(`the output of services that is followed, when the clock is set by ${byMs / HOUR_MS} h`, () => {
    it('goes on, also after a stream that broke', async () => {
      const clock = new FakeClock();
      const { engine, lines, end, tell } = await follow(clock);
      engine.printLine('c1', 'a');
      await flush();
      clock.set(byMs);
      for (let second = 0; second < 11; second += 1) {
        clock.advance(1_000);
        await flush();
      }
      engine.printLine('c1', 'b');
      await flush();
      engine.endLog('c1', new EngineError('read error', 500));
      await flush();
      clock.advance(500);
      engine.printLine('c1', 'c');
      tell();
      await fire(clock, 2);
      // The engine has what was printed before under a later time: that may come once more, and none is lost.
      const reported = byMs < 0 ? lines.filter((line, at) => line !== 'a' || at === 0) : lines;
      assert.deepEqual([reported, engine.openLogs], [['a', 'b', 'c'], ['c1']]);
      await end();
    });
  });
}

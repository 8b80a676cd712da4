import assert from 'node:assert/strict';
import { type LogLine, LogStream } from '../../../../api/device-state/logs.js';
import { startInformer } from '../../../../controllers/engine/cache/informer.js';
import { EngineError, type SeenContainer } from '../../../../controllers/engine/engine.js';
import { type LogLevel, startLogFollower } from '../../../../controllers/engine/logs/log-follower.js';
import { FakeClock, PUNCTUALITIES } from '../../../setup/fake-clock.js';
import { fire } from '../../../setup/own-timers.js';
import { aContainer, flush, ScriptedEngine, silent } from '../scripted-engine.js';

async function setUp(levelOf?: (container: SeenContainer) => LogLevel, clock = new FakeClock()) {
  const engine = new ScriptedEngine(() => clock.now());
  engine.containers.set('c1', aContainer());
  engine.containers.set('c2', aContainer({ id: 'c2', serviceName: 'db' }));
  const cache = startInformer({ engine, log: silent, clock, coalesceMs: 5 });
  await cache.start();
  clock.advance(1_000);
  const logs = new LogStream();
  const unknown = new Set<string>();
  let emitOwners = (): void => undefined;
  const follower = startLogFollower({
    engine,
    cache,
    logs,
    serviceOf: ({ serviceName }) =>
      serviceName === undefined || unknown.has(serviceName) ? undefined : { serviceName, serviceId: 7, appId: 1 },
    onOwners: (changed) => {
      emitOwners = changed;
      return () => undefined;
    },
    ...(levelOf ? { levelOf } : {}),
    clock,
    log: silent,
  });
  const lines: LogLine[] = [];
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 20) {
      clock.advance(Math.min(20, left));
      await flush();
    }
  };
  engine.takeRequests();
  return {
    clock,
    engine,
    cache,
    logs,
    follower,
    pass,
    unknown,
    emitOwners: () => emitOwners(),
    listen: async () => {
      const stop = logs.listen((line) => lines.push(line));
      await flush();
      return stop;
    },
    takeLines: () => lines.splice(0).map(({ message }) => message),
    lines,
    follows: () => engine.takeRequests().filter((request) => request.startsWith('followLogs')),
    become: (over: Partial<SeenContainer>, action: string) => {
      const container = aContainer({ ...engine.containers.get(over.id ?? 'c1'), ...over });
      engine.containers.set(container.id, container);
      engine.emit({ type: 'container', action, id: container.id });
    },
  };
}

describe('The log follower', () => {
  it('asks nothing while nobody listens', async () => {
    const { engine, pass, become } = await setUp();
    become({ state: 'exited' }, 'die');
    await pass(100);
    engine.printLine('c1', 'unheard');
    assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
    assert.deepEqual(engine.openLogs, []);
  });

  it('follows a container that runs when the service that it belongs to is declared', async () => {
    const { engine, listen, unknown, emitOwners } = await setUp();
    unknown.add('db');
    await listen();
    assert.deepEqual(engine.openLogs, ['c1']);
    unknown.clear();
    emitOwners();
    await flush();
    assert.deepEqual(engine.openLogs, ['c1', 'c2']);
  });

  it('follows what runs as soon as somebody listens, from then on, and closes everything when nobody listens any more', async () => {
    const { engine, clock, listen, takeLines, lines, pass } = await setUp();
    engine.containers.set('c3', aContainer({ id: 'c3', state: 'exited' }));
    engine.printLine('c1', 'before');
    clock.advance(10);
    const stop = await listen();
    assert.deepEqual(engine.openLogs, ['c1', 'c2']);
    engine.printLine('c1', 'one');
    engine.printLine('c2', 'two', true);
    await flush();
    assert.deepEqual(lines, [
      { message: 'one', isStdErr: false, timestamp: clock.now(), serviceName: 'web', serviceId: 7 },
      { message: 'two', isStdErr: true, timestamp: clock.now(), serviceName: 'db', serviceId: 7 },
    ]);
    stop();
    await flush();
    assert.deepEqual(engine.openLogs, []);
    engine.takeRequests();
    takeLines();
    engine.printLine('c1', 'unheard');
    await pass(10_000);
    await listen();
    engine.printLine('c1', 'heard');
    await flush();
    assert.deepEqual(takeLines(), ['heard']);
  });

  it('attaches when a container starts, with the lines it wrote before that was noticed', async () => {
    const { engine, clock, listen, takeLines, pass, become } = await setUp();
    await listen();
    await pass(100);
    const startedAt = new Date(clock.now()).toISOString();
    become({ id: 'c9', state: 'running', startedAt }, 'start');
    engine.printLine('c9', 'first words');
    await pass(100);
    assert.deepEqual(takeLines(), ['first words']);
  });

  it('shows what a container wrote that came and went unnoticed', async () => {
    const { engine, clock, listen, takeLines, pass, become, follows } = await setUp();
    await listen();
    await pass(100);
    follows();
    const startedAt = new Date(clock.now()).toISOString();
    engine.printLine('c9', 'short life');
    become({ id: 'c9', state: 'exited', startedAt }, 'die');
    await pass(10_000);
    assert.deepEqual(takeLines(), ['short life']);
    assert.deepEqual(follows(), ['followLogs c9']);
  });

  it('lets go of a stopped container and takes up its next run without repeating a line', async () => {
    const { engine, clock, listen, takeLines, pass, become, follows } = await setUp();
    await listen();
    engine.printLine('c1', 'a');
    engine.printLine('c1', 'b');
    await flush();
    follows();
    become({ state: 'exited' }, 'die');
    engine.endLog('c1');
    await pass(5_000);
    assert.deepEqual(follows(), [], 'nothing is asked about a stopped container');
    engine.printLine('c1', 'c');
    become({ state: 'running', startedAt: new Date(clock.now()).toISOString() }, 'start');
    await pass(500);
    assert.deepEqual(takeLines(), ['a', 'b', 'c']);
    assert.deepEqual(follows(), ['followLogs c1']);
  });

  it('goes on after a broken stream: nothing twice, nothing left out, the others undisturbed', async () => {
    const { engine, listen, takeLines, pass, clock, follows } = await setUp();
    await listen();
    engine.printLine('c1', 'a');
    engine.printLine('c1', 'a');
    await flush();
    follows();
    engine.endLog('c1', new EngineError('read error', 500));
    await flush();
    engine.printLine('c1', 'a');
    clock.advance(1);
    engine.printLine('c1', 'b');
    engine.printLine('c2', 'other');
    await pass(200);
    assert.deepEqual(takeLines(), ['a', 'a', 'other', 'a', 'b']);
    assert.deepEqual(follows(), ['followLogs c1']);
  });

  for (const byMs of [-365 * 86_400_000, -8 * 3_600_000, 2 * 86_400_000]) {
    it(`goes on with every container though the clock was set by ${byMs / 3_600_000} h`, async () => {
      const { engine, clock, listen, takeLines, pass, become } = await setUp();
      await listen();
      engine.printLine('c1', 'a');
      await flush();
      engine.endLog('c1', new EngineError('read error', 500));
      await pass(200);
      become({ id: 'c9', state: 'running', startedAt: new Date(clock.now()).toISOString() }, 'start');
      engine.printLine('c9', 'young');
      await pass(200);
      assert.deepEqual(takeLines(), ['a', 'young']);
      clock.set(byMs);
      await pass(10_100);
      for (const id of ['c1', 'c2', 'c9']) engine.printLine(id, `${id} goes on`);
      await flush();
      assert.deepEqual(takeLines(), ['c1 goes on', 'c2 goes on', 'c9 goes on']);
      become({ id: 'c9', state: 'exited' }, 'die');
      engine.endLog('c9');
      await pass(200);
      become({ id: 'c9', state: 'running', startedAt: new Date(clock.now()).toISOString() }, 'start');
      engine.printLine('c9', 'next run');
      await pass(500);
      // The engine has lines of an earlier run under a later time: they may come once more, and none is lost.
      assert.equal(takeLines().at(-1), 'next run');
    });

    it(`hears the first container of an engine whose clock differs by ${byMs / 3_600_000} h`, async () => {
      const { engine, clock, listen, takeLines, pass, become } = await setUp();
      for (const id of ['c1', 'c2']) {
        engine.containers.delete(id);
        engine.emit({ type: 'container', action: 'destroy', id });
      }
      await pass(100);
      await listen();
      await pass(2_000);
      engine.printLine('c9', 'first words', false, clock.now() + byMs);
      become({ id: 'c9', state: 'running', startedAt: new Date(clock.now() + byMs).toISOString() }, 'start');
      await pass(100);
      assert.deepEqual(takeLines(), ['first words']);
    });

    it(`hears an engine whose clock differs by ${byMs / 3_600_000} h`, async () => {
      const { engine, clock, listen, takeLines } = await setUp();
      engine.printLine('c1', 'before', false, clock.now() + byMs);
      await listen();
      engine.printLine('c1', 'a', false, clock.now() + byMs);
      await flush();
      assert.deepEqual(takeLines(), ['a']);
    });
  }

  it('tries a failing log again more and more rarely, and no other', async () => {
    const { engine, listen, pass, follows } = await setUp();
    engine.fault = (request) => (request === 'followLogs c1' ? new EngineError('no such driver', 501) : undefined);
    await listen();
    await pass(60_000);
    const asked = follows();
    assert.equal(asked.filter((it) => it === 'followLogs c2').length, 1);
    const failed = asked.length - 1;
    assert.ok(failed >= 10 && failed <= 20, `${failed} times in a minute`);
  });

  it('does not hammer an engine that ends the stream of a running container at once', async () => {
    const { engine, listen, pass, follows } = await setUp();
    await listen();
    follows();
    for (let second = 0; second < 60; second++) {
      engine.endLog('c1');
      await pass(1_000);
    }
    assert.ok(follows().length <= 20);
  });

  it('takes up where it was after a restart of the engine', async () => {
    const { engine, cache, listen, takeLines, pass, clock } = await setUp();
    await listen();
    engine.printLine('c1', 'a');
    await flush();
    engine.down = true;
    engine.breakStreams();
    engine.endLog('c1', new EngineError('gone', 500));
    engine.endLog('c2', new EngineError('gone', 500));
    await pass(3_000);
    assert.equal(cache.hasSynced, false);
    engine.requests = [];
    await pass(3_000);
    assert.deepEqual(
      engine.takeRequests().filter((it) => it !== 'events'),
      [],
      'nothing is asked of an engine that is gone',
    );
    engine.printLine('c1', 'written meanwhile');
    clock.advance(1);
    engine.down = false;
    await pass(10_000);
    engine.printLine('c1', 'b');
    await flush();
    assert.deepEqual(takeLines(), ['a', 'written meanwhile', 'b']);
  });

  it('takes the last lines of a removed container, then closes its stream', async () => {
    const { engine, listen, takeLines, pass } = await setUp();
    await listen();
    engine.containers.delete('c1');
    engine.emit({ type: 'container', action: 'destroy', id: 'c1' });
    await flush();
    engine.printLine('c1', 'farewell');
    await flush();
    assert.deepEqual(takeLines(), ['farewell']);
    await pass(1_000);
    assert.deepEqual(engine.openLogs, ['c2']);
  });

  it('shows of each service what its level says', async () => {
    const { engine, listen, takeLines } = await setUp(({ id }) => (id === 'c1' ? 'err' : 'none'));
    await listen();
    assert.deepEqual(engine.openLogs, ['c1']);
    engine.printLine('c1', 'chatter');
    engine.printLine('c1', 'alarm', true);
    await flush();
    assert.deepEqual(takeLines(), ['alarm']);
  });

  it('does not follow a container that is nobody’s', async () => {
    const { engine, listen, become, pass } = await setUp();
    become({ id: 'x', serviceName: undefined }, 'start');
    await pass(100);
    await listen();
    assert.deepEqual(engine.openLogs, ['c1', 'c2']);
  });

  it('stops: closes every stream, also of containers that just went, and hears no audience any more', async () => {
    const { engine, follower, listen, logs } = await setUp();
    const stop = await listen();
    engine.containers.delete('c1');
    engine.emit({ type: 'container', action: 'destroy', id: 'c1' });
    await flush();
    await follower.stop();
    assert.deepEqual(engine.openLogs, []);
    stop();
    logs.listen(() => undefined);
    await flush();
    assert.deepEqual(engine.openLogs, []);
  });
});

for (const punctuality of PUNCTUALITIES) {
  describe(`The log follower, when timers fire ${punctuality}`, () => {
    const open = () => setUp(undefined, new FakeClock(undefined, punctuality));

    it('goes on after streams that break and a log that cannot be read, nothing twice, nothing left out', async () => {
      const { engine, clock, listen, takeLines, follower } = await open();
      await listen();
      engine.printLine('c1', 'a');
      await flush();
      engine.fault = (request) => (request === 'followLogs c1' ? new EngineError('not now', 500) : undefined);
      engine.endLog('c1', new EngineError('read error', 500));
      await flush();
      engine.printLine('c1', 'b');
      await fire(clock, 4);
      engine.fault = () => undefined;
      await fire(clock, 2);
      clock.advance(1);
      engine.printLine('c1', 'c');
      await flush();
      assert.deepEqual(takeLines(), ['a', 'b', 'c']);
      await follower.stop();
    });

    it('follows a container through its next run, and lets go of one that was removed', async () => {
      const { engine, clock, listen, takeLines, become, cache, follower } = await open();
      await listen();
      become({ state: 'exited' }, 'die');
      engine.endLog('c1');
      await fire(clock, 3);
      clock.advance(100);
      become({ state: 'running', startedAt: new Date(clock.now()).toISOString() }, 'start');
      engine.printLine('c1', 'next run');
      await fire(clock, 3);
      assert.deepEqual(takeLines(), ['next run']);
      engine.containers.delete('c1');
      engine.emit({ type: 'container', action: 'destroy', id: 'c1' });
      await flush();
      await fire(clock, 3);
      assert.deepEqual(engine.openLogs, ['c2']);
      await follower.stop();
      await cache.stop();
      assert.deepEqual([engine.openLogs, clock.planned], [[], []]);
    });
  });
}

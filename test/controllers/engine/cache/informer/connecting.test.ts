import assert from 'node:assert/strict';
import { reconnectDelayMs, startInformer } from '../../../../../controllers/engine/cache/informer.js';
import { EngineError } from '../../../../../controllers/engine/engine.js';
import type { Vitals } from '../../../../../controllers/runtime/health.js';
import { FakeClock } from '../../../../setup/fake-clock.js';
import { aContainer, aNetwork, aVolume, flush, ScriptedEngine, silent } from '../../scripted-engine.js';
import { aCache, COALESCE_MS, LISTS } from './a-cache.js';

describe('The cache of the engine, connecting', () => {
  it('subscribes to events before it lists, then is fresh', async () => {
    const { cache, first } = await aCache((engine) => engine.containers.set('c1', aContainer()));
    assert.deepEqual(first.requests, ['events', ...LISTS]);
    assert.deepEqual(first.changes, ['container c1', 'all']);
    assert.equal(cache.hasSynced, true);
    assert.equal(cache.syncError, undefined);
    assert.deepEqual(cache.containers(), [aContainer()]);
  });

  it('asks nothing before it starts, and nothing while nothing happens', async () => {
    const clock = new FakeClock();
    const engine = new ScriptedEngine(() => clock.now());
    const cache = startInformer({ engine, log: silent, clock });
    assert.equal(cache.hasSynced, false);
    assert.notEqual(cache.syncError, undefined);
    await flush();
    assert.deepEqual(engine.takeRequests(), []);
    await cache.start();
    engine.takeRequests();
    clock.advance(3_600_000);
    await flush();
    assert.deepEqual(engine.takeRequests(), []);
    assert.deepEqual(clock.planned, []);
  });

  it('comes up with a dead engine, says why, and connects once the engine is there', async () => {
    const { cache, engine, takeChanges, pass, first } = await aCache((it) => {
      it.down = true;
    });
    assert.equal(cache.hasSynced, false);
    assert.equal(cache.syncError, 'The Docker engine cannot be followed: connect ECONNREFUSED /run/docker.sock');
    assert.deepEqual(first.requests, ['events']);
    engine.down = false;
    await pass(10_000);
    assert.equal(cache.hasSynced, true);
    assert.equal(cache.syncError, undefined);
    assert.deepEqual(takeChanges(), ['all']);
  });

  it('is not fresh when a list fails, and drops that connection', async () => {
    const { cache, engine } = await aCache((it) => {
      it.fault = (request) => (request === 'listVolumes' ? new EngineError('driver gone', 500) : undefined);
    });
    assert.equal(cache.hasSynced, false);
    assert.equal(cache.syncError, 'The Docker engine cannot be followed: driver gone');
    await flush();
    assert.equal(engine.listeners, 0);
  });

  it('tells since when it is deaf, and whether the engine answers', async () => {
    const { cache, engine, clock, pass } = await aCache();
    const listedAtMs = clock.monotonic() - 1_000;
    const vitals = (): Vitals => cache.vitals;
    assert.deepEqual(vitals(), { listedAtMs, triedAtMs: listedAtMs, lostAtMs: undefined, engineAnswers: true });
    const lostAtMs = clock.monotonic();
    engine.down = true;
    engine.breakStreams();
    await flush();
    await pass(100);
    const triedAtMs = clock.monotonic();
    assert.deepEqual(vitals(), { listedAtMs, triedAtMs, lostAtMs, engineAnswers: false });
    engine.down = false;
    engine.fault = (request) => (request === 'listVolumes' ? new EngineError('driver gone', 500) : undefined);
    await pass(200);
    assert.deepEqual([vitals().lostAtMs, vitals().engineAnswers], [lostAtMs, true]);
    engine.fault = () => undefined;
    await pass(400);
    assert.equal(cache.hasSynced, true);
    assert.deepEqual([vitals().lostAtMs, vitals().listedAtMs], [undefined, vitals().triedAtMs]);
  });

  it('waits 100 ms and twice as long each time, 5 s at most', () => {
    assert.deepEqual([1, 2, 3, 6, 7, 50].map(reconnectDelayMs), [100, 200, 400, 3_200, 5_000, 5_000]);
  });

  it('tries again in growing intervals, from the shortest again after a success', async () => {
    const { engine, clock, pass } = await aCache();
    engine.down = true;
    engine.breakStreams();
    await flush();
    assert.deepEqual(clock.planned, [100]);
    await pass(100);
    assert.deepEqual(clock.planned, [200]);
    engine.down = false;
    await pass(200);
    assert.deepEqual(clock.planned, []);
    engine.breakStreams();
    await flush();
    assert.deepEqual(clock.planned, [100]);
  });

  it('shows what it knew while disconnected, and announces after reconnecting only what differs', async () => {
    const { cache, engine, takeChanges, pass } = await aCache((it) => {
      it.containers.set('c1', aContainer());
      it.containers.set('c2', aContainer({ id: 'c2', serviceName: 'db' }));
      it.volumes.set('1_data', aVolume());
    });
    engine.breakStreams();
    await flush();
    assert.equal(cache.hasSynced, false);
    assert.deepEqual(takeChanges(), ['all']);
    assert.equal(cache.containers().length, 2);
    engine.containers.set('c1', aContainer({ state: 'exited' }));
    engine.networks.set('n1', aNetwork());
    await pass(100);
    assert.deepEqual(takeChanges(), ['container c1', 'network net', 'all']);
    assert.equal(cache.containersOf(1, 'web')[0]?.state, 'exited');
  });

  it('takes nothing for granted after it was deaf: edited limits do not show in a list', async () => {
    const { cache, engine, takeChanges, pass } = await aCache((it) => it.containers.set('c1', aContainer()));
    engine.trusting = true;
    const edited = aContainer({ env: { EDITED: '1' } });
    engine.breakStreams();
    await flush();
    engine.containers.set('c1', edited);
    await pass(100);
    assert.deepEqual(takeChanges(), ['all', 'container c1', 'all']);
    assert.deepEqual(cache.containers(), [edited]);
  });

  it('takes the word of whoever looks after the engine: gives its connection up, says why, and tries again', async () => {
    const { cache, pass, takeChanges } = await aCache();
    cache.explain('The engine hangs');
    await flush();
    assert.deepEqual(
      [cache.hasSynced, cache.syncError, cache.vitals.engineAnswers],
      [false, 'The engine hangs', false],
    );
    cache.explain('The engine has ended');
    assert.equal(cache.syncError, 'The engine has ended');
    assert.deepEqual(takeChanges(), ['all', 'all'], 'documents are to say so');
    await pass(reconnectDelayMs(1) + COALESCE_MS);
    cache.explain(undefined);
    assert.deepEqual([cache.hasSynced, cache.syncError], [true, undefined]);
  });

  it('believes nothing that a new connection shows while the engine is said not to be well, and lists again afterwards', async () => {
    const { cache, engine, clock, pass, takeChanges } = await aCache();
    cache.explain('Its containerd hangs');
    await pass(reconnectDelayMs(1) + COALESCE_MS);
    assert.equal(engine.listeners, 1, 'it is connected');
    assert.deepEqual([cache.hasSynced, cache.syncError], [false, 'Its containerd hangs']);
    assert.equal(cache.vitals.engineAnswers, false);
    assert.ok(clock.monotonic() - (cache.vitals.lostAtMs ?? Number.NaN) < 1_000);
    [engine.requests, takeChanges().length] = [[], 0];
    engine.containers.set('c1', aContainer());
    cache.explain(undefined);
    await flush();
    assert.deepEqual(engine.takeRequests(), LISTS);
    assert.deepEqual([cache.hasSynced, cache.vitals.engineAnswers], [true, true]);
    assert.deepEqual(takeChanges(), ['all', 'container c1']);
  });

  it('treats a stream that just ends as a lost connection', async () => {
    const { cache, engine } = await aCache();
    engine.breakStreams(new Error('aborted'));
    await flush();
    assert.match(cache.syncError ?? '', /aborted$/);
  });

  it('stops: closes its stream, plans nothing, asks nothing', async () => {
    const { cache, engine, clock } = await aCache();
    engine.emit({ type: 'container', action: 'start', id: 'c9' });
    await flush();
    await cache.stop();
    clock.advance(60_000);
    await flush();
    assert.equal(engine.listeners, 0);
    assert.deepEqual(clock.planned, []);
    assert.deepEqual(engine.takeRequests(), []);
  });

  it('stops while the engine is down, and while it starts', async () => {
    const { cache, clock } = await aCache((it) => {
      it.down = true;
    });
    await cache.stop();
    assert.deepEqual(clock.planned, []);
    const other = await aCache();
    const release = other.engine.hold('listContainers');
    const again = startInformer({ engine: other.engine, log: silent, clock });
    const starting = again.start();
    await flush();
    await again.stop();
    await starting;
    release();
  });
});

import assert from 'node:assert/strict';
import { EngineError } from '../../../../../controllers/engine/engine.js';
import { aContainer, aNetwork, aVolume, flush, never, type ScriptedEngine } from '../../scripted-engine.js';
import { aCache, COALESCE_MS, changeContainer } from './a-cache.js';

describe('The cache of the engine, told of a container', () => {
  it('inspects once for a burst', async () => {
    const { cache, engine, takeChanges, pass } = await aCache();
    changeContainer(engine, 'create', { state: 'created' });
    changeContainer(engine, 'start', { state: 'running' });
    await pass(COALESCE_MS - 5);
    changeContainer(engine, 'die', { state: 'exited' });
    await pass(60);
    assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
    assert.deepEqual(takeChanges(), ['container c1']);
    assert.equal(cache.containersOf(1, 'web')[0]?.state, 'exited');
  });

  it('inspects once more for everything that comes while it inspects', async () => {
    const { cache, engine, pass } = await aCache((it) => it.containers.set('c1', aContainer()));
    const release = engine.hold('inspectContainer c1');
    changeContainer(engine, 'die', { state: 'exited' });
    await pass(COALESCE_MS + 5);
    for (const state of ['running', 'exited', 'running'] as const) {
      changeContainer(engine, state === 'running' ? 'start' : 'die', { state });
      await pass(5);
    }
    release();
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['inspectContainer c1', 'inspectContainer c1']);
    assert.equal(cache.containersOf(1, 'web')[0]?.state, 'running');
  });

  const free: {
    it: string;
    action: string;
    attributes?: Record<string, string>;
    want: Parameters<typeof aContainer>[0];
  }[] = [
    { it: 'a health check', action: 'health_status: unhealthy', want: { health: 'unhealthy' } },
    { it: 'a rename', action: 'rename', attributes: { name: 'new', oldName: '/old' }, want: { name: 'new' } },
  ];
  for (const { it: what, action, attributes, want } of free) {
    it(`takes ${what} from the event, without a request`, async () => {
      const { cache, engine, takeChanges, pass } = await aCache((engine) => engine.containers.set('c1', aContainer()));
      engine.emit({ type: 'container', action, id: 'c1', attributes: attributes ?? {} });
      await pass(100);
      assert.deepEqual(engine.takeRequests(), []);
      assert.deepEqual(takeChanges(), ['container c1']);
      assert.deepEqual(cache.containers(), [aContainer(want)]);
      engine.emit({ type: 'container', action, id: 'c1', attributes: attributes ?? {} });
      await pass(100);
      assert.deepEqual(takeChanges(), [], 'the same again is no change');
    });
  }

  it('removes a destroyed one without a request, with the services it was found under', async () => {
    const { cache, engine, takeChanges, pass } = await aCache((it) => it.containers.set('c1', aContainer()));
    assert.equal(cache.containersOf(1, 'web').length, 1);
    engine.containers.clear();
    engine.emit({ type: 'container', action: 'die', id: 'c1' });
    engine.emit({ type: 'container', action: 'destroy', id: 'c1' });
    await pass(100);
    assert.deepEqual(engine.takeRequests(), []);
    assert.deepEqual(takeChanges(), ['container c1']);
    assert.deepEqual(cache.containersOf(1, 'web'), []);
  });

  it('does not bring a destroyed one back by an inspection that began before', async () => {
    const { cache, engine } = await aCache((it) => it.containers.set('c1', aContainer()));
    const release = engine.hold('inspectContainer c1');
    const refreshed = cache.refreshContainer('c1', never);
    await flush();
    engine.emit({ type: 'container', action: 'destroy', id: 'c1' });
    await flush();
    release();
    assert.equal(await refreshed, undefined);
    assert.deepEqual(cache.containers(), []);
  });

  it('does not go back to the health that an inspection saw before the event', async () => {
    const { cache, engine, pass } = await aCache((it) => it.containers.set('c1', aContainer({ health: 'starting' })));
    const release = engine.hold('inspectContainer c1');
    const refreshed = cache.refreshContainer('c1', never);
    await pass(5);
    const seen: unknown[] = [];
    cache.onChange(() => seen.push(cache.containers()[0]?.health));
    changeContainer(engine, 'health_status: healthy', { health: 'healthy' });
    await flush();
    release();
    await refreshed;
    await pass(100);
    assert.deepEqual([...new Set(seen)], ['healthy']);
  });

  const ignored: { it: string; event: Parameters<ScriptedEngine['emit']>[0] }[] = [
    { it: 'runs of health checks', event: { type: 'container', action: 'exec_start: /bin/sh -c true', id: 'c1' } },
    { it: 'signals', event: { type: 'container', action: 'kill', id: 'c1' } },
    { it: 'mounted volumes', event: { type: 'volume', action: 'mount', id: '1_data' } },
    { it: 'anonymous volumes', event: { type: 'volume', action: 'create', id: 'ab'.repeat(32) } },
    { it: 'pushed images', event: { type: 'image', action: 'push', id: 'busybox:latest' } },
    {
      it: "other people's containers on a network",
      event: { type: 'network', action: 'connect', id: 'n1', attributes: { container: 'foreign', name: 'net' } },
    },
  ];
  for (const { it: what, event } of ignored) {
    it(`spends nothing on ${what}`, async () => {
      const { engine, takeChanges, pass } = await aCache((it) => it.containers.set('c1', aContainer()));
      engine.emit(event);
      await pass(100);
      assert.deepEqual(engine.takeRequests(), []);
      assert.deepEqual(takeChanges(), []);
    });
  }

  it("spends nothing on other people's containers", async () => {
    const { clock, engine, pass } = await aCache();
    const timeNano = `${clock.now()}000000`;
    for (const action of ['create', 'start', 'die', 'rename', 'health_status: healthy', 'destroy']) {
      engine.emitRaw({ type: 'container', action, id: 'foreign', timeNano, attributes: { name: 'x' } });
    }
    await pass(100);
    assert.deepEqual(engine.takeRequests(), []);
  });

  it('inspects the container that joins or leaves a network', async () => {
    const { cache, engine, pass } = await aCache((it) => it.containers.set('c1', aContainer()));
    engine.containers.set('c1', aContainer({ networks: { net: { id: 'n1' } } }));
    engine.emit({ type: 'network', action: 'connect', id: 'n1', attributes: { container: 'c1', name: 'net' } });
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
    assert.deepEqual(
      cache.attachedTo('net').map(({ id }) => id),
      ['c1'],
    );
    assert.deepEqual(cache.attachedTo('toString'), []);
  });

  it('orders the containers of a service, newest first', async () => {
    const { cache } = await aCache((it) => {
      for (const [id, createdAt] of [
        ['old', '2026-01-01T00:00:00.000Z'],
        ['new', '2026-01-03T00:00:00.000Z'],
        ['mid', '2026-01-02T00:00:00.000Z'],
      ] as const)
        it.containers.set(id, aContainer({ id, createdAt }));
      it.containers.set('other', aContainer({ id: 'other', appId: 2 }));
    });
    assert.deepEqual(
      cache.containersOf(1, 'web').map(({ id }) => id),
      ['new', 'mid', 'old'],
    );
  });

  it('shows one that does not say whose it is, and gives it to no service', async () => {
    const { cache } = await aCache((it) => it.containers.set('x', aContainer({ id: 'x', appId: undefined })));
    assert.equal(cache.containers().length, 1);
    assert.deepEqual(cache.containersOf(1, 'web'), []);
  });

  it('tries again when an inspection fails', async () => {
    const { cache, engine, pass } = await aCache((it) => it.containers.set('c1', aContainer()));
    engine.fault = (request) => (request.startsWith('inspect') ? new EngineError('busy', 500) : undefined);
    changeContainer(engine, 'die', { state: 'exited' });
    await pass(500);
    assert.equal(engine.takeRequests().length, 1);
    engine.fault = () => undefined;
    await pass(1_000);
    assert.equal(cache.containers()[0]?.state, 'exited');
  });
});

describe('The cache of the engine, asked to look again', () => {
  it('does not overwrite the answer to a later question', async () => {
    const { cache, engine } = await aCache((it) => it.containers.set('c1', aContainer()));
    const release = engine.hold('inspectContainer c1');
    const older = cache.refreshContainer('c1', never);
    await flush();
    engine.containers.set('c1', aContainer({ state: 'exited' }));
    const releaseNewer = engine.hold('inspectContainer c1');
    const newer = cache.refreshContainer('c1', never);
    await flush();
    releaseNewer();
    assert.equal((await newer)?.state, 'exited');
    release();
    assert.equal((await older)?.state, 'exited');
    assert.equal(cache.containers()[0]?.state, 'exited');
  });

  it('answers events that came before it', async () => {
    const { cache, engine, pass } = await aCache((it) => it.containers.set('c1', aContainer()));
    changeContainer(engine, 'die', { state: 'exited' });
    await flush();
    await cache.refreshContainer('c1', never);
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
  });

  it('throws what the engine says, and looks again by itself', async () => {
    const { cache, engine, pass } = await aCache((it) => it.containers.set('c1', aContainer()));
    engine.containers.set('c1', aContainer({ state: 'exited' }));
    engine.fault = () => new EngineError('busy', 500);
    await assert.rejects(cache.refreshContainer('c1', never), /busy/);
    engine.fault = () => undefined;
    await pass(100);
    assert.equal(cache.containers()[0]?.state, 'exited');
  });

  it('does not take a container without our label for one of ours', async () => {
    const { cache, engine } = await aCache();
    engine.containers.set('x', aContainer({ id: 'x', labels: {} }));
    assert.equal(await cache.refreshContainer('x', never), undefined);
    assert.deepEqual(cache.containers(), []);
  });

  it('shows every network of one name', async () => {
    const { cache, engine, takeChanges } = await aCache();
    engine.networks.set('n1', aNetwork());
    engine.networks.set('n2', aNetwork({ id: 'n2' }));
    assert.equal((await cache.refreshNetwork('net', never))?.name, 'net');
    assert.equal(cache.networks('net').length, 2);
    assert.deepEqual(engine.takeRequests(), ['listNetworks']);
    assert.deepEqual(takeChanges(), ['network net', 'network net']);
  });

  it('announces a volume once it changed', async () => {
    const { cache, engine, takeChanges } = await aCache();
    assert.equal(await cache.refreshVolume('1_data', never), undefined);
    engine.volumes.set('1_data', aVolume());
    assert.equal((await cache.refreshVolume('1_data', never))?.name, '1_data');
    await cache.refreshVolume('1_data', never);
    assert.deepEqual(takeChanges(), ['volume 1_data']);
  });

  it('leaves the others alone when one listener fails', async () => {
    const { cache, engine, takeChanges } = await aCache();
    cache.onChange(() => {
      throw new Error('mine');
    });
    const late: string[] = [];
    cache.onChange((change) => late.push(change.type));
    engine.volumes.set('1_data', aVolume());
    await cache.refreshVolume('1_data', never);
    assert.deepEqual(takeChanges(), ['volume 1_data']);
    assert.deepEqual(late, ['volume']);
  });
});

import assert from 'node:assert/strict';
import { aContainer, aNetwork, anImage, aVolume, flush, never } from '../../scripted-engine.js';
import { aCache, COALESCE_MS, changeContainer, LISTS } from './a-cache.js';

describe('The cache of the engine, listing again', () => {
  it('costs one request a type and announces nothing when nothing changed', async () => {
    const { cache, engine, takeChanges } = await aCache((it) => {
      it.containers.set('c1', aContainer());
      it.networks.set('n1', aNetwork());
      it.volumes.set('1_data', aVolume());
      it.images.set('sha256:a', anImage());
    });
    await cache.relist();
    assert.deepEqual(engine.takeRequests(), LISTS);
    assert.deepEqual(takeChanges(), []);
  });

  it('notices what events did not tell', async () => {
    const { cache, engine, takeChanges } = await aCache((it) => {
      it.containers.set('c1', aContainer());
      it.networks.set('n1', aNetwork());
      it.volumes.set('1_data', aVolume());
    });
    engine.containers.delete('c1');
    engine.containers.set('c2', aContainer({ id: 'c2' }));
    engine.networks.set('n1', aNetwork({ gateway: '172.17.0.1' }));
    engine.volumes.clear();
    engine.images.set('sha256:a', anImage());
    await cache.relist();
    assert.deepEqual(takeChanges(), ['container c1', 'container c2', 'network net', 'volume 1_data', 'image']);
    assert.equal(cache.network('net')?.gateway, '172.17.0.1');
    assert.equal(cache.volume('1_data'), undefined);
  });

  it('takes nothing for granted about a container that an event was about', async () => {
    const { cache, engine } = await aCache((it) => {
      it.containers.set('c1', aContainer());
      it.containers.set('c2', aContainer({ id: 'c2' }));
    });
    engine.trusting = true;
    changeContainer(engine, 'die', { state: 'exited' });
    engine.containers.set('c2', aContainer({ id: 'c2', state: 'exited' }));
    await flush();
    await cache.relist();
    const states = cache.containers().map(({ id, state }) => `${id} ${state}`);
    assert.deepEqual(states, ['c1 exited', 'c2 running']);
  });

  it('loses the connection when the engine is gone, without throwing', async () => {
    const { cache, engine, takeChanges } = await aCache();
    engine.down = true;
    await cache.relist();
    assert.equal(cache.hasSynced, false);
    assert.deepEqual(takeChanges(), ['all']);
  });

  it('tries to connect at once when disconnected', async () => {
    const { cache, engine } = await aCache((it) => {
      it.down = true;
    });
    await flush();
    engine.down = false;
    await cache.relist();
    assert.equal(cache.hasSynced, true);
  });

  it('does not bring back a container that was destroyed while the list was made', async () => {
    const { cache, engine } = await aCache((it) => it.containers.set('c1', aContainer()));
    const release = engine.hold('listContainers');
    const relisted = cache.relist();
    await flush();
    engine.containers.clear();
    engine.emit({ type: 'container', action: 'destroy', id: 'c1' });
    await flush();
    release();
    await relisted;
    assert.deepEqual(cache.containers(), []);
  });

  it('does not hide a container that was refreshed while the list was made', async () => {
    const { cache, engine } = await aCache();
    const release = engine.hold('listContainers');
    const relisted = cache.relist();
    await flush();
    engine.containers.set('c1', aContainer());
    await cache.refreshContainer('c1', never);
    release();
    await relisted;
    assert.equal(cache.containers().length, 1);
  });

  it('looks again when an older list and a newer event both know something', async () => {
    const { cache, engine, pass } = await aCache((it) => it.containers.set('c1', aContainer()));
    engine.containers.set('c1', aContainer({ error: 'told by no event' }));
    const release = engine.hold('listContainers');
    const relisted = cache.relist();
    await pass(5);
    changeContainer(engine, 'health_status: healthy', { health: 'healthy' });
    await flush();
    release();
    await relisted;
    await pass(COALESCE_MS);
    assert.deepEqual(cache.containers(), [aContainer({ error: 'told by no event', health: 'healthy' })]);
  });
});

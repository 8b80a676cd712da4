import assert from 'node:assert/strict';
import { aNetwork, anImage, aVolume, flush, never } from '../../scripted-engine.js';
import { aCache } from './a-cache.js';

describe('The cache of the engine, told of networks and volumes', () => {
  it('inspects a new network, drops a destroyed one without a request', async () => {
    const { cache, engine, takeChanges, pass } = await aCache();
    engine.networks.set('n1', aNetwork());
    engine.emit({ type: 'network', action: 'create', id: 'n1', attributes: { name: 'net' } });
    await pass(100);
    assert.equal(cache.network('net')?.id, 'n1');
    engine.networks.clear();
    engine.emit({ type: 'network', action: 'destroy', id: 'n1', attributes: { name: 'net' } });
    await pass(100);
    assert.equal(cache.network('net'), undefined);
    assert.deepEqual(engine.takeRequests(), ['inspectNetwork n1']);
    assert.deepEqual(takeChanges(), ['network net', 'network net']);
  });

  it('spends nothing on the late event of a network that was refreshed since', async () => {
    const { cache, engine, clock, pass } = await aCache();
    engine.networks.set('n1', aNetwork());
    await cache.refreshNetwork('net', never);
    engine.emit({ type: 'network', action: 'create', id: 'n1', attributes: { name: 'net' } }, clock.now() - 1);
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['listNetworks']);
  });

  it('looks at a volume that was made or removed', async () => {
    const { cache, engine, takeChanges, pass } = await aCache();
    engine.volumes.set('1_data', aVolume());
    engine.emit({ type: 'volume', action: 'create', id: '1_data' });
    await pass(100);
    assert.deepEqual(cache.volume('1_data'), aVolume());
    engine.volumes.clear();
    engine.emit({ type: 'volume', action: 'destroy', id: '1_data' });
    await pass(100);
    assert.equal(cache.volume('1_data'), undefined);
    assert.deepEqual(takeChanges(), ['volume 1_data', 'volume 1_data']);
  });

  it('keeps a volume that was made again, when the word of its end comes late', async () => {
    const { cache, engine, clock, pass } = await aCache((it) => it.volumes.set('1_data', aVolume()));
    engine.volumes.set('1_data', aVolume({ specHash: 'new' }));
    await cache.refreshVolume('1_data', never);
    engine.emit({ type: 'volume', action: 'destroy', id: '1_data' }, clock.now() - 2);
    engine.emit({ type: 'volume', action: 'create', id: '1_data' }, clock.now() - 1);
    await pass(100);
    assert.equal(cache.volume('1_data')?.specHash, 'new');
    assert.deepEqual(engine.takeRequests(), ['inspectVolume 1_data']);
  });
});

describe('The cache of the engine, asked for an image', () => {
  it('looks one up when it is first asked for, and announces that', async () => {
    const { cache, engine, takeChanges, pass } = await aCache((it) => it.images.set('sha256:a', anImage()));
    assert.equal(cache.image('busybox'), undefined);
    assert.equal(cache.image('busybox'), undefined);
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['inspectImage sha256:a']);
    assert.deepEqual(takeChanges(), ['image']);
    assert.deepEqual(cache.image('busybox'), anImage());
    assert.equal(
      cache.image('busybox'),
      cache.image('docker.io/library/busybox:latest'),
      'one object until it changes',
    );
  });

  it('asks once when somebody waits for it', async () => {
    const { cache, engine, pass } = await aCache((it) => it.images.set('sha256:a', anImage()));
    cache.image('busybox:latest');
    assert.equal((await cache.refreshImage('busybox:latest', never))?.id, 'sha256:a');
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['inspectImage busybox:latest']);
  });

  it('asks nothing about an image that is not local', async () => {
    const { cache, engine, pass } = await aCache();
    assert.equal(cache.image('nobody/nothing'), undefined);
    await pass(100);
    assert.deepEqual(engine.takeRequests(), []);
  });

  it('lists once for a burst of events', async () => {
    const { cache, engine, takeChanges, pass } = await aCache((it) => it.images.set('sha256:a', anImage()));
    await cache.refreshImage('busybox:latest', never);
    engine.takeRequests();
    takeChanges();
    await pass(10);
    engine.images.clear();
    engine.emit({ type: 'image', action: 'untag', id: 'sha256:a', attributes: { name: 'sha256:a' } });
    engine.emit({ type: 'image', action: 'delete', id: 'sha256:a' });
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['listImages']);
    assert.deepEqual(takeChanges(), ['image']);
    assert.equal(cache.image('busybox:latest'), undefined);
  });

  it('spends nothing on the word of a pull that was refreshed since', async () => {
    const { cache, engine, clock, pass } = await aCache();
    engine.images.set('sha256:a', anImage());
    engine.emit({ type: 'image', action: 'pull', id: 'busybox:latest' }, clock.now() - 1);
    await flush();
    await cache.refreshImage('busybox', never).catch(() => undefined);
    await cache.refreshImage('busybox:latest', never);
    engine.emit({ type: 'image', action: 'pull', id: 'busybox:latest' }, clock.now() - 1);
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['inspectImage busybox', 'inspectImage busybox:latest']);
  });

  it('follows a tag that moves to another image', async () => {
    const { cache, engine, clock, pass } = await aCache((it) => it.images.set('sha256:a', anImage()));
    await cache.refreshImage('busybox:latest', never);
    clock.advance(10);
    engine.images.set('sha256:a', anImage({ tags: [] }));
    engine.images.set('sha256:b', anImage({ id: 'sha256:b', config: { User: 'me' } }));
    engine.emit({ type: 'image', action: 'tag', id: 'sha256:b', attributes: { name: 'busybox:latest' } });
    await pass(100);
    assert.equal(cache.image('busybox:latest')?.config.User, 'me');
    assert.deepEqual(cache.image('sha256:a')?.tags, []);
  });

  it('looks at the image itself when one of its names leads nowhere any more', async () => {
    const digest = 'busybox@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd';
    const { cache, engine, takeChanges, pass } = await aCache((it) =>
      it.images.set('sha256:a', anImage({ digests: [digest] })),
    );
    await cache.refreshImage('busybox:latest', never);
    assert.equal(cache.image(digest)?.id, 'sha256:a');
    engine.takeRequests();
    takeChanges();
    // It was removed, and no event has told of that.
    engine.images.clear();
    await cache.refreshImage('busybox:latest', never);
    await pass(100);
    assert.equal(cache.image(digest), undefined);
    assert.deepEqual(engine.takeRequests(), ['inspectImage busybox:latest', 'inspectImage sha256:a']);
    assert.deepEqual(takeChanges(), ['image', 'image']);
  });

  it('does not lose a pulled image to a list that began before', async () => {
    const { cache, engine } = await aCache();
    const release = engine.hold('listImages');
    const relisted = cache.relist();
    await flush();
    engine.images.set('sha256:a', anImage());
    await cache.refreshImage('busybox:latest', never);
    release();
    await relisted;
    assert.equal(cache.image('busybox:latest')?.id, 'sha256:a');
    await cache.relist();
    assert.equal(cache.image('busybox:latest')?.id, 'sha256:a');
    engine.images.clear();
    await cache.relist();
    assert.equal(cache.image('busybox:latest'), undefined);
  });
});

import assert from 'node:assert/strict';
import { StorageError } from '../../../../api/platform/disk.js';
import type { Store } from '../../../../api/store/store.js';
import type { Image } from '../../../../crds/model/kinds.js';
import { anImage, aService, FailingDisk, Place, proposal } from '../fixtures.js';
import { serviceOf, watchedKeys } from './read-store.js';

describe('The store', () => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await Place.make();
    store = await place.store();
  });
  afterEach(() => place.remove());

  describe('keeps status', () => {
    beforeEach(() => store.propose(proposal('files', [aService('web'), anImage('image')])));

    it('visible at once, announced once, on disk after a flush', async () => {
      const seen = watchedKeys(store);
      const version = Number(store.resourceVersion);
      store.setStatus(serviceOf(store), { state: 'running' });
      store.setStatus(serviceOf(store), { state: 'running' });
      assert.deepEqual(serviceOf(store).status, { state: 'running' });
      assert.equal(serviceOf(store).metadata.generation, 1);
      assert.deepEqual(seen, ['MODIFIED Service/web status']);
      assert.ok(Number(store.resourceVersion) > version);
      await store.flush();
      const again = await place.store();
      assert.deepEqual(again.get('Service', 'web')?.status, { state: 'running' });
    });

    it('of the document that is meant, not of a later one by its name', async () => {
      const old = serviceOf(store);
      await store.propose(proposal('files', []));
      await store.propose(proposal('files', [aService('web', 'busybox:2')]));
      await store.release(serviceOf(store));
      store.setStatus(old, { state: 'running' });
      assert.equal(serviceOf(store).status, undefined);
    });

    it('written while a commit is under way', async () => {
      const done = store.propose(proposal('files', [aService('web', 'busybox:2')]));
      const before = serviceOf(store);
      store.setStatus(before, { observedGeneration: 1, state: 'running' });
      await done;
      assert.equal(serviceOf(store).metadata.generation, 2);
      assert.deepEqual(serviceOf(store).status, { observedGeneration: 1, state: 'running' });
    });

    it('with bounded writing, however often it changes', async () => {
      const disk = new FailingDisk();
      await store.close();
      store = await place.store({ disk, statusDelayMs: 1_000_000 });
      for (let at = 0; at < 10_000; at += 1) store.setStatus(serviceOf(store), { state: `state ${at}` });
      await store.flush();
      assert.equal(disk.calls.filter((call) => call.startsWith('create')).length, 1);
      assert.equal(serviceOf(store).status?.state, 'state 9999');
    });

    it('without writing what is back where it was, or is kept in memory only', async () => {
      const disk = new FailingDisk();
      await store.close();
      store = await place.store({ disk });
      const image = (): Image => store.get('Image', 'image') ?? assert.fail();
      store.setStatus(image(), { state: 'Downloading', downloadProgress: 1 });
      await store.flush();
      disk.fail(0, 'ever');
      for (let percent = 2; percent < 100; percent += 1) {
        store.setStatus(image(), { state: 'Downloading', downloadProgress: percent });
      }
      store.setStatus(image(), { state: 'Downloaded' });
      store.setStatus(image(), { state: 'Downloading', downloadProgress: 3 });
      await store.flush();
      assert.deepEqual(disk.calls, []);
      assert.equal(image().status?.downloadProgress, 3);
      await store.close();
      store = await place.store();
      assert.deepEqual(image().status, { state: 'Downloading' });
    });

    it('in memory when the disk refuses, says so once, and writes it later', async () => {
      const disk = new FailingDisk();
      await store.close();
      store = await place.store({ disk });
      disk.fail(0, 'ever');
      for (const state of ['one', 'two', 'three']) {
        store.setStatus(serviceOf(store), { state });
        await assert.rejects(store.flush(), StorageError);
      }
      assert.equal(serviceOf(store).status?.state, 'three');
      assert.equal(place.log.at('error').length, 1, place.log.at('error').join('\n'));
      assert.match(place.log.at('error')[0] ?? '', /Could not save status/);
      assert.match(store.diskFailure ?? '', /^Could not write /);
      disk.heal();
      await store.flush();
      assert.equal(store.diskFailure, undefined);
      const again = await place.store();
      assert.equal(again.get('Service', 'web')?.status?.state, 'three');
    });

    it('of one document although that of another cannot be written', async () => {
      await store.close();
      const disk = new FailingDisk();
      store = await place.store({ disk });
      store.setStatus(serviceOf(store), { state: 'running' });
      store.setStatus(store.get('Image', 'image') ?? assert.fail(), { state: 'Downloaded' });
      disk.fail(0, 'once');
      await assert.rejects(store.flush(), StorageError);
      await store.flush();
      const again = await place.store();
      assert.equal(again.get('Service', 'web')?.status?.state, 'running');
      assert.equal(again.get('Image', 'image')?.status?.state, 'Downloaded');
    });
  });
});

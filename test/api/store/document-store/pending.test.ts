import assert from 'node:assert/strict';
import type { Store } from '../../../../api/store/store.js';
import { aService, Place, proposal } from '../fixtures.js';
import { serviceOf, watchedKeys } from './read-store.js';

describe('The store', () => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await Place.make();
    store = await place.store();
  });
  afterEach(() => place.remove());

  describe('knows what is pending', () => {
    beforeEach(() => store.propose(proposal('files', [aService('web')])));
    const pending = (): boolean => store.isPending('Service/web');
    const observe = (generation: number, handled?: Record<string, string>): void =>
      store.setStatus(serviceOf(store), { observedGeneration: generation, ...(handled ? { handled } : {}) });

    it('until its generation was observed', async () => {
      assert.equal(pending(), true);
      observe(1);
      assert.equal(pending(), false);
      await store.propose(proposal('files', [aService('web', 'busybox:2')]));
      assert.equal(pending(), true);
    });

    it('until its requests were handled', async () => {
      observe(1);
      const { restart } = await store.request('Service/web', { restart: {} });
      assert.equal(pending(), true);
      observe(1, { restart: 'another' });
      assert.equal(pending(), true);
      observe(1, { restart: restart?.id ?? '' });
      assert.equal(pending(), false);
    });

    it('after a touch until a pass has concluded; both are seen by cached views, only the touch by watchers', () => {
      observe(1);
      const seen = watchedKeys(store);
      const versions = [store.resourceVersion];
      store.touch('Service/web');
      versions.push(store.resourceVersion);
      assert.equal(pending(), true);
      store.markReconciled('Service/web');
      versions.push(store.resourceVersion);
      assert.equal(pending(), false);
      store.markReconciled('Service/web');
      versions.push(store.resourceVersion);
      assert.deepEqual(seen, ['MODIFIED Service/web']);
      assert.equal(new Set(versions).size, 3);
    });

    it('while it is being deleted, unless its controller concluded', async () => {
      observe(1);
      await store.propose(proposal('files', []));
      assert.equal(pending(), true);
      store.markReconciled('Service/web');
      assert.equal(pending(), false);
      await store.release(serviceOf(store));
      store.touch('Service/web');
      assert.equal(pending(), false);
    });
  });
});

import assert from 'node:assert/strict';
import type { Store } from '../../../../api/store/store.js';
import { anApp, aService, NOW, Place, proposal } from '../fixtures.js';
import { serviceOf, watchedKeys } from './read-store.js';

describe('The store', () => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await Place.make();
    store = await place.store();
  });
  afterEach(() => place.remove());

  describe('takes requests', () => {
    it('with unique ids, on disk, and without another generation', async () => {
      await store.propose(proposal('files', [aService('web')]));
      const seen = watchedKeys(store);
      const first = await store.request('Service/web', { restart: { force: true }, stop: {} });
      const second = await store.request('Service/web', { restart: {} });
      assert.deepEqual(Object.keys(first), ['restart', 'stop']);
      assert.equal(first.restart?.force, true);
      assert.equal(first.restart?.at, new Date(NOW).toISOString());
      assert.notEqual(first.restart?.id, second.restart?.id);
      assert.deepEqual(serviceOf(store).requests, { ...first, ...second });
      assert.equal(serviceOf(store).metadata.generation, 1);
      assert.deepEqual(seen, ['MODIFIED Service/web requests', 'MODIFIED Service/web requests']);
      const again = await (await Place.make()).store({ folder: place.folder }); // no close before: as after a crash
      assert.deepEqual(again.get('Service', 'web')?.requests, { ...first, ...second });
      await again.close();
    });

    it('for documents that exist', async () => {
      await assert.rejects(store.request('Service/none', { restart: {} }), /Service\/none: no such document/);
    });

    it('each at a time of its own, in their order, whatever the clock says', async () => {
      await store.propose(proposal('files', [anApp('hello'), aService('web')]));
      const { stop } = await store.request('Service/web', { stop: {} });
      const { restart } = await store.request('App/hello', { restart: {} });
      const { start } = await store.request('Service/web', { start: {} });
      const times = [stop?.at ?? '', restart?.at ?? '', start?.at ?? ''];
      assert.deepEqual([...new Set(times)].sort(), times);
    });

    it('and gives up one that is withdrawn, unless another has taken its place', async () => {
      await store.propose(proposal('files', [aService('web')]));
      const { stop, restart } = await store.request('Service/web', { restart: {}, stop: {} });
      const again = await store.request('Service/web', { restart: {} });
      await store.withdraw('Service/web', 'restart', restart?.id ?? '');
      await store.withdraw('Service/web', 'stop', stop?.id ?? '');
      await store.withdraw('Service/none', 'stop', 'x');
      assert.deepEqual(store.get('Service', 'web')?.requests, again);
      const after = await (await Place.make()).store({ folder: place.folder });
      assert.deepEqual(after.get('Service', 'web')?.requests, again);
      await after.close();
    });
  });
});

import assert from 'node:assert/strict';
import type { Store } from '../../../../api/store/store.js';
import { accepted, aService, Place, proposal } from '../fixtures.js';
import { serviceOf } from './read-store.js';

describe('The store', () => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await Place.make();
    store = await place.store();
  });
  afterEach(() => place.remove());

  describe('one by one', () => {
    it('puts and deletes what belongs to the origin', async () => {
      assert.deepEqual(await store.put('api', aService('web')), accepted({ created: ['Service/web'] }));
      assert.deepEqual(await store.put('api', aService('db')), accepted({ created: ['Service/db'] }));
      assert.deepEqual(await store.put('api', aService('db', 'busybox:2')), accepted({ changed: ['Service/db'] }));
      assert.equal(await store.delete('api', 'Service/web'), 'deleted');
      assert.equal(await store.delete('api', 'Service/web'), 'deleted');
      assert.equal(await store.delete('api', 'Service/none'), 'absent');
      assert.ok(serviceOf(store).metadata.deletionTimestamp);
      assert.equal(serviceOf(store, 'db').metadata.deletionTimestamp, undefined);
    });

    it('refuses what belongs to another, to the caller only', async () => {
      await store.propose(proposal('files', [aService('web')]));
      const { refused } = await store.put('api', aService('web', 'busybox:2'));
      assert.deepEqual(refused, [
        {
          message: 'Service/web belongs to files; api cannot declare it as well.',
          path: 'metadata.name',
          kind: 'Service',
          name: 'web',
        },
      ]);
      assert.deepEqual(await store.delete('api', 'Service/web'), {
        message: 'Service/web belongs to files; api cannot delete it.',
        kind: 'Service',
        name: 'web',
      });
      assert.deepEqual(store.problems(), []);
      assert.equal(serviceOf(store).metadata.deletionTimestamp, undefined);
    });

    it('takes back what was put while the name was being given up', async () => {
      await store.put('api', aService('web'));
      await store.delete('api', 'Service/web');
      assert.deepEqual(await store.put('api', aService('web', 'busybox:2')), accepted({}));
      assert.equal(await store.delete('api', 'Service/web'), 'deleted');
      await store.release(serviceOf(store));
      assert.equal(store.get('Service', 'web'), undefined);
    });
  });
});

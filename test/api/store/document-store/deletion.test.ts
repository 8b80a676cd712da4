import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { Store } from '../../../../api/store/store.js';
import { accepted, aHostConfig, anApp, aService, Place, proposal } from '../fixtures.js';
import { serviceOf, watchedKeys } from './read-store.js';

describe('The store', () => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await Place.make();
    store = await place.store();
  });
  afterEach(() => place.remove());

  describe('deletes', () => {
    it('by marking, and lets go when the controller releases', async () => {
      await store.propose(proposal('files', [aService('web')]));
      const seen = watchedKeys(store);
      assert.deepEqual(await store.propose(proposal('files', [])), accepted({ deleted: ['Service/web'] }));
      const marked = serviceOf(store);
      assert.equal(marked.metadata.deletionTimestamp, '2026-01-02T03:04:05Z');
      assert.equal(marked.metadata.generation, 1);
      await store.release(marked);
      assert.equal(store.get('Service', 'web'), undefined);
      assert.deepEqual(seen, ['MODIFIED Service/web metadata', 'DELETED Service/web metadata']);
      await store.flush();
      assert.deepEqual(readdirSync(place.path('documents', 'services')), []);
    });

    it('nothing that is released without having been deleted, or under another uid', async () => {
      await store.propose(proposal('files', [aService('web')]));
      await store.release(serviceOf(store));
      assert.ok(store.get('Service', 'web'));
      const before = serviceOf(store);
      await store.propose(proposal('files', []));
      await store.release({ ...before, metadata: { ...before.metadata, uid: 'another' } });
      assert.ok(store.get('Service', 'web'));
    });

    it('at once what has nothing to clean up', async () => {
      await store.propose(proposal('files', [aHostConfig('other', 'one')]));
      assert.deepEqual(store.get('HostConfig', 'other')?.metadata.finalizers, []);
      await store.propose(proposal('files', []));
      assert.equal(store.get('HostConfig', 'other'), undefined);
    });

    it('and makes it again, as last declared, when it has gone', async () => {
      await store.propose(proposal('files', [aService('web', 'busybox:1')]));
      await store.propose(proposal('files', []));
      store.setStatus(serviceOf(store), { state: 'Stopping' });
      await store.flush();
      const old = serviceOf(store);
      await store.propose(proposal('files', [aService('web', 'busybox:2')]));
      await store.propose(proposal('files', [aService('web', 'busybox:3')]));
      assert.equal(serviceOf(store).spec.image, 'busybox:1');
      // The origin is not asked again: what it was told is kept, also over a restart.
      await store.close();
      store = await place.store();
      const seen = watchedKeys(store);
      await store.release(serviceOf(store));
      assert.deepEqual(seen, ['DELETED Service/web metadata', 'ADDED Service/web spec+metadata']);
      const { metadata, spec, status } = serviceOf(store);
      assert.notEqual(metadata.uid, old.metadata.uid);
      assert.deepEqual(
        { image: spec.image, status, generation: metadata.generation, deleted: metadata.deletionTimestamp },
        { image: 'busybox:3', status: undefined, generation: 1, deleted: undefined },
      );
      await store.flush();
      assert.deepEqual(readdirSync(place.path('status', 'services')), []);
    });

    it('for good when it was declared again and then no more', async () => {
      await store.propose(proposal('files', [aService('web')]));
      await store.propose(proposal('files', []));
      await store.propose(proposal('files', [aService('web')]));
      await store.propose(proposal('files', []));
      await store.release(serviceOf(store));
      assert.equal(store.get('Service', 'web'), undefined);
    });

    it('and makes a renamed App with the same appId when the old one has gone', async () => {
      await store.propose(proposal('files', [anApp('old', { appId: 7 })]));
      await store.propose(proposal('files', [anApp('new', { appId: 7 })]));
      assert.equal(store.get('App', 'new'), undefined);
      assert.equal(store.events('App/old')[0]?.message, 'App/new follows when this is gone');
      const old = store.get('App', 'old');
      assert.ok(old);
      await store.release(old);
      assert.equal(store.get('App', 'old'), undefined);
      assert.equal(store.get('App', 'new')?.spec.appId, 7);
    });

    it('and keeps the appId of what waits for it', async () => {
      await store.propose(proposal('files', [anApp('a', { appId: 7 })]));
      await store.propose(proposal('files', []));
      await store.propose(proposal('files', [anApp('a', { appId: 8 })]));
      const { refused } = await store.propose(proposal('local', [anApp('b', { appId: 8 })]));
      assert.deepEqual(
        refused.map(({ message }) => message),
        ['App/b: appId 8 belongs to App/a. Give this App another appId.'],
      );
      await store.release(store.get('App', 'a') ?? assert.fail());
      assert.equal(store.get('App', 'a')?.spec.appId, 8);
    });
  });
});

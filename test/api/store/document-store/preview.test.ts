import assert from 'node:assert/strict';
import type { Store } from '../../../../api/store/store.js';
import { accepted, aService, Place, proposal } from '../fixtures.js';

describe('The store', () => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await Place.make();
    store = await place.store();
  });
  afterEach(() => place.remove());

  describe('previews a set', () => {
    const versions = () => [store.resourceVersion, store.list('Service').map(({ metadata }) => metadata)];

    it('as it would be taken, and changes nothing', async () => {
      await store.propose(proposal('files', [aService('same'), aService('old'), aService('gone')]));
      const before = versions();
      const proposed = proposal('files', [aService('same'), aService('old', 'busybox:2'), aService('new')]);
      const previewed = store.previewSet(proposed);
      assert.deepEqual(
        previewed,
        accepted({ created: ['Service/new'], changed: ['Service/old'], deleted: ['Service/gone'] }),
      );
      assert.deepEqual(versions(), before);
      assert.deepEqual(await store.propose(proposed), previewed);
    });

    it('with what problems keep', async () => {
      await store.propose(proposal('files', [aService('kept'), aService('gone')]));
      const problems = [{ message: 'kept', kind: 'Service' as const, name: 'kept' }];
      assert.deepEqual(store.previewSet(proposal('files', [], { problems })), accepted({ deleted: ['Service/gone'] }));
    });

    for (const atomic of [true, false]) {
      it(`with refusals, ${atomic ? 'all for one' : 'one by one'}`, async () => {
        await store.propose(proposal('files', [aService('taken')]));
        await store.propose(proposal('git/fleet', [aService('old')]));
        const proposed = proposal('git/fleet', [aService('taken'), aService('new')], { atomic });
        const previewed = store.previewSet(proposed);
        assert.equal(previewed.refused.length, 1);
        assert.deepEqual(
          { ...previewed, refused: [] },
          atomic ? accepted({}) : accepted({ created: ['Service/new'], deleted: ['Service/old'] }),
        );
        assert.deepEqual(await store.propose(proposed), previewed);
        assert.equal(store.get('Service', 'new') === undefined, atomic);
        assert.equal(store.get('Service', 'taken')?.metadata.origin, 'files');
        assert.equal(store.problems().length, 1, 'what was refused is told either way');
      });
    }

    it('takes an atomic set that is all right', async () => {
      const proposed = proposal('git/fleet', [aService('a'), aService('b')], { atomic: true });
      assert.deepEqual(await store.propose(proposed), accepted({ created: ['Service/a', 'Service/b'] }));
    });
  });
});

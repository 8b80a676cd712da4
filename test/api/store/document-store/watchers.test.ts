import assert from 'node:assert/strict';
import type { Change, Store } from '../../../../api/store/store.js';
import type { AnyResource } from '../../../../crds/model/kinds.js';
import { aService, FailingDisk, Place, proposal } from '../fixtures.js';
import { serviceOf } from './read-store.js';

describe('The store', () => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await Place.make();
    store = await place.store();
  });
  afterEach(() => place.remove());

  describe('tells watchers', () => {
    it('everything in one order, also what a watcher itself causes', async () => {
      const seen: string[] = [];
      store.watch(({ type, object }) => {
        if (type === 'ADDED' && object.kind === 'Service') store.setStatus(object, { state: 'seen' });
      });
      store.watch(({ key, parts, resourceVersion }) => seen.push(`${resourceVersion} ${key} ${parts.join('+')}`));
      await store.propose(proposal('files', [aService('a'), aService('b')]));
      assert.deepEqual(
        seen.map((line) => line.replace(/^\d+ /, '')),
        ['Service/a spec+metadata', 'Service/b spec+metadata', 'Service/a status', 'Service/b status'],
      );
      assert.deepEqual(seen, [...seen].sort());
    });

    it('of a whole commit when all of it can be read', async () => {
      const counts: number[] = [];
      store.watch(() => counts.push(store.list('Service').length));
      await store.propose(proposal('files', [aService('a'), aService('b'), aService('c')]));
      assert.deepEqual(counts, [3, 3, 3]);
    });

    it('nothing before it is on disk', async () => {
      const disk = new FailingDisk();
      await store.close();
      store = await place.store({ disk });
      const callsBefore: string[][] = [];
      store.watch(() => callsBefore.push([...disk.calls]));
      await store.propose(proposal('files', [aService('a')]));
      const [commit, name, sync] = callsBefore[0] ?? [];
      assert.match(commit ?? '', /^create .*commit\.json/);
      assert.deepEqual([name, sync], [`rename ${place.path('commit.json')}`, `sync ${place.folder}`]);
    });

    it('no more after they stop, and the others when one throws', async () => {
      const seen: string[] = [];
      store.watch(() => {
        throw new Error('a broken watcher');
      });
      const stop = store.watch(({ key }) => seen.push(key));
      await store.propose(proposal('files', [aService('a')]));
      stop();
      await store.propose(proposal('files', []));
      assert.deepEqual(seen, ['Service/a']);
      assert.match(place.log.at('error').join(), /A watcher of the store failed/);
    });

    it('what they missed, as far back as it is known', async () => {
      const start = store.resourceVersion;
      await store.propose(proposal('files', [aService('a')]));
      const middle = store.resourceVersion;
      store.touch('Service/a');
      const reported = (changes: readonly Change[] | undefined) => changes?.map(({ key, type }) => `${type} ${key}`);
      assert.deepEqual(reported(store.since(start)), ['ADDED Service/a', 'MODIFIED Service/a']);
      assert.deepEqual(reported(store.since(middle)), ['MODIFIED Service/a']);
      assert.deepEqual(store.since(store.resourceVersion), []);
      for (const unknown of ['', 'x', '-1', '0', String(Number(store.resourceVersion) + 1)]) {
        assert.equal(store.since(unknown), undefined, unknown);
      }
      for (let at = 0; at < 5_000; at += 1) store.touch('Service/a');
      assert.equal(store.since(middle), undefined);
      const recent = String(Number(store.resourceVersion) - 900);
      assert.equal(store.since(recent)?.length, 900);
    });
  });

  describe('numbers versions', () => {
    it('upwards, over restarts, when nothing was written and the clock went back', async () => {
      await store.propose(proposal('files', [aService('web')]));
      for (let at = 0; at < 1_000; at += 1) store.touch('Service/web');
      const before = Number(store.resourceVersion);
      const resource: AnyResource = serviceOf(store);
      await store.close();
      store = await place.store({ now: () => 0 });
      assert.ok(Number(serviceOf(store).metadata.resourceVersion) > before);
      assert.ok(Number(serviceOf(store).metadata.resourceVersion) > Number(resource.metadata.resourceVersion));
    });
  });
});

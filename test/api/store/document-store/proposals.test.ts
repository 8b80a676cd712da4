import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { StorageError } from '../../../../api/platform/disk.js';
import type { Store } from '../../../../api/store/store.js';
import { accepted, anApp, aService, FailingDisk, Place, proposal } from '../fixtures.js';
import { serviceOf, watchedKeys } from './read-store.js';

describe('The store', () => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await Place.make();
    store = await place.store();
  });
  afterEach(() => place.remove());

  describe('takes proposals', () => {
    it('and shows what was accepted, numbered, owned and on disk', async () => {
      const output = proposal(
        'App/hello',
        [aService('web', 'busybox:1', { file: 'a.yaml', line: 2, labels: { a: 'b' } })],
        {
          owner: 'App/hello',
        },
      );
      assert.deepEqual(await store.propose(output), accepted({ created: ['Service/web'] }));
      const { metadata, spec, requests } = serviceOf(store);
      assert.match(metadata.uid, /^[0-9a-f-]{36}$/);
      assert.deepEqual(
        { ...metadata, uid: '', resourceVersion: '' },
        {
          name: 'web',
          uid: '',
          generation: 1,
          resourceVersion: '',
          creationTimestamp: '2026-01-02T03:04:05Z',
          finalizers: ['supercargo.io/controller'],
          origin: 'App/hello',
          owner: 'App/hello',
          source: { file: 'a.yaml', line: 2 },
          labels: { a: 'b' },
        },
      );
      assert.deepEqual(spec, { app: 'hello', serviceName: 'web', image: 'busybox:1' });
      assert.deepEqual(requests, {});
      assert.deepEqual(store.owned('App/hello', 'Service'), [serviceOf(store)]);
      assert.deepEqual(store.owned('App/hello', 'Volume'), []);
      await store.flush();
      const file = JSON.parse(readFileSync(place.path('documents', 'services', 'web.json'), 'utf8'));
      assert.deepEqual(file.spec, spec);
      assert.equal(statSync(place.path('documents', 'services', 'web.json')).mode & 0o777, 0o600);
      assert.equal(statSync(place.path('documents', 'services')).mode & 0o777, 0o700);
    });

    it('and raises the generation for another spec only', async () => {
      await store.propose(proposal('files', [aService('web')]));
      const { uid } = serviceOf(store).metadata;
      await store.propose(proposal('files', [aService('web', 'busybox:1', { labels: { a: 'b' } })]));
      assert.equal(serviceOf(store).metadata.generation, 1);
      assert.deepEqual(serviceOf(store).metadata.labels, { a: 'b' });
      const changed = await store.propose(proposal('files', [aService('web', 'busybox:2')]));
      assert.deepEqual(changed, accepted({ changed: ['Service/web'] }));
      assert.equal(serviceOf(store).metadata.generation, 2);
      assert.equal(serviceOf(store).metadata.labels, undefined);
      assert.equal(serviceOf(store).metadata.uid, uid);
    });

    it('and does nothing at all for the same again', async () => {
      const disk = new FailingDisk();
      await store.close();
      store = await place.store({ disk });
      const same = () => proposal('files', [anApp('hello', { appId: 1 }), aService('web')]);
      await store.propose(same());
      await store.flush();
      const seen = watchedKeys(store);
      const version = store.resourceVersion;
      disk.fail(0, 'ever');
      assert.deepEqual(await store.propose(same()), accepted({}));
      await store.flush();
      assert.deepEqual({ calls: disk.calls, seen, version: store.resourceVersion }, { calls: [], seen: [], version });
    });

    it('one after another, in the order in which they came', async () => {
      const seen = watchedKeys(store);
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, at) => store.propose(proposal('files', [aService('web', `busybox:${at}`)]))),
      );
      assert.deepEqual(
        answers.map(({ created, changed }) => [created.length, changed.length]),
        [[1, 0], ...Array.from({ length: 29 }, () => [0, 1])],
      );
      assert.equal(serviceOf(store).spec.image, 'busybox:29');
      assert.equal(serviceOf(store).metadata.generation, 30);
      assert.equal(seen.length, 30);
    });

    it('and freezes copies: the caller may go on with its own', async () => {
      const labels = { a: 'b' };
      const output = aService('web', 'busybox:1', { labels });
      await store.propose(proposal('files', [output]));
      labels.a = 'changed later';
      assert.deepEqual(serviceOf(store).metadata.labels, { a: 'b' });
      const everywhere = (value: unknown): void => {
        if (typeof value !== 'object' || value === null) return;
        assert.ok(Object.isFrozen(value), JSON.stringify(value));
        Object.values(value).forEach(everywhere);
      };
      store.setStatus(serviceOf(store), { container: { id: 'c', name: 'n', createdAt: 'now', image: 'i' } });
      everywhere(serviceOf(store));
      assert.throws(() => Object.assign(serviceOf(store).spec, { image: 'other' }), TypeError);
    });

    it('and lists documents in the order of their creation, after a restart too', async () => {
      await store.propose(proposal('files', [aService('b'), aService('c')]));
      await store.propose(proposal('local', [aService('a')]));
      await store.propose(proposal('files', [aService('b', 'busybox:2'), aService('c')]));
      const names = () => store.list('Service').map(({ metadata }) => metadata.name);
      assert.deepEqual(names(), ['b', 'c', 'a']);
      await store.close();
      store = await place.store();
      assert.deepEqual(names(), ['b', 'c', 'a']);
    });

    it('and lists a kind without work until a document of it changes', async () => {
      await store.propose(proposal('files', [anApp('hello', { appId: 1 }), aService('web')]));
      const [services, apps] = [store.list('Service'), store.list('App')];
      assert.equal(store.list('Service'), services);
      store.setStatus(serviceOf(store), { state: 'running' });
      assert.equal(store.list('App'), apps);
      assert.equal(store.list('Service')[0]?.status?.state, 'running');
      assert.equal(services[0]?.status, undefined);
      await store.propose(proposal('files', [anApp('hello', { appId: 1 })]));
      await store.release(serviceOf(store));
      assert.deepEqual(store.list('Service'), []);
    });

    it('and reports problems of all origins until the origin says otherwise', async () => {
      const bad = { message: 'bad port', kind: 'Service', name: 'web' } as const;
      await store.propose(proposal('files', [aService('web')]));
      await store.propose(proposal('files', [], { problems: [bad] }));
      await store.propose(proposal('git/x', [aService('web')]));
      assert.deepEqual(serviceOf(store).metadata.problem, bad);
      assert.deepEqual(
        store.problems().map(({ origin, message }) => `${origin}: ${message}`),
        ['files: bad port', 'git/x: Service/web belongs to files; git/x cannot declare it as well.'],
      );
      await store.flush();
      assert.doesNotMatch(readFileSync(place.path('documents', 'services', 'web.json'), 'utf8'), /bad port/);
      await store.propose(proposal('files', [aService('web')]));
      assert.equal(serviceOf(store).metadata.problem, undefined);
      assert.deepEqual(
        store.problems().map(({ origin }) => origin),
        ['git/x'],
      );
      await store.propose(proposal('git/x', []));
      assert.deepEqual(store.problems(), []);
    });
  });

  it('knows since when an origin cannot read, until it proposes again', async () => {
    await store.close();
    let nowMs = 1_000;
    store = await place.store({ monotonic: () => nowMs });
    assert.deepEqual(store.unavailableOrigins(), []);
    store.report('files', [{ message: 'No such folder' }]);
    nowMs += 60_000;
    store.report('files', [{ message: 'No permission' }]);
    await store.propose(proposal('local', []));
    assert.deepEqual(store.unavailableOrigins(), [{ origin: 'files', forMs: 60_000, message: 'No permission' }]);
    await store.propose(proposal('files', []));
    assert.deepEqual(store.unavailableOrigins(), []);
  });

  it('does not take anything after it was closed', async () => {
    const last = store.propose(proposal('files', [aService('web')]));
    await store.close();
    assert.deepEqual(await last, accepted({ created: ['Service/web'] }));
    await assert.rejects(store.propose(proposal('files', [])), StorageError);
  });
});

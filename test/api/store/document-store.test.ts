import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { StorageError } from '../../../api/platform/disk.js';
import type { Change, Store } from '../../../api/store/store.js';
import type { AnyResource, Image, Service } from '../../../crds/model/kinds.js';
import { accepted, aHostConfig, anApp, anImage, aService, FailingDisk, NOW, Place, proposal } from './fixtures.js';

describe('The store', () => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await Place.make();
    store = await place.store();
  });
  afterEach(() => place.remove());

  const watched = (): string[] => {
    const seen: string[] = [];
    store.watch(({ type, key, parts }) => seen.push(`${type} ${key} ${parts.join('+')}`.trimEnd()));
    return seen;
  };
  const service = (name = 'web'): Service => {
    const found = store.get('Service', name);
    assert.ok(found);
    return found;
  };

  describe('previews a set', () => {
    const versions = () => [store.resourceVersion, store.list('Service').map(({ metadata }) => metadata)];

    it('as it would be taken, and changes nothing', async () => {
      await store.propose(proposal('files', [aService('same'), aService('old'), aService('gone')]));
      const before = versions();
      const said = proposal('files', [aService('same'), aService('old', 'busybox:2'), aService('new')]);
      const previewed = store.previewSet(said);
      assert.deepEqual(
        previewed,
        accepted({ created: ['Service/new'], changed: ['Service/old'], deleted: ['Service/gone'] }),
      );
      assert.deepEqual(versions(), before);
      assert.deepEqual(await store.propose(said), previewed);
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
        const said = proposal('git/fleet', [aService('taken'), aService('new')], { atomic });
        const previewed = store.previewSet(said);
        assert.equal(previewed.refused.length, 1);
        assert.deepEqual(
          { ...previewed, refused: [] },
          atomic ? accepted({}) : accepted({ created: ['Service/new'], deleted: ['Service/old'] }),
        );
        assert.deepEqual(await store.propose(said), previewed);
        assert.equal(store.get('Service', 'new') === undefined, atomic);
        assert.equal(store.get('Service', 'taken')?.metadata.origin, 'files');
        assert.equal(store.problems().length, 1, 'what was refused is told either way');
      });
    }

    it('takes an atomic set that is all right', async () => {
      const said = proposal('git/fleet', [aService('a'), aService('b')], { atomic: true });
      assert.deepEqual(await store.propose(said), accepted({ created: ['Service/a', 'Service/b'] }));
    });
  });

  describe('takes proposals', () => {
    it('and shows what was accepted, numbered, owned and on disk', async () => {
      const said = proposal(
        'App/hello',
        [aService('web', 'busybox:1', { file: 'a.yaml', line: 2, labels: { a: 'b' } })],
        {
          owner: 'App/hello',
        },
      );
      assert.deepEqual(await store.propose(said), accepted({ created: ['Service/web'] }));
      const { metadata, spec, requests } = service();
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
      assert.deepEqual(store.owned('App/hello', 'Service'), [service()]);
      assert.deepEqual(store.owned('App/hello', 'Volume'), []);
      await store.flush();
      const file = JSON.parse(readFileSync(place.path('documents', 'services', 'web.json'), 'utf8'));
      assert.deepEqual(file.spec, spec);
      assert.equal(statSync(place.path('documents', 'services', 'web.json')).mode & 0o777, 0o600);
      assert.equal(statSync(place.path('documents', 'services')).mode & 0o777, 0o700);
    });

    it('and raises the generation for another spec only', async () => {
      await store.propose(proposal('files', [aService('web')]));
      const { uid } = service().metadata;
      await store.propose(proposal('files', [aService('web', 'busybox:1', { labels: { a: 'b' } })]));
      assert.equal(service().metadata.generation, 1);
      assert.deepEqual(service().metadata.labels, { a: 'b' });
      const changed = await store.propose(proposal('files', [aService('web', 'busybox:2')]));
      assert.deepEqual(changed, accepted({ changed: ['Service/web'] }));
      assert.equal(service().metadata.generation, 2);
      assert.equal(service().metadata.labels, undefined);
      assert.equal(service().metadata.uid, uid);
    });

    it('and does nothing at all for the same again', async () => {
      const disk = new FailingDisk();
      await store.close();
      store = await place.store({ disk });
      const same = () => proposal('files', [anApp('hello', { appId: 1 }), aService('web')]);
      await store.propose(same());
      await store.flush();
      const seen = watched();
      const version = store.resourceVersion;
      disk.fail(0, 'ever');
      assert.deepEqual(await store.propose(same()), accepted({}));
      await store.flush();
      assert.deepEqual({ calls: disk.calls, seen, version: store.resourceVersion }, { calls: [], seen: [], version });
    });

    it('one after another, in the order in which they came', async () => {
      const seen = watched();
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, at) => store.propose(proposal('files', [aService('web', `busybox:${at}`)]))),
      );
      assert.deepEqual(
        answers.map(({ created, changed }) => [created.length, changed.length]),
        [[1, 0], ...Array.from({ length: 29 }, () => [0, 1])],
      );
      assert.equal(service().spec.image, 'busybox:29');
      assert.equal(service().metadata.generation, 30);
      assert.equal(seen.length, 30);
    });

    it('and freezes copies: the caller may go on with its own', async () => {
      const labels = { a: 'b' };
      const said = aService('web', 'busybox:1', { labels });
      await store.propose(proposal('files', [said]));
      labels.a = 'changed later';
      assert.deepEqual(service().metadata.labels, { a: 'b' });
      const everywhere = (value: unknown): void => {
        if (typeof value !== 'object' || value === null) return;
        assert.ok(Object.isFrozen(value), JSON.stringify(value));
        Object.values(value).forEach(everywhere);
      };
      store.setStatus(service(), { container: { id: 'c', name: 'n', createdAt: 'now', image: 'i' } });
      everywhere(service());
      assert.throws(() => Object.assign(service().spec, { image: 'other' }), TypeError);
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

    it('and reports problems of all origins until the origin says otherwise', async () => {
      const bad = { message: 'bad port', kind: 'Service', name: 'web' } as const;
      await store.propose(proposal('files', [aService('web')]));
      await store.propose(proposal('files', [], { problems: [bad] }));
      await store.propose(proposal('git/x', [aService('web')]));
      assert.deepEqual(service().metadata.problem, bad);
      assert.deepEqual(
        store.problems().map(({ origin, message }) => `${origin}: ${message}`),
        ['files: bad port', 'git/x: Service/web belongs to files; git/x cannot declare it as well.'],
      );
      await store.flush();
      assert.doesNotMatch(readFileSync(place.path('documents', 'services', 'web.json'), 'utf8'), /bad port/);
      await store.propose(proposal('files', [aService('web')]));
      assert.equal(service().metadata.problem, undefined);
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

  describe('deletes', () => {
    it('by marking, and lets go when the controller releases', async () => {
      await store.propose(proposal('files', [aService('web')]));
      const seen = watched();
      assert.deepEqual(await store.propose(proposal('files', [])), accepted({ deleted: ['Service/web'] }));
      const marked = service();
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
      await store.release(service());
      assert.ok(store.get('Service', 'web'));
      const before = service();
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
      store.setStatus(service(), { state: 'Stopping' });
      await store.flush();
      const old = service();
      await store.propose(proposal('files', [aService('web', 'busybox:2')]));
      await store.propose(proposal('files', [aService('web', 'busybox:3')]));
      assert.equal(service().spec.image, 'busybox:1');
      // The origin is not asked again: what it was told is kept, also over a restart.
      await store.close();
      store = await place.store();
      const seen = watched();
      await store.release(service());
      assert.deepEqual(seen, ['DELETED Service/web metadata', 'ADDED Service/web spec+metadata']);
      const { metadata, spec, status } = service();
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
      await store.release(service());
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

  describe('one by one', () => {
    it('puts and deletes what belongs to the origin', async () => {
      assert.deepEqual(await store.put('api', aService('web')), accepted({ created: ['Service/web'] }));
      assert.deepEqual(await store.put('api', aService('db')), accepted({ created: ['Service/db'] }));
      assert.deepEqual(await store.put('api', aService('db', 'busybox:2')), accepted({ changed: ['Service/db'] }));
      assert.equal(await store.delete('api', 'Service/web'), 'deleted');
      assert.equal(await store.delete('api', 'Service/web'), 'deleted');
      assert.equal(await store.delete('api', 'Service/none'), 'absent');
      assert.ok(service().metadata.deletionTimestamp);
      assert.equal(service('db').metadata.deletionTimestamp, undefined);
    });

    it('refuses what belongs to another, to the caller only', async () => {
      await store.propose(proposal('files', [aService('web')]));
      const { refused } = await store.put('api', aService('web', 'busybox:2'));
      assert.deepEqual(refused, [
        { message: 'Service/web belongs to files; api cannot declare it as well.', kind: 'Service', name: 'web' },
      ]);
      assert.deepEqual(await store.delete('api', 'Service/web'), {
        message: 'Service/web belongs to files; api cannot delete it.',
        kind: 'Service',
        name: 'web',
      });
      assert.deepEqual(store.problems(), []);
      assert.equal(service().metadata.deletionTimestamp, undefined);
    });

    it('takes back what was put while the name was being given up', async () => {
      await store.put('api', aService('web'));
      await store.delete('api', 'Service/web');
      assert.deepEqual(await store.put('api', aService('web', 'busybox:2')), accepted({}));
      assert.equal(await store.delete('api', 'Service/web'), 'deleted');
      await store.release(service());
      assert.equal(store.get('Service', 'web'), undefined);
    });
  });

  describe('takes requests', () => {
    it('with unique ids, on disk, and without another generation', async () => {
      await store.propose(proposal('files', [aService('web')]));
      const seen = watched();
      const first = await store.request('Service/web', { restart: { force: true }, stop: {} });
      const second = await store.request('Service/web', { restart: {} });
      assert.deepEqual(Object.keys(first), ['restart', 'stop']);
      assert.equal(first.restart?.force, true);
      assert.equal(first.restart?.at, new Date(NOW).toISOString());
      assert.notEqual(first.restart?.id, second.restart?.id);
      assert.deepEqual(service().requests, { ...first, ...second });
      assert.equal(service().metadata.generation, 1);
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

  describe('keeps status', () => {
    beforeEach(() => store.propose(proposal('files', [aService('web'), anImage('image')])));

    it('visible at once, announced once, on disk after a flush', async () => {
      const seen = watched();
      const version = Number(store.resourceVersion);
      store.setStatus(service(), { state: 'running' });
      store.setStatus(service(), { state: 'running' });
      assert.deepEqual(service().status, { state: 'running' });
      assert.equal(service().metadata.generation, 1);
      assert.deepEqual(seen, ['MODIFIED Service/web status']);
      assert.ok(Number(store.resourceVersion) > version);
      await store.flush();
      const again = await place.store();
      assert.deepEqual(again.get('Service', 'web')?.status, { state: 'running' });
    });

    it('of the document that is meant, not of a later one by its name', async () => {
      const old = service();
      await store.propose(proposal('files', []));
      await store.propose(proposal('files', [aService('web', 'busybox:2')]));
      await store.release(service());
      store.setStatus(old, { state: 'running' });
      assert.equal(service().status, undefined);
    });

    it('written while a commit is under way', async () => {
      const done = store.propose(proposal('files', [aService('web', 'busybox:2')]));
      const before = service();
      store.setStatus(before, { observedGeneration: 1, state: 'running' });
      await done;
      assert.equal(service().metadata.generation, 2);
      assert.deepEqual(service().status, { observedGeneration: 1, state: 'running' });
    });

    it('with bounded writing, however often it changes', async () => {
      const disk = new FailingDisk();
      await store.close();
      store = await place.store({ disk, statusDelayMs: 1_000_000 });
      for (let at = 0; at < 10_000; at += 1) store.setStatus(service(), { state: `state ${at}` });
      await store.flush();
      assert.equal(disk.calls.filter((call) => call.startsWith('create')).length, 1);
      assert.equal(service().status?.state, 'state 9999');
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
        store.setStatus(service(), { state });
        await assert.rejects(store.flush(), StorageError);
      }
      assert.equal(service().status?.state, 'three');
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
      store.setStatus(service(), { state: 'running' });
      store.setStatus(store.get('Image', 'image') ?? assert.fail(), { state: 'Downloaded' });
      disk.fail(0, 'once');
      await assert.rejects(store.flush(), StorageError);
      await store.flush();
      const again = await place.store();
      assert.equal(again.get('Service', 'web')?.status?.state, 'running');
      assert.equal(again.get('Image', 'image')?.status?.state, 'Downloaded');
    });
  });

  describe('knows what is pending', () => {
    beforeEach(() => store.propose(proposal('files', [aService('web')])));
    const pending = (): boolean => store.isPending('Service/web');
    const observe = (generation: number, handled?: Record<string, string>): void =>
      store.setStatus(service(), { observedGeneration: generation, ...(handled ? { handled } : {}) });

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
      const seen = watched();
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
      await store.release(service());
      store.touch('Service/web');
      assert.equal(pending(), false);
    });
  });

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
      const told = (changes: readonly Change[] | undefined) => changes?.map(({ key, type }) => `${type} ${key}`);
      assert.deepEqual(told(store.since(start)), ['ADDED Service/a', 'MODIFIED Service/a']);
      assert.deepEqual(told(store.since(middle)), ['MODIFIED Service/a']);
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
      const resource: AnyResource = service();
      await store.close();
      store = await place.store({ now: () => 0 });
      assert.ok(Number(service().metadata.resourceVersion) > before);
      assert.ok(Number(service().metadata.resourceVersion) > Number(resource.metadata.resourceVersion));
    });
  });

  describe('keeps events', () => {
    it('counting equal ones up, the latest of each document, the latest of all', () => {
      const told: string[] = [];
      store.watchEvents(({ message, count }) => told.push(`${message} ${count}`));
      for (const message of ['one', 'two', 'one']) {
        store.record('Service/web', { type: 'Normal', reason: 'Recovered', message });
      }
      assert.deepEqual(told, ['one 1', 'two 1', 'one 2']);
      assert.deepEqual(
        store.events('Service/web').map(({ message }) => message),
        ['two', 'one'],
      );
      for (let at = 0; at < 100; at += 1) {
        store.record('Service/web', { type: 'Normal', reason: 'Recovered', message: `message ${at}` });
      }
      assert.equal(store.events('Service/web').length, 32);
      assert.equal(store.events('Service/web').at(-1)?.message, 'message 99');
      for (let at = 0; at < 5_000; at += 1) {
        store.record(`Service/s${at}`, { type: 'Warning', reason: 'Recovered', message: 'many' });
      }
      assert.equal(store.events().length, 1_000);
      assert.deepEqual(store.events('Service/web'), []);
    });
  });

  it('does not take anything after it was closed', async () => {
    const last = store.propose(proposal('files', [aService('web')]));
    await store.close();
    assert.deepEqual(await last, accepted({ created: ['Service/web'] }));
    await assert.rejects(store.propose(proposal('files', [])), StorageError);
  });
});

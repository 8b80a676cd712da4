import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { StorageError } from '../../../api/platform/disk.js';
import type { Store } from '../../../api/store/store.js';
import { PLURALS } from '../../../crds/model/kinds.js';
import { cpuStopwatch } from '../../setup/cpu-time.js';
import { accepted, aHostConfig, anApp, aService, FailingDisk, folder, Place, proposal } from './fixtures.js';

/** What an origin declared, as text: name and image of each service. */
const contents = (store: Store): string =>
  store
    .list('Service')
    .map(({ metadata, spec }) => `${metadata.name}=${spec.image}${metadata.deletionTimestamp ? ' (deleted)' : ''}`)
    .join(', ');

describe('The store whose folders somebody removes', () => {
  const first = proposal('files', [aService('a'), aService('b')]);
  const second = proposal('local', [anApp('c')]);
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await Place.make();
    store = await place.store();
    await store.propose(first);
    await store.flush();
  });
  afterEach(() => place.remove());
  /** Names of all documents that another process would find, as if this one had been killed now. */
  const found = async (): Promise<readonly string[]> => {
    const other = await place.store();
    const names = (['Service', 'App'] as const).flatMap((kind) => other.list(kind).map((one) => one.metadata.name));
    await other.close();
    return names;
  };

  for (const folder of [['documents'], ['documents', 'services'], ['documents', 'apps']]) {
    it(`has made ${folder.join('/')} again with all documents before it says that it took one`, async () => {
      rmSync(place.path(...folder), { recursive: true });
      assert.deepEqual(await store.propose(second), accepted({ created: ['App/c'] }));
      assert.deepEqual(await found(), ['a', 'b', 'c']);
      assert.deepEqual(readdirSync(place.path('documents', 'services')).sort(), ['a.json', 'b.json']);
      assert.match(place.log.at('warn').join(), /Folders of documents were gone/);
    });
  }

  it('has made them again although they went after a commit had its name', async () => {
    const disk = new FailingDisk();
    const other = await place.store({ disk });
    disk.fail(3, 'once'); // after create, rename and sync of the commit
    await other.propose(second);
    await other.flush().catch(() => undefined);
    rmSync(place.path('documents'), { recursive: true });
    await other.propose(proposal('local', [anApp('c'), anApp('d')]));
    await other.close();
    assert.deepEqual(await found(), ['a', 'b', 'c', 'd']);
  });

  it('takes nothing while the place of a folder is taken', async () => {
    rmSync(place.path('documents'), { recursive: true });
    writeFileSync(place.path('documents'), '');
    const seen: string[] = [];
    store.watch(({ key }) => seen.push(key));
    await assert.rejects(store.propose(second), (error) => {
      assert.ok(error instanceof StorageError);
      assert.match(error.message, /^Could not write \S+documents\/apps: .* \(E\w+\)$/);
      return true;
    });
    assert.deepEqual(seen, []);
    assert.equal(store.get('App', 'c'), undefined);
    rmSync(place.path('documents'));
    await store.propose(second);
    assert.deepEqual(await found(), ['a', 'b', 'c']);
  });

  it('takes nothing when the data folder itself is gone, and does not make that again', async () => {
    rmSync(place.folder, { recursive: true });
    await assert.rejects(store.propose(second), /^StorageError: Could not write .*: the folder is missing \(ENOENT\)$/);
    assert.equal(existsSync(place.folder), false);
  });

  it('writes all statuses again with the next one', async () => {
    for (const service of store.list('Service')) store.setStatus(service, { state: 'running' });
    await store.flush();
    rmSync(place.path('status'), { recursive: true });
    store.setStatus(store.get('Service', 'a') ?? assert.fail(), { state: 'exited' });
    await store.flush();
    const other = await place.store();
    assert.deepEqual(
      other.list('Service').map(({ status }) => status?.state),
      ['exited', 'running'],
    );
  });
});

describe('The store on a disk that refuses', () => {
  const before = proposal('files', [
    aService('a', 'busybox:1'),
    aService('b', 'busybox:1'),
    aService('c', 'busybox:1'),
  ]);
  const after = proposal('files', [aService('a', 'busybox:2'), aService('b', 'busybox:2'), aService('d', 'busybox:2')]);
  const OLD = 'a=busybox:1, b=busybox:1, c=busybox:1';
  const NEW = 'a=busybox:2, b=busybox:2, c=busybox:1 (deleted), d=busybox:2';

  /** Proposes with the failure set; what the store says then, what the disk says afterwards, and how many calls there were. */
  async function attempt(at: number, how: 'once' | 'ever', code?: string) {
    const place = await Place.make();
    try {
      const disk = new FailingDisk();
      const store = await place.store({ disk });
      await store.propose(before);
      await store.flush();
      const seen: string[] = [];
      store.watch(({ key }) => seen.push(key));
      disk.fail(at, how, code);
      const answer = await store.propose(after).catch((error: unknown) => error);
      await store.flush().catch((error: unknown) => assert.ok(error instanceof StorageError));
      const inMemory = contents(store);
      const calls = [...disk.calls];
      // As after a crash: what the disk holds now, read by somebody else.
      const other = await place.store({ disk: new FailingDisk() });
      const onDisk = contents(other);
      await other.close();
      return { place, store, disk, answer, seen, inMemory, onDisk, calls };
    } finally {
      await place.remove();
    }
  }

  for (const how of ['once', 'ever'] as const) {
    it(`keeps the old state or has the new one, whole, whichever call fails ${how}`, async () => {
      const { calls } = await attempt(Number.POSITIVE_INFINITY, 'once');
      assert.ok(calls.length >= 12, calls.join('\n'));
      const outcomes = new Set<string>();
      for (let at = 0; at < calls.length; at += 1) {
        const { answer, seen, inMemory, onDisk, calls: made } = await attempt(at, how);
        const where = `${how} at ${at}: ${made[at]}`;
        if (answer instanceof Error) {
          assert.ok(answer instanceof StorageError, where);
          assert.match(answer.message, /no space left on the disk \(ENOSPC\)/);
          assert.equal(inMemory, OLD, where);
          assert.deepEqual(seen, [], where);
          // A disk that fails for ever just after the commit got its name cannot be asked to forget it either.
          const named = how === 'ever' && made[at]?.startsWith('sync');
          assert.equal(onDisk, named ? NEW : OLD, where);
          outcomes.add('refused');
        } else {
          assert.deepEqual(
            answer,
            accepted({ created: ['Service/d'], changed: ['Service/a', 'Service/b'], deleted: ['Service/c'] }),
          );
          assert.equal(inMemory, NEW, where);
          assert.equal(onDisk, NEW, where);
          outcomes.add('accepted');
        }
      }
      assert.deepEqual([...outcomes].sort(), ['accepted', 'refused']);
    });
  }

  for (const [code, words] of [
    ['ENOSPC', 'no space left on the disk'],
    ['EROFS', 'the file system is read-only'],
    ['EACCES', 'permission denied'],
  ] as const) {
    it(`names file and reason: ${words}`, async () => {
      const { answer, place } = await attempt(0, 'ever', code);
      assert.ok(answer instanceof StorageError);
      assert.equal(answer.message, `Could not write ${place.path('commit.json')}: ${words} (${code})`);
    });
  }

  it('takes proposals again as soon as there is room, and finishes what it had accepted', async () => {
    const place = await Place.make();
    const disk = new FailingDisk();
    const store = await place.store({ disk });
    try {
      await store.propose(before);
      await store.flush();
      disk.fail(3, 'ever'); // after create, rename and sync of the commit
      await store.propose(after);
      await assert.rejects(store.flush(), StorageError);
      await assert.rejects(store.propose(before), StorageError);
      assert.equal(contents(store), NEW);
      disk.heal();
      await store.propose(proposal('files', [aService('a', 'busybox:3')]));
      await store.flush();
      assert.equal(existsSync(place.path('commit.json')), false);
      const other = await place.store();
      assert.equal(contents(other), 'a=busybox:3, b=busybox:2 (deleted), c=busybox:1 (deleted), d=busybox:2 (deleted)');
    } finally {
      await place.remove();
    }
  });

  it('refuses to open without a folder to work in', async () => {
    const place = await Place.make();
    writeFileSync(place.path('file'), '');
    await assert.rejects(place.store({ folder: place.path('file', 'below') }), StorageError);
    await place.remove();
  });
});

describe('The store at start', () => {
  let place: Place;
  beforeEach(async () => {
    place = await Place.make();
    const store = await place.store();
    await store.propose(proposal('files', [anApp('hello', { appId: 1 }), aService('web'), aService('db')]));
    for (const service of store.list('Service')) store.setStatus(service, { state: 'running' });
    await store.close();
  });
  afterEach(() => place.remove());

  const web = () => place.path('documents', 'services', 'web.json');
  const ruin: Array<{ it: string; text: string; says: RegExp }> = [
    { it: 'an empty file', text: '', says: /JSON/ },
    { it: 'half a file', text: '{"apiVersion": "supercargo.io/v1", "kind": "Serv', says: /JSON/ },
    { it: 'binary junk', text: '\u0000\u0001\ufffd', says: /JSON/ },
    { it: 'a list', text: '[]', says: /not an object/ },
    { it: 'an object of something else', text: '{"hello": 1}', says: /apiVersion is not supercargo.io\/v1/ },
    { it: 'another kind', text: '{"apiVersion": "supercargo.io/v1", "kind": "App"}', says: /kind is not Service/ },
  ];
  for (const { it: what, text, says } of ruin) {
    it(`sets ${what} aside, names it, and has everything else`, async () => {
      writeFileSync(web(), text);
      const store = await place.store();
      assert.equal(contents(store), 'db=busybox:1');
      assert.equal(store.get('App', 'hello')?.spec.appId, 1);
      const [problem] = store.problems();
      assert.match(problem?.message ?? '', says);
      assert.ok(problem?.message.includes(web()));
      assert.deepEqual([problem?.kind, problem?.name], ['Service', 'web']);
      assert.ok(place.log.at('error').some((line) => line.includes(web())));
      assert.equal(store.events('Service/web')[0]?.reason, 'FileUnusable');
      assert.match(readdirSync(place.path('documents', 'services')).join(), /web\.json\.corrupt-\d+/);
      // Declared again it is a new document, and the problem is over.
      await store.propose(proposal('files', [anApp('hello', { appId: 1 }), aService('web'), aService('db')]));
      assert.deepEqual(store.problems(), []);
      assert.equal(store.get('Service', 'web')?.status, undefined);
    });
  }

  it('deletes a HostConfig of before they had a finalizer like one of today, and rewrites nothing for it', async () => {
    const path = place.path('documents', 'hostconfigs', 'device.json');
    const first = await place.store();
    await first.propose(proposal('files', [aHostConfig('device', 'one')]));
    await first.close();
    const old = readFileSync(path, 'utf8').replace(/"finalizers": \[[^\]]*\]/, '"finalizers": []');
    writeFileSync(path, old);
    const store = await place.store();
    const { metadata } = store.get('HostConfig', 'device') ?? assert.fail();
    assert.deepEqual(metadata.finalizers, ['supercargo.io/controller']);
    assert.equal(readFileSync(path, 'utf8'), old);
    await store.propose(proposal('files', []));
    assert.notEqual(store.get('HostConfig', 'device')?.metadata.deletionTimestamp, undefined);
    await store.close();
    const next = await place.store();
    await next.release(next.get('HostConfig', 'device') ?? assert.fail());
    assert.equal(next.get('HostConfig', 'device'), undefined);
  });

  it('names a document that is missing at every start, until it is declared again', async () => {
    const asides = () => readdirSync(place.path('documents', 'services')).filter((name) => name.includes('corrupt'));
    writeFileSync(web(), '{"half": ');
    await (await place.store({ now: () => 5 })).close();
    for (const life of ['the second', 'the third']) {
      const store = await place.store();
      const [problem, ...others] = store.problems();
      assert.match(
        problem?.message ?? '',
        /web\.json could not be used at an earlier start; it was kept as .*-5\. Service/,
        life,
      );
      assert.match(
        problem?.message ?? '',
        /Service\/web is missing: declare it again, or remove web\.json\.corrupt-\*/,
      );
      assert.deepEqual([problem?.kind, problem?.name, others], ['Service', 'web', []]);
      assert.deepEqual(store.events('Service/web')[0]?.reason, 'FileUnusable');
      await store.close();
    }
    const store = await place.store();
    await store.propose(proposal('files', [anApp('hello', { appId: 1 }), aService('web'), aService('db')]));
    assert.deepEqual(store.problems(), []);
    assert.deepEqual(asides(), ['web.json.corrupt-5.superseded']);
    // Deleted after that, it is missing because somebody wanted it so.
    await store.propose(proposal('files', [anApp('hello', { appId: 1 }), aService('db')]));
    await store.release(store.get('Service', 'web') ?? assert.fail());
    await store.close();
    assert.deepEqual((await place.store()).problems(), []);
  });

  it('names a document that is missing until somebody removes what was kept of it', async () => {
    writeFileSync(web(), '{"half": ');
    await (await place.store({ now: () => 5 })).close();
    const store = await place.store();
    assert.equal(store.problems().length, 1);
    rmSync(place.path('documents', 'services', 'web.json.corrupt-5'));
    assert.deepEqual(store.problems(), []);
  });

  it('keeps what is left of every document, however many could not be used', async () => {
    const names = Array.from({ length: 20 }, (_, at) => `n${at}`);
    for (const name of names) writeFileSync(place.path('documents', 'services', `${name}.json`), '');
    await (await place.store()).close();
    assert.equal((await place.store()).problems().length, 20);
  });

  it('sets a status aside without losing the document', async () => {
    writeFileSync(place.path('status', 'services', 'web.json'), '{"uid": ');
    const store = await place.store();
    assert.equal(store.get('Service', 'web')?.status, undefined);
    assert.equal(store.get('Service', 'db')?.status?.state, 'running');
    assert.match(store.events('Service/web')[0]?.message ?? '', /status file .* cannot be used/);
  });

  it('gets by with a folder in place of a file, a file in place of a folder, and a ruined commit', async () => {
    folder(place.path('documents', 'services', 'folder.json'));
    writeFileSync(place.path('commit.json'), '{"Service/web": {"apiV');
    await import('node:fs/promises').then(({ rm }) => rm(place.path('documents', 'volumes'), { recursive: true }));
    writeFileSync(place.path('documents', 'volumes'), 'not a folder');
    const store = await place.store();
    assert.equal(contents(store), 'web=busybox:1, db=busybox:1');
    assert.match(readdirSync(place.folder).join(), /commit\.json\.corrupt-\d+/);
    await store.propose(proposal('local', [aService('new')]));
    await store.flush();
  });

  it('keeps a few of the files that it set aside', async () => {
    for (let at = 1; at <= 20; at += 1) {
      writeFileSync(web(), `junk ${at}`);
      await (await place.store({ now: () => at })).close();
    }
    const aside = readdirSync(place.path('documents', 'services')).filter((name) => name.includes('corrupt'));
    assert.equal(aside.length, 8);
    assert.ok(aside.includes('web.json.corrupt-20'));
  });

  it('removes temporary files and statuses without a document', async () => {
    const left = [
      place.path('.commit.json.12345678.tmp'),
      place.path('documents', 'services', '.web.json.12345678.tmp'),
      place.path('status', 'services', '.web.json.12345678.tmp'),
    ];
    for (const path of left) writeFileSync(path, '{"half": ');
    writeFileSync(place.path('status', 'services', 'gone.json'), '{"uid":"x","resourceVersion":"1","status":{}}');
    writeFileSync(place.path('status', 'services', 'web.json'), '{"uid":"other","resourceVersion":"1","status":{}}');
    const store = await place.store();
    assert.deepEqual(left.filter(existsSync), []);
    assert.deepEqual(readdirSync(place.path('status', 'services')), ['db.json']);
    assert.equal(store.get('Service', 'web')?.status, undefined);
    assert.deepEqual(place.log.at('error'), []);
  });

  it('keeps names apart that a file system might not, and those that it might not take', async () => {
    const names = [
      'Web',
      'web',
      'WEB',
      '..',
      '.',
      '.hidden',
      'a/b',
      'a%2fb',
      'ünï',
      'x'.repeat(300),
      'X'.repeat(300),
      'y.json',
    ];
    const store = await place.store();
    await store.propose(
      proposal(
        'local',
        names.filter((name) => name !== 'web').map((name) => aService(name)),
      ),
    );
    await store.close();
    const files = readdirSync(place.path('documents', 'services'));
    assert.equal(new Set(files.map((name) => name.toLowerCase())).size, names.length + 1);
    assert.deepEqual(readdirSync(place.path('documents')).sort(), Object.values(PLURALS).sort());
    const again = await place.store();
    assert.deepEqual(
      again
        .list('Service')
        .map(({ metadata }) => metadata.name)
        .sort(),
      [...names, 'db'].sort(),
    );
    assert.deepEqual(again.problems(), []);
  });

  it('forgets the environment of containers that an earlier version wrote into statuses, on the disk too', async () => {
    const store = await place.store();
    await store.propose(proposal('local', [aService('old')]));
    const { metadata } = store.list('Service').find(({ metadata: { name } }) => name === 'old') ?? {};
    await store.close();
    const path = place.path('status', 'services', 'old.json');
    const container = { id: 'c1', name: 'web', createdAt: '2026-01-02T03:04:05.678Z', image: 'sha256:1' };
    const status = { state: 'running', container: { ...container, env: { PASSWORD: 'hush-hush' } } };
    writeFileSync(path, JSON.stringify({ uid: metadata?.uid, resourceVersion: '1', status }));
    const again = await place.store();
    assert.deepEqual(again.get('Service', 'old')?.status, { state: 'running', container });
    await again.flush();
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')).status, { state: 'running', container });
  });

  it('reads 200 documents quickly', async () => {
    const many = Array.from({ length: 200 }, (_, at) => aService(`s${at}`));
    const store = await place.store();
    await store.propose(proposal('local', many));
    for (const service of store.list('Service')) store.setStatus(service, { state: 'running' });
    await store.close();
    const usedMs = cpuStopwatch();
    const again = await place.store();
    const tookMs = usedMs();
    assert.equal(again.list('Service').length, 202);
    assert.ok(tookMs < 500, `${tookMs} ms`); // about 15 ms; the limit catches something quadratic
  });
});

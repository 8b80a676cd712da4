import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { conditionOf, isReady } from '../../../crds/model/conditions.js';
import { type AnyDeclared, API_VERSION, type Kind } from '../../../crds/model/kinds.js';
import type { AppSpec } from '../../../crds/model/types.js';
import { Device } from '../../simulation/device.js';

const spec = (more: AppSpec = {}): AppSpec => ({
  appId: 1,
  release: { commit: 'a', id: 1 },
  services: { web: { image: 'web:1', imageId: 7, volumes: ['data:/data'] }, db: { image: 'web:1', imageId: 8 } },
  volumes: { data: {} },
  ...more,
});
const next = (more: AppSpec = {}): AppSpec =>
  spec({
    release: { commit: 'b', id: 2 },
    services: { web: { image: 'web:2', imageId: 9, volumes: ['data:/data'] }, db: { image: 'web:1', imageId: 8 } },
    ...more,
  });

describe('the App controller', () => {
  let device: Device;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.serve('web:1', { content: 'one' });
    device.engine.images.serve('web:2', { content: 'two' });
    await device.boot();
  });
  afterEach(() => device.stop());

  const agent = () => device.agent ?? assert.fail('no agent');
  const store = () => agent().store;
  const propose = (of: AppSpec | undefined, name = 'hello', origin: 'files' | 'local' = 'files') => {
    const documents: AnyDeclared[] = of ? [{ apiVersion: API_VERSION, kind: 'App', metadata: { name }, spec: of }] : [];
    return agent().propose(documents, origin);
  };
  const bring = async (of: AppSpec | undefined) => {
    await propose(of);
    await agent().settle();
  };
  const containers = () => device.engine.docker.containers.map(({ name, state }) => `${name} ${state}`).sort();
  const isLocal = (image: string) => device.engine.images.seen(image) !== undefined;
  const app = () => store().get('App', 'hello') ?? assert.fail('no App');
  const reason = (kind: Kind = 'App', name = 'hello') => {
    const document = store().get(kind, name);
    return document && conditionOf(document, 'Ready')?.reason;
  };
  const lockFile = (service: string) => join(device.folder, 'locks/1', service, 'updates.lock');
  const takeLock = async (service: string) => {
    await mkdir(dirname(lockFile(service)), { recursive: true });
    await writeFile(lockFile(service), 'mine');
  };
  /** Lets events arrive, without more time than that. */
  const look = async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      await agent().quiet();
      device.clock.advance(50);
    }
    await agent().quiet();
  };
  /** For what goes on while a pull is held. */
  const until = async (reached: () => boolean) => {
    while (!reached()) {
      await nextTurn();
      device.clock.advance(0);
    }
  };
  const running = (commit: string, web = 7, id = 1) => [
    `db_8_${id}_${commit} running`,
    `web_${web}_${id}_${commit} running`,
  ];

  it('brings a release up under the lock, gives the lock back, and then rests', async () => {
    await bring(spec());
    assert.deepEqual(containers(), running('a'));
    const { phase, release, lock, appId } = app().status ?? {};
    assert.deepEqual(
      { phase, release, lock, appId },
      { phase: 'Settled', release: { commit: 'a', id: 1 }, lock: undefined, appId: 1 },
    );
    assert.deepEqual(await readdir(dirname(lockFile('web'))), []);
    await look(); // the last status is written a little later
    const before = agent().steps.length;
    const version = store().resourceVersion;
    for (const loop of agent().loops) loop.resync();
    await agent().settle();
    assert.deepEqual(agent().steps.slice(before), []);
    assert.equal(store().resourceVersion, version);
  });

  it('replaces what changed, renames what did not, and collects the old image', async () => {
    await bring(spec());
    const db = device.engine.docker.container('db_8_1_a').id;
    await bring(next());
    await look();
    await agent().settle();
    assert.deepEqual(containers(), running('b', 9, 2));
    assert.equal(device.engine.docker.container('db_8_2_b').id, db);
    assert.deepEqual(app().status?.release, { commit: 'b', id: 2 });
    assert.equal(isLocal('web:1'), true, 'db still runs it');
    await bring(next({ services: { web: { image: 'web:2', imageId: 9 } } }));
    assert.deepEqual([isLocal('web:1'), isLocal('web:2')], [false, true]);
    assert.deepEqual(
      device.engine.docker.volumes.map(({ name }) => name),
      ['1_data'],
    );
  });

  it('touches nothing that runs before every image is there', async () => {
    await bring(spec());
    device.engine.images.serve('web:2', { content: 'two', held: true });
    device.engine.forgetCalls();
    await propose(next());
    await until(() => reason() === 'ImagesNotReady');
    assert.equal(app().status?.phase, 'Staging');
    assert.deepEqual(app().status?.release, { commit: 'a', id: 1 });
    assert.deepEqual(containers(), running('a'));
    assert.deepEqual(
      device.engine.verbs.filter((verb) => /^(stop|remove|rename|create)/.test(verb)),
      [],
    );
    assert.equal(existsSync(lockFile('web')), false, 'the lock is not held during downloads');
    device.engine.images.release('web:2');
    await look();
    await agent().settle();
    assert.deepEqual(containers(), running('b', 9, 2));
  });

  it('waits for the application that holds the lock, and names its file', async () => {
    await bring(spec());
    await takeLock('db');
    await propose(next());
    await look();
    assert.equal(reason(), 'UpdatesLocked');
    assert.deepEqual(app().status?.lock, { state: 'Blocked', blockedBy: '/locks/1/db/updates.lock' });
    assert.match(conditionOf(app(), 'Ready')?.message ?? '', /\/locks\/1\/db\/updates\.lock/);
    assert.deepEqual(containers(), running('a'));
    await rm(lockFile('db'));
    await agent().settle();
    assert.deepEqual(containers(), running('b', 9, 2));
    assert.equal(app().status?.lock, undefined);
  });

  it('asks less and less often for a lock that stays taken', async () => {
    await bring(spec());
    await takeLock('db');
    await propose(next());
    const waits: number[] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      await agent().quiet();
      const [inMs = 0] = device.clock.planned.filter((ms) => ms >= 500);
      if (reason() === 'UpdatesLocked') waits.push(inMs);
      device.clock.advance(inMs);
    }
    assert.deepEqual(waits.slice(0, 7), [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
  });

  it('takes the lock by force when asked to, once', async () => {
    await bring(spec());
    await takeLock('db');
    await propose(next());
    await look();
    const { force } = await store().request('App/hello', { force: {} });
    await agent().settle();
    assert.deepEqual(containers(), running('b', 9, 2));
    assert.equal(app().status?.handled?.force, force?.id);
    await takeLock('db');
    await propose(spec());
    await look();
    assert.equal(reason(), 'UpdatesLocked');
  });

  it('claims the lock for a service that has to be replaced outside a release', async () => {
    await bring(spec());
    await takeLock('web');
    device.engine.images.add('web:1', { content: 'rebuilt under the same name' });
    await look();
    assert.equal(reason('Service', 'hello.web'), 'NeedsLock');
    assert.equal(reason(), 'UpdatesLocked');
    const before = device.engine.docker.container('web_7_1_a').id;
    await rm(lockFile('web'));
    await agent().settle();
    assert.deepEqual(containers(), running('a'));
    assert.notEqual(device.engine.docker.container('web_7_1_a').id, before);
    assert.equal(existsSync(lockFile('web')), false);
  });

  it('is never seen Ready while it holds the lock', async () => {
    await bring(spec());
    const seen: string[] = [];
    store().watch(({ object, parts }) => {
      if (object.kind !== 'App' || !parts.includes('status')) return;
      seen.push(`${isReady(object) ? 'Ready' : 'not Ready'}, ${object.status?.lock?.state ?? 'free'}`);
    });
    await store().request('App/hello', { restart: {} });
    await agent().settle();
    assert.ok(seen.includes('not Ready, Held'), seen.join('; '));
    assert.ok(!seen.includes('Ready, Held'), seen.join('; '));
    assert.equal(seen.at(-1), 'Ready, free');
  });

  it('leaves everything as it is under a bad release, and mends what runs', async () => {
    await bring(spec());
    await bring(next({ services: { web: { image: 'web:2', depends_on: ['web'] } } }));
    assert.equal(reason(), 'InvalidRelease');
    assert.equal(conditionOf(app(), 'Stalled')?.status, 'True');
    assert.deepEqual(containers(), running('a'));
    device.engine.docker.removeContainer('web_7_1_a');
    await look();
    await agent().settle();
    assert.deepEqual(containers(), running('a'));
    await bring(next());
    assert.deepEqual(containers(), running('b', 9, 2));
  });

  it('keeps one bad App from touching another', async () => {
    await propose(spec());
    await propose({ ...spec(), appId: 2, services: { x: { image: 'web:1', depends_on: ['x'] } } }, 'other', 'local');
    await agent().settle();
    assert.deepEqual(containers(), running('a'));
    assert.equal(reason('App', 'other'), 'InvalidRelease');
  });

  it('refuses a child whose name somebody else took, before anything is touched', async () => {
    const theirs: AnyDeclared = {
      apiVersion: API_VERSION,
      kind: 'Volume',
      metadata: { name: 'hello.data' },
      spec: { app: 'x', appId: 9, volumeName: '9_x', reclaim: 'Retain' },
    };
    await agent().propose([theirs], 'local');
    await bring(spec());
    assert.equal(reason(), 'NameTaken');
    assert.match(conditionOf(app(), 'Ready')?.message ?? '', /Volume\/hello\.data/);
    assert.deepEqual(containers(), []);
    await agent().propose([], 'local');
    await look();
    await agent().settle();
    assert.deepEqual(containers(), running('a'));
  });

  it('runs nothing without a release, and keeps the data', async () => {
    await bring(spec());
    await bring(spec({ release: null }));
    assert.deepEqual(containers(), []);
    assert.equal(app().status?.release, undefined);
    assert.ok(isReady(app()));
    assert.ok(store().get('Volume', 'hello.data'));
  });

  it('takes an app down in order, and keeps its volumes by default', async () => {
    await bring(spec());
    device.engine.forgetCalls();
    await bring(undefined);
    assert.deepEqual([containers(), device.engine.docker.volumes.length, isLocal('web:1')], [[], 1, false]);
    assert.equal(store().get('App', 'hello'), undefined);
    const order = device.engine.verbs.filter((verb) => verb.startsWith('remove'));
    assert.deepEqual(order, ['removeContainer', 'removeContainer', 'removeNetwork', 'removeImage']);
    assert.equal(existsSync(lockFile('web')), false);
  });

  it('removes the volumes too when the App says so', async () => {
    await bring(spec({ volumeReclaim: 'Delete' }));
    await bring(undefined);
    assert.deepEqual(device.engine.docker.volumes, []);
  });

  it('does not take an app down while the application holds the lock', async () => {
    await bring(spec());
    await takeLock('web');
    await propose(undefined);
    await look();
    assert.equal(reason(), 'UpdatesLocked');
    assert.deepEqual(containers(), running('a'));
    await rm(lockFile('web'));
    await agent().settle();
    assert.deepEqual(containers(), []);
  });

  it('shares the network of the API while somebody needs it', async () => {
    const labels = { 'io.balena.features.supervisor-api': '1' };
    const shared = () => device.engine.docker.networks.some(({ name }) => name === 'supervisor0');
    await bring(spec({ services: { web: { image: 'web:1', labels } } }));
    assert.equal(shared(), true);
    assert.equal(store().get('Network', 'supervisor0')?.metadata.origin, 'agent');
    await bring(spec({ services: { web: { image: 'web:1' } } }));
    await look();
    await agent().settle();
    assert.equal(shared(), false);
  });

  it('believes its eyes more than the documents of an earlier process', async () => {
    await bring(spec());
    await agent().stop();
    device.engine.docker.removeContainer('db_8_1_a');
    device.engine.docker.removeContainer('web_7_1_a');
    device.engine.docker.removeImage('web:1');
    device.engine.images.withdraw('web:1');
    await device.boot();
    await propose(spec({ release: { commit: 'b', id: 2 } }));
    await look();
    assert.equal(reason(), 'ImagesNotReady');
    assert.equal(store().get('Service', 'hello.web')?.spec.release?.commit, 'a', 'nothing was promoted');
  });

  it('clears the lock that an earlier process left', async () => {
    await bring(spec());
    await agent().stop();
    device.engine.images.serve('web:2', { content: 'two' });
    await device.boot();
    let killed = false;
    device.faultPlan = (what) => {
      if (what !== 'stopContainer' || killed) return 'none';
      killed = true;
      return 'kill-after';
    };
    await propose(next());
    await agent().settle();
    assert.ok(agent().isDead);
    assert.equal(existsSync(lockFile('web')), true);
    await device.boot();
    await agent().settle();
    assert.deepEqual(containers(), running('b', 9, 2));
    assert.equal(existsSync(lockFile('web')), false);
  });
});

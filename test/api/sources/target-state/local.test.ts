import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StorageError } from '../../../../api/platform/disk.js';
import {
  type LocalOrigin,
  localOrigin,
  planCollisions,
  planHostConfig,
} from '../../../../api/sources/target-state/local.js';
import { openStore } from '../../../../api/store/document-store.js';
import type { Store } from '../../../../api/store/store.js';
import { parseDocument } from '../../../../crds/schema/parse.js';

const device = { uuid: '0123456789abcdef0123456789abcdef', localMode: true };
const target = (apps?: object, more: object = {}) => ({ local: { ...(apps ? { apps } : {}), ...more } });
const app = (image: string, more: object = {}) => ({
  name: 'localapp',
  commit: 'c',
  releaseId: 1,
  services: { 1: { serviceName: 'main', imageId: 1, image, environment: {}, labels: {}, ...more } },
});

describe('localOrigin', () => {
  let root: string;
  let store: Store;
  let origin: LocalOrigin;
  let lines: string[];
  const quiet = (fields: object) => fields;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'supercargo-local-'));
    store = await openStore({ folder: root, now: Date.now, log: { info: quiet, warn: quiet, error: quiet } });
    lines = [];
    const log = (_fields: object, message: string) => lines.push(message);
    origin = localOrigin({ store, device, parse: parseDocument, log: { info: log, warn: log, error: log } });
  });
  afterEach(async () => {
    await store.close();
    await rm(root, { recursive: true });
  });
  const running = () =>
    store
      .list('App')
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata, spec }) => `${metadata.name}=${spec.services?.main?.image}`);

  it('declares apps and the device, and asks for passes', async () => {
    assert.deepEqual(
      await origin.accept(target({ 1: app('a') }, { name: 'Home', config: { SUPERVISOR_DELTA: 'true' } })),
      { ok: true },
    );
    assert.deepEqual(running(), ['app-1=a']);
    assert.equal(store.get('App', 'app-1')?.metadata.origin, 'local');
    assert.deepEqual(store.get('HostConfig', 'device')?.spec, { name: 'Home', config: { SUPERVISOR_DELTA: 'true' } });
    assert.ok(store.isPending('App/app-1'));
  });

  it('shows the boot files as the target until one is declared, and takes back what it showed', async () => {
    const bootConfig = () => ({ HOST_CONFIG_gpu_mem: '16' });
    const log = { info: quiet, warn: quiet, error: quiet };
    const booted = localOrigin({ store, device: { ...device, bootConfig }, parse: parseDocument, log });
    const config = (): Record<string, string> =>
      (booted.render() as { local: { config: Record<string, string> } }).local.config;
    assert.equal(Object.keys(config())[0], 'HOST_CONFIG_gpu_mem');
    assert.equal(config().HOST_FIREWALL_MODE, '');
    assert.deepEqual(await booted.accept(target(undefined, { config: config() })), { ok: true });
    assert.equal(store.get('HostConfig', 'device')?.spec.config?.HOST_CONFIG_gpu_mem, '16');
    const { HOST_CONFIG_gpu_mem: _, ...rest } = config();
    await booted.accept(target(undefined, { config: rest }));
    assert.equal(config().HOST_CONFIG_gpu_mem, undefined);
  });

  it('asks for a pass again when the same is posted again, and changes nothing', async () => {
    await origin.accept(target({ 1: app('a') }));
    store.markReconciled('App/app-1');
    const before = store.get('App', 'app-1');
    await origin.accept(target({ 1: app('a') }));
    assert.ok(store.isPending('App/app-1'));
    assert.equal(store.get('App', 'app-1')?.metadata.generation, before?.metadata.generation);
    assert.equal(store.get('App', 'app-1')?.metadata.resourceVersion, before?.metadata.resourceVersion);
  });

  it('asks for another try of what went back when the same is posted again, not when a post does not name it', async () => {
    await origin.accept(target({ 1: app('a') }));
    const posted = store.get('App', 'app-1') ?? assert.fail('no App');
    const rollback = {
      from: 'app-1.b',
      to: 'app-1.a',
      reason: 'CrashLoop',
      message: 'it ends',
      at: posted.metadata.creationTimestamp,
    };
    store.setStatus(posted, { ...posted.status, appId: 1, rollback });
    await origin.accept(target(undefined, { name: 'Away' }));
    assert.equal(store.get('App', 'app-1')?.requests.retry, undefined);
    await origin.accept(target({ 1: app('a') }));
    assert.ok(store.get('App', 'app-1')?.requests.retry);
  });

  it('keeps what a post does not name', async () => {
    await origin.accept(target({ 1: app('a') }, { name: 'Home', config: { SUPERVISOR_DELTA: 'true' } }));
    await origin.accept(target(undefined, { name: 'Away' }));
    assert.deepEqual(running(), ['app-1=a']);
    assert.deepEqual(store.get('HostConfig', 'device')?.spec, { name: 'Away', config: { SUPERVISOR_DELTA: 'true' } });
    await origin.accept(target({ 2: app('b') }));
    assert.deepEqual(running(), ['app-2=b']);
    assert.equal(store.get('HostConfig', 'device')?.spec.name, 'Away');
    await origin.accept(target({}));
    assert.deepEqual(running(), []);
  });

  it('takes back what it shows, without a change', async () => {
    await origin.accept(target({ 1: app('a', { memLimit: '1g' }) }, { name: 'Home', config: {} }));
    await origin.accept(origin.render());
    const [before, shown] = [store.get('App', 'app-1')?.metadata.generation, origin.render()];
    await origin.accept(origin.render());
    assert.equal(before, 1);
    assert.deepEqual(origin.render(), shown);
    assert.equal(store.get('HostConfig', 'device')?.metadata.generation, 2);
  });

  it('refuses a bad target state whole', async () => {
    await origin.accept(target({ 1: app('a') }));
    const answer = await origin.accept(target({ 1: app('b'), 2: { ...app('c'), releaseId: 'x' } }));
    assert.ok(!answer.ok);
    assert.equal(answer.status, 400);
    assert.match(answer.message, /^Invalid target state\.\n/);
    assert.deepEqual(running(), ['app-1=a']);
  });

  it('refuses an app that is declared elsewhere, and takes nothing of that post', async () => {
    const document = {
      apiVersion: 'supercargo.io/v1',
      kind: 'App',
      metadata: { name: 'hello' },
      spec: { appId: 1 },
    } as const;
    await store.propose({ origin: 'files', documents: [{ document, source: { file: 'm/hello.yaml', line: 1 } }] });
    const answer = await origin.accept(target({ 1: app('a'), 2: app('b') }));
    assert.deepEqual(answer, {
      ok: false,
      status: 400,
      message: 'The app 1 is already there: App hello, declared by files in m/hello.yaml',
    });
    assert.deepEqual(running(), ['hello=undefined']);
  });

  it('does not keep a name and configuration that are being deleted, nor those of a file that is gone', async () => {
    await origin.accept({ local: { name: 'Home', config: { SUPERVISOR_DELTA: 'true' }, apps: {} } });
    for (const by of ['local', 'files'] as const) {
      const device = () => store.get('HostConfig', 'device');
      await store.propose({ origin: by, documents: [] });
      assert.notEqual(device()?.metadata.deletionTimestamp, undefined);
      const { local } = origin.render() as { local: { name: string } };
      assert.equal(local.name, 'local');
      assert.deepEqual(await origin.accept({ local: { apps: {} } }), { ok: true });
      await store.release(device() ?? assert.fail());
      assert.equal(device(), undefined);
      const spec = { name: 'Filed' };
      const document = {
        apiVersion: 'supercargo.io/v1',
        kind: 'HostConfig',
        metadata: { name: 'device' },
        spec,
      } as const;
      await store.propose({ origin: 'files', documents: [{ document }] });
    }
    await store.propose({ origin: 'files', documents: [] });
    assert.deepEqual(await origin.accept({ local: { name: 'Posted', apps: {} } }), { ok: true });
    await store.release(store.get('HostConfig', 'device') ?? assert.fail());
    assert.equal(store.get('HostConfig', 'device')?.spec.name, 'Posted');
  });

  it('leaves a name and configuration alone that a file declares, and refuses to change them', async () => {
    const document = {
      apiVersion: 'supercargo.io/v1',
      kind: 'HostConfig',
      metadata: { name: 'device' },
      spec: { name: 'Filed' },
    } as const;
    await store.propose({ origin: 'files', documents: [{ document }] });
    const { local } = origin.render() as { local: object };
    assert.deepEqual(await origin.accept({ local: { ...local, apps: { 1: app('a') } } }), { ok: true });
    assert.equal(store.get('HostConfig', 'device')?.metadata.origin, 'files');
    const answer = await origin.accept({ local: { ...local, name: 'Posted' } });
    assert.ok(!answer.ok && answer.status === 400);
    assert.deepEqual(running(), ['app-1=a']);
  });

  it('puts a force request on every app', async () => {
    await origin.accept({ ...target({ 1: app('a'), 2: app('b', { imageId: 2 }) }), force: true });
    for (const one of store.list('App')) assert.ok(one.requests.force?.id, one.metadata.name);
  });

  it('answers 503 when it could not be stored', async () => {
    const full = {
      get: () => undefined,
      list: () => [],
      propose: () => Promise.reject(new StorageError('No space left')),
      request: () => assert.fail(),
      touch: () => assert.fail(),
    };
    const refusing = localOrigin({
      store: full,
      device,
      parse: parseDocument,
      log: { info: quiet, warn: quiet, error: quiet },
    });
    assert.deepEqual(await refusing.accept(target({})), { ok: false, status: 503, message: 'No space left' });
  });

  it('carries out posts one after another, also after one that failed', async () => {
    const posts = [
      target({ 1: app('a') }),
      'junk',
      target(undefined, { name: 'Home' }),
      target({ 1: app('b') }),
      target(undefined, { config: {} }),
    ];
    const answers = await Promise.all(posts.map((post) => origin.accept(post)));
    assert.deepEqual(
      answers.map(({ ok }) => ok),
      [true, false, true, true, true],
    );
    assert.deepEqual(running(), ['app-1=b']);
    assert.deepEqual(store.get('HostConfig', 'device')?.spec, { name: 'Home', config: {} });
  });

  it('says what it leaves out', async () => {
    await origin.accept(target({ 1: app('a', { network_mode: 'container:x' }) }));
    assert.deepEqual(
      lines.map((line) => line.slice(0, 40)),
      ['Target state: app 1 service main: networ'],
    );
  });
});

describe('planCollisions', () => {
  it('finds none among apps of its own', () => {
    const declared = {
      apiVersion: 'supercargo.io/v1',
      kind: 'App',
      metadata: { name: 'app-1' },
      spec: { appId: 1 },
    } as const;
    const own = {
      ...declared,
      requests: {},
      metadata: {
        name: 'app-1',
        origin: 'local',
        uid: 'u',
        generation: 1,
        resourceVersion: '1',
        creationTimestamp: '',
        finalizers: [],
      },
    } as const;
    assert.deepEqual(planCollisions([declared], [own]), []);
    assert.equal(planCollisions([declared], [{ ...own, metadata: { ...own.metadata, origin: 'api' } }]).length, 1);
  });
});

describe('planHostConfig', () => {
  it('declares nothing when nothing is said or known', () => {
    assert.equal(planHostConfig({}, undefined, device), undefined);
  });
});

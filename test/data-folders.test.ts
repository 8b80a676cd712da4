import assert from 'node:assert/strict';
import { chmodSync, chownSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closeDataFolder } from '../api/device-state/data-folder.js';
import type { AnyDeclared, AnyResource } from '../crds/model/kinds.js';
import { capturingLog } from './fixtures/data-folders/capturing-log.js';
import { type Content, filesBelow, readContent } from './fixtures/data-folders/content.js';
import { Device } from './simulation/device.js';
import { AT_START } from './simulation/scenario.js';

const ROOT = fileURLToPath(new URL('fixtures/data-folders', import.meta.url));
const foldersIn = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

/** Whose an agent's lock files are, where it runs as root. */
const LOCK_OWNER = 65534;

/** A copy that the agent may write to. Modes and owners, which git does not keep, are as an agent leaves them. */
function copyTo(folder: string, from: string): void {
  cpSync(from, folder, { recursive: true });
  chmodSync(folder, 0o700);
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    const path = join(folder, name);
    const isFolder = statSync(path).isDirectory();
    chmodSync(path, isFolder ? 0o700 : 0o600);
    const isAgentsLock = !isFolder && path.endsWith('.lock') && readFileSync(path, 'utf8') !== '';
    if (isAgentsLock && process.getuid?.() === 0) chownSync(path, LOCK_OWNER, LOCK_OWNER);
  }
}

/** Every file with its text and when it was written. */
const filesOf = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    filesBelow(folder).map((path) => {
      const { mtimeMs, ino } = statSync(join(folder, path));
      return [path, `${ino} ${mtimeMs} ${readFileSync(join(folder, path), 'utf8')}`];
    }),
  );

/**
 * Data folders that released versions wrote (`test/fixtures/data-folders/make.ts`). Every later version has to read all
 * that is in them: a device is updated in place. When a version reads something in another way on purpose, its
 * migration is written here; the fixtures stay.
 */
for (const version of foldersIn(ROOT)) {
  for (const name of foldersIn(join(ROOT, version))) {
    describe(`the data folder of ${version}, ${name}`, () => {
      const written = JSON.parse(readFileSync(join(ROOT, version, name, 'content.json'), 'utf8')) as Content;
      let folder: string;

      beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), 'data-folder-'));
        copyTo(folder, join(ROOT, version, name, 'data'));
      });
      afterEach(() => rmSync(folder, { recursive: true, force: true }));

      it('is taken as an agent’s own, without a complaint', () => {
        const { log, complaints } = capturingLog();
        closeDataFolder(folder, log);
        assert.deepEqual(complaints, []);
      });

      it('reads as what was written: documents, status, requests, keys, tags, secrets, host state, locks', async () => {
        const content = await readContent(folder);
        // As JSON: a field that is undefined is a field that is not there.
        assert.deepEqual(JSON.parse(JSON.stringify(content)), written);
        assert.ok(content.documents.length > 0);
        assert.deepEqual([content.problems, content.events, content.complaints], [[], [], []]);
      });

      it('loses no file, and sets none aside', async () => {
        const before = filesBelow(folder).filter((path) => path !== 'commit.json');
        await readContent(folder);
        assert.deepEqual(filesBelow(folder), before);
      });

      it('is not written to by a second start', async () => {
        const atFirst = filesOf(folder);
        await readContent(folder);
        const afterOne = filesOf(folder);
        if (name === 'at-rest') assert.deepEqual(afterOne, atFirst, 'nor by a first one');
        await readContent(folder);
        assert.deepEqual(filesOf(folder), afterOne);
      });

      it('brings an agent to rest, and the next one makes no call and no write', async () => {
        const device = new Device();
        try {
          copyTo(device.folder, folder);
          device.engine.images.add('web:1');
          const first = await device.boot();
          const waiting = first.documents().flatMap((one) => {
            const isSuspended = one.kind === 'App' && one.spec.suspend === true;
            return isSuspended ? [`App/${one.metadata.name}`] : [];
          });
          await first.settle({ waiting });
          const declared = declaredBy(first.store.list('App'));
          assert.deepEqual(declared, written.documents.map(nameOfApp).filter(Boolean).sort());
          await device.halt();
          const second = await device.boot();
          await second.settle({ waiting });
          assert.deepEqual(
            second.steps.filter((step) => !AT_START.includes(step)),
            [],
          );
        } finally {
          device.discard();
        }
      });
    });
  }
}

/** An App that a version wrote whose documents all meant what a Supervisor does. */
describe('an App of before that left fields out', () => {
  let device: Device;
  beforeEach(() => {
    device = new Device();
    copyTo(device.folder, join(ROOT, 'v0.1.0', 'at-rest', 'data'));
    device.engine.images.add('web:1');
  });
  afterEach(() => device.discard());

  const settle = () => device.agent?.settle({ waiting: ['App/paused'] });
  const written = (): readonly AnyDeclared[] =>
    (['App', 'GitSource', 'HostConfig'] as const)
      .flatMap((kind) => device.agent?.store.list(kind) as readonly AnyResource[])
      .filter(({ metadata }) => metadata.origin === 'files')
      .map(({ apiVersion, kind, metadata, spec }) => {
        const { name, labels } = metadata;
        return { apiVersion, kind, metadata: { name, ...(labels ? { labels } : {}) }, spec } as AnyDeclared;
      });
  const edited = (environment: Readonly<Record<string, string>>): readonly AnyDeclared[] =>
    written().map((one) => {
      if (one.kind !== 'App' || one.metadata.name !== 'hello') return one;
      const { web, ...services } = one.spec.services ?? {};
      assert.ok(web);
      return { ...one, spec: { ...one.spec, services: { web: { ...web, environment }, ...services } } };
    });
  const containers = () =>
    Object.fromEntries(
      device.engine.docker.containers
        .filter(({ options }) => options.Labels?.['io.balena.app-id'] === '1')
        .map(
          ({ id, options }) =>
            [
              options.Labels?.['io.balena.service-name'] ?? '',
              { id, tty: options.Tty, ipc: options.HostConfig?.IpcMode },
            ] as const,
        ),
    );

  it('runs on as it is while its services are the same, though another version reads them', async () => {
    await (await device.boot()).settle({ waiting: ['App/paused'] });
    const before = containers();
    assert.deepEqual(
      Object.values(before).map(({ tty, ipc }) => [tty, ipc]),
      [1, 2, 3].map(() => [true, 'shareable']),
    );
    for (const round of [1, 2]) {
      await device.halt();
      const agent = await device.boot();
      await agent.propose(written());
      await settle();
      assert.deepEqual(
        agent.steps.filter((step) => !AT_START.includes(step)),
        [],
        `round ${round}`,
      );
      assert.deepEqual(containers(), before);
    }
    assert.equal(device.agent?.store.get('App', 'hello')?.spec.defaults, undefined);
  });

  it('means what Compose means once its services change, says so once, and goes back as it was', async () => {
    await (await device.boot()).settle({ waiting: ['App/paused'] });
    const before = containers();
    const agent = device.agent;
    await agent?.propose(written());
    await settle();
    await agent?.propose(edited({ V: '2' }));
    await settle();
    assert.equal(agent?.store.get('App', 'hello')?.spec.defaults, 'compose');
    const after = containers();
    assert.deepEqual(Object.keys(after).sort(), ['db', 'job', 'web']);
    for (const [name, { id, tty, ipc }] of Object.entries(after)) {
      assert.deepEqual([tty, ipc], [false, '']);
      assert.notEqual(id, before[name]?.id);
    }
    const events = agent.store.events('App/hello').map(({ message }) => message);
    assert.deepEqual(
      events.filter((message) => message.includes('Compose')),
      [
        'Promoting: Service/hello.web, Service/hello.db, Service/hello.job differ; what web, db, job leave out means what Compose means from now on: tty, ipc',
      ],
    );
    assert.deepEqual(agent.store.get('Service', 'hello.db')?.status?.replaced?.fields, [
      'services.db.tty: true → false',
      'services.db.ipc: "shareable" → (none)',
    ]);
    const first = agent.store.list('Revision').find(({ spec }) => spec.app === 'hello' && spec.number === 1);
    assert.ok(first);
    await agent.store.request('App/hello', { rollback: { to: first.metadata.name } });
    await settle();
    for (const { tty, ipc } of Object.values(containers())) assert.deepEqual([tty, ipc], [true, 'shareable']);
  });

  it('means it without another change where it says so', async () => {
    await (await device.boot()).settle({ waiting: ['App/paused'] });
    const isHello = (one: AnyDeclared): boolean => one.kind === 'App' && one.metadata.name === 'hello';
    await device.agent?.propose(
      written().map((one) => (isHello(one) ? { ...one, spec: { ...one.spec, defaults: 'compose' } as never } : one)),
    );
    await settle();
    for (const { tty } of Object.values(containers())) assert.equal(tty, false);
  });
});

const declaredBy = (apps: readonly Pick<AnyDeclared, 'metadata'>[]): readonly string[] =>
  apps.map(({ metadata }) => metadata.name).sort();

function nameOfApp(document: unknown): string {
  const { kind, metadata } = document as AnyDeclared;
  return kind === 'App' ? metadata.name : '';
}

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openKeys } from '../../../api/device-state/key-file.js';
import { openTags } from '../../../api/device-state/tag-file.js';
import { StorageError } from '../../../api/platform/disk.js';
import { jsonOf, LIMIT_OWN_BYTES, readOwnFile } from '../../../api/platform/quarantine.js';
import { openStore } from '../../../api/store/document-store.js';
import { readDeviceFacts } from '../../../controllers/host/facts/device-facts.js';
import { HostStateFile, NO_STATE } from '../../../controllers/host/host-state.js';
import { openLoadedFiles } from '../../../controllers/image/loaded-files.js';
import { Log } from '../store/fixtures.js';

const TOO_LARGE = new RegExp(`it has ${LIMIT_OWN_BYTES + 1} bytes, and at most ${LIMIT_OWN_BYTES} are read`);

describe('a file of our own that is larger than any of ours', () => {
  let folder: string;
  let log: Log;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'own-'));
    log = new Log();
  });
  afterEach(() => rm(folder, { recursive: true }));
  const now = () => 7;
  /** A file with a hole in it: so large without taking any room. */
  const put = async (path: string): Promise<string> => {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, '{}');
    await truncate(file, LIMIT_OWN_BYTES + 1);
    return file;
  };
  const names = () => readdir(folder);

  it('is not read', async () => {
    assert.deepEqual(readOwnFile(join(folder, 'a')), undefined);
    assert.match(readOwnFile(await put('a'))?.unfit ?? '', TOO_LARGE);
    assert.match(readOwnFile(folder)?.unfit ?? '', /it is not a file/);
  });

  it('is not read either when it has no end, or nobody ever writes into it', async () => {
    await mkdir(join(folder, 'documents/networks'), { recursive: true });
    await mkdir(join(folder, 'documents/apps'));
    execFileSync('mkfifo', [join(folder, 'documents/networks/pipe.json')]);
    await symlink('/dev/zero', join(folder, 'documents/apps/zero.json'));
    await symlink('/proc/kmsg', join(folder, 'documents/apps/kmsg.json'));
    const store = await openStore({ folder, now, log });
    const reported = store
      .problems()
      .map(({ kind, name, message }) => `${kind}/${name} ${/\((.*?)\)/.exec(message)?.[1]}`);
    assert.deepEqual(reported.sort(), [
      'App/kmsg it is not a file that is kept on a disk',
      'App/zero it is not a file',
      'Network/pipe it is not a file',
    ]);
    await store.close();
  });

  it('makes new keys, and is set aside', async () => {
    await put('keys.json');
    assert.match((await openKeys({ folder, now, log })).global, /^[0-9a-f]{32}$/);
    assert.deepEqual((await names()).sort(), ['keys.json', 'keys.json.corrupt-7']);
    assert.match(log.at('error').join(), TOO_LARGE);
    assert.match(log.at('error').join(), /keys\.json/);
  });

  it('begins without tags, and is set aside', async () => {
    await put('tags.json');
    assert.deepEqual(openTags({ folder, now, log }).list(), []);
    assert.deepEqual(await names(), ['tags.json.corrupt-7']);
    assert.match(log.at('error').join(), TOO_LARGE);
  });

  it('is a lost document, which is reported, and no reason not to start', async () => {
    for (const path of ['documents/apps/a.json', 'status/apps/a.json']) await put(path);
    await (await openStore({ folder, now, log })).close();
    assert.match(log.at('error').join(), TOO_LARGE);
    assert.deepEqual(await readdir(join(folder, 'documents/apps')), ['a.json.corrupt-7']);
    assert.deepEqual(await readdir(join(folder, 'status/apps')), ['a.json.corrupt-7']);
  });

  it('has files of images read again', async () => {
    const path = await put('images.json');
    assert.deepEqual(openLoadedFiles(path, log).entries(), []);
    assert.match(log.at('warn').join(), /The list of loaded files cannot be used/);
  });

  it('leaves nothing known of the host, and is set aside', async () => {
    await put('host.json');
    const lost: string[] = [];
    const file = new HostStateFile(folder, { now, lost: (aside) => void lost.push(aside) });
    assert.deepEqual(await file.load(), NO_STATE);
    assert.deepEqual(lost, [join(folder, 'host.json.corrupt-7')]);
  });

  it('holds no uuid, and is set aside', async () => {
    await put('device.json');
    const { uuid } = await readDeviceFacts({ hostRoot: folder, dataFolder: folder, engineSocket: '', apiPort: 1, now });
    assert.match(uuid, /^[0-9a-f]{32}$/);
    assert.deepEqual((await names()).sort(), ['device.json', 'device.json.corrupt-7']);
  });
});

describe('a file of our own that says nonsense', () => {
  it('is no list of loaded files when its images are no texts', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'own-'));
    const path = join(folder, 'images.json');
    const log = new Log();
    await writeFile(
      path,
      '{"files":{"a":{"size":1,"mtimeMs":1,"images":[1]},"b":{"size":1,"mtimeMs":1,"images":["b"]}}}',
    );
    assert.deepEqual(
      openLoadedFiles(path, log)
        .entries()
        .map(([name]) => name),
      ['b'],
    );
    for (const text of ['[]', '1', '{"files":[]}', '{"files":null}']) {
      await writeFile(path, text);
      assert.deepEqual(openLoadedFiles(path, log).entries(), []);
    }
    assert.equal(log.at('warn').length, 4);
    await rm(folder, { recursive: true });
  });
});

describe('the tags', () => {
  it('take a MiB and no more, over restarts too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tags-'));
    const open = () => openTags({ folder, now: () => 7, log: new Log() });
    const tags = open();
    await tags.merge({ a: 'x'.repeat(600_000) });
    await assert.rejects(tags.merge({ b: 'x'.repeat(600_000) }), (error) => {
      return error instanceof StorageError && /more than 1 MiB; they stay as they were/.test(error.message);
    });
    assert.deepEqual(
      tags.list().map(({ name }) => name),
      ['a'],
    );
    await tags.merge({ a: 'x', b: 'y' });
    assert.deepEqual(open().list(), tags.list());
    assert.deepEqual(
      tags.list().map(({ id, value }) => [id, value]),
      [
        [1, 'x'],
        [2, 'y'],
      ],
    );
    await rm(folder, { recursive: true });
  });
});

describe('a file of our own that is no JSON', () => {
  it('is not shown: documents and keys have secrets in them', () =>
    assert.throws(() => jsonOf({ text: '{"password":hush}' }), /^SyntaxError: it is not JSON/));
});

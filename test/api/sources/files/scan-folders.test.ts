import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scanFolder } from '../../../../api/sources/files/scan-folders.js';

describe('scanFolder', () => {
  let root: string;
  let folder: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'supercargo-scan-'));
    folder = join(root, 'watched');
    await mkdir(folder);
    await writeFile(join(folder, 'app.yaml'), '');
  });
  afterEach(() => rm(root, { recursive: true }));

  const messages = (problems: readonly { message: string; source?: { file: string } }[]) =>
    problems.map(({ message, source }) => `${source?.file.replace(root, '')}: ${message}`);
  const many = (count: number, make: (at: number) => Promise<unknown>) =>
    Promise.all(Array.from({ length: count }, (_, at) => make(at)));

  for (const [to, target] of [
    ['the root of the system', () => '/'],
    ['a folder that it lies in', () => root],
  ] as const) {
    it(`leaves out a link to ${to}`, async () => {
      await symlink(target(), join(folder, 'everything'));
      const seen = await scanFolder(folder);
      assert.deepEqual(messages(seen.problems), [
        `/watched/everything: The link leads to ${target()}, in which the folder itself lies; it is left out`,
      ]);
      assert.deepEqual([seen.failures, seen.isTooLarge, seen.listed], [[], false, [folder]]);
      assert.deepEqual(seen.watch, [folder]);
      assert.deepEqual(
        seen.files.map(({ file }) => file),
        [join(folder, 'app.yaml')],
      );
    });
  }

  describe('of names that are no UTF-8', () => {
    const named = (name: string): Buffer => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);

    it('tells of documents and links, and looks at the rest', async () => {
      for (const name of ['caf\xe9.yaml', '\xff\xfe.json', 'notes\xe9.txt', '.hidden\xe9.yaml'])
        await writeFile(named(name), '');
      await symlink('app.yaml', named('link\xe9'));
      for (const name of ['grün.yaml', 'really \ufffd.yaml']) await writeFile(join(folder, name), '');
      const seen = await scanFolder(folder);
      const what = 'The name of the file is no UTF-8: rename it; until then it is left out';
      assert.deepEqual(messages(seen.problems).sort(), [
        `/watched/\\xff\\xfe.json: ${what}`,
        `/watched/caf\\xe9.yaml: ${what}`,
        `/watched/link\\xe9: ${what}`,
      ]);
      assert.deepEqual([seen.failures, seen.listed], [[], [folder]]);
      assert.deepEqual(
        seen.files.map(({ file }) => file.replace(`${folder}/`, '')),
        ['app.yaml', 'grün.yaml', 'really \ufffd.yaml'],
      );
    });

    it('knows nothing of what a folder holds', async () => {
      await mkdir(named('caf\xe9'));
      await writeFile(Buffer.concat([named('caf\xe9'), Buffer.from('/in.yaml')]), '');
      const seen = await scanFolder(folder);
      assert.deepEqual(messages(seen.failures), [
        '/watched/caf\\xe9: The name of the folder is no UTF-8: rename it; until then it is left out',
      ]);
      assert.deepEqual([seen.listed, seen.files.length], [[folder], 1]);
    });

    it('says why a folder that is named so is not found', async () => {
      await mkdir(named('caf\xe9'));
      const seen = await scanFolder(named('caf\xe9').toString());
      assert.deepEqual(messages(seen.failures), [
        '/watched/caf\ufffd: The folder does not exist; its name, as given, is no UTF-8',
      ]);
    });
  });

  it('stays on the file system that a link leads to', async () => {
    // /dev/shm and /dev/pts are file systems of their own on every Linux.
    await symlink('/dev', join(folder, 'devices'));
    const seen = await scanFolder(folder);
    assert.match(messages(seen.problems).join(), /devices\/\w+: Another file system is mounted there, behind a link/);
  });

  it('stays on the file system of the first link behind a link behind it', async () => {
    const elsewhere = await mkdtemp('/dev/shm/supercargo-scan-');
    try {
      await mkdir(join(elsewhere, 'there'));
      await writeFile(join(elsewhere, 'there', 'other.yaml'), '');
      await mkdir(join(root, 'linked'));
      await symlink(join(elsewhere, 'there'), join(root, 'linked', 'further'));
      await symlink(join(elsewhere, 'there', 'other.yaml'), join(root, 'linked', 'file.yaml'));
      await symlink(join(root, 'linked'), join(folder, 'link'));
      const seen = await scanFolder(folder);
      assert.deepEqual(
        seen.files.map(({ file }) => file),
        [join(folder, 'app.yaml')],
      );
      assert.deepEqual(messages(seen.problems), [
        '/watched/link/file.yaml: The link, itself behind a link, leads to another file system; it is left out',
        '/watched/link/further: Another file system is mounted there, behind a link; it is left out',
      ]);
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });

  it('names what is called like a document and is none', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.yaml'), join(folder, 'pipe')]);
    await symlink('/dev/zero', join(folder, 'endless.json'));
    await mkdir(join(folder, 'folder.yaml'));
    await mkdir(join(folder, 'used.yaml'));
    await writeFile(join(folder, 'used.yaml', 'in.yaml'), '');
    const seen = await scanFolder(folder);
    assert.deepEqual(messages(seen.problems).sort(), [
      '/watched/endless.json: This is not a file but a pipe, a socket or a device; it is left out',
      '/watched/folder.yaml: This is a folder, with the name of a file and no document in it',
      '/watched/pipe.yaml: This is not a file but a pipe, a socket or a device; it is left out',
    ]);
    assert.equal(seen.files.length, 2);
  });

  it('leaves out a link to the processes of the system, and walks through none of them', async () => {
    await symlink('/proc', join(folder, 'proc'));
    const seen = await scanFolder(folder);
    assert.deepEqual(messages(seen.problems), [
      '/watched/proc: The link leads to a file system of the kernel, which keeps no files; it is left out',
    ]);
    assert.deepEqual(seen.listed, [folder]);
  });

  it('stops at 20,000 entries of any kind, reports one failure, and watches nothing of it', async function () {
    this.timeout(180_000);
    const large = join(root, 'large');
    await mkdir(large);
    for (let part = 0; part < 21; part += 1) await many(1000, (at) => writeFile(join(large, `${part}-${at}`), ''));
    await symlink(large, join(folder, 'large'));
    const seen = await scanFolder(folder);
    assert.deepEqual(messages(seen.failures), [
      '/watched/large: There are more than 20000 files and folders of any kind: what lies beyond is not looked at',
    ]);
    assert.equal(seen.isTooLarge, true);
    assert.deepEqual(seen.watch, []);
    assert.deepEqual(seen.listed, [folder]);
  });

  it('stops at 2,000 folders with one failure', async function () {
    this.timeout(180_000);
    await many(2100, (at) => mkdir(join(folder, `${at}`)));
    const seen = await scanFolder(folder);
    assert.equal(seen.failures.length, 1);
    assert.match(messages(seen.failures).join(), /There are more than 2000 folders: what lies beyond is not looked at/);
  });
});

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BootFiles } from '../../../../controllers/host/boot/boot-files.js';
import { type HostFs, nodeHostFs } from '../../../../controllers/host/fs.js';

/** Carries out so many calls that change something, then cuts the power: the one under way may leave a part. */
function powerCut(afterCalls: number): { readonly fs: HostFs; readonly happened: () => boolean } {
  let left = afterCalls;
  let cut = false;
  const spend = async (partly?: () => Promise<void>): Promise<void> => {
    if (cut || left === 0) {
      if (!cut) await partly?.();
      cut = true;
      throw new Error('power cut');
    }
    left -= 1;
  };
  return {
    happened: () => cut,
    fs: {
      ...nodeHostFs,
      async write(path, bytes) {
        await spend(() => writeFile(path, bytes.subarray(0, bytes.length / 2)));
        await nodeHostFs.write(path, bytes);
      },
      async rename(from, to) {
        await spend();
        await nodeHostFs.rename(from, to);
      },
      async remove(path) {
        await spend();
        await nodeHostFs.remove(path);
      },
      async sync(path) {
        await spend();
        await nodeHostFs.sync(path);
      },
    },
  };
}

describe('files of the boot partition', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'boot-'));
    path = join(folder, 'a.txt');
    await writeFile(path, 'old');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are written, read and removed without traces', async () => {
    const files = new BootFiles();
    await files.write(path, 'new');
    assert.equal(await files.read(path), 'new');
    assert.deepEqual(await readdir(folder), ['a.txt']);
    await files.remove(path);
    assert.equal(await files.read(path), undefined);
    assert.deepEqual(await readdir(folder), []);
    await files.write(join(folder, 'sub/b.txt'), '');
    assert.equal(await files.read(join(folder, 'sub/b.txt')), '');
  });

  it('are recovered from a complete copy', async () => {
    await writeFile(join(folder, '.a.txt.00c0ffee.22af645d1859cb5ca6da0c484f1f37ea.md5sum'), 'new');
    assert.equal(await new BootFiles().read(path), 'new');
    assert.equal(await readFile(path, 'utf8'), 'new');
    assert.deepEqual(await readdir(folder), ['a.txt']);
  });

  it('are not taken from a copy that was cut short', async () => {
    await writeFile(join(folder, '.a.txt.00c0ffee.22af645d1859cb5ca6da0c484f1f37ea.md5sum'), 'ne');
    assert.equal(await new BootFiles().read(path), 'old');
    assert.deepEqual(await readdir(folder), ['a.txt']);
  });

  it('leave the copies of other files alone', async () => {
    const others = ['.b.txt.00c0ffee.22af645d1859cb5ca6da0c484f1f37ea.md5sum', '.a.txt.swp'];
    for (const other of others) await writeFile(join(folder, other), 'x');
    await new BootFiles().read(path);
    assert.deepEqual((await readdir(folder)).sort(), [...others, 'a.txt'].sort());
  });

  it('hold the old text or the new one after a power cut at any moment', async () => {
    const seen = new Set<string | undefined>();
    for (let calls = 0; ; calls += 1) {
      await writeFile(path, 'old');
      const power = powerCut(calls);
      await new BootFiles(power.fs).write(path, 'new').catch(() => undefined);
      const text = await new BootFiles().read(path);
      assert.ok(text === 'old' || text === 'new', `after ${calls} calls: ${text}`);
      assert.equal(await readFile(path, 'utf8'), text);
      assert.deepEqual(await readdir(folder), ['a.txt'], `after ${calls} calls`);
      seen.add(text);
      if (!power.happened()) break;
    }
    assert.deepEqual([...seen], ['old', 'new']);
  });

  const failing = (name: keyof HostFs, code: string): HostFs => ({
    ...nodeHostFs,
    [name]: async () => {
      throw Object.assign(new Error(code), { code });
    },
  });

  it('is changed from what it says at that moment, and not written when it says it already', async () => {
    const files = new BootFiles();
    const changes = ['a', 'b', 'c'].map((letter) => files.update(path, (text) => `${text}${letter}`));
    assert.deepEqual(await Promise.all(changes), [true, true, true]);
    assert.equal(await readFile(path, 'utf8'), 'oldabc');
    assert.equal(await files.update(path, (text) => text ?? ''), false);
  });

  it('is written in place where it is mounted by itself', async () => {
    await new BootFiles(failing('rename', 'EBUSY')).write(path, 'new');
    assert.equal(await readFile(path, 'utf8'), 'new');
    assert.deepEqual(await readdir(folder), ['a.txt']);
  });

  it('stays as it was when the partition is full, also at the next read', async () => {
    let calls = 0;
    const full: HostFs = {
      ...nodeHostFs,
      async write(to, bytes) {
        calls += 1;
        if (calls > 1) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
        await nodeHostFs.write(to, bytes);
      },
    };
    await assert.rejects(new BootFiles(full).write(path, 'new'), /Could not write/);
    assert.equal(await new BootFiles().read(path), 'old');
    assert.deepEqual(await readdir(folder), ['a.txt']);
  });

  it('is read from a complete copy on a partition that can only be read', async () => {
    const copy = '.a.txt.00c0ffee.22af645d1859cb5ca6da0c484f1f37ea.md5sum';
    await writeFile(join(folder, copy), 'new');
    assert.equal(await new BootFiles(failing('write', 'EROFS')).read(path), 'new');
    assert.deepEqual((await readdir(folder)).sort(), [copy, 'a.txt']);
  });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerWithin, readBounded, UnfitFileError } from '../../../api/platform/read-file.js';

describe('readBounded', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'supercargo-read-'));
  });
  afterEach(() => rm(root, { recursive: true }));
  const unfit = (code: string) => (error: unknown) => error instanceof UnfitFileError && error.code === code;

  it('reads a file up to the limit', async () => {
    await writeFile(join(root, 'a'), 'x'.repeat(100_000));
    assert.equal((await readBounded(join(root, 'a'), { bytes: 100_000 })).length, 100_000);
    await assert.rejects(readBounded(join(root, 'a'), { bytes: 99_999 }), unfit('EFBIG'));
  });

  it('reads an empty file, and follows a link', async () => {
    await writeFile(join(root, 'a'), '');
    await symlink('a', join(root, 'b'));
    assert.equal((await readBounded(join(root, 'b'))).length, 0);
  });

  it('refuses a pipe without waiting for its writer', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    await assert.rejects(readBounded(join(root, 'pipe')), unfit('EFTYPE'));
  });

  for (const path of ['/proc/self/pagemap', '/proc/kmsg', '/dev/zero', '/sys/kernel/uevent_seqnum', '/proc']) {
    it(`reads nothing of ${path}`, async () => {
      await symlink(path, join(root, 'link'));
      await assert.rejects(readBounded(join(root, 'link')), /not a file that is kept on a disk|EPERM|EACCES/);
    });
  }

  it('gives the error of the system', async () => {
    await assert.rejects(readBounded(join(root, 'none')), { code: 'ENOENT' });
  });

  it('gives up a file system that does not answer', async () => {
    await assert.rejects(answerWithin(new Promise(() => undefined), 5), unfit('ETIMEDOUT'));
  });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFolder } from '../../../api/store/folder-lock.js';
import { StorageError } from '../../../api/store/store.js';

const TAKEN = /^Another supercargo is at work on /;

describe('lockFolder', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'supercargo-lock-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const refused = (folder: string) =>
    assert.rejects(lockFolder(folder), (error) => error instanceof StorageError && TAKEN.test(error.message));

  it('gives a folder to one at a time, and again when it was let go', async () => {
    const folder = join(root, 'data');
    const release = await lockFolder(folder);
    await refused(folder);
    await release();
    await (await lockFolder(folder))();
  });

  it('knows the folder by any path', async () => {
    symlinkSync(root, join(root, 'again'));
    const release = await lockFolder(root);
    await refused(join(root, 'again'));
    await release();
  });

  it('leaves other folders alone', async () => {
    const releases = [await lockFolder(join(root, 'a')), await lockFolder(join(root, 'b'))];
    for (const release of releases) await release();
  });

  it('ends with a process that is killed', async () => {
    const module = new URL('../../../api/store/folder-lock.ts', import.meta.url).href;
    const holder = spawn(
      process.execPath,
      [
        ...['--import', 'tsx', '--input-type=module', '--eval'],
        `import { lockFolder } from ${JSON.stringify(module)}; await lockFolder(${JSON.stringify(root)}); console.log('held'); setInterval(() => 0, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = once(holder, 'exit');
    try {
      await once(holder.stdout, 'data');
      await refused(root);
    } finally {
      holder.kill('SIGKILL');
      await ended;
    }
    await (await lockFolder(root))();
  });

  it('says when there is no folder to work in', async () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    await assert.rejects(lockFolder(join(file, 'data')), /^StorageError: Could not write .*file/);
  });
});

import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimFolder } from '../../../../controllers/engine/local/engine-folders.js';

describe('claimFolder', () => {
  let root: string;
  let path: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'claim-'));
    path = join(root, 'run');
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const mode = () => statSync(path).mode & 0o777;

  it('makes a folder for us alone, and takes it again', () => {
    claimFolder(path);
    assert.equal(mode(), 0o700);
    claimFolder(path);
  });

  it('closes one of ours that others may look into', () => {
    mkdirSync(path);
    chmodSync(path, 0o755);
    claimFolder(path);
    assert.equal(mode(), 0o700);
  });

  const refused = /is not a folder of ours alone/;
  it('refuses a link, also to a folder of ours, and a file', () => {
    mkdirSync(join(root, 'elsewhere'), { mode: 0o700 });
    symlinkSync(join(root, 'elsewhere'), path);
    assert.throws(() => claimFolder(path), refused);
    rmSync(path);
    writeFileSync(path, '');
    assert.throws(() => claimFolder(path), refused);
  });

  it('refuses one that others may write to, and one of somebody else', function () {
    mkdirSync(path);
    chmodSync(path, 0o777);
    assert.throws(() => claimFolder(path), refused);
    if (process.getuid?.() !== 0) return this.skip(); // giving a folder to somebody else takes root, which CI is
    chmodSync(path, 0o700);
    chownSync(path, 1000, 1000);
    assert.throws(() => claimFolder(path), refused);
  });
});

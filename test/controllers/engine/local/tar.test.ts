import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tarOf } from '../../../../controllers/engine/local/tar.js';

describe('tarOf', () => {
  it('makes an archive that tar unpacks', () => {
    const folder = mkdtempSync(join(tmpdir(), 'supercargo-'));
    try {
      const archive = tarOf([
        { path: 'bin/' },
        { path: 'bin/tool', content: 'x'.repeat(1000), mode: 0o755 },
        { path: 'bin/alias', link: 'tool' },
        { path: 'empty', content: '' },
      ]);
      assert.equal(archive.length % 512, 0);
      execFileSync('tar', ['-x'], { cwd: folder, input: archive });
      assert.equal(readFileSync(join(folder, 'bin/tool'), 'utf8'), 'x'.repeat(1000));
      assert.equal(statSync(join(folder, 'bin/tool')).mode & 0o777, 0o755);
      assert.equal(readlinkSync(join(folder, 'bin/alias')), 'tool');
      assert.equal(readFileSync(join(folder, 'empty'), 'utf8'), '');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses a path that does not fit', () => {
    assert.throws(() => tarOf([{ path: 'a'.repeat(101), content: '' }]), /too long/);
  });
});

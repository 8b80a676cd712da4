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

  it('has room for a path of any length', () => {
    const path = `${'a'.repeat(101)}/${'b'.repeat(180)}`;
    const listing = execFileSync('tar', ['-t'], { input: tarOf([{ path, content: 'x' }]) });
    assert.equal(listing.toString(), `${path}\n`);
  });

  it('makes the same bytes of the same entries, owned by root and dated 1970', () => {
    const entries = [{ path: 'bin/' }, { path: 'bin/tool', content: Buffer.alloc(3_000_000, 7) }];
    assert.ok(tarOf(entries).equals(tarOf(entries)));
    const listing = execFileSync('tar', ['-tv', '--numeric-owner', '--utc'], { input: tarOf(entries) }).toString();
    assert.match(
      listing,
      /^drwxr-xr-x 0\/0 +0 1970-01-01 00:00 bin\/\n-rw-r--r-- 0\/0 +3000000 1970-01-01 00:00 bin\/tool\n$/,
    );
  });
});

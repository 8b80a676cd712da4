import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProjectFiles } from '../../../../api/sources/git/project-files.js';
import { FakeClock, PUNCTUALITIES } from '../../../setup/fake-clock.js';
import { until } from '../../../setup/until.js';

const HOUR_MS = 3_600_000;

for (const punctuality of PUNCTUALITIES) {
  describe(`files of Compose projects from git, when timers fire ${punctuality}`, () => {
    it('are removed once nothing has named them for an hour, and not before', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'project-files-'));
      const unfinished = join(folder, 'fleet/shop', `.new-${'a'.repeat(32)}`);
      mkdirSync(unfinished, { recursive: true });
      const clock = new FakeClock(undefined, punctuality);
      const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
      const files = new ProjectFiles({ folder, store: { list: () => [] }, clock, log });
      try {
        await files.collectLater();
        clock.advance(HOUR_MS - 1);
        await files.collect(true);
        assert.ok(existsSync(unfinished));
        clock.advance(2 * HOUR_MS);
        await until(
          'it has gone',
          () => existsSync(unfinished),
          (isThere) => !isThere,
        );
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
}

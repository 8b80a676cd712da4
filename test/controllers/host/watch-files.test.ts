import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timeoutSignal } from '../../../api/platform/time-limit.js';
import { watchHostFiles } from '../../../controllers/host/watch-files.js';

describe('the watch on files of the host', () => {
  it('goes on when the boot folder has gone and come back', async function () {
    this.timeout(180_000);
    const hostRoot = await mkdtemp(join(tmpdir(), 'host-'));
    const boot = join(hostRoot, 'mnt/boot');
    const changes = new EventEmitter();
    const warn = (_: object, message: string) => assert.fail(message);
    const watching = once(changes, 'changed', { signal: timeoutSignal(180_000) });
    const stop = watchHostFiles({ hostRoot, log: { warn } })(() => changes.emit('changed'));
    const seen = async (change: () => Promise<unknown>): Promise<void> => {
      const reported = once(changes, 'changed', { signal: timeoutSignal(180_000) });
      await change();
      await reported;
    };
    const edit = (text: string) => writeFile(join(boot, 'config.txt'), text);
    try {
      await watching;
      await seen(() => mkdir(boot, { recursive: true }));
      await seen(() => edit('a'));
      await seen(() => rm(boot, { recursive: true }));
      await seen(() => mkdir(boot));
      await seen(() => edit('b'));
      await seen(() => edit('c'));
    } finally {
      stop();
      await rm(hostRoot, { recursive: true });
    }
  });
});

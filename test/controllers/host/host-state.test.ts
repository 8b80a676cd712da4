import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostStateFile, NO_STATE } from '../../../controllers/host/host-state.js';

describe('the state of the host', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'state-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const lost: string[] = [];
  const open = () => new HostStateFile(folder, { now: () => 7, lost: (aside) => void lost.push(aside) });

  it('is kept where only its owner reads it, and found again', async () => {
    const state = { ...NO_STATE, touched: ['HOST_CONFIG_a'] };
    await open().save(state);
    assert.equal((await stat(join(folder, 'host.json'))).mode & 0o777, 0o600);
    assert.deepEqual(await open().load(), state);
    assert.deepEqual(await readdir(folder), ['host.json']);
  });

  it('is not written when it is the same', async () => {
    const file = open();
    await file.save(NO_STATE);
    assert.deepEqual(await readdir(folder), []);
  });

  it('is never larger than what is read back: long words go first, and the rest is refused before anything is changed', async () => {
    const rolledBack = { device: { uid: 'u', generation: 1, because: 'x'.repeat(17 * 1024 ** 2) } };
    await open().save({ ...NO_STATE, rolledBack });
    assert.equal((await open().load()).rolledBack.device?.because.length, 2_000);
    const undo = { managed: {}, files: { 'config.txt': { text: 'x'.repeat(17 * 1024 ** 2), keys: [] } } };
    const device = { uid: 'u', generation: 2, undo, before: { defaultRoute: true, addresses: [] }, starts: 0 };
    const file = open();
    await assert.rejects(file.change({ trials: { device } }), /more than 16 MiB/);
    assert.deepEqual((await file.load()).trials, {});
    assert.deepEqual(await open().load(), await file.load());
    assert.deepEqual(lost, []);
  });

  it('is set aside when it cannot be parsed, which is reported', async () => {
    await writeFile(join(folder, 'host.json'), '{"touched":');
    assert.deepEqual(await open().load(), NO_STATE);
    assert.equal(await readFile(join(folder, 'host.json.corrupt-7'), 'utf8'), '{"touched":');
    assert.deepEqual(lost, [join(folder, 'host.json.corrupt-7')]);
  });
});

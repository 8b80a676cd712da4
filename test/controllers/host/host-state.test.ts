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

  it('is kept where only its owner reads it, and found again', async () => {
    const state = { ...NO_STATE, touched: ['HOST_CONFIG_a'] };
    await new HostStateFile(folder).save(state);
    assert.equal((await stat(join(folder, 'host.json'))).mode & 0o777, 0o600);
    assert.deepEqual(await new HostStateFile(folder).load(), state);
    assert.deepEqual(await readdir(folder), ['host.json']);
  });

  it('is not written when it is the same', async () => {
    const file = new HostStateFile(folder);
    await file.save(NO_STATE);
    assert.deepEqual(await readdir(folder), []);
  });

  it('is set aside when it cannot be understood', async () => {
    await writeFile(join(folder, 'host.json'), '{"touched":');
    assert.deepEqual(await new HostStateFile(folder).load(), NO_STATE);
    assert.equal(await readFile(join(folder, 'host.json.corrupt'), 'utf8'), '{"touched":');
  });
});

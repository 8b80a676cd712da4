import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { LogStream } from '../../../api/device-state/logs.js';
import { openStore } from '../../../api/store/document-store.js';
import type { Store } from '../../../api/store/store.js';
import { deviceVariables, onVariables, repeat } from '../../../controllers/runtime/variables.js';
import { API_VERSION } from '../../../crds/model/kinds.js';
import { FakeClock } from '../../setup/fake-clock.js';

describe('settings of the device', () => {
  let folder: string;
  let store: Store;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'variables-'));
    store = await openStore({ folder, now: () => 0, log: pino({ level: 'silent' }) });
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  const declare = (config: Record<string, string>) =>
    store.put('files', {
      document: { apiVersion: API_VERSION, kind: 'HostConfig', metadata: { name: 'device' }, spec: { config } },
    });

  it('count from the moment at which they are declared', async () => {
    const variables = deviceVariables(store, { localMode: false });
    assert.equal(variables().SUPERVISOR_LOCAL_MODE, false);
    assert.equal(variables(), variables());
    await declare({ BALENA_SUPERVISOR_LOCAL_MODE: '1', SUPERVISOR_LOG_CONTROL: 'off' });
    assert.equal(variables().SUPERVISOR_LOCAL_MODE, true);
    assert.equal(variables().SUPERVISOR_LOG_CONTROL, false);
    await store.delete('files', 'HostConfig/device');
    assert.equal(variables().SUPERVISOR_LOG_CONTROL, true);
  });

  it('drop lines of the log, and do not keep them', async () => {
    const variables = deviceVariables(store, { localMode: false });
    const logs = new LogStream(() => variables().SUPERVISOR_LOG_CONTROL);
    const seen: string[] = [];
    logs.listen(({ message }) => seen.push(message));
    logs.system('one', 'device');
    await declare({ SUPERVISOR_LOG_CONTROL: 'false' });
    logs.system('two', 'device');
    await declare({ SUPERVISOR_LOG_CONTROL: 'true' });
    logs.system('three', 'device');
    assert.deepEqual(seen, ['one', 'three']);
  });

  it('change an interval that runs already', async () => {
    const clock = new FakeClock();
    const variables = deviceVariables(store, { localMode: false });
    let count = 0;
    const stop = repeat({
      clock,
      intervalMs: () => variables().SUPERVISOR_POLL_INTERVAL,
      changes: (changed) => onVariables(store, changed),
      action: () => {
        count += 1;
      },
    });
    clock.advance(899_999);
    assert.equal(count, 0);
    await declare({ SUPERVISOR_POLL_INTERVAL: '60000' });
    clock.advance(180_000);
    assert.equal(count, 3);
    await declare({ SUPERVISOR_POLL_INTERVAL: '1' });
    assert.deepEqual(clock.planned, [10_000]);
    await store.delete('files', 'HostConfig/device');
    assert.notEqual(store.get('HostConfig', 'device'), undefined, 'it goes when its controller says so');
    assert.deepEqual(clock.planned, [900_000]);
    stop();
    assert.deepEqual(clock.planned, []);
  });
});

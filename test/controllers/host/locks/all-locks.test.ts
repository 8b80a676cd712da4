import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { allLocks } from '../../../../controllers/host/locks/all-locks.js';
import { openUpdateLocks } from '../../../../controllers/host/locks/lock-files.js';
import type { UpdateLocks } from '../../../../controllers/host/locks/update-locks.js';

describe('the locks of all apps', () => {
  let folder: string;
  let locks: UpdateLocks;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'locks-'));
    locks = openUpdateLocks({ lockRoot: '/l', hostRoot: folder, log: pino({ level: 'silent' }), now: () => 0 });
    for (const place of ['1/main', '2/web']) await mkdir(join(folder, 'l', place), { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true }));

  const all = (overrides = false) =>
    allLocks({ locks, appIds: () => [2, 1, 3], overrides: () => overrides, patienceMs: 100 });
  const files = async () =>
    (await readdir(join(folder, 'l'), { recursive: true })).filter((name) => name.endsWith('.lock')).sort();
  const lockedBy = (place: string) => writeFile(join(folder, 'l', place, 'updates.lock'), '');

  it('are held while the action runs, and given back', async () => {
    const result = await all().during(false, async () => {
      assert.deepEqual(
        [1, 2, 3].map((id) => locks.isHeld(id)),
        [true, true, true],
      );
      assert.equal((await files()).length, 4);
      assert.equal(await locks.release(1), 'busy');
      return 7;
    });
    assert.deepEqual(result, { is: 'done', value: 7 });
    assert.deepEqual(await files(), []);
    assert.equal(locks.isHeld(1), false);
  });

  it('are all or none, and the last refusal is reported', async () => {
    await lockedBy('1/main');
    await lockedBy('2/web');
    const result = await all().during(false, async () => assert.fail('it began'));
    assert.deepEqual(result, { is: 'locked', message: 'Lockfile exists for { appId: 2, service: web }' });
    assert.deepEqual(await files(), ['1/main/updates.lock', '2/web/updates.lock']);
    assert.equal(locks.isHeld(3), false);
  });

  for (const [by, force, overrides] of [
    ['by force', true, false],
    ['by configuration', false, true],
  ] as const) {
    it(`are overridden ${by}`, async () => {
      await lockedBy('2/web');
      assert.deepEqual(await all(overrides).during(force, async () => 1), { is: 'done', value: 1 });
      assert.deepEqual(await files(), []);
    });
  }

  it('are given back when the action fails', async () => {
    await assert.rejects(
      all().during(false, async () => {
        throw new Error('no');
      }),
      /no/,
    );
    assert.deepEqual(await files(), []);
  });

  it('wait for an operation of ours, but not for ever', async () => {
    await locks.claim(1, [], { force: false });
    const message = 'Locks for app 1 are being held by another supervisor operation';
    assert.deepEqual(await all().during(false, async () => 1), { is: 'locked', message });
    assert.equal(locks.isHeld(1), true);
    const waiting = allLocks({ locks, appIds: () => [1], overrides: () => false }).during(false, async () => 1);
    await locks.release(1);
    assert.deepEqual(await waiting, { is: 'done', value: 1 });
  });

  it('are no hindrance without apps', async () => {
    const none = allLocks({ locks, appIds: () => [], overrides: () => false });
    assert.deepEqual(await none.during(false, async () => 1), { is: 'done', value: 1 });
  });
});

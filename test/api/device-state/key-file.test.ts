import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { openKeys } from '../../../api/device-state/key-file.js';
import type { Keys } from '../../../api/device-state/keys.js';
import { StorageError } from '../../../api/platform/disk.js';
import { FailingDisk, NOW, Place } from '../store/fixtures.js';

describe('The keys', () => {
  let place: Place;
  beforeEach(async () => {
    place = await Place.make();
  });
  afterEach(() => place.remove());
  const open = (globalKey?: string, disk?: FailingDisk): Promise<Keys> =>
    openKeys({ folder: place.folder, globalKey, now: () => NOW, log: place.log, ...(disk ? { disk } : {}) });
  const file = () => place.path('keys.json');

  it('are made at the first start, kept, and readable by their owner only', async () => {
    const { global } = await open();
    assert.match(global, /^[0-9a-f]{32}$/);
    assert.equal((await open()).global, global);
    assert.equal(statSync(file()).mode & 0o777, 0o600);
  });

  it('are one for each service, the same from then on', async () => {
    const keys = await open();
    const [web, again, db, other] = await Promise.all([
      keys.ofService(1, 'web'),
      keys.ofService(1, 'web'),
      keys.ofService(1, 'db'),
      keys.ofService(2, 'web'),
    ]);
    assert.equal(web, again);
    assert.equal(new Set([web, db, other, keys.global]).size, 4);
    for (const key of [web, db, other]) assert.match(key, /^[0-9a-f]{32}$/);
    assert.equal(await (await open()).ofService(1, 'web'), web);
  });

  it('say what they are for', async () => {
    const keys = await open();
    const web = await keys.ofService(12, 'web');
    assert.deepEqual(keys.scopeOf(keys.global), { type: 'global' });
    assert.deepEqual(keys.scopeOf(web), { type: 'app', appId: 12 });
    for (const wrong of ['', 'x', web.slice(1), `${web} `, web.toUpperCase()]) {
      assert.equal(keys.scopeOf(wrong), undefined, wrong);
    }
  });

  it('die at once when they are replaced, each by itself, for good', async () => {
    const keys = await open();
    const [global, web, db] = [keys.global, await keys.ofService(1, 'web'), await keys.ofService(1, 'db')];
    const newWeb = (await keys.regenerate(web)) ?? assert.fail();
    const newGlobal = (await keys.regenerate(global)) ?? assert.fail();
    assert.equal(await keys.regenerate(web), undefined);
    for (const some of [keys, await open()]) {
      assert.equal(some.scopeOf(web), undefined);
      assert.equal(some.scopeOf(global), undefined);
      assert.deepEqual(some.scopeOf(newWeb), { type: 'app', appId: 1 });
      assert.deepEqual(some.scopeOf(newGlobal), { type: 'global' });
      assert.deepEqual(some.scopeOf(db), { type: 'app', appId: 1 });
      assert.equal(await some.ofService(1, 'web'), newWeb);
      assert.equal(some.global, newGlobal);
    }
  });

  it('give way to the setting, which stays out of the file', async () => {
    const made = (await open()).global;
    const keys = await open('my_own_key');
    assert.equal(keys.global, 'my_own_key');
    assert.deepEqual(keys.scopeOf('my_own_key'), { type: 'global' });
    assert.equal(keys.scopeOf(made), undefined);
    await keys.ofService(1, 'web');
    assert.doesNotMatch(readFileSync(file(), 'utf8'), /my_own_key/);
    assert.equal((await open()).global, made);
  });

  it('do not let a setting back in that was replaced, until it is another one', async () => {
    const keys = await open('my_own_key');
    const fresh = (await keys.regenerate('my_own_key')) ?? assert.fail();
    assert.equal(keys.scopeOf('my_own_key'), undefined);
    const again = await open('my_own_key');
    assert.equal(again.global, fresh);
    assert.equal(again.scopeOf('my_own_key'), undefined);
    assert.match(place.log.at('info').join(), /SUPERCARGO_API_KEY was replaced/);
    assert.equal((await open('another_key')).global, 'another_key');
  });

  for (const bad of ['', 'with space', 'dash-ed', 'line\n']) {
    it(`refuse a setting that no client can send: ${JSON.stringify(bad)}`, async () => {
      await assert.rejects(open(bad), /only letters, digits and underscores/);
    });
  }

  for (const junk of [
    '',
    '{"global": "secretsecret',
    '[]',
    '{"global": 1, "services": []}',
    '{"global": "secretsecret", "services": [{}]}',
  ]) {
    it(`are created again when the file is ${JSON.stringify(junk)}, without showing it`, async () => {
      writeFileSync(file(), junk);
      const keys = await open();
      assert.match(keys.global, /^[0-9a-f]{32}$/);
      assert.deepEqual(readdirSync(place.folder).sort(), ['keys.json', `keys.json.corrupt-${NOW}`]);
      assert.match(place.log.at('error').join(), /The key file cannot be used/);
      assert.doesNotMatch(place.log.lines.map(({ text }) => text).join(), /secretsecret/);
    });
  }

  it('are created again when the file is a folder, which is set aside', async () => {
    mkdirSync(file());
    assert.match((await open()).global, /^[0-9a-f]{32}$/);
    assert.deepEqual(readdirSync(place.folder).sort(), ['keys.json', `keys.json.corrupt-${NOW}`]);
  });

  it('stay as they were when the disk refuses', async () => {
    const disk = new FailingDisk();
    const keys = await open(undefined, disk);
    const { global } = keys;
    disk.fail(0, 'ever');
    await assert.rejects(keys.regenerate(global), StorageError);
    await assert.rejects(keys.ofService(1, 'web'), StorageError);
    assert.deepEqual(keys.scopeOf(global), { type: 'global' });
    assert.equal((await open()).global, global);
    disk.heal();
    assert.match(await keys.ofService(1, 'web'), /^[0-9a-f]{32}$/);
  });
});

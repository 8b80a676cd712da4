import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHandovers } from '../../../../controllers/host/locks/handovers.js';
import { openUpdateLocks } from '../../../../controllers/host/locks/lock-files.js';
import type { UpdateLocks } from '../../../../controllers/host/locks/update-locks.js';

const LOCK_ROOT = '/tmp/locks/services';
const BOTH = ['resin-updates.lock', 'updates.lock'];
const isRoot = process.getuid?.() === 0;
const held = { is: 'held' };

describe('update lock files', () => {
  let hostRoot: string;
  let locks: UpdateLocks;
  const folder = (service: string) => join(hostRoot, LOCK_ROOT, '7', service);
  const open = () => openUpdateLocks({ lockRoot: LOCK_ROOT, hostRoot, log: { info: () => undefined }, now: () => 0 });
  const files = async (service: string) => (existsSync(folder(service)) ? (await readdir(folder(service))).sort() : []);
  const claim = (services: readonly string[], force = false) => locks.claim(7, services, { force });

  beforeEach(async () => {
    hostRoot = await mkdtemp(join(tmpdir(), 'locks-'));
    locks = open();
  });
  afterEach(() => rm(hostRoot, { recursive: true, force: true }));

  it('creates both files for every named service and every folder that exists', async () => {
    await mkdir(folder('gone'), { recursive: true });
    assert.deepEqual(await claim(['web', 'db']), held);
    for (const service of ['web', 'db', 'gone']) assert.deepEqual(await files(service), BOTH);
    assert.equal((await stat(folder('web'))).mode & 0o7777, 0o1777);
    assert.deepEqual(
      await readdir(join(hostRoot, LOCK_ROOT, '7')),
      ['db', 'gone', 'web'],
      'leaves nothing else behind',
    );
  });

  it(`gives its files to ${isRoot ? 'uid 65534' : 'the user it runs as'}`, async () => {
    await claim(['web']);
    const owner = isRoot ? 65534 : process.getuid?.();
    for (const name of BOTH) assert.equal((await stat(join(folder('web'), name))).uid, owner);
  });

  it('gives each service files of its own: whoever uses flock meets nobody of another one', async () => {
    await claim(['web', 'db']);
    const inode = async (service: string, name: string) => (await stat(join(folder(service), name))).ino;
    assert.notEqual(await inode('web', 'updates.lock'), await inode('db', 'updates.lock'));
  });

  it('removes what a killed process left aside', async () => {
    await mkdir(folder('web'), { recursive: true });
    await writeFile(join(hostRoot, LOCK_ROOT, '7', '.lock-0011'), '');
    assert.equal(await open().release(7), 'released');
    assert.deepEqual(await readdir(join(hostRoot, LOCK_ROOT, '7')), ['web']);
  });

  it('opens an existing folder to all users', async () => {
    await mkdir(folder('web'), { recursive: true });
    await chmod(folder('web'), 0o755);
    await claim(['web']);
    assert.equal((await stat(folder('web'))).mode & 0o7777, 0o1777);
  });

  const obstacles: ReadonlyArray<{ what: string; make: (path: string) => Promise<unknown> }> = [
    { what: 'a file', make: (path) => writeFile(path, '') },
    { what: 'a file with content', make: (path) => writeFile(path, 'pid 12') },
    { what: 'an empty folder', make: (path) => mkdir(path) },
    { what: 'a folder with something in it', make: (path) => mkdir(join(path, 'x'), { recursive: true }) },
    { what: 'a symbolic link to nowhere', make: (path) => symlink('/nowhere/at/all', path) },
    { what: 'a symbolic link to a folder', make: (path) => symlink(hostRoot, path) },
  ];
  for (const { what, make } of obstacles) {
    for (const name of BOTH) {
      it(`is locked by ${what} at ${name}, and takes nothing`, async () => {
        await mkdir(folder('web'), { recursive: true });
        await make(join(folder('web'), name));
        const path = `${LOCK_ROOT}/7/web/${name}`;
        assert.deepEqual(await claim(['db', 'web', 'zoo']), { is: 'locked', service: 'web', path });
        assert.equal(locks.isHeld(7), false);
        assert.deepEqual(await files('web'), [name]);
        assert.deepEqual(await files('db'), [], 'what was taken before is given back');
        assert.deepEqual(await files('zoo'), []);
      });
    }
    for (const name of BOTH) {
      it(`is not held off by ${what} at ${name} when forced`, async () => {
        await mkdir(folder('web'), { recursive: true });
        await make(join(folder('web'), name));
        assert.deepEqual(await claim(['web'], true), held);
        assert.equal((await lstat(join(folder('web'), name))).isFile(), true);
      });
    }
  }

  it('keeps a folder that was in the way, with what it holds, beside its old place', async () => {
    const path = join(folder('web'), 'updates.lock');
    for (const content of ['first', 'second']) {
      await mkdir(path, { recursive: true });
      await writeFile(join(path, 'note'), content);
      assert.deepEqual(await claim(['web'], true), held);
      await locks.release(7);
    }
    const aside = await files('web');
    assert.deepEqual(
      aside.map((name) => name.replace(/[0-9a-f]{12}$/, '…')),
      ['updates.lock.overridden-…', 'updates.lock.overridden-…'],
    );
    const kept = await Promise.all(aside.map((name) => readFile(join(folder('web'), name, 'note'), 'utf8')));
    assert.deepEqual(kept.sort(), ['first', 'second']);
  });

  it('is not locked by what was renamed', async () => {
    await mkdir(join(folder('web'), 'updates.lock', 'x'), { recursive: true });
    await claim(['web'], true);
    await locks.release(7);
    assert.deepEqual(await claim(['web']), held);
  });

  it('takes over what an earlier process of ours left', async () => {
    await claim(['web']);
    locks = open();
    assert.equal(locks.isHeld(7), false);
    assert.deepEqual(await claim(['web']), held);
  });

  // Only root can make a file of that owner.
  if (isRoot) {
    for (const text of ['', '0', 'held by supercargi\n']) {
      it(`keeps out of the lock of an application that runs as uid 65534 and writes ${JSON.stringify(text)}`, async () => {
        const path = join(folder('web'), 'updates.lock');
        await mkdir(folder('web'), { recursive: true });
        await writeFile(path, text);
        await chown(path, 65534, 65534);
        assert.equal((await claim(['web'])).is, 'locked');
        assert.equal(await locks.release(7), 'released');
        assert.equal(await readFile(path, 'utf8'), text);
      });
    }
  }

  it('removes on release what an earlier process left, and nothing else', async () => {
    await claim(['web', 'db']);
    await rm(join(folder('db'), 'updates.lock'));
    await writeFile(join(folder('db'), 'updates.lock'), 'mine');
    locks = open();
    assert.equal(await locks.release(7), 'released');
    assert.deepEqual(await files('web'), []);
    assert.deepEqual(await files('db'), ['updates.lock'], "an application's file stays");
  });

  it('releases although files or folders have gone', async () => {
    await claim(['web', 'db']);
    await rm(join(folder('web'), 'updates.lock'));
    await rm(folder('db'), { recursive: true });
    assert.equal(await locks.release(7), 'released');
    assert.equal(locks.isHeld(7), false);
    assert.deepEqual(await files('web'), []);
  });

  it('may be claimed again while held, for more services', async () => {
    await claim(['web']);
    assert.deepEqual(await claim(['web', 'db']), held);
    assert.deepEqual(await files('db'), BOTH);
  });

  it('keeps what it held when a further service is locked', async () => {
    await claim(['web']);
    await mkdir(folder('zoo'), { recursive: true });
    await writeFile(join(folder('zoo'), 'updates.lock'), '');
    assert.equal((await claim(['web', 'zoo'])).is, 'locked');
    assert.equal(locks.isHeld(7), true);
    assert.deepEqual(await files('web'), BOTH);
  });

  it('runs an action only while held', async () => {
    let ran = 0;
    const action = async () => {
      ran += 1;
      return 'done';
    };
    assert.equal(await locks.during(7, action), undefined);
    assert.equal(ran, 0);
    await claim(['web']);
    assert.equal(await locks.during(7, action), 'done');
    assert.equal(await locks.during(8, action), undefined);
    assert.equal(ran, 1);
  });

  it('is busy while an action runs, also after one that failed', async () => {
    await claim(['web']);
    await assert.rejects(
      locks.during(7, async () => Promise.reject(new Error('no'))),
      /no/,
    );
    let finish: () => void = () => assert.fail('the action has not begun');
    const running = locks.during(7, () => new Promise<void>((resolve) => (finish = resolve)));
    assert.equal(await locks.release(7), 'busy');
    assert.deepEqual(await files('web'), BOTH);
    finish();
    await running;
    assert.equal(await locks.release(7), 'released');
  });

  it('gives the lock to one of two claims at a time', async () => {
    const results = await Promise.all([claim(['web']), locks.release(7), claim(['web'])]);
    assert.deepEqual(results, [held, 'released', held]);
    assert.deepEqual(await files('web'), BOTH);
  });

  it('keeps apps apart', async () => {
    await mkdir(folder('web'), { recursive: true });
    await writeFile(join(folder('web'), 'updates.lock'), '');
    assert.deepEqual(await locks.claim(8, ['web'], { force: false }), held);
    assert.equal((await claim(['web'])).is, 'locked');
  });

  it('says in words why a folder could not be used', async () => {
    await mkdir(join(hostRoot, LOCK_ROOT), { recursive: true });
    await writeFile(join(hostRoot, LOCK_ROOT, '7'), '');
    await assert.rejects(claim(['web']), /Could not take the update lock of app 7: a file is in the place of a folder/);
    assert.equal(locks.isHeld(7), false);
  });

  describe('in a place that somebody else made', () => {
    const place = (path: string) => join(hostRoot, path);
    const target = () => place('target');
    const modeOf = async (path: string) => (await stat(path)).mode & 0o7777;
    beforeEach(async () => {
      await mkdir(place('tmp'));
      await chmod(place('tmp'), 0o1777);
      await mkdir(target(), { mode: 0o700 });
    });

    for (const path of ['tmp/locks', 'tmp/locks/services', 'tmp/locks/services/7']) {
      const above = join(path, '..');
      it(`follows no link at ${path}, changes nothing behind it, and names the way out`, async () => {
        await mkdir(place(above), { recursive: true });
        if (above !== 'tmp') await chmod(place(above), 0o1777);
        await symlink(target(), place(path));
        await assert.rejects(claim(['web']), new RegExp(`${path} is a link, .*remove it \\(rm -r `));
        await assert.rejects(locks.release(7), /is a link/);
        assert.deepEqual([await readdir(target()), await modeOf(target())], [[], 0o700]);
        await rm(place(path));
        assert.deepEqual(await claim(['web']), held);
      });

      it(`takes no folder of another user at ${path}`, async () => {
        if (!isRoot) return;
        await mkdir(place(path), { recursive: true });
        await chown(place(path), 1234, 1234);
        await assert.rejects(claim(['web']), new RegExp(`${path} belongs to user 1234, .*remove it`));
        assert.deepEqual(await readdir(place(path)), []);
      });

      it(`takes no folder at ${path} in which every user can exchange what lies there`, async () => {
        await mkdir(place(path), { recursive: true });
        await chmod(place(path), 0o777);
        await assert.rejects(claim(['web']), new RegExp(`every user can change what lies in .*${path}: .*chmod o-w`));
      });
    }

    it('follows no link in the place of a service’s folder', async () => {
      await mkdir(join(folder('web'), '..'), { recursive: true });
      await symlink(target(), folder('web'));
      await assert.rejects(claim(['web']), /web is a link: remove it/);
      assert.deepEqual([await readdir(target()), await modeOf(target())], [[], 0o700]);
    });

    it('follows a link that nobody but root can have made', async () => {
      await rm(place('tmp'), { recursive: true });
      await mkdir(place('private'));
      await chmod(place('private'), 0o1777);
      await symlink('private', place('tmp'));
      assert.deepEqual(await claim(['web']), held);
    });

    it('makes folders in which others do not write, whatever the umask', async () => {
      const before = process.umask(0);
      try {
        assert.deepEqual(await claim(['web']), held);
      } finally {
        process.umask(before);
      }
      assert.equal(await modeOf(join(folder('web'), '..')), 0o755);
    });

    it('leaves a folder closed that somebody has closed to other users', async () => {
      await mkdir(folder('web'), { recursive: true });
      await chmod(place('tmp/locks'), 0o700);
      assert.deepEqual(await claim(['web']), held);
      assert.equal(await locks.release(7), 'released');
      assert.equal(await modeOf(place('tmp/locks')), 0o700);
    });

    it('takes a service’s folder that a container has given to its own user', async () => {
      await mkdir(folder('web'), { recursive: true });
      if (isRoot) await chown(folder('web'), 1234, 1234);
      assert.deepEqual(await claim(['web']), held);
      assert.equal(await modeOf(folder('web')), 0o1777);
    });

    it('removes no word of a hand-over behind a link', async () => {
      await symlink(target(), place('tmp/locks'));
      const word = join(target(), 'services/7/web/handover-complete');
      await mkdir(word, { recursive: true });
      const handovers = openHandovers({ lockRoot: LOCK_ROOT, hostRoot });
      await assert.rejects(handovers.forget(7, 'web'), /is a link/);
      await assert.rejects(handovers.isComplete(7, 'web'), /is a link/);
      assert.equal(existsSync(word), true);
    });
  });

  describe('the signs of a hand-over', () => {
    const handovers = () => openHandovers({ lockRoot: LOCK_ROOT, hostRoot });
    beforeEach(() => mkdir(folder('web'), { recursive: true }));

    for (const { what, make } of obstacles) {
      for (const name of ['handover-complete', 'resin-kill-me']) {
        it(`are forgotten when ${name} is ${what}`, async () => {
          await make(join(folder('web'), name));
          assert.equal(await handovers().isComplete(7, 'web'), true);
          await handovers().forget(7, 'web');
          assert.equal(await handovers().isComplete(7, 'web'), false);
          await handovers().forget(7, 'web');
        });
      }
    }

    it('are never walked through: whoever may write there could exchange a folder for a link meanwhile', async () => {
      await mkdir(join(folder('web'), 'handover-complete', 'inner'), { recursive: true });
      await writeFile(join(folder('web'), 'handover-complete', 'inner', 'note'), 'kept');
      await handovers().forget(7, 'web');
      const [aside = '', ...others] = await files('web');
      assert.match(aside, /^handover-complete\.overridden-[0-9a-f]{12}$/);
      assert.deepEqual(others, []);
      assert.equal(await readFile(join(folder('web'), aside, 'inner', 'note'), 'utf8'), 'kept');
    });

    it('that cannot be removed are named', async () => {
      await rm(folder('web'), { recursive: true });
      await writeFile(folder('web'), '');
      await assert.rejects(
        handovers().forget(7, 'web'),
        /^Error: Could not remove the sign of a hand-over of service web of app 7: ENOTDIR/,
      );
    });
  });

  for (const service of ['../8', '..', '', 'a/b']) {
    it(`refuses ${JSON.stringify(service)} as a service name`, async () => {
      await assert.rejects(claim([service]), /Not a service name/);
      assert.throws(() => locks.directory(7, service), /Not a service name/);
    });
  }

  it('names the folder as the host sees it', () => {
    assert.equal(locks.directory(7, 'web'), `${LOCK_ROOT}/7/web`);
  });
});

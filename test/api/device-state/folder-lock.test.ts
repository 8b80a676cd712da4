import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFolder } from '../../../api/device-state/folder-lock.js';
import { StorageError } from '../../../api/platform/disk.js';

const TAKEN = /^Another supercargo is at work on /;
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

describe('lockFolder', () => {
  let root: string;
  const started: ChildProcess[] = [];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'supercargo-lock-'));
  });
  afterEach(async () => {
    for (const one of started.splice(0)) await end(one);
    rmSync(root, { recursive: true, force: true });
  });

  const refused = (folder: string) =>
    assert.rejects(lockFolder(folder), (error) => error instanceof StorageError && TAKEN.test(error.message));
  const module = new URL('../../../api/device-state/folder-lock.ts', import.meta.url).href;
  /** A process that tries to lock the folder and stays, with what it prints: `held`, or why not. */
  const another = async (
    folder: string,
    { through = [], held = "'held'" }: { through?: readonly string[]; held?: string } = {},
  ): Promise<readonly [ChildProcess, string]> => {
    const script = `import { spawn } from 'node:child_process';
      import { lockFolder } from ${JSON.stringify(module)};
      console.log(await lockFolder(${JSON.stringify(folder)}).then(() => ${held}, (error) => error.message));
      setInterval(() => 0, 1000);`;
    const [program = '', ...args] = [
      ...through,
      process.execPath,
      '--import',
      'tsx',
      '--input-type=module',
      '--eval',
      script,
    ];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    started.push(child);
    const [output] = await once(child.stdout, 'data');
    return [child, String(output).trim()];
  };
  const end = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };

  it('gives a folder to one at a time, and again when it was let go', async () => {
    const folder = join(root, 'data');
    const release = await lockFolder(folder);
    await refused(folder);
    release();
    (await lockFolder(folder))();
  });

  it('gives it to one of many that ask at once', async () => {
    for (let round = 0; round < 2; round += 1) {
      const folder = join(root, String(round));
      const ends = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
      const held = ends.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      assert.equal(held.length, 1);
      for (const release of held) release();
    }
  });

  it('gives it to one of two processes that start at once', async () => {
    const both = await Promise.all([another(root), another(root)]);
    const output = both.map(([, text]) => (TAKEN.test(text) ? 'refused' : text));
    assert.deepEqual(output.sort(), ['held', 'refused']);
  });

  it('knows the folder by any path', async () => {
    symlinkSync(root, join(root, 'again'));
    const release = await lockFolder(root);
    await refused(join(root, 'again'));
    release();
  });

  it('leaves other folders alone', async () => {
    const releases = [await lockFolder(join(root, 'a')), await lockFolder(join(root, 'b'))];
    for (const release of releases) release();
  });

  it('ends with a process that is killed, also while a program that it started goes on', async () => {
    const startsOne = "spawn('sleep', ['60'], { stdio: 'ignore', detached: true }).pid";
    const [holder, pid] = await another(root, { held: startsOne });
    try {
      await refused(root);
      await end(holder);
      (await lockFolder(root))();
    } finally {
      process.kill(Number(pid));
    }
  });

  it('takes a file that an earlier boot has left, whatever it holds and allows', async () => {
    writeFileSync(join(root, 'lock'), '4711\n');
    chmodSync(join(root, 'lock'), 0o666);
    const release = await lockFolder(root);
    assert.equal(statSync(join(root, 'lock')).mode & 0o777, 0o600);
    await refused(root);
    release();
  });

  it('locks the file that is there, when the one before was removed', async () => {
    const release = await lockFolder(root);
    unlinkSync(join(root, 'lock'));
    const again = await lockFolder(root);
    await refused(root);
    release();
    again();
  });

  it('follows no link in the place of the file, and leaves alone what it leads to', async () => {
    const other = join(root, 'other');
    writeFileSync(other, 'theirs', { mode: 0o644 });
    const folder = join(root, 'data');
    mkdirSync(folder);
    symlinkSync(other, join(folder, 'lock'));
    await assert.rejects(lockFolder(folder), StorageError);
    assert.equal(statSync(other).mode & 0o777, 0o644);
  });

  it('is not held off by whoever binds a name in the abstract namespace', async () => {
    const { dev, ino } = statSync(root);
    const squatter = createServer();
    squatter.listen(`\0supercargo-data:${dev}:${ino}`);
    await once(squatter, 'listening');
    (await lockFolder(root))();
    squatter.close();
  });

  if (isRoot) {
    it('cannot be taken by another user, also in a folder that everybody may read', async () => {
      chmodSync(root, 0o755);
      (await lockFolder(root))();
      const tried = spawnSync('flock', ['-n', join(root, 'lock'), 'true'], { uid: NOBODY, gid: NOBODY });
      assert.match(String(tried.stderr), /Permission denied/);
    });

    it('reaches into another network namespace', async () => {
      const release = await lockFolder(root);
      const [, output] = await another(root, { through: ['unshare', '--net'] });
      assert.match(output, TAKEN);
      release();
    });
  }

  it('says when there is no folder to work in', async () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    await assert.rejects(lockFolder(join(file, 'data')), /^StorageError: Could not write .*file/);
    mkdirSync(join(root, 'data', 'lock'), { recursive: true });
    await assert.rejects(lockFolder(join(root, 'data')), /^StorageError: Could not write .*lock/);
  });

  it('says when the program is missing', async () => {
    const { PATH } = process.env;
    process.env.PATH = root;
    try {
      await assert.rejects(
        lockFolder(root),
        /^StorageError: Cannot lock the data folder: the program flock .* is missing/,
      );
    } finally {
      process.env.PATH = PATH;
    }
  });
});

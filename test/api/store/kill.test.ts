import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { StorageError } from '../../../api/platform/disk.js';
import { aService, Place, proposal } from './fixtures.js';

const ROUNDS = 25;
const WRITER = fileURLToPath(new URL('killed-writer.ts', import.meta.url));

/** Numbers that look random and are the same each time (mulberry32). */
function* seeded(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    yield ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/**
 * Runs the writer until it has answered so often and a while longer, kills it, and returns what it had been promised. How
 * far it gets does not depend on how busy the machine is.
 */
async function runAndKill(
  script: string,
  folder: string,
  { firstRound, answers, forMs }: { readonly firstRound: number; readonly answers: number; readonly forMs: number },
) {
  const child = spawn(process.execPath, [script, folder, String(firstRound)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const promised = { accepted: firstRound - 1, flushed: -1 };
  const lines = createInterface(child.stdout);
  const read = new Promise<void>((resolve) => lines.once('close', resolve));
  lines.on('line', (line) => {
    const [what, round] = line.split(' ');
    if (what === 'accepted') promised.accepted = Number(round);
    if (what === 'flushed') promised.flushed = Number(round);
  });
  let left = answers;
  lines.on('line', () => {
    left -= 1;
    if (left === 0) setTimeout(() => child.kill('SIGKILL'), forMs);
  });
  const [code, signal] = await closed;
  await read;
  assert.deepEqual([code, signal], [null, 'SIGKILL']);
  return promised;
}

/** All files below that are not left-overs. */
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)],
  );

describe('The store, killed', () => {
  it(`has what it promised, whole, ${ROUNDS} times`, async function () {
    this.timeout(120_000);
    const place = await Place.make();
    try {
      // One file of plain JavaScript starts several times faster than a loader.
      const script = place.path('writer.mjs');
      const { outputFiles } = await build({
        entryPoints: [WRITER],
        bundle: true,
        platform: 'node',
        format: 'esm',
        target: 'node20',
        write: false,
      });
      const folder = place.path('data');
      mkdirSync(folder);
      writeFileSync(script, outputFiles[0]?.text ?? '');
      const random = seeded(20_260_102);
      let next = 0;
      let cutShort = 0;
      for (let at = 0; at < ROUNDS; at += 1) {
        const answers = 1 + Math.floor(random.next().value * 6);
        const forMs = random.next().value * 10;
        const promised = await runAndKill(script, folder, { firstRound: next, answers, forMs });
        if (filesBelow(folder).some((file) => !file.endsWith('.json') || file.endsWith('/commit.json'))) cutShort += 1;
        const store = await place.store({ folder });
        for (const one of store.list('Service')) if (one.metadata.deletionTimestamp) await store.release(one);
        const where = `kill ${at}, promised ${JSON.stringify(promised)}`;
        const declared = store.list('Service');
        // All of one round: the last that was promised or a later one.
        const rounds = new Set(declared.map(({ spec }) => Number(spec.image.split(':')[1])));
        assert.equal(rounds.size, 1, `${where}: ${[...rounds]}`);
        const [round = -1] = rounds;
        assert.ok(round >= promised.accepted, `${where}: has ${round}`);
        assert.deepEqual(
          declared.map(({ metadata }) => metadata.name).sort(),
          round % 2 === 0 ? ['a', 'b', 'c', 'd', 'extra'] : ['a', 'b', 'c', 'd'],
          where,
        );
        for (const { metadata, status } of declared) {
          const observed = Number(status?.state?.split(' ')[1] ?? -1);
          if (metadata.name !== 'extra') assert.ok(observed >= promised.flushed, `${where}: ${status?.state}`);
        }
        assert.deepEqual(store.problems(), [], where);
        await store.flush();
        await store.close();
        for (const file of filesBelow(folder)) assert.doesNotThrow(() => JSON.parse(readFileSync(file, 'utf8')), file);
        assert.deepEqual(
          filesBelow(folder).filter((file) => !file.endsWith('.json') || file.includes('/.')),
          [],
          where,
        );
        next = round + 1;
      }
      assert.ok(next > ROUNDS && cutShort > 0, `killed at work: ${next} rounds, ${cutShort} cut short`);
      assert.deepEqual(place.log.at('error'), []);
    } finally {
      await place.remove();
    }
  });

  it('says that a really full disk is full, keeps what it has, and goes on when there is room', async function () {
    const place = await Place.make();
    const mount = place.path('small');
    mkdirSync(mount);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k,mode=700', 'tmpfs', mount], { stdio: 'ignore' });
    } catch {
      await place.remove();
      this.skip(); // mounting a tmpfs takes root, which CI is; ENOSPC at every single call is tested without
    }
    try {
      const store = await place.store({ folder: join(mount, 'data') });
      await store.propose(proposal('files', [aService('a', 'busybox:1'), aService('b', 'busybox:1')]));
      await store.flush();
      const ballast = join(mount, 'ballast');
      assert.throws(() => writeFileSync(ballast, Buffer.alloc(256 * 1024)), { code: 'ENOSPC' });
      const more = ['a', 'b', 'c'].map((name) => aService(name, 'busybox:2'));
      await assert.rejects(store.propose(proposal('files', more)), (error: unknown) => {
        assert.ok(error instanceof StorageError);
        assert.match(error.message, /commit\.json: no space left on the disk/);
        return true;
      });
      const images = (of: typeof store) => of.list('Service').map(({ spec }) => spec.image);
      assert.deepEqual(images(store), ['busybox:1', 'busybox:1']);
      const other = await place.store({ folder: join(mount, 'data') });
      assert.deepEqual(images(other), ['busybox:1', 'busybox:1']);
      await other.close();
      rmSync(ballast);
      await store.propose(proposal('files', more));
      assert.deepEqual(images(store), ['busybox:2', 'busybox:2', 'busybox:2']);
      await store.flush();
    } finally {
      execFileSync('umount', ['-l', mount]);
      await place.remove();
    }
  });
});

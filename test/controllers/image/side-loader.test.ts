import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { LineOwner } from '../../../api/device-state/logs.js';
import { EngineError } from '../../../controllers/engine/engine.js';
import { NotEnoughDisk } from '../../../controllers/engine/images/disk-space.js';
import { readArchive } from '../../../controllers/engine/images/image-archive.js';
import { tarOf } from '../../../controllers/engine/local/tar.js';
import { imageController } from '../../../controllers/image/controller.js';
import { SideLoader } from '../../../controllers/image/side-loader.js';
import { ControllerBench, type Supplies } from '../../setup/controller-bench.js';
import { declareApp } from '../../setup/declared.js';
import { FakeClock, PUNCTUALITIES } from '../../setup/fake-clock.js';
import { ociLayout, savedImages } from '../../setup/image-archives.js';
import { Device } from '../../simulation/device.js';
import { noFaults } from '../../simulation/fault-plan.js';

const controllers = (supplies: Supplies) => [imageController(supplies)];
const web = { references: ['web:1'], files: [{ path: 'web', content: 'w' }] };
const IMAGE = 'hello.web-1';

describe('files of images in the data folder', () => {
  let bench: ControllerBench;
  beforeEach(async () => {
    bench = await ControllerBench.open(controllers);
    await mkdir(folder());
  });
  afterEach(() => bench.close());

  const folder = () => join(bench.folder, 'images');
  const put = (name: string, bytes: Buffer | string) => writeFile(join(folder(), name), bytes);
  /** Has the folder looked at, now and when what is in it has settled. */
  const look = async () => {
    const { archives } = bench.supplies;
    for (let turn = 0; turn < 2; turn += 1) {
      archives.look();
      await archives.idle;
      bench.clock.advance(2_000);
      await archives.idle;
    }
    await bench.quiet();
  };
  const want = () => bench.declare(['Image', IMAGE, { app: 'hello', image: 'web:1', services: ['web'] }]);
  const calls = (verb: string) => bench.engine.verbs.filter((one) => one === verb).length;
  const output = () => bench.lines.map(({ message }) => message);
  const problems = () => bench.store.problems().map(({ message }) => message);
  const restart = async (ofFiles?: Parameters<typeof ControllerBench.open>[2]) => {
    await bench.halt();
    bench.engine.forgetCalls();
    bench = await ControllerBench.open(controllers, bench, ofFiles);
  };
  const events = () => bench.store.events().map(({ reason, message }) => `${reason}: ${message}`);

  it('are loaded once, whatever the tool that wrote them, and said to be', async () => {
    await put('web.tar', savedImages(web));
    await put(
      'db.tar',
      ociLayout('registry.example.com/db:2', { references: [], files: [{ path: 'd', content: 'd' }] }),
    );
    await look();
    assert.ok(bench.engine.images.seen('web:1'));
    assert.ok(bench.engine.images.seen('registry.example.com/db:2'));
    assert.deepEqual(output(), [
      "Loaded image 'registry.example.com/db:2' from 'db.tar'",
      "Loaded image 'web:1' from 'web.tar'",
    ]);
    await look();
    assert.equal(calls('loadImages'), 2);
    await restart();
    await look();
    assert.equal(calls('loadImages'), 0, 'nor by another process');
  });

  it('are never read from what is no file, which is named', async () => {
    execFileSync('mkfifo', [join(folder(), 'pipe.tar')]);
    await symlink('/dev/zero', join(folder(), 'zero.tgz'));
    await symlink('nowhere', join(folder(), 'gone.tar'));
    await look();
    assert.deepEqual(
      bench.store.problems().map(({ message }) => message),
      ['gone.tar', 'pipe.tar', 'zero.tgz'].map(
        (name) => `Could not load images from ${name}: it is not a file, nor a link to one`,
      ),
    );
    for (const name of ['pipe.tar', 'zero.tgz', 'gone.tar']) await rm(join(folder(), name));
    await look();
    assert.deepEqual(bench.store.problems(), []);
  });

  it('are spoken of only to the app that wants what is in them', async () => {
    const received: [string, LineOwner][] = [];
    bench.supplies.logs.listen(({ message }, owner) => received.push([message, owner]));
    await want();
    await put('db.tar', savedImages({ references: ['db:1'], files: [] }));
    await put('web.tar', savedImages(web));
    await put('zoo.tar', 'this is no archive');
    await look();
    const ownersOf = (start: string) =>
      received.flatMap(([message, owner]) => (message.startsWith(start) ? [owner] : []));
    assert.deepEqual(ownersOf("Loaded image 'web:1'"), [{ app: 'hello' }]);
    assert.deepEqual(ownersOf("Loaded image 'db:1'"), ['nobody']);
    assert.deepEqual(ownersOf("Failed to load images from 'zoo.tar'"), ['nobody']);
  });

  it('spare the pull of what an app wants, and are not collected with it', async () => {
    await put('web.tar', savedImages(web));
    const long = new Date(bench.clock.now() - 60_000);
    await utimes(join(folder(), 'web.tar'), long, long);
    bench.supplies.archives.start();
    await want();
    await bench.quiet();
    await bench.supplies.archives.idle;
    await bench.settle();
    assert.equal(calls('pullImage'), 0);
    assert.deepEqual(
      [bench.store.get('Image', IMAGE)?.status?.state, bench.store.get('Image', IMAGE)?.status?.pulled],
      ['Downloaded', undefined],
    );
    await bench.declare();
    await bench.settle();
    assert.ok(bench.engine.images.seen('web:1'));
  });

  it('are loaded again when the engine has lost what an app wants', async () => {
    await put('web.tar', savedImages(web));
    await look();
    bench.engine.docker.removeImage('web:1');
    await want();
    await bench.quiet();
    await bench.supplies.archives.idle;
    await bench.settle();
    assert.ok(bench.engine.images.seen('web:1'));
    assert.deepEqual([calls('loadImages'), calls('pullImage')], [2, 0]);
    assert.equal(bench.store.get('Image', IMAGE)?.status?.pulled, undefined);
  });

  it('are left alone while they are written', async () => {
    const bytes = savedImages(web);
    await put('web.tar', bytes.subarray(0, 1024));
    bench.supplies.archives.look();
    await bench.supplies.archives.idle;
    bench.clock.advance(1_500);
    await put('web.tar', bytes.subarray(0, 2048));
    bench.supplies.archives.look();
    await bench.supplies.archives.idle;
    bench.clock.advance(1_500);
    await put('web.tar', bytes);
    await put('.hidden.tar', 'x');
    await put('notes.txt', 'x');
    await look();
    assert.deepEqual(problems(), []);
    assert.deepEqual([calls('loadImages'), output()], [1, ["Loaded image 'web:1' from 'web.tar'"]]);
  });

  it('are left alone while they are written though the clock was set forward meanwhile', async () => {
    await look();
    await put('web.tar', savedImages(web).subarray(0, 1024));
    const written = new Date(bench.clock.now());
    await utimes(join(folder(), 'web.tar'), written, written);
    bench.clock.set(3_600_000);
    bench.supplies.archives.look();
    await bench.supplies.archives.idle;
    assert.deepEqual(problems(), [], 'it is not read yet');
    await put('web.tar', savedImages(web));
    await look();
    assert.deepEqual([problems(), output()], [[], ["Loaded image 'web:1' from 'web.tar'"]]);
  });

  it('that are broken are named once, do not keep the others, and are taken when they have been replaced', async () => {
    await put('broken.tar', savedImages(web).subarray(0, 700));
    await put('db.tar', savedImages({ references: ['db:1'], files: [] }));
    await look();
    assert.ok(bench.engine.images.seen('db:1'));
    assert.match(problems().join(), /^Could not load images from broken.tar: it ends in the middle/);
    assert.equal(output().filter((line) => line.includes('broken.tar')).length, 1);
    await look();
    await restart();
    await look();
    assert.equal(output().filter((line) => line.includes('broken.tar')).length, 0);
    assert.equal(problems().length, 1, 'it is still said to be broken');
    await put('broken.tar', savedImages(web));
    await look();
    assert.deepEqual([problems(), calls('loadImages')], [[], 1]);
  });

  it('in whose reading the agent has ended are read once more, and then set aside until they are replaced', async () => {
    const path = join(folder(), 'web.tar');
    const list = join(bench.folder, 'images.json');
    const left: string[] = [];
    /** A process that ends while it reads: what is on the disk at that moment is all that the next one finds. */
    const endInReading = async () => {
      const { store, cache, engine, logs, log } = bench.supplies;
      const deps = { dataFolder: bench.folder, store, cache, engine, logs, log, clock: bench.clock };
      const loader = new SideLoader({
        ...deps,
        architecture: () => {
          left.push(readFileSync(list, 'utf8'));
          throw new Error('The process ends');
        },
      });
      loader.look();
      await loader.idle;
      await writeFile(list, left.at(-1) ?? '');
    };
    await put('web.tar', savedImages(web));
    const long = new Date(bench.clock.now() - 60_000);
    await utimes(path, long, long);

    await endInReading();
    await endInReading();
    assert.equal(left.length, 2, 'once may have been the power');
    await restart();
    await look();
    assert.equal(calls('loadImages'), 0);
    assert.match(
      problems().join(),
      /Could not load images from web\.tar: the agent has ended twice while it read this file/,
    );
    await restart();
    await look();
    assert.match(problems().join(), /ended twice/, 'nor by a later process');

    await put('web.tar', savedImages(web));
    await look();
    assert.ok(bench.engine.images.seen('web:1'));
    assert.deepEqual(problems(), []);
  });

  it('whose reading was stopped on purpose are read by the next process', async () => {
    await put('web.tar', savedImages(web));
    for (let turn = 0; turn < 3; turn += 1) {
      bench.clock.advance(3_000);
      bench.supplies.archives.look();
      await restart();
    }
    await look();
    assert.ok(bench.engine.images.seen('web:1'));
  });

  it('that are broken and taken away are forgotten', async () => {
    await put('broken.tar', 'x');
    await look();
    await rm(join(folder(), 'broken.tar'));
    await look();
    assert.deepEqual(problems(), []);
  });

  it('that find no room are tried again', async () => {
    await put('web.tar', savedImages(web));
    bench.engine.before = (verb) => {
      if (verb === 'loadImages') throw new Error('Error processing tar file: write /x: no space left on device');
    };
    await look();
    assert.match(problems().join(), /no space left/);
    bench.engine.before = undefined;
    bench.clock.advance(60_000);
    await bench.supplies.archives.idle;
    assert.deepEqual(problems(), []);
    assert.ok(bench.engine.images.seen('web:1'));
  });

  it('that the engine refuses are tried again less and less often, and then not before they are replaced', async () => {
    await put('web.tar', savedImages(web));
    bench.engine.before = (verb) => {
      if (verb === 'loadImages') throw new EngineError('layer does not exist', 500);
    };
    await look();
    const atMinutes: number[] = [];
    const fromMs = bench.clock.now();
    for (let minute = 0; minute < 60; minute += 1) {
      const before = calls('loadImages');
      bench.clock.advance(60_000);
      await bench.supplies.archives.idle;
      if (calls('loadImages') > before) atMinutes.push(Math.round((bench.clock.now() - fromMs) / 60_000));
    }
    assert.deepEqual(atMinutes, [1, 3, 7, 15]);
    assert.match(problems().join(), /^Could not load images from web.tar: layer does not exist/);
    bench.engine.before = undefined;
    await restart();
    await look();
    assert.equal(calls('loadImages'), 0, 'nor by another process');
    await put('web.tar', savedImages({ ...web, references: ['web:1', 'web:2'] }));
    await look();
    assert.deepEqual([problems(), calls('loadImages')], [[], 1]);
  });

  /** The header of a file of so many bytes. */
  const headerOf = (bytes: number): Buffer => {
    const block = tarOf([{ path: 'layer.tar', content: '' }]).subarray(0, 512);
    block.write('        ', 148);
    block[124] = 0x80; // a number of 8 bytes follows
    block.fill(0, 125, 128);
    block.writeBigUInt64BE(BigInt(bytes), 128);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148);
    return block;
  };

  it('that unpack without an end are given up by what their headers say, once', async () => {
    await put('bomb.tar.gz', gzipSync(Buffer.concat([headerOf(2 ** 40), Buffer.alloc(1024 * 1024)])));
    await look();
    assert.match(
      problems().join(),
      /bomb\.tar\.gz: it unpacks to 1048576 MB or more, which is no image: it takes 1 MB$/,
    );
    assert.match(
      events().join(),
      /^FileUnusable: Images of bomb\.tar\.gz are not loaded until it is replaced: it unpacks/,
    );
    await restart();
    await look();
    assert.equal(output().length, 0, 'nor by another process');
  });

  it('that are nothing but holes, terabytes of them, are given up', async () => {
    await put('holes.tar', headerOf(2 ** 42));
    await truncate(join(folder(), 'holes.tar'), 2 ** 42);
    await look();
    assert.match(problems().join(), /holes\.tar: it unpacks to 4194304 MB or more, which is no image/);
  });

  it('that take more room than there is are read again less and less often', async () => {
    let room = 1000;
    const space = {
      room: async () => room,
      watched: <T>(_: string, signal: AbortSignal, work: (within: AbortSignal) => Promise<T>) => work(signal),
    };
    await restart({ space });
    await put('web.tar', savedImages(web));
    await look();
    assert.match(problems().join(), /web\.tar: not enough room: it unpacks to 1 MB or more, and 1 MB may be filled$/);
    const atMinutes: number[] = [];
    for (let minute = 1; minute <= 24; minute += 1) {
      const before = output().length;
      bench.clock.advance(60_000);
      bench.supplies.archives.look();
      await bench.supplies.archives.idle;
      if (output().length > before) atMinutes.push(minute);
    }
    assert.deepEqual(atMinutes, [1, 3, 7, 15, 23]);
    room = 1_000_000;
    bench.clock.advance(8 * 60_000);
    await bench.supplies.archives.idle;
    assert.deepEqual([problems(), calls('loadImages')], [[], 1]);
  });

  it('that take the last room while the engine takes them in are broken off', async () => {
    const space = {
      room: async () => undefined,
      watched: async (what: string) => {
        throw new NotEnoughDisk(`not enough room for ${what}`);
      },
    };
    await restart({ space });
    await put('web.tar', savedImages(web));
    await look();
    assert.match(problems().join(), /^Could not load images from web\.tar: not enough room for web\.tar$/);
  });

  describe('that cannot be read to their end', () => {
    /** Reads that are under way, by file; they end only when they are given up. */
    let reads: { readonly file: string; readonly continues: () => void }[];
    const never: typeof readArchive = (path, _, { signal, unpacks }) =>
      new Promise((_resolve, reject) => {
        let bytes = 0;
        const continues = (): void => {
          bytes += 1;
          unpacks?.(bytes);
        };
        reads.push({ file: basename(path), continues });
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    /** Either never, or as archives. */
    const read: typeof readArchive = (path, architecture, reading) =>
      (/never/.test(path) ? never : readArchive)(path, architecture, reading);
    const flush = async () => {
      for (let turn = 0; turn < 20; turn += 1) await nextTurn();
      await bench.quiet();
    };
    /** Until so many have begun: what is on the disk takes real time. */
    const started = async (count = 1) => {
      while (reads.length < count) await nextTurn();
      await flush();
    };
    const pass = async (ms: number) => {
      bench.clock.advance(ms);
      await flush();
    };
    const settled = async (name: string, bytes: Buffer | string) => {
      await put(name, bytes);
      const long = new Date(bench.clock.now() - 60_000);
      await utimes(join(folder(), name), long, long);
      bench.supplies.archives.look();
    };
    const condition = () => [bench.reason('Image', IMAGE), bench.message('Image', IMAGE)];

    beforeEach(async () => {
      reads = [];
      await restart({ read });
    });

    it('are named by the images that wait for them, for a minute: then a registry is asked', async () => {
      bench.engine.images.serve('web:1', { content: 'web' });
      await settled('never.tar', 'x');
      await started();
      await want();
      await flush();
      assert.deepEqual(condition(), ['Loading', 'Loading the file never.tar, which may hold web:1']);
      for (let looks = 0; looks < 4; looks += 1) {
        assert.equal(calls('pullImage'), 0);
        reads[0]?.continues(); // a file that goes on for ever
        await pass(15_000);
      }
      await bench.settle();
      assert.deepEqual([bench.reason('Image', IMAGE), calls('pullImage'), problems()], ['Settled', 1, []]);
    });

    it('are set aside when nothing more comes for a minute, by the next process as well', async () => {
      await settled('never.tar', 'x');
      await started();
      await pass(15_000);
      reads[0]?.continues();
      for (let looks = 0; looks < 4; looks += 1) {
        await pass(15_000);
        assert.deepEqual(problems(), []);
      }
      await pass(15_000);
      await bench.supplies.archives.idle;
      assert.deepEqual(problems(), ['Could not load images from never.tar: nothing of it could be read for a minute']);
      assert.match(events().join(), /^FileUnusable: Images of never\.tar are not loaded until it is replaced/);
      await restart({ read });
      await look();
      assert.deepEqual([reads.length, problems().length], [1, 1]);
    });

    it('are not set aside because the machine was asleep', async () => {
      await settled('never.tar', 'x');
      await started();
      await pass(8 * 60_000);
      await pass(8 * 60_000);
      assert.deepEqual(problems(), []);
    });

    it('are set aside after half an hour, however much comes', async () => {
      await settled('never.tar', 'x');
      await started();
      for (let looks = 0; looks < 120; looks += 1) {
        reads[0]?.continues();
        await pass(15_000);
      }
      await bench.supplies.archives.idle;
      assert.deepEqual(problems(), ['Could not load images from never.tar: it could not be read within 30 minutes']);
    });

    it('are let go of as soon as they are taken away, and what waits goes on', async () => {
      bench.engine.images.serve('web:1', { content: 'web' });
      await settled('never.tar', 'x');
      await started();
      await want();
      await flush();
      await rm(join(folder(), 'never.tar'));
      bench.supplies.archives.look();
      await bench.supplies.archives.idle;
      await bench.settle();
      assert.deepEqual([problems(), output().filter((line) => /Failed/.test(line)), calls('pullImage')], [[], [], 1]);
    });

    it('are released without a warning that they were taken away', async () => {
      await settled('never.tar', 'x');
      await started();
      await rm(join(folder(), 'never.tar'));
      await pass(15_000);
      await bench.supplies.archives.idle;
      assert.deepEqual([problems(), output()], [[], []]);
    });

    it('are left alone for longer each time that they have grown meanwhile', async () => {
      await settled('never.tar', 'x');
      await started();
      for (const [at, waitMs] of [4_000, 8_000, 16_000].entries()) {
        await put('never.tar', 'x'.repeat(at + 2));
        bench.supplies.archives.look();
        await bench.supplies.archives.idle;
        await pass(waitMs - 500);
        await bench.supplies.archives.idle;
        assert.equal(reads.length, at + 1);
        await pass(500);
        await started(at + 2);
      }
      assert.deepEqual(problems(), []);
    });

    it('hold up nobody for longer when the engine takes in something else', async () => {
      bench.engine.images.serve('web:1', { content: 'web' });
      let isIn: () => void = () => undefined;
      const isTakenIn = new Promise<void>((resolve) => {
        isIn = resolve;
      });
      bench.engine.before = async (verb) => {
        if (verb === 'loadImages') await isTakenIn;
      };
      await settled('db.tar', savedImages({ references: ['db:1'], files: [] }));
      while (calls('loadImages') === 0) await nextTurn();
      await want();
      await bench.settle();
      assert.equal(calls('pullImage'), 1);
      isIn();
      await bench.supplies.archives.idle;
    });

    it('hold up for as long as it takes who waits for what is known to be in them', async () => {
      let isIn: () => void = () => undefined;
      const isTakenIn = new Promise<void>((resolve) => {
        isIn = resolve;
      });
      bench.engine.before = async (verb) => {
        if (verb === 'loadImages') await isTakenIn;
      };
      await settled('web.tar', savedImages(web));
      while (calls('loadImages') === 0) await nextTurn();
      await want();
      await flush();
      await pass(10 * 60_000);
      assert.deepEqual(condition(), ['Loading', 'Loading the file web.tar, which may hold web:1']);
      isIn();
      await bench.supplies.archives.idle;
      await bench.settle();
      assert.equal(calls('pullImage'), 0);
    });
  });

  it('wait for an engine that is away', async () => {
    await put('web.tar', savedImages(web));
    bench.engine.goAway();
    bench.supplies.archives.start();
    await look();
    assert.deepEqual(problems(), []);
    bench.engine.comeBack();
    bench.clock.advance(60_000);
    await bench.quiet();
    await look();
    assert.ok(bench.engine.images.seen('web:1'));
  });
});

describe('an agent that dies while the engine takes a file of images in', () => {
  it('does not take what was in it for something that it pulled', async () => {
    const device = new Device({ sideLoads: true });
    device.files.put('web.tar', savedImages(web));
    const agent = await device.boot();
    device.engine.before = async (verb) => {
      if (verb !== 'loadImages') return;
      await agent.propose([declareApp({ web: {} })]);
      for (let turn = 0; turn < 100; turn += 1) await nextTurn(); // until the image waits for the file
      assert.equal(agent.store.list('Image')[0]?.status?.state, 'Downloading');
      assert.ok(await agent.flush());
    };
    device.faultPlan = (what) => (what === 'loadImages' ? 'kill-after' : 'none');
    await agent.quiet();
    device.clock.advance(2_000);
    await agent.ended;

    device.engine.before = undefined;
    device.faultPlan = noFaults;
    const next = await device.boot();
    await next.settle();
    const { state, pulled } = next.store.list('Image')[0]?.status ?? {};
    assert.deepEqual([state, pulled], ['Downloaded', undefined]);
    await device.stop();
  });
});

for (const punctuality of PUNCTUALITIES) {
  describe(`files of images, when timers fire ${punctuality}`, () => {
    let bench: ControllerBench;
    let refused: number;
    beforeEach(async () => {
      bench = await ControllerBench.open(controllers, undefined, {}, new FakeClock(Date.now(), punctuality));
      await mkdir(join(bench.folder, 'images'));
      refused = 0;
    });
    afterEach(() => bench.close());

    const put = (bytes: Buffer) => writeFile(join(bench.folder, 'images', 'web.tar'), bytes);
    const fire = async (): Promise<void> => {
      bench.clock.step();
      await bench.supplies.archives.idle;
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    };
    const fireUntil = async (isSo: () => boolean): Promise<void> => {
      for (let count = 0; count < 60 && !isSo(); count += 1) await fire();
      assert.ok(isSo());
    };

    it('are loaded once they have settled, again after the engine has refused them', async () => {
      bench.engine.before = (verb) => {
        if (verb === 'loadImages') refused += 1;
        if (verb === 'loadImages' && refused <= 2) throw new EngineError('no space', 500);
      };
      await put(savedImages(web));
      bench.supplies.archives.look();
      await bench.supplies.archives.idle;
      await fireUntil(() => bench.engine.images.seen('web:1') !== undefined);
      assert.equal(refused, 3);
    });

    it('are waited for by a pull, and not for ever', async () => {
      await put(savedImages(web));
      bench.supplies.archives.look();
      await bench.supplies.archives.idle;
      let brought: boolean | undefined;
      const bring = (reference: string): void => {
        brought = undefined;
        void bench.supplies.archives.bring(reference, new AbortController().signal).then((is) => {
          brought = is;
        });
      };
      bring('other:1');
      await fireUntil(() => brought !== undefined);
      assert.equal(brought, false);
      await fireUntil(() => bench.engine.images.seen('web:1') !== undefined);
      bring('web:1');
      await fireUntil(() => brought !== undefined);
      assert.equal(brought, true);
    });
  });
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LineOwner } from '../../../api/device-state/logs.js';
import { EngineError } from '../../../controllers/engine/engine.js';
import { imageController } from '../../../controllers/image/image-controller.js';
import { SideLoader } from '../../../controllers/image/side-loader.js';
import { ControllerBench, type Supplies } from '../../setup/controller-bench.js';
import { declareApp } from '../../setup/declared.js';
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
  const said = () => bench.lines.map(({ message }) => message);
  const problems = () => bench.store.problems().map(({ message }) => message);
  const restart = async () => {
    await bench.halt();
    bench.engine.forgetCalls();
    bench = await ControllerBench.open(controllers, bench);
  };

  it('are loaded once, whatever the tool that wrote them, and said to be', async () => {
    await put('web.tar', savedImages(web));
    await put(
      'db.tar',
      ociLayout('registry.example.com/db:2', { references: [], files: [{ path: 'd', content: 'd' }] }),
    );
    await look();
    assert.ok(bench.engine.images.seen('web:1'));
    assert.ok(bench.engine.images.seen('registry.example.com/db:2'));
    assert.deepEqual(said(), [
      "Loaded image 'registry.example.com/db:2' from 'db.tar'",
      "Loaded image 'web:1' from 'web.tar'",
    ]);
    await look();
    assert.equal(calls('loadImages'), 2);
    await restart();
    await look();
    assert.equal(calls('loadImages'), 0, 'nor by another process');
  });

  it('are spoken of only to the app that wants what is in them', async () => {
    const heard: [string, LineOwner][] = [];
    bench.supplies.logs.listen(({ message }, owner) => heard.push([message, owner]));
    await want();
    await put('db.tar', savedImages({ references: ['db:1'], files: [] }));
    await put('web.tar', savedImages(web));
    await put('zoo.tar', 'this is no archive');
    await look();
    const ownersOf = (start: string) => heard.flatMap(([message, owner]) => (message.startsWith(start) ? [owner] : []));
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
    assert.deepEqual([calls('loadImages'), said()], [1, ["Loaded image 'web:1' from 'web.tar'"]]);
  });

  it('that are broken are named once, do not keep the others, and are taken when they have been replaced', async () => {
    await put('broken.tar', savedImages(web).subarray(0, 700));
    await put('db.tar', savedImages({ references: ['db:1'], files: [] }));
    await look();
    assert.ok(bench.engine.images.seen('db:1'));
    assert.match(problems().join(), /^Could not load images from broken.tar: it ends in the middle/);
    assert.equal(said().filter((line) => line.includes('broken.tar')).length, 1);
    await look();
    await restart();
    await look();
    assert.equal(said().filter((line) => line.includes('broken.tar')).length, 0);
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
      const { store, world, engine, logs, log } = bench.supplies;
      const deps = { dataFolder: bench.folder, store, world, engine, logs, log, clock: bench.clock };
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

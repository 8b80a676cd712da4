import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { appendFile, mkdir, mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FSWatcher } from 'chokidar';
import { type FolderOptions, type FolderSource, watchFolders } from '../../../../api/sources/files/folder.js';
import { scanFolder } from '../../../../api/sources/files/scan-folders.js';
import type { Proposal } from '../../../../api/store/store.js';
import { parseDocument } from '../../../../crds/schema/parse.js';
import { FakeClock, PUNCTUALITIES } from '../../../setup/fake-clock.js';
import { until } from '../../../setup/until.js';

const HOUR_MS = 3_600_000;
const SETTLE_MS = 150;
const app = (name: string): string =>
  `apiVersion: supercargo.io/v1\nkind: App\nmetadata: {name: ${name}}\nspec: {services: {web: {image: x}}}\n`;

/** A folder on the disk, whose changes the test tells of, and a clock that the test moves; it begins at the time of the files. */
class Bench {
  readonly proposals: Proposal[] = [];
  readonly events = Object.assign(new EventEmitter(), { close: async () => undefined });
  failing: Error | undefined;
  watchFails = false;
  readonly #sources: FolderSource[] = [];

  private constructor(
    readonly folder: string,
    readonly clock: FakeClock,
  ) {}

  static async open(punctuality?: ConstructorParameters<typeof FakeClock>[1]): Promise<Bench> {
    return new Bench(await mkdtemp(join(tmpdir(), 'folder-timers-')), new FakeClock(Date.now(), punctuality));
  }

  source(options: Partial<FolderOptions> = {}): FolderSource {
    const ignore = (): void => undefined;
    const source = watchFolders({
      folders: [this.folder],
      parse: parseDocument,
      deviceUuid: '0123456789abcdef0123456789abcdef',
      log: { info: ignore, warn: ignore, error: ignore },
      settleMs: SETTLE_MS,
      clock: this.clock,
      watch: () => {
        if (this.watchFails) throw new Error('no inotify');
        return this.events as unknown as FSWatcher;
      },
      store: {
        list: () => [],
        report: ignore,
        propose: async (proposal) => {
          if (this.failing) throw this.failing;
          this.proposals.push(proposal);
          return { created: [], changed: [], deleted: [], refused: [] } as never;
        },
      },
      ...options,
    });
    this.#sources.push(source);
    return source;
  }

  /** Lets timers fire, and calls of the file system be answered, until the last proposal has these apps. */
  async untilApps(...want: string[]): Promise<void> {
    const look = (): string[] => {
      this.clock.step();
      return this.apps();
    };
    await until(`proposed: ${want}`, look, (apps) => apps.join() === want.join(), { withinMs: 15_000, everyMs: 2 });
  }

  apps(): string[] {
    return (this.proposals.at(-1)?.documents ?? []).map(({ document }) => document.metadata.name).sort();
  }

  path = (name: string): string => join(this.folder, name);

  async close(): Promise<void> {
    for (const source of this.#sources) await source.stop();
    assert.deepEqual(this.clock.planned, [], 'a source that was stopped plans nothing');
    await rm(this.folder, { recursive: true, force: true });
  }
}

for (const punctuality of PUNCTUALITIES) {
  describe(`watchFolders, when timers fire ${punctuality}`, () => {
    let bench: Bench;
    beforeEach(async () => {
      bench = await Bench.open(punctuality);
    });
    afterEach(() => bench.close());

    /** Its first look; timers fire meanwhile. */
    async function started(source: FolderSource): Promise<void> {
      const starting = source.start();
      const look = (): boolean => {
        bench.clock.step();
        return source.hasSynced;
      };
      await until('the first look has ended', look, Boolean, { everyMs: 2 });
      await starting;
    }

    it('reads a file that was just written, takes what events tell of, and what none told of', async () => {
      await writeFile(bench.path('a.yaml'), app('a'));
      await started(bench.source());
      await bench.untilApps('a');
      await writeFile(bench.path('b.yaml'), app('b'));
      bench.events.emit('all');
      await bench.untilApps('a', 'b');
      await writeFile(bench.path('c.yaml'), app('c'));
      await bench.untilApps('a', 'b', 'c');
      await unlink(bench.path('b.yaml'));
      bench.events.emit('all');
      await bench.untilApps('a', 'c');
    });

    it('looks when a stream of changes has ended, and while it goes on', async () => {
      await started(bench.source());
      await writeFile(bench.path('a.yaml'), app('a'));
      const look = (): string[] => {
        bench.events.emit('all');
        bench.clock.advance(50);
        return bench.apps();
      };
      if (punctuality === 'exact') await until('it does not wait for ever', look, (apps) => apps.length === 1);
      await bench.untilApps('a');
    });

    it('proposes again what could not be stored', async () => {
      bench.failing = new Error('the disk is full');
      await writeFile(bench.path('a.yaml'), app('a'));
      await started(bench.source());
      for (let count = 0; count < 5; count += 1) {
        bench.clock.step();
        for (let turn = 0; turn < 5; turn += 1) await nextTurn();
      }
      bench.failing = undefined;
      await bench.untilApps('a');
    });

    it('reads a file that was written to until it would wait no longer, though nothing of it changes any more', async () => {
      bench.clock.set(-HOUR_MS); // each change of the file is one of just now
      const untilMs = bench.clock.monotonic() + 2_000;
      let isOver = false;
      const scan = async (folder: string) => {
        if (!isOver) await appendFile(bench.path('a.yaml'), '# more\n');
        isOver ||= bench.clock.monotonic() >= untilMs;
        return scanFolder(folder);
      };
      await writeFile(bench.path('a.yaml'), app('a'));
      await started(bench.source({ lookMs: 60_000, scan }));
      await bench.untilApps('a');
    });

    it('goes on without a watch, and without a folder until it is there', async () => {
      bench.watchFails = true;
      await rm(bench.folder, { recursive: true });
      await started(bench.source());
      await mkdir(bench.folder);
      await writeFile(bench.path('a.yaml'), app('a'));
      await bench.untilApps('a');
      await writeFile(bench.path('b.yaml'), app('b'));
      await bench.untilApps('a', 'b');
    });
  });
}

for (const byMs of [-8 * HOUR_MS, 48 * HOUR_MS]) {
  describe(`watchFolders, when the clock is set by ${byMs / HOUR_MS} h`, () => {
    let bench: Bench;
    beforeEach(async () => {
      bench = await Bench.open();
    });
    afterEach(() => bench.close());

    /** Lets so much time pass, and the looks that are due in it come to their end. */
    async function pass(ms: number): Promise<void> {
      for (let left = ms; left > 0; left -= 10) {
        bench.clock.advance(Math.min(10, left));
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    }

    it('leaves a file alone that is being written then, and reads it once it is whole', async () => {
      await writeFile(bench.path('a.yaml'), `${app('a')}---\n${app('b')}`);
      const source = bench.source({ lookMs: 60_000, settleMs: 400 });
      const starting = source.start();
      await bench.untilApps('a', 'b');
      await starting;
      // The clock may have gone so far that another look began, for which the file would be old.
      await source.rescan();
      await writeFile(bench.path('a.yaml'), app('a'));
      bench.clock.set(byMs);
      const looked = source.rescan();
      await pass(200);
      await appendFile(bench.path('a.yaml'), `---\n${app('b')}---\n${app('c')}`);
      bench.events.emit('all');
      await bench.untilApps('a', 'b', 'c');
      await looked;
      const parts = bench.proposals.filter(({ documents }) => documents.length === 1);
      assert.equal(parts.length, 0, 'the part was not taken for the whole');
    });

    it('goes on looking, and takes what is written afterwards', async () => {
      const source = bench.source();
      await source.start();
      bench.clock.set(byMs);
      await writeFile(bench.path('a.yaml'), app('a'));
      await bench.untilApps('a');
      await writeFile(bench.path('b.yaml'), app('b'));
      bench.events.emit('all');
      await bench.untilApps('a', 'b');
    });
  });
}

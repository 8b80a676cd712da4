import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { type LogLine, LogStream } from '../../api/device-state/logs.js';
import { openStore } from '../../api/store/document-store.js';
import type { Store } from '../../api/store/store.js';
import { type Informer, startInformer } from '../../controllers/engine/cache/informer.js';
import { PullQueue } from '../../controllers/engine/images/pull-queue.js';
import { MemoryEngine } from '../../controllers/engine/simulated/memory-engine.js';
import { openUpdateLocks } from '../../controllers/host/locks/lock-files.js';
import type { UpdateLocks } from '../../controllers/host/locks/update-locks.js';
import { SideLoader, type SideLoaderDeps } from '../../controllers/image/side-loader.js';
import type { Controller } from '../../controllers/runtime/controller.js';
import { Loop } from '../../controllers/runtime/loop.js';
import { conditionOf, isReady, isStalled } from '../../crds/model/conditions.js';
import {
  type AnyDeclared,
  type AnyResource,
  API_VERSION,
  KINDS,
  type Kind,
  type Kinds,
} from '../../crds/model/kinds.js';
import { FakeClock } from './fake-clock.js';

const silent = pino({ level: process.env.SUPERCARGO_TEST_LOG ?? 'silent' });
const READS = /^(info|list|inspect|events|followLogs)/;

/** What controllers are given. */
export interface Supplies {
  readonly store: Store;
  readonly cache: Informer;
  readonly engine: MemoryEngine;
  readonly pulls: PullQueue;
  /** Looks at nothing before it is started. */
  readonly archives: SideLoader;
  readonly locks: UpdateLocks;
  readonly logs: LogStream;
  readonly log: typeof silent;
  readonly now: () => number;
  readonly monotonic: () => number;
}

/** Some controllers on the real store, cache, pulls and lock files; the engine is in memory, and time stands still unless moved. */
export class ControllerBench {
  readonly engine: MemoryEngine;
  /** System lines, in order. */
  readonly lines: LogLine[] = [];

  private constructor(
    readonly supplies: Supplies,
    readonly clock: FakeClock,
    readonly folder: string,
    readonly loops: readonly Loop[],
  ) {
    this.engine = supplies.engine;
    supplies.logs.listen((line) => this.lines.push(line));
  }

  /** `before`: goes on with its engine and folder, as a new process does. `ofFiles`: how files of images are read. */
  static async open(
    controllers: (supplies: Supplies) => readonly Controller[],
    before?: ControllerBench,
    ofFiles: Pick<SideLoaderDeps, 'read' | 'space'> = {},
    clock = before?.clock ?? new FakeClock(),
  ): Promise<ControllerBench> {
    const engine = before?.engine ?? new MemoryEngine();
    const folder = before?.folder ?? (await mkdtemp(join(tmpdir(), 'bench-')));
    const now = () => clock.now();
    const store = await openStore({ folder, now, log: silent, statusDelayMs: 0 });
    const cache = startInformer({ engine, log: silent, clock, coalesceMs: 0 });
    const logs = new LogStream();
    const files = { dataFolder: folder, store, engine, cache, logs, log: silent, clock };
    const archives = new SideLoader({ ...files, ...ofFiles, architecture: () => 'amd64' });
    const pulls = new PullQueue({ engine, cache, archives, log: silent });
    const locks = openUpdateLocks({ lockRoot: '/locks', hostRoot: folder, log: silent, now });
    const monotonic = () => clock.monotonic();
    const supplies = { store, cache, engine, pulls, archives, locks, logs, log: silent, now, monotonic };
    const deps = { store, clock, random: () => 0, log: silent };
    const bench = new ControllerBench(
      supplies,
      clock,
      folder,
      controllers(supplies).map((one) => new Loop(one, deps)),
    );
    await cache.start();
    for (const loop of bench.loops) loop.start();
    return bench;
  }

  get store(): Store {
    return this.supplies.store;
  }

  /** Declares the whole set of an origin. */
  async declare<K extends Kind>(...documents: readonly (readonly [K, string, Kinds[K]['spec']])[]): Promise<void> {
    await this.store.propose({
      origin: 'files',
      documents: documents.map(([kind, name, spec]) => ({
        document: { apiVersion: API_VERSION, kind, metadata: { name }, spec } as AnyDeclared,
      })),
    });
  }

  /** Resolves when nothing runs any more at this moment of the fake time. */
  async quiet(): Promise<void> {
    for (let quietTurns = 0; quietTurns < 5; ) {
      await nextTurn();
      this.clock.advance(0); // what is due now, the cache's gathered announcements among it
      quietTurns = this.loops.every((loop) => loop.isQuiet) ? quietTurns + 1 : 0;
    }
  }

  /** Lets time pass until every document is Ready or Stalled, and throws with what is not. */
  async settle(steps = 100): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      await this.quiet();
      if (this.unsettled().length === 0) return;
      this.clock.step();
    }
    throw new Error(`Not settled: ${this.unsettled().join('; ')}`);
  }

  /** Lets time pass until one document is Ready or Stalled; for benches without the controllers of the others. */
  async settleOnly(kind: Kind, name: string, steps = 100): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      await this.quiet();
      const document = this.store.get(kind, name);
      if (document && (isReady(document) || isStalled(document))) return;
      this.clock.step();
    }
    throw new Error(`Not settled: ${this.unsettled().join('; ')}`);
  }

  /** What is not at rest, with the reason that it gives. */
  unsettled(): string[] {
    return KINDS.flatMap((kind): readonly AnyResource[] => this.store.list(kind) as readonly AnyResource[])
      .filter((one) => one.metadata.deletionTimestamp !== undefined || !(isReady(one) || isStalled(one)))
      .map((one) => `${one.kind}/${one.metadata.name} ${conditionOf(one, 'Ready')?.reason ?? 'no pass yet'}`);
  }

  reason(kind: Kind, name: string): string | undefined {
    const document = this.store.get(kind, name);
    return document && conditionOf(document, 'Ready')?.reason;
  }

  message(kind: Kind, name: string): string {
    const document = this.store.get(kind, name);
    return (document && conditionOf(document, 'Ready')?.message) ?? '';
  }

  /** Has every document looked at again; returns what that made the agent do on the engine, and whether the store changed. */
  async again(): Promise<{ readonly acts: readonly string[]; readonly wrote: boolean }> {
    this.engine.forgetCalls();
    const before = this.store.resourceVersion;
    for (const loop of this.loops) loop.resync();
    await this.quiet();
    return { acts: [...this.engine.verbs], wrote: this.store.resourceVersion !== before };
  }

  /** Verbs that change something on the engine, since `forgetCalls`. */
  acts(): readonly string[] {
    return this.engine.verbs.filter((verb) => !READS.test(verb));
  }

  /** Ends the process; its engine and folder stay. */
  async halt(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
    await this.supplies.archives.stop();
    await this.supplies.pulls.stop();
    await this.supplies.cache.stop();
    await this.store.close();
  }

  async close(): Promise<void> {
    await this.halt();
    await rm(this.folder, { recursive: true, force: true });
  }
}

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { openKeys } from '../../api/device-state/key-file.js';
import { LogStream } from '../../api/device-state/logs.js';
import { openStore } from '../../api/store/document-store.js';
import type { Store } from '../../api/store/store.js';
import { type Informer, startInformer } from '../../controllers/engine/cache/informer.js';
import type { PullQueue } from '../../controllers/engine/images/pull-queue.js';
import { RequestWatch } from '../../controllers/engine/request-watch.js';
import { MemoryEngine } from '../../controllers/engine/simulated/memory-engine.js';
import { openUpdateLocks } from '../../controllers/host/locks/lock-files.js';
import type { SideLoader } from '../../controllers/image/side-loader.js';
import type { Loop } from '../../controllers/runtime/loop.js';
import type { ServiceDeps } from '../../controllers/service/deps.js';
import { conditionOf, isSettled, isStalled } from '../../crds/model/conditions.js';
import type { AnyDeclared, AnyResource } from '../../crds/model/kinds.js';
import { KINDS } from '../../crds/model/kinds.js';
import { FakeClock, type Punctuality } from '../setup/fake-clock.js';
import { FOLDERS } from '../setup/folders.js';
import { crashableDisk, crashableEngine } from './crashable-adapters.js';
import { CrashableProcess, type StepObserver } from './crashable-process.js';
import { deviceContext, deviceLoops } from './device-loops.js';
import { type FaultPlan, noFaults } from './fault-plan.js';
import { type EngineDisk, ImageFiles, imageSupply } from './image-supply.js';
import { Serving } from './serving.js';

const silent = pino({ level: process.env.SUPERCARGO_TEST_LOG ?? 'silent' });

/** Real time within which everything that is under way comes to an end, or never will. */
const PATIENCE_MS = 30_000;
/** Turns of the event loop that it has besides: a machine that stands still for that long has not given it any. */
const PATIENCE_TURNS = 1_000;
/** Agents that may be killed while they start. */
const BOOTS = 50;

export interface DeviceSettings {
  /** How long a call to the engine takes, each way; 1 when not said. */
  readonly latencyMs?: () => number;
  /** The engine has a clock of its own, far from the agent's. */
  readonly apart?: boolean;
  /** How long images are kept after the release that wanted them; 0 when not said. */
  readonly imageGraceMs?: number;
  /** Agents look for files of images. */
  readonly sideLoads?: boolean;
  /** Agents have the parts that serve others as well. */
  readonly serves?: boolean;
  /** When timers fire; exactly when not said. */
  readonly punctuality?: Punctuality;
  /** The engine's disk as it is at first; without it pulls may fill the disk. */
  readonly disk?: EngineDisk;
}

/**
 * A device in memory: an engine and a data folder that live on, and agents that come and go. All controllers, the real
 * store, cache, pulls and lock files; only the engine and time are not real.
 */
export class Device {
  readonly clock: FakeClock;
  /** How often it was started: agents come and go without that. */
  boots = 1;
  readonly engine: MemoryEngine;
  readonly folder = mkdtempSync(join(FOLDERS, 'supercargo-device-'));
  /** What befalls the steps of the present agent; nothing by default. */
  faultPlan: FaultPlan = noFaults;
  /** Told of every agent that starts, before its first pass. */
  onBoot: ((agent: Agent) => void) | undefined;
  observer: StepObserver | undefined;
  /** Asked for another start of the engine's process; nobody can do that when not said. */
  restartEngine: ((why: string) => boolean) | undefined;
  /** The process of the engine that listens at a port; none when not said. */
  portProxy: ServiceDeps['portProxy'];
  /** Who listens at a port; nobody who can be seen when not said. */
  portHolder: ServiceDeps['portHolder'];
  agent: Agent | undefined;
  readonly files = new ImageFiles(this.folder);
  /** The engine's disk, where the settings say that there is one. */
  disk: EngineDisk;
  #last: CrashableProcess | undefined;

  constructor(readonly settings: DeviceSettings = {}) {
    this.clock = new FakeClock(undefined, settings.punctuality);
    this.disk = settings.disk ?? { free: () => Number.POSITIVE_INFINITY };
    this.engine = new MemoryEngine(settings.apart ? {} : { now: () => this.clock.now() });
  }

  /** Starts an agent on what is there, again if it dies before it works. */
  async boot(): Promise<Agent> {
    for (let boots = 0; boots < BOOTS; boots += 1) {
      await this.#last?.leftFiles();
      this.agent = await Agent.start(this, (crashable) => {
        this.#last = crashable;
      });
      if (this.agent && !this.agent.isDead) return this.agent;
    }
    throw new Error(`No agent survived its start ${BOOTS} times`);
  }

  /** Kills the agent, if one is alive. */
  kill(): void {
    this.agent?.kill();
    this.agent = undefined;
  }

  /** The agent ends in good order. */
  async halt(): Promise<void> {
    await this.agent?.stop();
    this.agent = undefined;
  }

  /** Ends it at once: for who makes thousands. */
  discard(): void {
    this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    await this.halt();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Agent {
  private constructor(
    readonly device: Device,
    private readonly crashable: CrashableProcess,
    readonly store: Store,
    readonly cache: Informer,
    readonly pulls: PullQueue,
    readonly archives: SideLoader | undefined,
    readonly loops: readonly Loop[],
    readonly logs: LogStream,
    /** Where the settings of the device say so. */
    readonly serving: Serving | undefined,
    /** What its controllers are made with. */
    readonly context: ReturnType<typeof deviceContext>,
  ) {}

  /** Undefined when it was killed before it had anything. */
  static async start(device: Device, born: (crashable: CrashableProcess) => void): Promise<Agent | undefined> {
    const { folder } = device;
    const crashable = new CrashableProcess({
      faultPlan: (what) => device.faultPlan(what),
      observer: {
        beforeStep: (...call) => device.observer?.beforeStep?.(...call),
        afterStep: (...call) => device.observer?.afterStep?.(...call),
      },
      elapse: (what) => {
        if (!/^(disk|lock)\./.test(what)) device.clock.advance(device.settings.latencyMs?.() ?? 1);
      },
    });
    born(crashable);
    const clock = crashable.clock(device.clock);
    const now = () => clock.now();
    const disk = crashableDisk(crashable);
    const requests = new RequestWatch({
      clock,
      container: (id) => cache.containers().find((one) => one.id === id),
    });
    const engine = requests.watch(crashableEngine(device.engine, crashable));
    const opened = await unlessKilled(crashable, async () => ({
      store: await openStore({ folder, now, log: silent, disk, statusDelayMs: WHEN_ASKED_MS }),
      keys: await openKeys({ folder, globalKey: undefined, now, log: silent, disk }),
    }));
    if (!opened) return undefined;
    const { store, keys } = opened;
    const wanted = () => [...store.list('Image'), ...store.list('Service')].map(({ spec }) => spec.image);
    const cache: Informer = startInformer({ engine, log: silent, clock, coalesceMs: 0, wanted, requests });
    const logs = new LogStream();
    const { imageGraceMs, sideLoads, disk: diskSettings } = device.settings;
    const { archives, pulls } = imageSupply({
      ...{ folder, store, engine, cache, logs, log: silent, clock, disk },
      files: sideLoads ? device.files : undefined,
      room: diskSettings && (() => device.disk),
    });
    const locks = crashable.locks(openUpdateLocks({ lockRoot: '/locks', hostRoot: folder, log: silent, now }));
    const parts = {
      folder,
      store,
      engine,
      cache,
      pulls,
      archives,
      locks,
      keys,
      clock,
      logs,
      imageGraceMs,
      bootId: `boot-${device.boots}`,
    };
    const serving = device.settings.serves ? new Serving({ ...parts, engine: device.engine }) : undefined;
    const processes = { kill: async (id: string) => device.engine.docker.killTask(id) };
    const restartEngine = (why: string) => device.restartEngine?.(why) ?? false;
    const portProxy: ServiceDeps['portProxy'] = (at) => device.portProxy?.(at);
    const portHolder: ServiceDeps['portHolder'] = (at) => device.portHolder?.(at);
    const all = {
      ...parts,
      processes,
      restartEngine,
      portProxy,
      portHolder,
      heldUp: requests,
      apiReach: serving?.gateway,
    };
    const context = deviceContext(all);
    const loops = deviceLoops(all, context);
    const agent = new Agent(device, crashable, store, cache, pulls, archives, loops, logs, serving, context);
    void crashable.end.then(() => serving?.stop());
    device.onBoot?.(agent);
    serving?.begin();
    await Promise.race([cache.start(), crashable.end]);
    if (!crashable.dead) archives?.start();
    if (!crashable.dead) for (const loop of loops) loop.start();
    if (!crashable.dead) serving?.go();
    return agent;
  }

  /** Engine calls, disk writes and lock calls so far. */
  get steps(): readonly string[] {
    return this.crashable.steps;
  }

  get isDead(): boolean {
    return this.crashable.dead;
  }

  /** Resolves when it is killed, or has stopped. */
  get ended(): Promise<void> {
    return this.crashable.end;
  }

  /** Nothing that it has under way comes back from now on. */
  kill(): void {
    this.crashable.kill();
  }

  /** Resolves to undefined when the agent is killed meanwhile; rejects when the store refuses. */
  propose(documents: readonly AnyDeclared[], origin: 'files' | 'local' = 'files'): Promise<unknown> {
    return this.#alive(() => this.store.propose({ origin, documents: documents.map((document) => ({ document })) }));
  }

  /** Lists everything again and lets what that stirs up come to an end. */
  async relist(): Promise<void> {
    await this.#alive(() => this.cache.relist());
    await this.quiet();
  }

  /** Writes every status to disk, which otherwise happens when the agent settles. False when the disk refused. */
  async flush(): Promise<boolean> {
    const done = await this.#alive(() =>
      this.store.flush().then(
        () => true,
        () => false,
      ),
    );
    return done ?? false;
  }

  /**
   * Resolves when nothing runs any more at this moment of the fake time, or the agent is killed. Rejects with what has
   * not come to an end, once both patiences have: the time in ms, and a number of turns.
   */
  async quiet({ patienceMs = PATIENCE_MS } = {}): Promise<void> {
    const since = performance.now();
    for (let steps = -1, quietTurns = 0, turns = 0; quietTurns < 4; turns += 1) {
      if (performance.now() - since > patienceMs && turns > PATIENCE_TURNS)
        throw new Error(`Never quiet in ${turns} turns: ${this.#unquiet()}`);
      await nextTurn();
      await this.#alive(async () => this.archives?.idle);
      if (this.isDead) return;
      this.device.clock.advance(0); // what is due now, looks at what events were about among it
      const busy = this.crashable.open.size - this.device.engine.images.held;
      const isQuiet = busy <= 0 && this.steps.length === steps && this.loops.every((loop) => loop.isQuiet);
      steps = this.steps.length;
      quietTurns = isQuiet ? quietTurns + 1 : 0;
    }
  }

  /** Says what has not come to an end, for whoever has to explain it. */
  #unquiet(): string {
    const list = (all: readonly string[]): string => all.join(', ') || 'none';
    const loops = this.loops.filter((loop) => !loop.isQuiet).map(({ controller }) => controller.kind);
    return [
      `calls under way: ${list([...this.crashable.open].map(({ what }) => what))}`,
      `pulls held: ${this.device.engine.images.held}`,
      `loops at work: ${list(loops)}`,
      `not settled: ${list(this.unsettled())}`,
      `timers in ms: ${list(this.device.clock.planned.map(String))}`,
      `last steps: ${list(this.steps.slice(-12))}`,
    ].join('; ');
  }

  /**
   * Lets time pass, one planned call after the other, until nothing is left to do or what is is Stalled, quiet and on disk; throws
   * with what is not after so many steps. Returns when killed. `waiting` are keys of documents that may go on waiting.
   */
  async settle({ waiting = [], limit = 300 }: { waiting?: readonly string[]; limit?: number } = {}): Promise<void> {
    for (let step = 0; step < limit; step += 1) {
      await this.quiet();
      const saved = await this.flush();
      if (this.isDead) return;
      const isSettled = this.unsettled(waiting).length === 0;
      if (isSettled && saved) return;
      if (!isSettled && !this.device.clock.step()) await nextTurn();
    }
    throw new Error(`Not settled after ${limit} steps of time: ${this.unsettled(waiting).join('; ')}`);
  }

  /** What is not at rest, with the reason it gives. */
  unsettled(except: readonly string[] = []): string[] {
    return this.documents()
      .filter(({ kind, metadata }) => !except.includes(`${kind}/${metadata.name}`))
      .filter((one) => one.metadata.deletionTimestamp !== undefined || !(isSettled(one) || isStalled(one)))
      .map((one) => {
        const ready = conditionOf(one, 'Ready');
        return `${one.kind}/${one.metadata.name} ${ready?.reason ?? 'no pass yet'}: ${ready?.message ?? ''}`;
      });
  }

  /** Every document, of all kinds that a controller here looks after. */
  documents(): readonly AnyResource[] {
    const kept = this.loops.map(({ controller }) => controller.kind);
    return KINDS.filter((kind) => kept.includes(kind)).flatMap(
      (kind): AnyResource[] => [...this.store.list(kind)] as AnyResource[],
    );
  }

  async stop(): Promise<void> {
    if (this.isDead) return;
    await Promise.all(this.loops.map((loop) => loop.stop()));
    await this.pulls.stop();
    await this.archives?.stop();
    await this.cache.stop();
    await this.store.close();
    this.kill(); // whatever it may have forgotten to stop does nothing from now on
  }

  async #alive<T>(action: () => Promise<T>): Promise<T | undefined> {
    return this.isDead ? undefined : Promise.race([action(), this.crashable.end.then(() => undefined)]);
  }
}

/** Statuses are written when `flush` is called: real time has no say. */
const WHEN_ASKED_MS = 24 * 60 * 60_000;

/** The result; undefined when the process was killed, or could not do it and ended. */
async function unlessKilled<T>(crashable: CrashableProcess, action: () => Promise<T>): Promise<T | undefined> {
  const result = await Promise.race([action().catch(() => crashable.kill()), crashable.end.then(() => undefined)]);
  return crashable.dead ? undefined : (result ?? undefined);
}

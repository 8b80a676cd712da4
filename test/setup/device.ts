import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { type Disk, nodeDisk } from '../../api/store/disk.js';
import { openStore } from '../../api/store/document-store.js';
import { openKeys } from '../../api/store/key-file.js';
import { LogStream } from '../../api/store/logs.js';
import type { Store } from '../../api/store/store.js';
import { appController } from '../../controllers/app/app-controller.js';
import type { Engine } from '../../controllers/docker/engine.js';
import { type Informer, startWorld } from '../../controllers/docker/informer.js';
import { PullQueue } from '../../controllers/docker/pull-queue.js';
import type { DeviceFacts } from '../../controllers/host/facts.js';
import { openUpdateLocks } from '../../controllers/host/lock-files.js';
import { imageController } from '../../controllers/image/image-controller.js';
import { networkController } from '../../controllers/network/network-controller.js';
import { Loop } from '../../controllers/runtime/loop.js';
import { serviceController } from '../../controllers/service/service-controller.js';
import { volumeController } from '../../controllers/volume/volume-controller.js';
import { conditionOf, isReady, isStalled } from '../../crds/conditions.js';
import type { AnyDeclared, AnyResource } from '../../crds/kinds.js';
import { KINDS } from '../../crds/kinds.js';
import { FakeClock } from './fake-clock.js';
import { MemoryEngine, type Verb } from './memory-engine.js';

const silent = pino({ level: process.env.SUPERCARGO_TEST_LOG ?? 'silent' });

/** What may befall one call to the engine or the disk. `lose`: it happens, but the reply does not arrive. */
export type Fate = 'pass' | 'fail' | 'lose' | 'kill-before' | 'kill-after';
/** Decides what befalls the next step. `what` is a verb of the engine or `disk.<call>`. */
export type Weather = (what: string) => Fate;

/** A process that was killed: nothing it awaits ever comes back. */
const never = new Promise<never>(() => undefined);

/**
 * A device in memory: an engine and a data folder that live on, and agents that come and go. All controllers, the real
 * store, world, pulls and lock files; only the engine and time are not real.
 */
export class Device {
  readonly engine = new MemoryEngine();
  readonly clock = new FakeClock();
  readonly folder = mkdtempSync(join(tmpdir(), 'supercargo-device-'));
  /** What the present agent meets; fair by default. */
  weather: Weather = () => 'pass';
  agent: Agent | undefined;

  /** Starts an agent on what is there. */
  async boot(): Promise<Agent> {
    this.agent = await Agent.start(this);
    return this.agent;
  }

  async stop(): Promise<void> {
    await this.agent?.stop();
    this.agent = undefined;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One process: what it has under way, and whether it was killed. */
class Life {
  /** Resolves when the process is killed. */
  readonly end: Promise<void>;
  #kill: () => void = () => undefined;
  dead = false;
  /** Calls of the engine and the disk under way. */
  busy = 0;
  /** Engine calls and disk writes so far. */
  readonly steps: string[] = [];

  constructor(private readonly device: Device) {
    this.end = new Promise((resolve) => {
      this.#kill = resolve;
    });
  }

  kill(): void {
    this.dead = true;
    this.#kill();
  }

  /** One step of the process, with whatever befalls it. */
  async meet<T>(what: string, act: () => Promise<T>): Promise<T> {
    if (this.dead) return never;
    this.steps.push(what);
    const fate = this.device.weather(what);
    if (fate === 'kill-before') {
      this.kill();
      return never;
    }
    this.busy += 1;
    try {
      if (fate === 'fail') throw new Error(`${what} failed, as the test wished`);
      const result = await act();
      if (fate === 'kill-after') this.kill();
      if (fate === 'lose') throw new Error(`The reply to ${what} was lost, as the test wished`);
      return this.dead ? never : result;
    } finally {
      this.busy -= 1;
    }
  }
}

export class Agent {
  private constructor(
    readonly device: Device,
    private readonly life: Life,
    readonly store: Store,
    readonly world: Informer,
    readonly pulls: PullQueue,
    readonly loops: readonly Loop[],
  ) {}

  static async start(device: Device): Promise<Agent> {
    const { clock, folder } = device;
    const life = new Life(device);
    const disk: Disk = {
      create: (path, text) => life.meet('disk.create', () => nodeDisk.create(path, text)),
      rename: (from, to) => life.meet('disk.rename', () => nodeDisk.rename(from, to)),
      remove: (path) => life.meet('disk.remove', () => nodeDisk.remove(path)),
      syncFolder: (path) => life.meet('disk.syncFolder', () => nodeDisk.syncFolder(path)),
    };
    const engine = mortal(device.engine, life);
    const now = () => clock.now();
    const store = await openStore({ folder, now, log: silent, disk, statusDelayMs: 0 });
    const keys = await openKeys({ folder, globalKey: undefined, now, log: silent });
    const world = startWorld({ engine, log: silent, clock, coalesceMs: 0 });
    const pulls = new PullQueue({ engine, world, log: silent });
    const locks = openUpdateLocks({ lockRoot: '/locks', hostRoot: folder, log: silent, now });
    const logs = new LogStream();
    const common = { store, engine, world, pulls, locks, logs, keys, facts, apiAddress, log: silent, now };
    const loops = [
      appController(common),
      imageController(common),
      networkController(common),
      volumeController(common),
      serviceController(common),
    ].map((controller) => new Loop(controller, { store, clock, random: () => 0, log: silent }));
    const agent = new Agent(device, life, store, world, pulls, loops);
    await Promise.race([world.start(), life.end]);
    if (!life.dead) for (const loop of loops) loop.start();
    return agent;
  }

  /** Engine calls and disk writes so far. */
  get steps(): readonly string[] {
    return this.life.steps;
  }

  get isDead(): boolean {
    return this.life.dead;
  }

  propose(documents: readonly AnyDeclared[], origin: 'files' | 'local' = 'files'): Promise<unknown> {
    return this.store.propose({ origin, documents: documents.map((document) => ({ document })) });
  }

  /** Resolves when nothing runs any more at this moment of the fake time. */
  async quiet(): Promise<void> {
    for (let calm = 0; calm < 4; ) {
      await nextTurn();
      if (this.isDead) return;
      calm = this.life.busy === 0 && this.loops.every((loop) => loop.isQuiet) ? calm + 1 : 0;
    }
  }

  /**
   * Lets time pass, one planned call after the other, until everything is Ready or Stalled and quiet; throws with what
   * is not after so many steps. Returns when killed.
   */
  async settle(limit = 200): Promise<void> {
    for (let step = 0; step < limit; step += 1) {
      await this.quiet();
      if (this.isDead) return;
      if (this.unsettled().length === 0) return;
      if (!this.device.clock.step()) await nextTurn();
    }
    throw new Error(`Not settled after ${limit} steps of time: ${this.unsettled().join('; ')}`);
  }

  /** What is not at rest, with the reason it gives. */
  unsettled(): string[] {
    const all = KINDS.filter((kind) => kind !== 'HostConfig').flatMap(
      (kind): AnyResource[] => [...this.store.list(kind)] as AnyResource[],
    );
    return all
      .filter((one) => one.metadata.deletionTimestamp !== undefined || !(isReady(one) || isStalled(one)))
      .map((one) => {
        const ready = conditionOf(one, 'Ready');
        return `${one.kind}/${one.metadata.name} ${ready?.reason ?? 'no pass yet'}: ${ready?.message ?? ''}`;
      });
  }

  async stop(): Promise<void> {
    if (this.isDead) return;
    await Promise.all(this.loops.map((loop) => loop.stop()));
    await this.pulls.stop();
    await this.world.stop();
    await this.store.close();
  }
}

const facts: DeviceFacts = {
  uuid: 'f'.repeat(32),
  deviceType: 'generic-amd64',
  arch: 'amd64',
  osVersion: 'Test OS 1',
  boardRevision: undefined,
  hasModules: false,
  hasFirmware: false,
  engineSocket: '/var/run/docker.sock',
  apiPort: 48484,
  hostname: () => 'device',
};
const apiAddress = () => ({ host: '10.114.104.1', port: 48484 });

/** The engine as one agent sees it: every verb meets the weather; nothing comes back to the dead. */
function mortal(engine: MemoryEngine, life: Life): Engine {
  const streams: readonly Verb[] = ['events', 'followLogs'];
  return new Proxy<Engine>(engine, {
    get(target, name) {
      const verb = name as Verb;
      const method: unknown = Reflect.get(target, verb);
      if (typeof method !== 'function') return method;
      if (streams.includes(verb)) {
        return async function* (...args: unknown[]) {
          for await (const one of method.apply(target, args) as AsyncIterable<unknown>) {
            if (life.dead) await never;
            yield one;
          }
        };
      }
      return (...args: unknown[]) => life.meet(verb, () => method.apply(target, args) as Promise<unknown>);
    },
  });
}

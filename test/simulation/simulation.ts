import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorMessage } from '../../api/platform/errors.js';
import { EngineError } from '../../controllers/engine/engine.js';
import { isAlive } from '../../controllers/engine/simulated/memory-container.js';
import type { MemoryDocker } from '../../controllers/engine/simulated/memory-docker.js';
import type { AnyDeclared } from '../../crds/model/kinds.js';
import { type Agent, Device } from './device.js';
import { type DeviceView, viewOf } from './device-view.js';
import { type Fault, noFaults } from './fault-plan.js';
import { InvariantChecker } from './invariant-checker.js';
import { LOCAL_IMAGES, RandomApps, SERVED_IMAGES } from './random-apps.js';
import { readyViolation } from './ready-invariant.js';
import { SeededRandom } from './seeded-random.js';

/** What may happen next in a simulation: one of these is drawn at a time. What is listed twice is drawn twice as often. */
const ACTS = [
  'other documents',
  'other documents',
  'other documents',
  'other documents',
  'event loop turns',
  'event loop turns',
  'quiet',
  'time passes',
  'time passes',
  'one fault',
  'one fault',
  'many faults',
  'by hand',
  'by hand',
  'kill',
  'halt',
  'relist',
  'events lost',
  'stream broken',
  'engine away',
  'engine restarted',
  'update lock',
  'image withdrawn',
] as const;

/**
 * One random history of one simulated device: documents change, calls fail, the agent dies, people meddle with the engine.
 * Then the faults end, and the device has to come to where a device without any history comes to. The seed decides
 * everything: the same seed is the same history.
 */
export class Simulation {
  /** What happened, a line an act; faults are indented below the act in which they fell. */
  readonly trace: string[] = [];
  readonly #random: SeededRandom;
  readonly #apps: RandomApps;
  readonly #device: Device;
  readonly #checker: InvariantChecker;
  #step = 0;
  readonly #faults = new Map<number, Fault>();
  #manyFaultsUntil = 0;
  #dropsEvents = false;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const random = this.#random;
    this.#device = new Device(random.chance(30) ? { apart: true } : { latencyMs: () => random.below(3) });
    this.#checker = new InvariantChecker(this.#device);
    this.#apps = new RandomApps(random);
    prepare(this.#device);
    for (const image of LOCAL_IMAGES) this.#checker.protectedImages.add(image);
    this.#device.faultPlan = (what) => this.#fault(what);
  }

  /** Plays the history and checks its end. Throws an AssertionError when an invariant does not hold. */
  async run(): Promise<void> {
    await this.#propose();
    for (let acts = 2 + this.#random.below(8); acts > 0; acts -= 1) await this.#act(this.#random.pick(ACTS));
    await this.#endFaults();
    await this.#check();
  }

  end(): void {
    this.#device.discard();
  }

  #fault(what: string): Fault {
    this.#step += 1;
    const planned = this.#faults.get(this.#step);
    if (planned) {
      this.trace.push(`  ${what}: ${planned}`);
      return planned;
    }
    if (this.#step >= this.#manyFaultsUntil || !this.#random.chance(15)) return 'none';
    const fault = this.#random.pick<Fault>(['fail', 'lose']);
    this.trace.push(`  ${what}: ${fault}`);
    return fault;
  }

  async #act(act: (typeof ACTS)[number]): Promise<void> {
    this.trace.push(act);
    const { engine, clock } = this.#device;
    const random = this.#random;
    switch (act) {
      case 'other documents':
        this.#apps.change();
        return this.#propose();
      case 'event loop turns':
        for (let turns = random.below(12); turns > 0; turns -= 1) await nextTurn();
        return;
      case 'quiet':
        return (await this.#agent()).quiet();
      case 'time passes':
        for (let steps = 1 + random.below(6); steps > 0; steps -= 1) {
          await this.#device.agent?.quiet();
          if (random.chance(30)) await this.#device.agent?.flush();
          clock.step();
        }
        return;
      case 'one fault':
        this.#faults.set(
          this.#step + 1 + random.below(40),
          random.pick<Fault>(['fail', 'lose', 'kill-before', 'kill-after']),
        );
        return;
      case 'many faults':
        this.#manyFaultsUntil = this.#step + random.below(60);
        return;
      case 'by hand':
        this.#checker.mayBeOutdated = true;
        this.trace.push(`  ${meddle(engine.docker, random)}`);
        return;
      case 'kill':
        return this.#device.kill();
      case 'halt':
        // A stop that meets a kill on its way out is a kill.
        await Promise.race([this.#device.halt(), this.#device.agent?.ended]);
        return;
      case 'relist':
        return this.#relist();
      case 'events lost':
        this.#dropsEvents = !this.#dropsEvents;
        this.#checker.mayBeOutdated = true;
        engine.eventLog.drops = this.#dropsEvents ? () => random.chance(50) : undefined;
        return;
      case 'stream broken':
        return engine.breakEvents();
      case 'engine away':
        this.#checker.mayBeOutdated = true;
        engine.goAway();
        for (let steps = random.below(4); steps > 0; steps -= 1) {
          await this.#device.agent?.quiet();
          clock.step();
        }
        return engine.comeBack();
      case 'engine restarted':
        this.#checker.mayBeOutdated = true;
        engine.goAway();
        tolerant(() => engine.docker.restart());
        return engine.comeBack();
      case 'update lock':
        return applicationLock(this.#device, random.pick([1, 2]), random.chance(50));
      case 'image withdrawn': {
        const image = random.pick(SERVED_IMAGES);
        if (random.chance(50)) engine.images.withdraw(image);
        else engine.images.serve(image);
      }
    }
  }

  /** The living agent, or another one: it lists everything, so it knows what there is. */
  async #agent(): Promise<Agent> {
    const { agent } = this.#device;
    if (agent && !agent.isDead) return agent;
    const next = await this.#device.boot();
    if (!this.#dropsEvents && next.cache.hasSynced) this.#checker.mayBeOutdated = false;
    return next;
  }

  async #propose(): Promise<void> {
    const agent = await this.#agent();
    const proposed = agent.propose(this.#apps.documents()).catch((error: unknown) => {
      this.trace.push(`  ${errorMessage(error)}`);
    });
    if (this.#random.chance(70)) await proposed;
  }

  async #relist(): Promise<void> {
    const agent = await this.#agent();
    const before = this.trace.length;
    await agent.relist();
    if (!this.#dropsEvents && agent.cache.hasSynced && this.trace.length === before)
      this.#checker.mayBeOutdated = false;
  }

  /** No more faults; whatever stood in the way is gone; and what the cron does every few minutes. */
  async #endFaults(): Promise<void> {
    const { engine } = this.#device;
    this.#device.faultPlan = noFaults;
    engine.comeBack();
    engine.eventLog.drops = undefined;
    this.#dropsEvents = false;
    for (const image of SERVED_IMAGES) engine.images.serve(image);
    for (const app of [1, 2]) applicationLock(this.#device, app, false);
    for (const { id, state } of engine.docker.containers) {
      if (state === 'restarting') tolerant(() => engine.docker.restartNow(id));
    }
    // A call that is under way may still end with the death of who made it.
    for (let agent = await this.#agent(); ; agent = await this.#agent()) {
      await agent.propose(this.#apps.documents());
      await agent.relist();
      for (const loop of agent.loops) loop.resync();
      await agent.settle();
      // What crashed has to run for so long at most to be well again; that is planned, and nobody has to wake anything.
      this.#device.clock.advance(600_000);
      await agent.settle();
      if (!agent.isDead) return;
    }
  }

  async #check(): Promise<void> {
    const agent = this.#device.agent ?? assert.fail('no agent');
    const documents = this.#apps.documents();
    assert.deepEqual(this.#checker.violations, []);
    const want = await freshView(documents);
    const have = viewOf(this.#device);
    assert.deepEqual(comparable(have), comparable(want));
    for (const what of ['volumes', 'images'] as const) {
      assert.deepEqual(
        want[what].filter((one) => !have[what].includes(one)),
        [],
        `${what} that are missing`,
      );
    }
    assert.equal(this.#device.engine.docker.container('stranger').state, 'running');
    for (const one of agent.documents())
      assert.equal(readyViolation(this.#device, agent, one), undefined, one.metadata.name);

    const from = agent.steps.length;
    const changes: string[] = [];
    agent.store.watch(
      ({ key, parts, object }) => parts.length > 0 && changes.push(`${key} ${JSON.stringify(object.status)}`),
    );
    // Nothing is said that time alone makes untrue: a look after more than a minute finds nothing to write.
    for (const ms of [0, 61_000]) {
      this.#device.clock.advance(ms);
      for (const loop of agent.loops) loop.resync();
      await agent.settle();
    }
    await agent.propose(documents);
    await agent.settle();
    assert.deepEqual(changes, [], 'changes at rest');
    assert.deepEqual(agent.steps.slice(from), [], 'calls and writes at rest');
  }
}

/** What a device without any history comes to. */
async function freshView(documents: readonly AnyDeclared[]): Promise<DeviceView> {
  const device = new Device();
  try {
    prepare(device);
    const agent = await device.boot();
    await agent.propose(documents);
    await agent.settle();
    return viewOf(device);
  } finally {
    device.discard();
  }
}

function prepare({ engine }: Device): void {
  for (const image of LOCAL_IMAGES) engine.images.add(image);
  for (const image of SERVED_IMAGES) engine.images.serve(image, { progress: [10, 60] });
  const stranger = engine.docker.createContainer('stranger', {
    Image: 'web:1',
    HostConfig: { RestartPolicy: { Name: 'always' } },
  });
  engine.docker.startContainer(stranger);
}

/**
 * History shows in volumes that are kept and images that were there; and a one-shot may have finished, or failed because
 * somebody stopped it. That what is said of it is true is looked at apart.
 */
const comparable = ({ containers, networks, locks, failures }: DeviceView) => ({
  containers: containers.map((one) =>
    one.startsWith('job_') ? one.replace(/ (running|exited|created) (.*) on .*/, ' … $2') : one,
  ),
  networks,
  locks,
  failures: failures.filter((one) => !/\.job Failed$|^App\/\S+ ServicesNotHealthy$/.test(one)),
});

/** An application's file is empty; ours say whose they are. */
const existsAsApplications = (path: string): boolean => existsSync(path) && statSync(path).size === 0;

function applicationLock({ folder }: Device, app: number, held: boolean): void {
  const path = join(folder, 'locks', String(app), 'web', 'updates.lock');
  if (!held) {
    // Only its own: the agent's belongs to somebody else.
    if (existsAsApplications(path)) rmSync(path);
    return;
  }
  mkdirSync(join(path, '..'), { recursive: true });
  try {
    writeFileSync(path, '', { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** Something that somebody does on the device, in words. */
function meddle(docker: MemoryDocker, random: SeededRandom): string {
  const container = random.any(docker.containers.filter(({ name }) => name !== 'stranger'));
  const network = random.any(docker.networks.filter(({ name }) => !['bridge', 'host', 'none'].includes(name)));
  const volume = random.any(docker.volumes);
  const how = random.pick(['remove', 'remove', 'stop', 'rename', 'exit', 'disconnect', 'network', 'volume']);
  switch (how) {
    case 'network':
      tolerant(() => network && docker.removeNetwork(network.id));
      return `rm network ${network?.name}`;
    case 'volume':
      tolerant(() => volume && docker.removeVolume(volume.name));
      return `rm volume ${volume?.name}`;
    case 'remove':
      tolerant(() => container && docker.removeContainer(container.id));
      break;
    case 'stop':
      tolerant(() => container && docker.stopContainer(container.id));
      break;
    case 'rename':
      tolerant(() => container && docker.renameContainer(container.id, `${container.name}x`));
      break;
    case 'exit':
      tolerant(() => container && isAlive(container) && docker.exit(container.id, random.below(2)));
      break;
    case 'disconnect':
      tolerant(() => container && docker.disconnectNetwork([...container.networks.keys()][0] ?? '', container.id));
  }
  return `${how} ${container?.name}`;
}

/** People are told no as well. */
function tolerant(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
  }
}

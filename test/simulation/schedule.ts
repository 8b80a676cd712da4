import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EngineError } from '../../controllers/engine/engine.js';
import type { AnyDeclared } from '../../crds/model/kinds.js';
import { type Agent, Device, type Fate } from './device.js';
import { type DeviceView, viewOf } from './device-view.js';
import { Dice } from './dice.js';
import { isAlive } from './memory-engine/memory-containers.js';
import type { MemoryDocker } from './memory-engine/memory-docker.js';
import { Overseer } from './overseer.js';
import { LOCAL_IMAGES, RandomApps, SERVED_IMAGES } from './random-apps.js';
import { untruthOf } from './truth.js';

/** What happens between two steps of a schedule, as often as it is listed. */
const ACTS = [
  'change',
  'change',
  'change',
  'change',
  'turns',
  'turns',
  'quiet',
  'time',
  'time',
  'mishap',
  'mishap',
  'storm',
  'hand',
  'hand',
  'kill',
  'halt',
  'relist',
  'events lost',
  'stream broken',
  'engine away',
  'engine restarted',
  'locked',
  'withdrawn',
] as const;

/** Random documents, order, faults, deaths and hands on one device; then fair weather, and everything has to be right. */
export class Schedule {
  /** What happened, for whoever has to understand it. */
  readonly story: string[] = [];
  readonly #dice: Dice;
  readonly #apps: RandomApps;
  readonly #device: Device;
  readonly #overseer: Overseer;
  #step = 0;
  readonly #mishaps = new Map<number, Fate>();
  #stormUntil = 0;
  #losing = false;

  constructor(seed: number) {
    this.#dice = new Dice(seed);
    const dice = this.#dice;
    this.#device = new Device(dice.chance(30) ? { apart: true } : { latencyMs: () => dice.below(3) });
    this.#overseer = new Overseer(this.#device);
    this.#apps = new RandomApps(dice);
    prepare(this.#device);
    for (const image of LOCAL_IMAGES) this.#overseer.kept.add(image);
    this.#device.weather = (what) => this.#fate(what);
  }

  async play(): Promise<void> {
    await this.#propose();
    for (let acts = 2 + this.#dice.below(8); acts > 0; acts -= 1) await this.#act(this.#dice.pick(ACTS));
    await this.#clearUp();
    await this.#check();
  }

  end(): void {
    this.#device.discard();
  }

  #fate(what: string): Fate {
    this.#step += 1;
    const planned = this.#mishaps.get(this.#step);
    if (planned) {
      this.story.push(`  ${what}: ${planned}`);
      return planned;
    }
    if (this.#step >= this.#stormUntil || !this.#dice.chance(15)) return 'pass';
    const fate = this.#dice.pick<Fate>(['fail', 'lose']);
    this.story.push(`  ${what}: ${fate}`);
    return fate;
  }

  async #act(act: (typeof ACTS)[number]): Promise<void> {
    this.story.push(act);
    const { engine, clock } = this.#device;
    const dice = this.#dice;
    switch (act) {
      case 'change':
        this.#apps.change();
        return this.#propose();
      case 'turns':
        for (let turns = dice.below(12); turns > 0; turns -= 1) await nextTurn();
        return;
      case 'quiet':
        return (await this.#agent()).quiet();
      case 'time':
        for (let steps = 1 + dice.below(6); steps > 0; steps -= 1) {
          await this.#device.agent?.quiet();
          if (dice.chance(30)) await this.#device.agent?.flush();
          clock.step();
        }
        return;
      case 'mishap':
        this.#mishaps.set(
          this.#step + 1 + dice.below(40),
          dice.pick<Fate>(['fail', 'lose', 'kill-before', 'kill-after']),
        );
        return;
      case 'storm':
        this.#stormUntil = this.#step + dice.below(60);
        return;
      case 'hand':
        this.#overseer.isBlind = true;
        this.story.push(`  ${meddle(engine.docker, dice)}`);
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
        this.#losing = !this.#losing;
        this.#overseer.isBlind = true;
        engine.eventLog.loses = this.#losing ? () => dice.chance(50) : undefined;
        return;
      case 'stream broken':
        return engine.breakEvents();
      case 'engine away':
        this.#overseer.isBlind = true;
        engine.goAway();
        for (let steps = dice.below(4); steps > 0; steps -= 1) {
          await this.#device.agent?.quiet();
          clock.step();
        }
        return engine.comeBack();
      case 'engine restarted':
        this.#overseer.isBlind = true;
        engine.goAway();
        byHand(() => engine.docker.restart());
        return engine.comeBack();
      case 'locked':
        return applicationLock(this.#device, dice.pick([1, 2]), dice.chance(50));
      case 'withdrawn': {
        const image = dice.pick(SERVED_IMAGES);
        if (dice.chance(50)) engine.images.withdraw(image);
        else engine.images.serve(image);
      }
    }
  }

  /** The living agent, or another one: it lists everything, so it knows what there is. */
  async #agent(): Promise<Agent> {
    const { agent } = this.#device;
    if (agent && !agent.isDead) return agent;
    const next = await this.#device.boot();
    if (!this.#losing && next.world.fresh) this.#overseer.isBlind = false;
    return next;
  }

  async #propose(): Promise<void> {
    const agent = await this.#agent();
    const proposed = agent.propose(this.#apps.documents()).catch((error: unknown) => {
      this.story.push(`  ${error instanceof Error ? error.message : error}`);
    });
    if (this.#dice.chance(70)) await proposed;
  }

  async #relist(): Promise<void> {
    const agent = await this.#agent();
    const before = this.story.length;
    await agent.relist();
    if (!this.#losing && agent.world.fresh && this.story.length === before) this.#overseer.isBlind = false;
  }

  /** Fair weather; whatever stood in the way is gone; and what the cron does every few minutes. */
  async #clearUp(): Promise<void> {
    const { engine } = this.#device;
    this.#device.weather = () => 'pass';
    engine.comeBack();
    engine.eventLog.loses = undefined;
    this.#losing = false;
    for (const image of SERVED_IMAGES) engine.images.serve(image);
    for (const app of [1, 2]) applicationLock(this.#device, app, false);
    for (const { id, state } of engine.docker.containers) {
      if (state === 'restarting') byHand(() => engine.docker.restartNow(id));
    }
    // A call that is under way may still end with the death of who made it.
    for (let agent = await this.#agent(); ; agent = await this.#agent()) {
      await agent.propose(this.#apps.documents());
      await agent.relist();
      for (const loop of agent.loops) loop.wakeAll();
      await agent.settle();
      // What counts for a minute, such as restarts in a row, has to be over as well, and to be seen.
      this.#device.clock.advance(61_000);
      for (const loop of agent.loops) loop.wakeAll();
      await agent.settle();
      if (!agent.isDead) return;
    }
  }

  async #check(): Promise<void> {
    const agent = this.#device.agent ?? assert.fail('no agent');
    const documents = this.#apps.documents();
    assert.deepEqual(this.#overseer.broken, []);
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
      assert.equal(untruthOf(this.#device, agent, one), undefined, one.metadata.name);

    const from = agent.steps.length;
    const changes: string[] = [];
    agent.store.watch(
      ({ key, parts, object }) => parts.length > 0 && changes.push(`${key} ${JSON.stringify(object.status)}`),
    );
    for (const loop of agent.loops) loop.wakeAll();
    await agent.settle();
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
const comparable = ({ containers, networks, locks, troubles }: DeviceView) => ({
  containers: containers.map((one) =>
    one.startsWith('job_') ? one.replace(/ (running|exited|created) (.*) on .*/, ' … $2') : one,
  ),
  networks,
  locks,
  troubles: troubles.filter((one) => !/\.job Failed$|^App\/\S+ ServicesNotHealthy$/.test(one)),
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
function meddle(docker: MemoryDocker, dice: Dice): string {
  const container = dice.any(docker.containers.filter(({ name }) => name !== 'stranger'));
  const network = dice.any(docker.networks.filter(({ name }) => !['bridge', 'host', 'none'].includes(name)));
  const volume = dice.any(docker.volumes);
  const how = dice.pick(['remove', 'remove', 'stop', 'rename', 'exit', 'disconnect', 'network', 'volume']);
  switch (how) {
    case 'network':
      byHand(() => network && docker.removeNetwork(network.id));
      return `rm network ${network?.name}`;
    case 'volume':
      byHand(() => volume && docker.removeVolume(volume.name));
      return `rm volume ${volume?.name}`;
    case 'remove':
      byHand(() => container && docker.removeContainer(container.id));
      break;
    case 'stop':
      byHand(() => container && docker.stopContainer(container.id));
      break;
    case 'rename':
      byHand(() => container && docker.renameContainer(container.id, `${container.name}x`));
      break;
    case 'exit':
      byHand(() => container && isAlive(container) && docker.exit(container.id, dice.below(2)));
      break;
    case 'disconnect':
      byHand(() => container && docker.disconnectNetwork([...container.networks.keys()][0] ?? '', container.id));
  }
  return `${how} ${container?.name}`;
}

/** People are told no as well. */
function byHand(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
  }
}

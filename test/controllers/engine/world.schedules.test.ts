import assert from 'node:assert/strict';
import { type Informer, startWorld } from '../../../controllers/engine/cache/informer.js';
import type { Engine, EngineEvent } from '../../../controllers/engine/engine.js';
import { EngineError } from '../../../controllers/engine/engine.js';
import { SUPERVISED } from '../../../controllers/engine/labels.js';
import { FakeClock } from '../../setup/fake-clock.js';
import { MemoryEngine } from '../../simulation/memory-engine/memory-engine.js';
import { calm, never, silent } from './scripted-engine.js';

const SCHEDULES = 700;
const STEPS = 40;
const IMAGES = ['busybox:latest', 'registry.example/app:1', 'registry.example/app:2'];

/** mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Chance {
  readonly random: () => number;
  pick<T>(of: readonly T[]): T | undefined;
  /** True that often, of 1. */
  once(of: number): boolean;
}

function chanceOf(seed: number): Chance {
  const random = randomOf(seed);
  return {
    random,
    pick: (of) => of[Math.floor(random() * of.length)],
    once: (often) => random() < often,
  };
}

/**
 * Something happens on the device, or Docker refuses. With `told` only what Docker tells of: it says nothing when a
 * stopped container is given a network, and when a start fails (here: because a network is gone).
 */
function happen(engine: MemoryEngine, { random, pick }: Chance, told: boolean): void {
  const { docker, images } = engine;
  const box = pick(docker.containers)?.id ?? 'none';
  const net = pick(docker.networks)?.name ?? 'none';
  const number = Math.floor(random() * 3);
  const deeds: Readonly<Record<string, () => unknown>> = {
    create: () =>
      docker.createContainer(`web_${number}`, {
        Image: IMAGES[0] ?? '',
        Labels: {
          ...(random() < 0.8 ? { [SUPERVISED]: '' } : {}),
          'io.balena.app-id': '1',
          'io.balena.service-name': 'web',
        },
        HostConfig: { NetworkMode: net },
      }),
    start: () => docker.startContainer(box),
    stop: () => docker.stopContainer(box),
    exit: () => docker.exit(box, number),
    pause: () => docker.pauseContainer(box),
    unpause: () => docker.unpauseContainer(box),
    rename: () => docker.renameContainer(box, `web_${number}`),
    health: () => docker.setHealth(box, pick(['healthy', 'unhealthy', 'starting']) ?? 'healthy'),
    remove: () => docker.removeContainer(box),
    connect: () => (told && engine.seen(box)?.state !== 'running' ? undefined : docker.connectNetwork(net, box)),
    disconnect: () => docker.disconnectNetwork(net, box),
    'create network': () => docker.createNetwork(`net_${number}`, { Labels: { number: String(random()) } }),
    'remove network': () =>
      told && docker.containers.some((it) => it.networks.has(net)) ? undefined : docker.removeNetwork(net),
    'create volume': () => docker.createVolume(`1_${number}`, { Labels: { number: String(random()) } }),
    'remove volume': () => docker.removeVolume(`1_${number}`),
    'add image': () => images.add(pick(IMAGES) ?? '', { content: String(number) }),
    'tag image': () => images.tag(pick(IMAGES) ?? '', pick(IMAGES) ?? ''),
    'remove image': () => docker.removeImage(pick(IMAGES) ?? ''),
  };
  try {
    pick(Object.values(deeds))?.();
  } catch (error) {
    // The memory engine has its own words for what a test does by hand to a container that does not run.
    if (!(error instanceof EngineError) && !/does not run|is not/.test(String(error))) throw error;
  }
}

/** Somebody uses the world. Failures are the engine's, and expected. */
function use(world: Informer, engine: MemoryEngine, { pick, random }: Chance): Promise<unknown> {
  const id = pick(engine.docker.containers)?.id ?? 'gone';
  const name = String(Math.floor(random() * 3));
  const ways = [
    () => world.refreshContainer(id, never),
    () => world.quietly(id, async () => calm()),
    () => world.quietly(`web_${name}`, async () => calm()),
    () => world.refreshNetwork(`net_${name}`, never),
    () => world.refreshVolume(`1_${name}`, never),
    () => world.refreshImage(pick(IMAGES) ?? '', never),
    async () => world.image(pick(IMAGES) ?? ''),
    () => world.relist(),
  ];
  return (pick(ways) ?? (() => world.relist()))().catch((error: unknown) => assert.ok(error instanceof EngineError));
}

const sorted = <T>(values: readonly T[], key: (value: T) => string): T[] =>
  [...values].sort((a, b) => (key(a) < key(b) ? -1 : 1));

/** What the world shows, and what there is. */
async function compare(world: Informer, engine: MemoryEngine): Promise<void> {
  const containers = await engine.listContainers(never);
  assert.deepEqual(
    sorted(world.containers(), ({ id }) => id),
    sorted(containers, ({ id }) => id),
  );
  for (const { name } of [...engine.docker.networks, ...['net_0', 'net_1', 'net_2'].map((it) => ({ name: it }))]) {
    const there = engine.docker.networks.filter((network) => network.name === name);
    assert.deepEqual(
      sorted(world.networks(name), ({ id }) => id),
      sorted(there, ({ id }) => id),
    );
  }
  for (const name of ['1_0', '1_1', '1_2']) assert.deepEqual(world.volume(name), engine.docker.volume(name));
  for (const reference of IMAGES) {
    const [shown, there] = [world.image(reference), engine.images.seen(reference)];
    assert.equal(shown?.id, there?.id, reference);
    assert.deepEqual([...(shown?.tags ?? [])].sort(), [...(there?.tags ?? [])].sort());
  }
}

interface Faults {
  /** How many of the events are lost. */
  readonly lost: number;
  /** How many requests fail. */
  readonly failing: number;
  /** How often the event stream breaks, a step. */
  readonly breaks: number;
}

async function play(
  seed: number,
  faults: Faults,
): Promise<{ world: Informer; engine: MemoryEngine; settle(): Promise<void> }> {
  const chance = chanceOf(seed);
  const clock = new FakeClock();
  const engine = new MemoryEngine({ now: () => clock.now() });
  for (const reference of IMAGES) engine.images.add(reference, { content: reference });
  let calmNow = false;
  /** Replies and requests take their time, each its own. */
  const dawdle = async () => {
    if (calmNow) return;
    for (let turns = Math.floor(chance.random() * 6); turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve));
  };
  engine.before = async () => {
    await dawdle();
    if (!calmNow && chance.once(faults.failing)) throw new EngineError('busy', 500);
  };
  engine.after = dawdle;
  const deaf: Engine = new Proxy(engine, {
    get(target, property) {
      if (property === 'events') return (...args: Parameters<Engine['events']>) => losing(target.events(...args));
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  async function* losing(events: AsyncIterable<EngineEvent>): AsyncIterable<EngineEvent> {
    for await (const event of events) {
      await dawdle();
      if (!chance.once(faults.lost)) yield event;
    }
  }
  const world = startWorld({ engine: deaf, log: silent, clock, coalesceMs: 15 });
  const under = [world.start()] as Promise<unknown>[];
  for (let step = 0; step < STEPS; step++) {
    if (chance.once(0.6)) happen(engine, chance, faults.lost === 0);
    if (chance.once(0.3)) under.push(use(world, engine, chance));
    if (chance.once(faults.breaks)) engine.breakEvents();
    if (chance.once(0.5)) clock.advance(Math.floor(chance.random() * 12));
    if (chance.once(0.5)) await new Promise((resolve) => setImmediate(resolve));
  }
  calmNow = true;
  const settle = async () => {
    for (let round = 0; round < 8; round++) {
      await calm();
      clock.advance(round < 4 ? 20 : 20_000);
    }
    await calm();
  };
  await settle();
  await Promise.all(under);
  return { world, engine, settle };
}

describe('The world, under random schedules', function () {
  this.timeout(180_000);

  const runs: { it: string; faults: Faults; relist: boolean; firstSeed: number }[] = [
    {
      it: 'follows by events alone, however late and out of order answers come',
      faults: { lost: 0, failing: 0, breaks: 0 },
      relist: false,
      firstSeed: 1,
    },
    {
      it: 'follows by events alone when requests fail and streams break',
      faults: { lost: 0, failing: 0.15, breaks: 0.05 },
      relist: false,
      firstSeed: 100_001,
    },
    {
      it: 'shows what there is after a relist, whatever events were lost',
      faults: { lost: 0.4, failing: 0.1, breaks: 0.02 },
      relist: true,
      firstSeed: 200_001,
    },
  ];
  for (const { it: what, faults, relist, firstSeed } of runs) {
    it(what, async () => {
      for (let seed = firstSeed; seed < firstSeed + SCHEDULES; seed++) {
        const { world, engine, settle } = await play(seed, faults);
        try {
          assert.equal(world.fresh, true, world.trouble);
          if (relist) await world.relist();
          for (const reference of IMAGES) world.image(reference);
          await settle();
          await compare(world, engine);
        } catch (error) {
          throw new Error(`Schedule ${seed}: ${String(error)}`, { cause: error });
        } finally {
          await world.stop();
        }
      }
    });
  }
});

import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Informer, startInformer } from '../../../../../controllers/engine/cache/informer.js';
import { type Engine, EngineError, type EngineEvent } from '../../../../../controllers/engine/engine.js';
import { SUPERVISED } from '../../../../../controllers/engine/labels.js';
import { MemoryEngine } from '../../../../../controllers/engine/simulated/memory-engine.js';
import { FakeClock } from '../../../../setup/fake-clock.js';
import { SeededRandom } from '../../../../simulation/seeded-random.js';
import { flush, never, silent } from '../../scripted-engine.js';

/**
 * The cache of the engine under random histories. A history is 40 steps; in each, something may happen on the engine by
 * hand, somebody may use the cache, the event stream may break, and time may pass. Answers and events take as long as
 * chance wants, so they overtake each other; some requests fail, some events are lost. In the end everything rests, and
 * the cache has to show what there is.
 *
 * `SUPERCARGO_SEED=100017 npx mocha test/controllers/engine/cache/informer/random-simulations.test.ts` repeats one.
 */
const SIMULATIONS = 700;
const STEPS = 40;
const SEED = process.env.SUPERCARGO_SEED;

const IMAGES = ['busybox:latest', 'registry.example/app:1', 'registry.example/app:2'];
const NETWORKS = ['net_0', 'net_1', 'net_2'];
const VOLUMES = ['1_0', '1_1', '1_2'];

/** How often something goes wrong, percent. */
interface Faults {
  readonly lostEvents: number;
  readonly failedRequests: number;
  /** In each step. */
  readonly brokenStreams: number;
}

class Simulation {
  readonly cache: Informer;
  readonly engine: MemoryEngine;
  readonly #clock = new FakeClock();
  readonly #random: SeededRandom;
  /** What was begun and may not have ended. */
  readonly #underway: Promise<unknown>[] = [];
  /** Nothing takes time and nothing goes wrong any more. */
  #atRest = false;

  constructor(
    seed: number,
    private readonly faults: Faults,
  ) {
    this.#random = new SeededRandom(seed);
    this.engine = new MemoryEngine({ now: () => this.#clock.now() });
    for (const reference of IMAGES) this.engine.images.add(reference, { content: reference });
    this.engine.before = async () => {
      await this.#delay();
      if (!this.#atRest && this.#random.chance(faults.failedRequests)) throw new EngineError('busy', 500);
    };
    this.engine.after = () => this.#delay();
    this.cache = startInformer({ engine: this.#losingEvents(), log: silent, clock: this.#clock, coalesceMs: 15 });
  }

  async run(): Promise<void> {
    const random = this.#random;
    this.#underway.push(this.cache.start());
    for (let step = 0; step < STEPS; step += 1) {
      if (random.chance(60)) this.#happen();
      if (random.chance(30)) this.#underway.push(this.#use());
      if (random.chance(this.faults.brokenStreams)) this.engine.breakEvents();
      if (random.chance(50)) this.#clock.advance(random.below(12));
      if (random.chance(50)) await nextTurn();
    }
    this.#atRest = true;
    await this.settle();
    await Promise.all(this.#underway);
  }

  /** Everything that is due happens: looks that were put off, and attempts after failures. */
  async settle(): Promise<void> {
    for (const ms of [20, 20, 20, 20, 20_000, 20_000, 20_000, 20_000]) {
      await flush();
      this.#clock.advance(ms);
    }
    await flush();
  }

  async #delay(): Promise<void> {
    if (this.#atRest) return;
    for (let turns = this.#random.below(6); turns > 0; turns -= 1) await nextTurn();
  }

  /** The engine as the cache hears it: events come late, and some never. */
  #losingEvents(): Engine {
    const late = (events: AsyncIterable<EngineEvent>) => this.#late(events);
    return new Proxy(this.engine, {
      get(target, property) {
        if (property === 'events') return (...args: Parameters<Engine['events']>) => late(target.events(...args));
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  async *#late(events: AsyncIterable<EngineEvent>): AsyncIterable<EngineEvent> {
    for await (const event of events) {
      await this.#delay();
      if (!this.#random.chance(this.faults.lostEvents)) yield event;
    }
  }

  /**
   * Something happens on the engine, or Docker refuses it. Where no event is lost the cache has to follow by events alone:
   * then nothing is done that Docker tells nobody. It is silent when a container that does not run joins a network, and
   * when a start fails (here: because a network is gone).
   */
  #happen(): void {
    const random = this.#random;
    const { docker, images } = this.engine;
    const isFailing = this.faults.lostEvents === 0;
    const container = random.any(docker.containers)?.id ?? 'none';
    const network = random.any(docker.networks)?.name ?? 'none';
    const number = random.below(3);
    const image = (): string => random.any(IMAGES) ?? '';
    const acts: readonly (() => unknown)[] = [
      () =>
        docker.createContainer(`web_${number}`, {
          Image: IMAGES[0] ?? '',
          Labels: {
            ...(random.chance(80) ? { [SUPERVISED]: '' } : {}),
            'io.balena.app-id': '1',
            'io.balena.service-name': 'web',
          },
          HostConfig: { NetworkMode: network },
        }),
      () => docker.startContainer(container),
      () => docker.stopContainer(container),
      () => docker.exit(container, number),
      () => docker.pauseContainer(container),
      () => docker.unpauseContainer(container),
      () => docker.renameContainer(container, `web_${number}`),
      () => docker.setHealth(container, random.pick(['healthy', 'unhealthy', 'starting'])),
      () => docker.removeContainer(container),
      () => {
        if (isFailing && this.engine.seen(container)?.state !== 'running') return;
        docker.connectNetwork(network, container);
      },
      () => docker.disconnectNetwork(network, container),
      () => docker.createNetwork(NETWORKS[number] ?? '', { Labels: { number: String(random.below(1_000_000)) } }),
      () => {
        if (isFailing && docker.containers.some(({ networks }) => networks.has(network))) return;
        docker.removeNetwork(network);
      },
      () => docker.createVolume(VOLUMES[number] ?? '', { Labels: { number: String(random.below(1_000_000)) } }),
      () => docker.removeVolume(VOLUMES[number] ?? ''),
      () => images.add(image(), { content: String(number) }),
      () => images.tag(image(), image()),
      () => docker.removeImage(image()),
    ];
    try {
      random.any(acts)?.();
    } catch (error) {
      // The memory engine has its own words for what a test does by hand to a container that does not run.
      if (!(error instanceof EngineError) && !/does not run|is not/.test(String(error))) throw error;
    }
  }

  /** Somebody uses the cache. Failures are the engine's, and expected. */
  async #use(): Promise<void> {
    const { cache } = this;
    const random = this.#random;
    const container = random.any(this.engine.docker.containers)?.id ?? 'gone';
    const number = random.below(3);
    const uses: readonly [() => unknown, ...(() => unknown)[]] = [
      () => cache.refreshContainer(container, never),
      () => cache.suppressEvents(container, () => flush()),
      () => cache.suppressEvents(`web_${number}`, () => flush()),
      () => cache.refreshNetwork(NETWORKS[number] ?? '', never),
      () => cache.refreshVolume(VOLUMES[number] ?? '', never),
      () => cache.refreshImage(IMAGES[number] ?? '', never),
      () => cache.image(IMAGES[number] ?? ''),
      () => cache.relist(),
    ];
    try {
      await random.pick(uses)();
    } catch (error) {
      assert.ok(error instanceof EngineError);
    }
  }
}

const byId = <T extends { readonly id: string }>(objects: readonly T[]): readonly T[] =>
  objects.toSorted((a, b) => (a.id < b.id ? -1 : 1));

/** The cache shows what there is. */
async function assertTrue({ cache, engine }: Simulation): Promise<void> {
  const { docker, images } = engine;
  assert.deepEqual(byId(cache.containers()), byId(await engine.listContainers(never)));
  for (const name of new Set([...docker.networks.map((one) => one.name), ...NETWORKS])) {
    assert.deepEqual(byId(cache.networks(name)), byId(docker.networks.filter((one) => one.name === name)), name);
  }
  for (const name of VOLUMES) assert.deepEqual(cache.volume(name), docker.volume(name), name);
  for (const reference of IMAGES) {
    const [shown, there] = [cache.image(reference), images.seen(reference)];
    assert.equal(shown?.id, there?.id, reference);
    assert.deepEqual([...(shown?.tags ?? [])].sort(), [...(there?.tags ?? [])].sort(), reference);
  }
}

describe('The cache of the engine, in random simulations', () => {
  const rows: readonly { it: string; firstSeed: number; faults: Faults; relist: boolean }[] = [
    {
      it: 'follows by events alone, however late and out of order answers come',
      firstSeed: 1,
      faults: { lostEvents: 0, failedRequests: 0, brokenStreams: 0 },
      relist: false,
    },
    {
      it: 'follows by events alone when requests fail and streams break',
      firstSeed: 100_001,
      faults: { lostEvents: 0, failedRequests: 15, brokenStreams: 5 },
      relist: false,
    },
    {
      it: 'shows what there is after a relist, whatever events were lost',
      firstSeed: 200_001,
      faults: { lostEvents: 40, failedRequests: 10, brokenStreams: 2 },
      relist: true,
    },
  ];
  for (const { it: what, firstSeed, faults, relist } of rows) {
    it(what, async () => {
      const seeds = Array.from({ length: SIMULATIONS }, (_, index) => firstSeed + index);
      for (const seed of seeds.filter((one) => SEED === undefined || one === Number(SEED))) {
        const simulation = new Simulation(seed, faults);
        const { cache } = simulation;
        try {
          await simulation.run();
          assert.equal(cache.hasSynced, true, cache.syncError);
          if (relist) await cache.relist();
          for (const reference of IMAGES) cache.image(reference);
          await simulation.settle();
          await assertTrue(simulation);
        } catch (cause) {
          throw new Error(`SUPERCARGO_SEED=${seed}`, { cause });
        } finally {
          await cache.stop();
        }
      }
    }).timeout(60_000);
  }
});

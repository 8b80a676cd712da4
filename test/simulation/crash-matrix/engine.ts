import assert from 'node:assert/strict';
import { type FSWatcher, watch } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineEvent } from '../../../controllers/engine/engine.js';
import { APP_ID, SERVICE_NAME } from '../../../controllers/engine/labels.js';
import { conditionOf } from '../../../crds/model/conditions.js';
import type { AppSpec } from '../../../crds/model/types.js';
import type { TestEngine } from '../../setup/docker.js';
import { type KillProxy, killProxy, type Moment } from '../../setup/kill-proxy.js';
import { Scene } from '../../setup/scene.js';

/** Where the agent is killed: at a call to the engine, or when a file of its data folder has just been written. */
export type Point =
  | { readonly at: number; readonly moment: Moment }
  | { readonly at: number; readonly moment: 'write' };

/** What came of one kind of change on a real engine. */
export interface EngineOutcome {
  readonly name: string;
  /** Calls to the engine and writes of an uninterrupted run. */
  readonly calls: number;
  readonly writes: number;
  /** From the request until everything is at its end, ms: uninterrupted, and the median and the longest of all kills. */
  readonly quietMs: number;
  readonly medianMs: number;
  readonly worstMs: number;
  /** The longest that a service which was up has been down, ms: uninterrupted, and with a kill, less what the restart took. */
  readonly downMs: number;
  readonly worstDownMs: number;
  readonly tried: Readonly<Record<Point['moment'], number>>;
  readonly failures: readonly Error[];
}

/** One kind of change that can be made again and again. */
interface Transition {
  readonly name: string;
  /** Makes it so that `act` changes something. */
  readonly before?: (scene: Scene, round: number) => Promise<void>;
  readonly act: (scene: Scene, round: number) => Promise<unknown>;
  /** Waits for the end and checks it. */
  readonly end: (scene: Scene, round: number) => Promise<void>;
  /** Nothing of it is down for longer, wherever the agent dies, than without that and for its restart. */
  readonly keepsUp?: true;
}

/** What one attempt took, ms. */
interface Attempt {
  readonly calls: number;
  readonly writes: number;
  readonly tookMs: number;
  readonly downMs: number;
  /** From the death of the agent until another one answered. */
  readonly restartMs: number;
}

const STRATEGIES = [
  'download-then-kill',
  'kill-then-download',
  'delete-then-download',
  'hand-over',
  'rolling',
] as const;
type Strategy = (typeof STRATEGIES)[number];

const NAME = 'matrix';
const PATIENCE = { withinMs: 60_000 };
/** Two runs on a machine that does other things as well differ by so much. */
const NOISE = 2;
const NOISE_MS = 2_000;
const ROLLOUT = { minReadySeconds: 1, progressDeadlineSeconds: 30 };
/** Never well, and told so at once. */
const UNHEALTHY = { test: ['CMD', 'false'], interval: '300ms', retries: 1 };
/** A mark in the volume, by which its loss would show. */
const MARK = 'touch /data/mark';

export class Matrix {
  readonly #appId: number;

  private constructor(
    private readonly scene: Scene,
    private readonly proxy: KillProxy,
    private readonly print: (text: string) => void,
  ) {
    this.#appId = scene.appId();
  }

  static async open(docker: TestEngine, print: (text: string) => void): Promise<Matrix> {
    const folder = await mkdtemp(join(tmpdir(), 'supercargo-matrix-'));
    const proxy = await killProxy(docker.socketPath, join(folder, 'docker.sock'));
    const scene = await Scene.open({ docker, dockerHost: proxy.dockerHost });
    scene.onClose(async () => {
      await proxy.close();
      await rm(folder, { recursive: true, force: true });
    });
    return new Matrix(scene, proxy, print);
  }

  close(): Promise<void> {
    return this.scene.close();
  }

  /** Every kind of change of such a name, killed at so many points of each moment. */
  async run(points: number, chosen = /./): Promise<readonly EngineOutcome[]> {
    const outcomes: EngineOutcome[] = [];
    for (const transition of this.#transitions().filter(({ name }) => chosen.test(name)))
      outcomes.push(await this.#try(transition, points));
    return outcomes;
  }

  async #try(transition: Transition, points: number): Promise<EngineOutcome> {
    let round = 0;
    const undisturbed = await this.#attempt(transition, round++, undefined);
    const failures: Error[] = [];
    const tried = { before: 0, after: 0, write: 0 };
    const tooks: number[] = [];
    let worstDownMs = 0;
    for (const moment of ['before', 'after', 'write'] as const) {
      const steps = moment === 'write' ? undisturbed.writes : undisturbed.calls;
      for (let index = 0; index < points; index += 1) {
        const at = Math.floor((index * steps) / points);
        this.print(`${transition.name}: killed ${moment} step ${at} of ${steps}`);
        tried[moment] += 1;
        try {
          const { tookMs, downMs, restartMs } = await this.#attempt(transition, round++, { at, moment });
          tooks.push(tookMs);
          worstDownMs = Math.max(worstDownMs, downMs - restartMs);
          if (transition.keepsUp && downMs > NOISE * undisturbed.downMs + restartMs + NOISE_MS)
            throw new Error(
              `A service was down for ${downMs} ms, not ${undisturbed.downMs} and a restart of ${restartMs}`,
            );
        } catch (cause) {
          failures.push(new Error(`${transition.name}: killed ${moment} step ${at}`, { cause }));
        }
      }
    }
    const { calls, writes, tookMs: quietMs, downMs } = undisturbed;
    const sorted = tooks.toSorted((a, b) => a - b);
    const medianMs = sorted[Math.floor(sorted.length / 2)] ?? quietMs;
    const worstMs = Math.max(quietMs, ...tooks);
    return { name: transition.name, calls, writes, quietMs, medianMs, worstMs, downMs, worstDownMs, tried, failures };
  }

  /** Makes the change once, kills the agent at that point, if it gets there, and starts another one. */
  async #attempt({ before, act, end }: Transition, round: number, point: Point | undefined): Promise<Attempt> {
    const { agent } = this.scene;
    await before?.(this.scene, round);
    const death = new AbortController();
    const kill = (): void => {
      if (death.signal.aborted) return;
      death.abort();
      void agent.kill();
    };
    const writes = watchWrites(agent.data, (count) => {
      if (point?.moment === 'write' && count - 1 === point.at) kill();
    });
    const moment = point === undefined || point.moment === 'write' ? 'before' : point.moment;
    this.proxy.arm(point?.moment === 'write' ? undefined : point?.at, moment, kill);
    const downtime = await followDowntime(this.scene, this.#appId);
    let restartMs = 0;
    const startedMs = performance.now();
    const ended = (async () => {
      await act(this.scene, round);
      await end(this.scene, round);
    })();
    try {
      await Promise.race([ended, new Promise((resolve) => death.signal.addEventListener('abort', resolve))]);
      if (death.signal.aborted) {
        ended.catch(() => undefined); // nobody answered it
        const diedMs = performance.now();
        await agent.kill();
        await agent.start();
        restartMs = performance.now() - diedMs;
        // Whoever asked and got no answer asks again.
        await act(this.scene, round);
        await end(this.scene, round);
      }
      const tookMs = performance.now() - startedMs;
      const downMs = downtime.longestMs();
      return { calls: this.proxy.requests, writes: writes.count(), tookMs, downMs, restartMs };
    } finally {
      downtime.stop();
      writes.stop();
      this.proxy.arm(undefined, 'before', () => undefined);
      if (!agent.isRunning) await agent.start();
    }
  }

  #spec(
    version: number,
    { mtu = 1400, strategy }: { readonly mtu?: number; readonly strategy?: Strategy } = {},
  ): AppSpec {
    const { scene } = this;
    const environment = { VERSION: String(version) };
    return {
      appId: this.#appId,
      release: { commit: `v${version}`, id: version },
      services: {
        db: scene.service({ environment, volumes: ['data:/data'] }),
        web: scene.service({
          environment,
          depends_on: ['db'],
          // The new container says at once that it has taken over; for other strategies the file means nothing.
          command: ['sh', '-c', 'touch /tmp/balena/handover-complete; exec sleep 1000000'],
          ...(strategy ? { updateStrategy: strategy } : {}),
        }),
      },
      networks: { default: { driver_opts: { 'com.docker.network.driver.mtu': String(mtu) } } },
      volumes: { data: {} },
    };
  }

  async #settled(version: number): Promise<void> {
    const { scene } = this;
    await scene.untilReady(NAME, PATIENCE);
    const containers = await scene.untilRunning(this.#appId, ['db', 'web'], PATIENCE);
    for (const { env, name } of containers) assert.ok(env.includes(`VERSION=${version}`), `${name} of ${version}`);
    assert.deepEqual(
      (await scene.networks(this.#appId)).map(({ name }) => name),
      [`${this.#appId}_default`],
    );
    assert.deepEqual(await scene.volumes(this.#appId), [`${this.#appId}_data`]);
    assert.deepEqual(await scene.lockFiles(this.#appId), []);
  }

  /** What runs is the good release again, and the bad one is refused. */
  async #rolledBack(dbBefore: string | undefined): Promise<void> {
    const { scene } = this;
    await scene.until(
      `App ${NAME} has gone back`,
      () => scene.agent.document('App', NAME),
      (app) =>
        app !== undefined &&
        app.status?.observedGeneration === app.metadata.generation &&
        conditionOf(app, 'Stalled')?.reason === 'RolledBack' &&
        conditionOf(app, 'Available')?.status === 'True',
      PATIENCE,
    );
    const containers = await scene.untilRunning(this.#appId, ['db', 'web'], PATIENCE);
    for (const { env, name } of containers) assert.ok(env.includes('VERSION=1'), `${name} is the good one`);
    assert.equal(containers[0]?.id, dbBefore, 'what did not change is not touched');
    assert.deepEqual(await scene.lockFiles(this.#appId), []);
  }

  async #data(command: string): Promise<number> {
    const db = (await this.scene.containers(this.#appId)).find(({ service }) => service === 'db');
    return (await this.scene.exec(db?.id ?? '', ['sh', '-c', command])).code;
  }

  #kept = async (): Promise<void> => assert.equal(await this.#data('test -e /data/mark'), 0, 'the data is there');

  #transitions(): readonly Transition[] {
    const gone = async (scene: Scene): Promise<void> => {
      const there = await scene.agent.document('App', NAME);
      if (there && !there.metadata.deletionTimestamp) await scene.delete(NAME);
    };
    const isGone = async (scene: Scene): Promise<void> => {
      await scene.untilGone(NAME);
      assert.deepEqual(await scene.containers(this.#appId), []);
      assert.deepEqual(await scene.networks(this.#appId), []);
      assert.deepEqual(await scene.volumes(this.#appId), [`${this.#appId}_data`], 'the volume stays');
    };
    const up = async (scene: Scene): Promise<void> => {
      await scene.put(NAME, this.#spec(1));
      await this.#settled(1);
    };
    const marked = async (scene: Scene): Promise<void> => {
      if (!(await scene.agent.document('App', NAME))) await up(scene);
      assert.equal(await this.#data(MARK), 0);
    };
    /** Container of what no bad release changes. */
    let db: string | undefined;
    const rollback = (strategy: Strategy): Transition => ({
      name: `rollback, ${strategy}`,
      keepsUp: true,
      before: async (scene) => {
        await scene.put(NAME, { ...this.#spec(1, { strategy }), rollout: ROLLOUT });
        await this.#settled(1);
        db = (await scene.containers(this.#appId)).find(({ service }) => service === 'db')?.id;
        assert.equal(await this.#data(MARK), 0);
      },
      act: (scene, round) => {
        const { services, ...rest } = this.#spec(1, { strategy });
        const environment = { VERSION: `bad ${round}` }; // another one each time: what was refused is not tried again
        const web = { ...services?.web, image: scene.image, environment, healthcheck: UNHEALTHY };
        return scene.put(NAME, { ...rest, rollout: ROLLOUT, services: { ...services, web } });
      },
      end: async () => {
        await this.#rolledBack(db);
        await this.#kept();
      },
    });
    return [
      ...STRATEGIES.map(rollback),
      {
        name: 'first install',
        before: async (scene) => {
          await gone(scene);
          await scene.untilGone(NAME);
        },
        act: (scene) => scene.put(NAME, this.#spec(1)),
        end: () => this.#settled(1),
      },
      ...STRATEGIES.map((strategy) => ({
        name: `update, ${strategy}`,
        before: marked,
        act: (scene: Scene, round: number) => scene.put(NAME, this.#spec(round + 2, { strategy })),
        end: async (_: Scene, round: number) => {
          await this.#settled(round + 2);
          await this.#kept();
        },
      })),
      {
        name: 'network rebuild',
        before: async (scene) => {
          await up(scene);
          await marked(scene);
        },
        act: (scene) => scene.put(NAME, this.#spec(1, { mtu: 1300 })),
        end: async () => {
          await this.#settled(1);
          await this.#kept();
        },
      },
      {
        name: 'purge',
        before: marked,
        act: async (scene) => {
          const { status, text } = await scene.agent.post(`/v2/applications/${this.#appId}/purge`, {});
          assert.equal(status, 200, text);
        },
        end: async () => {
          await this.#settled(1);
          assert.notEqual(await this.#data('test -e /data/mark'), 0, 'the data is gone');
        },
      },
      { name: 'app removal', before: up, act: gone, end: isGone },
    ];
  }
}

/** Counts files that come to be in a folder under their final name. */
function watchWrites(folder: string, on: (count: number) => void): { count(): number; stop(): void } {
  let count = 0;
  const watcher: FSWatcher = watch(folder, { recursive: true }, (event, file) => {
    if (event !== 'rename' || !file?.endsWith('.json')) return;
    count += 1;
    on(count);
  });
  return { count: () => count, stop: () => watcher.close() };
}

/** Follows for how long the services of an app that are up now have no running container, by the engine's clock. */
async function followDowntime(
  scene: Scene,
  appId: number,
): Promise<{ readonly longestMs: () => number; readonly stop: () => void }> {
  const running = new Map<string, Set<string>>();
  const downSince = new Map<string, number>();
  const totals = new Map<string, number>();
  for (const { service, id, state } of await scene.containers(appId))
    if (state === 'running') running.set(service, new Set([id]));
  const stopping = new AbortController();
  const onEvent = ({ action, id, attributes, timeNano }: EngineEvent): void => {
    const up = running.get(attributes[SERVICE_NAME] ?? '');
    const service = attributes[SERVICE_NAME] ?? '';
    if (attributes[APP_ID] !== String(appId) || !up) return;
    const atMs = Number(timeNano) / 1e6;
    if (action === 'start') {
      up.add(id);
      const since = downSince.get(service);
      if (since !== undefined) totals.set(service, (totals.get(service) ?? 0) + atMs - since);
      downSince.delete(service);
    } else if (action === 'die' && up.delete(id) && up.size === 0) downSince.set(service, atMs);
  };
  await new Promise<void>((open, fail) => {
    const follow = async (): Promise<void> => {
      for await (const event of scene.docker.engine.events(undefined, open, stopping.signal)) onEvent(event);
    };
    follow().catch((error: unknown) => {
      if (!stopping.signal.aborted) fail(error);
    });
  });
  return { longestMs: () => Math.round(Math.max(0, ...totals.values())), stop: () => stopping.abort() };
}

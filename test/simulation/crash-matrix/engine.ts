import assert from 'node:assert/strict';
import { type FSWatcher, watch } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  /** From the request until everything is Ready, ms: uninterrupted, and the longest of all kills. */
  readonly calmMs: number;
  readonly worstMs: number;
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
/** A mark in the volume, by which its loss would show. */
const MARK = 'touch /data/mark';

export class Matrix {
  readonly #appId: number;

  private constructor(
    private readonly scene: Scene,
    private readonly proxy: KillProxy,
    private readonly say: (text: string) => void,
  ) {
    this.#appId = scene.appId();
  }

  static async open(docker: TestEngine, say: (text: string) => void): Promise<Matrix> {
    const folder = await mkdtemp(join(tmpdir(), 'supercargo-matrix-'));
    const proxy = await killProxy(docker.socketPath, join(folder, 'docker.sock'));
    const scene = await Scene.open({ docker, dockerHost: proxy.dockerHost });
    scene.onClose(async () => {
      await proxy.close();
      await rm(folder, { recursive: true, force: true });
    });
    return new Matrix(scene, proxy, say);
  }

  close(): Promise<void> {
    return this.scene.close();
  }

  /** Every kind of change, killed at so many points of each moment. */
  async run(points: number): Promise<readonly EngineOutcome[]> {
    const outcomes: EngineOutcome[] = [];
    for (const transition of this.#transitions()) outcomes.push(await this.#try(transition, points));
    return outcomes;
  }

  async #try(transition: Transition, points: number): Promise<EngineOutcome> {
    let round = 0;
    const undisturbed = await this.#attempt(transition, round++, undefined);
    const failures: Error[] = [];
    const tried = { before: 0, after: 0, write: 0 };
    let worstMs = undisturbed.tookMs;
    for (const moment of ['before', 'after', 'write'] as const) {
      const steps = moment === 'write' ? undisturbed.writes : undisturbed.calls;
      for (let index = 0; index < points; index += 1) {
        const at = Math.floor((index * steps) / points);
        this.say(`${transition.name}: killed ${moment} step ${at} of ${steps}`);
        tried[moment] += 1;
        try {
          const { tookMs } = await this.#attempt(transition, round++, { at, moment });
          worstMs = Math.max(worstMs, tookMs);
        } catch (cause) {
          failures.push(new Error(`${transition.name}: killed ${moment} step ${at}`, { cause }));
        }
      }
    }
    const { calls, writes, tookMs } = undisturbed;
    return { name: transition.name, calls, writes, calmMs: tookMs, worstMs, tried, failures };
  }

  /** Makes the change once, kills the agent at that point, if it gets there, and starts another one. */
  async #attempt(
    { before, act, end }: Transition,
    round: number,
    point: Point | undefined,
  ): Promise<{ readonly calls: number; readonly writes: number; readonly tookMs: number }> {
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
    const startedMs = performance.now();
    const ended = (async () => {
      await act(this.scene, round);
      await end(this.scene, round);
    })();
    try {
      await Promise.race([ended, new Promise((resolve) => death.signal.addEventListener('abort', resolve))]);
      if (death.signal.aborted) {
        ended.catch(() => undefined); // nobody answered it
        await agent.kill();
        await agent.start();
        // Whoever asked and got no answer asks again.
        await act(this.scene, round);
        await end(this.scene, round);
      }
      return { calls: this.proxy.requests, writes: writes.count(), tookMs: performance.now() - startedMs };
    } finally {
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
    return [
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

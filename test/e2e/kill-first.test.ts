import assert from 'node:assert/strict';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import { readAll } from '../../controllers/engine/client/docker-http.js';
import { conditionOf } from '../../crds/model/conditions.js';
import type { AppSpec } from '../../crds/model/types.js';
import { useGatedRegistry } from '../setup/gated-registry.js';
import { Scene, unchanged } from '../setup/scene.js';

const LARGE_BYTES = 8 * 1024 * 1024;
/** Three pulls that fail, half a second and a second between them, less the jitter. */
const AWAY_MS = 1_000;

/** What `docker events` shows of something that happened. */
interface Happened {
  readonly what: string;
  readonly id: string;
  readonly atMs: number;
}

describe('strategies that make room before they download', () => {
  let scene: Scene;
  let gate: Awaited<ReturnType<typeof useGatedRegistry>>;

  before(async () => {
    scene = await Scene.open();
    gate = await useGatedRegistry(scene);
  });
  afterEach(async () => {
    gate.open();
    await gate.comeBack();
  });
  after(() => scene?.close());

  const isLocal = async (reference: string): Promise<boolean> =>
    (await scene.docker.engine.inspectImage(reference, timeoutSignal(60_000))) !== undefined;
  const imageId = async (reference: string): Promise<string> =>
    (await scene.docker.engine.inspectImage(reference, timeoutSignal(60_000)))?.id ?? assert.fail(reference);
  const serviceOf = (name: string) => scene.agent.document('Service', `${name}.web`);

  /** Everything that happened on the engine since then. */
  async function happened(sinceMs: number): Promise<readonly Happened[]> {
    const seconds = (ms: number): string => (ms / 1000).toFixed(3);
    const query = { since: seconds(sinceMs), until: seconds(Date.now()) };
    const signal = timeoutSignal(60_000);
    const { stream } = await scene.docker.http.open({ path: '/events', query, signal });
    const lines = (await readAll(stream)).split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const { Type, Action, Actor, timeNano } = JSON.parse(line) as {
        Type: string;
        Action: string;
        Actor: { ID: string };
        timeNano: number;
      };
      return { what: `${Type} ${Action}`, id: Actor.ID, atMs: timeNano / 1e6 };
    });
  }

  /** When the agent first had the engine download an image. */
  const askedAt = (reference: string): number => {
    const line = scene.agent.lines.find(({ msg }) => msg.startsWith(`Downloading ${reference}`));
    return Number(line?.time ?? assert.fail(`nobody asked for ${reference}`));
  };

  /** An app of two services in its first version, and the specs of both versions. */
  async function firstVersion(name: string, strategy: 'kill-then-download' | 'delete-then-download') {
    const images = [
      await gate.publish(`${strategy}:1`, LARGE_BYTES),
      await gate.publish(`${strategy}:2`, LARGE_BYTES),
    ] as const;
    const appId = scene.appId();
    const spec = (version: 1 | 2): AppSpec => ({
      appId,
      release: { commit: `v${version}`, id: version },
      services: {
        db: scene.service(),
        web: scene.service({ image: images[version - 1] ?? '', updateStrategy: strategy }),
      },
    });
    await scene.put(name, spec(1));
    await scene.untilReady(name, { withinMs: 60_000 });
    const [db, web] = await scene.untilRunning(appId, ['db', 'web']);
    assert.ok(db && web);
    return { appId, spec, old: images[0], next: images[1], db, web };
  }

  /** The registry is away: the service is down, the other one runs, and everybody who is asked says so. Some time passes. */
  async function failsTruthfully(name: string, first: Awaited<ReturnType<typeof firstVersion>>): Promise<void> {
    const failure = new RegExp(`Could not download image ${first.next}: .*connection refused`);
    await scene.untilReason('App', name, 'ImagesNotReady', failure);
    const image = async () => (await scene.agent.documents('Image')).find(({ spec }) => spec.image === first.next);
    const failed = await scene.until(
      'several downloads have failed',
      image,
      (one) => (one?.status?.failures ?? 0) >= 3,
    );
    await scene.untilReason('Image', failed?.metadata.name ?? '', 'Retrying', failure);
    const { status: output } = (await image()) ?? {};
    assert.ok(output?.nextAttemptAt !== undefined && failure.test(output.lastError ?? ''), JSON.stringify(output));
    assert.deepEqual(unchanged(await scene.containers(first.appId)), unchanged([first.db]));
    const web = await scene.agent.document('Service', `${name}.web`);
    const ready = web && conditionOf(web, 'Ready');
    assert.deepEqual([ready?.status, ready?.reason, web?.status?.container], ['False', 'ImageMissing', undefined]);
  }

  /** The second version runs, the other service was not touched, and the status tells how long the service was down. */
  async function secondVersion(
    name: string,
    first: Awaited<ReturnType<typeof firstVersion>>,
    strategy: string,
    sinceMs: number,
  ): Promise<void> {
    await scene.untilReady(name, { withinMs: 60_000 });
    const [db, web] = await scene.untilRunning(first.appId, ['db', 'web']);
    assert.deepEqual([db?.id, db?.startedAt], [first.db.id, first.db.startedAt], 'only its name changed');
    assert.equal(web?.image, await imageId(first.next));

    const { update } = (await serviceOf(name))?.status ?? {};
    assert.equal(update?.strategy, strategy);
    const events = await happened(sinceMs);
    const diedMs = events.find(({ what, id }) => what === 'container die' && id === first.web.id)?.atMs ?? 0;
    const startedMs = events.find(({ what, id }) => what === 'container start' && id === web?.id)?.atMs ?? 0;
    assert.ok(diedMs > 0 && diedMs < askedAt(first.next), 'it was stopped before anything was asked for');
    const downMs = startedMs - diedMs;
    assert.ok(downMs >= AWAY_MS, `${downMs} ms`);
    assert.ok(
      Math.abs((update?.downtimeMs ?? 0) - downMs) < 1_000,
      `${update?.downtimeMs} ms said, ${downMs} ms by the engine: ${JSON.stringify(update)}`,
    );
  }

  it('kill-then-download: the old container stops, then the pull begins; one that fails is said to, and tried again', async () => {
    const name = `${scene.prefix}-kill`;
    const first = await firstVersion(name, 'kill-then-download');
    const sinceMs = Date.now();
    await gate.goAway();
    await scene.put(name, first.spec(2));
    await failsTruthfully(name, first);
    assert.equal(await isLocal(first.old), true, 'who goes back downloads nothing');

    const before = gate.downloads.length;
    gate.hold();
    await gate.comeBack();
    await scene.until(
      'the download is on its way',
      () => gate.downloads.slice(before),
      (seen) => seen.some(({ is, bytes }) => is === 'running' && bytes > 100_000),
    );
    await scene.until(
      'the service is said to download',
      () => scene.agent.applications(),
      ({ [name]: seen }) => seen?.services.web?.status === 'Downloading',
    );
    gate.open();
    await secondVersion(name, first, 'kill-then-download', sinceMs);
  });

  it('delete-then-download: the old image goes before the pull begins, also where the registry is away', async () => {
    const name = `${scene.prefix}-delete`;
    const first = await firstVersion(name, 'delete-then-download');
    const oldId = await imageId(first.old);
    const sinceMs = Date.now();
    await gate.goAway();
    await scene.put(name, first.spec(2));
    await failsTruthfully(name, first);
    assert.equal(await isLocal(first.old), false);
    await gate.comeBack();
    await secondVersion(name, first, 'delete-then-download', sinceMs);
    const deleted = (await happened(sinceMs)).find(({ what, id }) => what === 'image delete' && id === oldId);
    assert.ok(deleted && deleted.atMs < askedAt(first.next), 'the image went before anything was asked for');
  });
});

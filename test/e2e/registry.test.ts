import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import type { Resource } from '../../crds/model/kinds.js';
import { type TestRegistry, useRegistry } from '../setup/docker.js';
import { Scene, unchanged } from '../setup/scene.js';

/** Large enough to be seen on its way. */
const LARGE_BYTES = 64 * 1024 * 1024;

describe('images of a registry', () => {
  let scene: Scene;
  let registry: TestRegistry;

  before(async () => {
    scene = await Scene.open();
    registry = await useRegistry();
    scene.onClose(() => registry.close());
  });
  after(() => scene?.close());

  const isLocal = async (reference: string): Promise<boolean> =>
    (await scene.docker.engine.inspectImage(reference, timeoutSignal(60_000))) !== undefined;

  /** When it got its name, as it does with each download. */
  async function taggedAt(reference: string): Promise<string> {
    const image = (await scene.docker.request({ path: `/images/${reference}/json` })) as {
      Metadata: { LastTagTime: string };
    };
    return image.Metadata.LastTagTime;
  }

  /** Makes an image that exists only in the registry. */
  async function publish(name: string, bytes = 16): Promise<string> {
    const reference = `${registry.address}/${scene.prefix}/${name}`;
    // By another name of the same registry: an app that waits for the image would take it as soon as it is local.
    const unnoticed = reference.replace('127.0.0.1', 'localhost');
    await scene.makeImage(unnoticed, { files: [{ path: 'etc/content', content: randomBytes(bytes) }] });
    await scene.docker.push(unnoticed);
    await scene.docker.engine.removeImage(unnoticed, timeoutSignal(60_000));
    assert.equal(await isLocal(reference), false);
    return reference;
  }

  it('are downloaded with progress, run, and are collected with the app that wanted them', async () => {
    const image = await publish('large:1', LARGE_BYTES);
    const name = `${scene.prefix}-pull`;
    const appId = scene.appId();
    const watch = await scene.agent.stream('/apis/supercargo.io/v1/images?watch=1');
    await scene.put(name, { appId, services: { main: scene.service({ image }) } });
    await scene.untilReady(name, { withinMs: 60_000 });
    watch.close();
    await scene.untilRunning(appId, ['main']);

    const statuses = watch.lines
      .map((line) => (JSON.parse(line) as { object: Resource<'Image'> }).object)
      .filter(({ spec }) => spec.image === image)
      .map(({ status }) => status);
    const percents = statuses.flatMap((status) =>
      status?.state === 'Downloading' && status.downloadProgress !== undefined ? [status.downloadProgress] : [],
    );
    assert.ok(
      percents.some((percent) => percent > 0 && percent < 100),
      `progress: ${percents.join(', ')}`,
    );
    assert.deepEqual(
      percents,
      [...percents].sort((a, b) => a - b),
      'progress never goes back',
    );
    assert.equal(statuses.at(-1)?.state, 'Downloaded');

    await scene.delete(name);
    await scene.untilGone(name);
    assert.equal(await isLocal(image), false);
  });

  it('that do not exist are waited for, and named; the running app and all others go on', async () => {
    const [name, neighbour] = [`${scene.prefix}-missing`, `${scene.prefix}-neighbour`];
    const [appId, neighbourId] = [scene.appId(), scene.appId()];
    await scene.put(name, { appId, services: { main: scene.service() } });
    await scene.untilReady(name);
    const old = await scene.untilRunning(appId, ['main']);

    const missing = `${registry.address}/${scene.prefix}/later:1`;
    await scene.put(name, {
      appId,
      release: { commit: 'later', id: 2 },
      services: { main: scene.service({ image: missing }), more: scene.service() },
    });
    await scene.untilReason('App', name, 'ImagesNotReady', /later:1/);
    const image = (await scene.agent.documents('Image')).find(({ spec }) => spec.image === missing);
    assert.ok(image);
    const message = await scene.untilReason('Image', image.metadata.name, 'Retrying', /Could not download/);
    assert.ok(message.includes(missing), message);

    await scene.put(neighbour, { appId: neighbourId, services: { main: scene.service() } });
    await scene.untilReady(neighbour);
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old), 'nothing of the new release runs yet');
    assert.deepEqual(await scene.lockFiles(appId), []);
    const { [name]: seen } = await scene.agent.applications();
    assert.equal(seen?.services.main?.status, 'Downloading');

    assert.equal(await publish('later:1'), missing);
    await scene.untilReady(name, { withinMs: 60_000 });
    const [main] = await scene.untilRunning(appId, ['main', 'more']);
    assert.notEqual(main?.id, old[0]?.id);
  });

  it('of the release before are kept for who goes back, and collected when a new release comes', async () => {
    const [first, second, third] = [await publish('next:1'), await publish('next:2'), await publish('next:3')];
    const name = `${scene.prefix}-next`;
    const appId = scene.appId();
    for (const image of [first, second]) {
      await scene.put(name, { appId, services: { main: scene.service({ image }) } });
      await scene.untilReady(name);
    }
    const kept = await taggedAt(first);
    await scene.put(name, { appId, services: { main: scene.service({ image: first }) } });
    await scene.untilReady(name);
    assert.equal(await taggedAt(first), kept, 'it was not downloaded again');
    assert.equal(await isLocal(second), true);

    await scene.put(name, { appId, services: { main: scene.service({ image: third }) } });
    await scene.untilReady(name);
    await scene.until(
      'the image of two releases before is gone',
      () => isLocal(second),
      (local) => !local,
    );
    assert.deepEqual([await isLocal(first), await isLocal(third)], [true, true]);
    await scene.untilRunning(appId, ['main']);
  });
});

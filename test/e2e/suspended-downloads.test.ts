import assert from 'node:assert/strict';
import { useGatedRegistry } from '../setup/gated-registry.js';
import { Scene } from '../setup/scene.js';

const LARGE_BYTES = 24 * 1024 * 1024;

describe('the download of an app that is suspended', () => {
  let scene: Scene;
  let gate: Awaited<ReturnType<typeof useGatedRegistry>>;

  before(async () => {
    scene = await Scene.open();
    gate = await useGatedRegistry(scene);
  });
  after(() => scene?.close());

  const large = () => gate.downloads.filter(({ bytes }) => bytes > 100_000);
  const imageOf = async (reference: string) => {
    const found = (await scene.agent.documents('Image')).find(({ spec }) => spec.image === reference);
    return found ?? assert.fail(`no document of ${reference}`);
  };

  it('is broken off at the registry, said to be so, and goes on when the app is resumed', async () => {
    const image = await gate.publish('large:1', LARGE_BYTES);
    const name = `${scene.prefix}-expensive`;
    const appId = scene.appId();
    gate.hold();
    await scene.put(name, { appId, services: { main: scene.service({ image }) } });
    await scene.until('the download is on its way', large, ([one]) => one?.is === 'running');

    await scene.put(name, { appId, suspend: true, services: { main: scene.service({ image }) } });
    const { metadata } = await imageOf(image);
    const message = await scene.untilReason('Image', metadata.name, 'Suspended');
    assert.equal(
      message,
      `App ${name} is suspended: ${image} is not downloaded until it is resumed and spec.suspend is taken back`,
    );
    await scene.until('the engine hangs up', large, ([one]) => one?.is === 'broken off');
    assert.ok((large()[0]?.bytes ?? 0) < LARGE_BYTES / 2, `${large()[0]?.bytes} bytes had come`);
    assert.equal((await imageOf(image)).status?.state, undefined);
    const asked = gate.downloads.length;

    await scene.agent.restart();
    await scene.untilReason('Image', metadata.name, 'Suspended');
    await scene.untilReason('App', name, 'Suspended');
    assert.equal(gate.downloads.length, asked, 'nothing was asked for since');

    gate.open();
    await scene.put(name, { appId, services: { main: scene.service({ image }) } });
    await scene.untilReady(name, { withinMs: 60_000 });
    await scene.untilRunning(appId, ['main']);
  });

  it('goes on where another app wants the image', async () => {
    const image = await gate.publish('shared:1', LARGE_BYTES);
    const [name, neighbour] = [`${scene.prefix}-sleeper`, `${scene.prefix}-awake`];
    const [appId, neighbourId] = [scene.appId(), scene.appId()];
    const before = large().length;
    gate.hold();
    await scene.put(name, { appId, services: { main: scene.service({ image }) } });
    await scene.put(neighbour, { appId: neighbourId, services: { main: scene.service({ image }) } });
    await scene.until('the download is on its way', large, (seen) => seen[before]?.is === 'running');
    await scene.put(name, { appId, suspend: true, services: { main: scene.service({ image }) } });
    await scene.untilReason('App', name, 'Suspended');
    gate.open();
    await scene.untilReady(neighbour, { withinMs: 60_000 });
    assert.deepEqual(
      large()
        .slice(before)
        .map(({ is }) => is),
      ['whole'],
      'it was one download',
    );
    assert.deepEqual(await scene.containers(appId), []);
  });
});

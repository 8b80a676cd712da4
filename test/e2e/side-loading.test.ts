import assert from 'node:assert/strict';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import { busyboxFiles, staticBusybox } from '../../controllers/engine/local/busybox.js';
import type { TarEntry } from '../../controllers/engine/local/tar.js';
import { ociLayout, savedImages } from '../setup/image-archives.js';
import { Scene } from '../setup/scene.js';

describe('images that come as files, without any network', () => {
  let scene: Scene;
  let files: readonly TarEntry[];

  before(async () => {
    const binary = await staticBusybox(process.env, () => undefined);
    assert.ok(binary, 'a static busybox is needed');
    files = await busyboxFiles(binary, process.env);
    scene = await Scene.open({ started: false });
    await mkdir(folder(), { recursive: true });
  });
  after(() => scene?.close());

  const folder = () => join(scene.agent.data, 'images');
  /** A registry that nobody can reach. */
  const reference = (name: string) => `127.0.0.1:1/${scene.prefix}/${name}`;
  const unlike = (name: string) => [...files, { path: 'etc/name', content: name }];
  const put = async (name: string, bytes: Buffer) => {
    await writeFile(join(folder(), `.${name}`), bytes);
    await rename(join(folder(), `.${name}`), join(folder(), name));
  };
  const forget = (image: string) => scene.onClose(() => scene.docker.engine.removeImage(image, timeoutSignal(60_000)));

  it('are there at the first start, written by docker save or as an OCI layout', async () => {
    const [saved, layout] = [reference('saved:1'), reference('layout:1')];
    for (const image of [saved, layout]) forget(image);
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
    await put('saved.tar', savedImages({ references: [saved], files: unlike('saved'), architecture }));
    const foreign = { references: [], files: [], architecture: 'riscv64' };
    await put('layout.tar', ociLayout(layout, foreign, { references: [], files: unlike('layout'), architecture }));
    await scene.agent.start();
    const appId = scene.appId();
    const name = `${scene.prefix}-offline`;
    const service = (image: string) => scene.service({ image });
    await scene.put(name, { appId, services: { saved: service(saved), layout: service(layout) } });
    await scene.untilReady(name, { withinMs: 60_000 });
    const containers = await scene.untilRunning(appId, ['layout', 'saved']);
    for (const { service: one, id } of containers) {
      assert.equal((await scene.exec(id, ['cat', '/etc/name'])).output, one);
    }
    const image = (await scene.agent.documents('Image')).find(({ spec }) => spec.image === layout);
    assert.equal(image?.status?.pulled, undefined, 'it is not ours to collect');
  });

  it('are not loaded again by the next agent, and an update of the app that names others waits for theirs', async () => {
    const list = () => readFile(join(scene.agent.data, 'images.json'), 'utf8');
    const before = await list();
    await scene.agent.restart();
    const next = reference('saved:2');
    forget(next);
    const name = `${scene.prefix}-offline`;
    const app = await scene.untilReady(name);
    const appId = app.status?.appId ?? 0;
    await scene.put(name, {
      appId,
      release: { commit: 'two', id: 2 },
      services: { saved: scene.service({ image: next }) },
    });
    await scene.untilReason('App', name, 'ImagesNotReady', /saved:2/);
    assert.equal((await scene.containers(appId)).length, 2, 'what runs goes on');
    assert.equal(await list(), before, 'nothing was loaded again');

    await put('saved-2.tar', savedImages({ references: [next], files: unlike('two') }));
    await scene.untilReady(name, { withinMs: 60_000 });
    await scene.untilRunning(appId, ['saved']);
    const image = (await scene.agent.documents('Image')).find(({ spec }) => spec.image === next);
    const events = await scene.agent.events('Image', image?.metadata.name ?? '');
    assert.ok(events.includes(`Loaded: Loaded ${next} from the file saved-2.tar`), events.join('; '));
  });

  it('that are broken are named, and do no harm', async () => {
    const whole = savedImages({ references: [reference('broken:1')], files: unlike('broken') });
    await put('broken.tar', whole.subarray(0, whole.length / 2));
    const problems = await scene.until(
      'the broken file is named',
      () => scene.agent.problems(),
      (seen) => seen.length > 0,
    );
    assert.match(problems[0]?.message ?? '', /^Could not load images from broken.tar: it ends in the middle/);
    assert.match(problems[0]?.source?.file ?? '', /images\/broken.tar$/);
    await scene.untilReady(`${scene.prefix}-offline`);
  });
});

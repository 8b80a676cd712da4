import assert from 'node:assert/strict';
import { EngineError } from '../../../controllers/engine/engine.js';
import { volumeController } from '../../../controllers/volume/controller.js';
import type { VolumeSpec } from '../../../crds/model/types.js';
import { ControllerBench } from '../../setup/controller-bench.js';

const NAME = 'hello.data';
const keep: VolumeSpec = { app: 'hello', appId: 1, appUuid: '1', volumeName: '1_data', reclaim: 'Retain' };
const drop: VolumeSpec = { ...keep, reclaim: 'Delete' };
const OURS = { 'io.balena.supervised': 'true', 'io.balena.app-id': '1', 'io.balena.service-name': 'web' };

describe('the Volume controller', () => {
  let bench: ControllerBench;
  beforeEach(async () => {
    bench = await ControllerBench.open((supplies) => [volumeController(supplies)]);
    bench.engine.images.add('busybox');
  });
  afterEach(() => bench.close());

  const declare = (spec: VolumeSpec | undefined) =>
    spec ? bench.declare(['Volume', NAME, spec]) : bench.declare<'Volume'>();
  const volume = () => bench.engine.docker.volumes.find(({ name }) => name === '1_data');
  const mount = (labels: Record<string, string>) =>
    bench.engine.docker.createContainer('web', {
      Image: 'busybox',
      Labels: labels,
      HostConfig: { Binds: ['1_data:/data'] },
    });

  it('creates a volume, and then does nothing', async () => {
    await declare(keep);
    await bench.settle();
    assert.ok(volume());
    assert.deepEqual(bench.acts(), ['createVolume']);
    assert.equal(bench.store.get('Volume', NAME)?.status?.present, true);
    assert.deepEqual(
      bench.lines.map(({ message }) => message),
      ["Creating volume 'data'"],
    );
    assert.deepEqual(await bench.again(), { acts: [], wrote: false });
  });

  it('keeps the data of a deleted document by default', async () => {
    await declare(keep);
    await bench.settle();
    await declare(undefined);
    await bench.settle();
    assert.ok(volume());
    assert.equal(bench.store.get('Volume', NAME), undefined);
  });

  it('removes it with the document when that says so, once nobody mounts it', async () => {
    await declare(drop);
    await bench.settle();
    const container = mount(OURS);
    await bench.quiet();
    await declare(undefined);
    await bench.quiet();
    assert.equal(bench.reason('Volume', NAME), 'StillMounted');
    assert.ok(volume());
    bench.engine.docker.removeContainer(container);
    await bench.settle();
    assert.equal(volume(), undefined);
  });

  it('waits for a container that is not ours as well', async () => {
    await declare(drop);
    await bench.settle();
    const container = mount({});
    await declare(undefined);
    await bench.quiet();
    assert.match(bench.message('Volume', NAME), /Waiting for web, which is not ours/);
    bench.engine.docker.removeContainer(container);
    await bench.settle();
    assert.equal(volume(), undefined);
  });

  it('does not call a container of ours foreign that is made at the very moment', async () => {
    await declare(drop);
    await bench.settle();
    let container: string | undefined;
    bench.engine.before = (name) => {
      if (name === 'removeVolume') container ??= mount(OURS);
    };
    await declare(undefined);
    await bench.quiet();
    assert.match(bench.message('Volume', NAME), /Waiting for web to let go/);
    bench.engine.docker.removeContainer(container ?? assert.fail('not asked'));
    await bench.settle();
    assert.equal(volume(), undefined);
  });

  it('says which driver is missing', async () => {
    bench.engine.before = (verb) => {
      const words = 'create 1_data: error looking up volume plugin nodriver: plugin "nodriver" not found';
      if (verb === 'createVolume') throw new EngineError(words, 404);
    };
    await declare({ ...keep, driver: 'nodriver' });
    await bench.settle();
    assert.equal(bench.reason('Volume', NAME), 'DriverMissing');
    assert.match(bench.message('Volume', NAME), /wants the driver nodriver.*install it/);
  });

  it('never recreates a volume', async () => {
    await declare(keep);
    await bench.settle();
    const before = volume();
    await declare({ ...keep, driver_opts: { type: 'tmpfs' } });
    await bench.settle();
    assert.equal(bench.reason('Volume', NAME), 'DataLossRefused');
    assert.equal(volume(), before);
    await declare(keep);
    await bench.settle();
    assert.equal(bench.reason('Volume', NAME), 'Settled');
  });

  it('adopts what was there before, and never removes it', async () => {
    bench.engine.docker.createVolume('1_data', { Labels: {} });
    await bench.quiet();
    await declare(drop);
    await bench.settle();
    assert.deepEqual(bench.acts(), []);
    await declare(undefined);
    await bench.settle();
    assert.ok(volume());
  });

  for (const when of ['before', 'after'] as const) {
    for (const verb of ['createVolume', 'removeVolume', 'inspectVolume']) {
      it(`gets there when ${verb} fails ${when} it is done`, async () => {
        let failures = 2;
        bench.engine[when] = (name) => {
          if (name !== verb || failures === 0) return;
          failures -= 1;
          throw new EngineError('out of luck', 500);
        };
        await declare(drop);
        await bench.settle();
        assert.ok(volume());
        failures = 2;
        await declare(undefined);
        await bench.settle();
        assert.equal(volume(), undefined);
      });
    }
  }
});

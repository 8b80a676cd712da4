import assert from 'node:assert/strict';
import { EngineError } from '../../../controllers/engine/engine.js';
import { networkController } from '../../../controllers/network/controller.js';
import type { NetworkSpec } from '../../../crds/model/types.js';
import { ControllerBench } from '../../setup/controller-bench.js';

const NAME = 'hello.default';
const plain: NetworkSpec = { app: 'hello', appId: 1, networkName: '1_default' };
const internal: NetworkSpec = { ...plain, internal: true };
const OURS = { 'io.balena.supervised': 'true', 'io.balena.app-id': '1', 'io.balena.service-name': 'web' };

describe('the Network controller', () => {
  let bench: ControllerBench;
  beforeEach(async () => {
    bench = await ControllerBench.open((supplies) => [networkController(supplies)]);
    bench.engine.images.add('busybox');
  });
  afterEach(() => bench.close());

  const declare = (spec: NetworkSpec | undefined) =>
    spec ? bench.declare(['Network', NAME, spec]) : bench.declare<'Network'>();
  const networks = () => bench.engine.docker.networks.filter(({ name }) => name === '1_default');
  const status = () => bench.store.get('Network', NAME)?.status;
  const run = (labels: Record<string, string> = OURS) => {
    const id = bench.engine.docker.createContainer('web', {
      Image: 'busybox',
      Labels: labels,
      HostConfig: { NetworkMode: '1_default' },
      NetworkingConfig: { EndpointsConfig: { '1_default': {} } },
    });
    bench.engine.docker.startContainer(id);
    return id;
  };

  it('creates a network, and then does nothing', async () => {
    await declare(plain);
    await bench.settle();
    assert.equal(networks().length, 1);
    assert.deepEqual(bench.acts(), ['createNetwork']);
    assert.equal(status()?.id, networks()[0]?.id);
    assert.ok(status()?.gateway);
    assert.deepEqual(
      bench.lines.map(({ message }) => message),
      ["Creating network 'default'"],
    );
    assert.match(
      bench.store
        .events()
        .map(({ message }) => message)
        .join(),
      /Created network 1_default: there was none/,
    );
    assert.deepEqual(await bench.again(), { acts: [], wrote: false });
  });

  it('creates it again when somebody removed it', async () => {
    await declare(plain);
    await bench.settle();
    bench.engine.docker.removeNetwork(networks()[0]?.id ?? '');
    await bench.settle();
    await bench.quiet();
    assert.equal(networks().length, 1);
  });

  it('waits for containers to step aside before it recreates a network', async () => {
    await declare(plain);
    await bench.settle();
    const before = networks()[0]?.id;
    const container = run();
    await bench.quiet();
    await declare(internal);
    await bench.quiet();
    assert.equal(networks()[0]?.id, before, 'the old one is still there');
    assert.equal(bench.reason('Network', NAME), 'StillAttached');
    assert.equal(status()?.rebuilding, true);
    assert.deepEqual(status()?.attached, ['web']);

    bench.engine.docker.removeContainer(container);
    await bench.settle();
    assert.notEqual(networks()[0]?.id, before);
    assert.equal(status()?.rebuilding, undefined);
    assert.deepEqual(await bench.again(), { acts: [], wrote: false });
  });

  it('waits for a container that is not ours as well', async () => {
    await declare(plain);
    await bench.settle();
    const container = run({});
    await bench.quiet();
    await declare(internal);
    await bench.quiet();
    assert.equal(bench.reason('Network', NAME), 'StillAttached');
    assert.match(bench.message('Network', NAME), /stays as it was: container web, not ours, is on it; disconnect it/);
    assert.equal(status()?.rebuilding, undefined, 'no service leaves a network that cannot go');
    bench.engine.docker.removeContainer(container);
    await bench.settle();
    assert.equal(networks().length, 1);
  });

  it('removes a network with its document', async () => {
    await declare(plain);
    await bench.settle();
    await declare(undefined);
    await bench.settle();
    assert.deepEqual(networks(), []);
    assert.equal(bench.store.get('Network', NAME), undefined);
  });

  const refusals: readonly (readonly [status: number, words: string, reason: string, message: RegExp])[] = [
    [404, 'plugin "nodriver" not found', 'DriverMissing', /wants the driver nodriver.*install it/],
    [
      404,
      'could not find an available, non-overlapping IPv6 address pool among the defaults to assign to the network',
      'PoolsExhausted',
      /ipam\.config/,
    ],
    [500, 'failed to allocate gateway (10.20.0.1): Requested address is out of range', 'InvalidSpec', /out of range/],
    [403, 'auxiliary address: (x:1.2.3.4) must belong to the master pool: 10.9.0.0/24', 'InvalidSpec', /1\.2\.3\.4/],
    [400, 'no matching subnet for gateway 10.9.2.1', 'InvalidSpec', /10\.9\.2\.1/],
    [500, 'something else', 'Retrying', /something else/],
  ];
  for (const [status, words, reason, message] of refusals) {
    it(`answers "${words.slice(0, 40)}…" with ${reason}`, async () => {
      bench.engine.before = (verb) => {
        if (verb === 'createNetwork') throw new EngineError(words, status);
      };
      await declare(plain);
      await bench.quiet();
      assert.equal(bench.reason('Network', NAME), reason);
      assert.match(bench.message('Network', NAME), message);
    });
  }

  it('says which subnet overlaps, and creates the network once the other has gone', async () => {
    const other = bench.engine.docker.createNetwork('other', {
      IPAM: { Config: [{ Subnet: '10.9.0.0/16' }] },
      Labels: {},
    });
    await declare({ ...plain, ipam: { config: [{ subnet: '10.9.1.0/24' }] } });
    await bench.settle();
    assert.equal(bench.reason('Network', NAME), 'PoolOverlaps');
    assert.match(bench.message('Network', NAME), /10\.9\.1\.0\/24/);
    bench.engine.docker.removeNetwork(other);
    await bench.quiet();
    await bench.settle();
    assert.equal(networks().length, 1);
  });

  it('leaves a network alone that somebody else made', async () => {
    const foreign = bench.engine.docker.createNetwork('1_default', { Labels: {} });
    await declare(plain);
    await bench.settle();
    assert.equal(bench.reason('Network', NAME), 'NameTaken');
    await declare(undefined);
    await bench.settle();
    assert.equal(networks()[0]?.id, foreign);
  });

  it('concludes nothing from an engine that does not answer', async () => {
    await declare(plain);
    await bench.settle();
    bench.engine.goAway();
    await bench.quiet();
    await declare(undefined);
    await bench.quiet();
    assert.equal(bench.reason('Network', NAME), 'EngineUnreachable');
    assert.ok(bench.store.get('Network', NAME));
    bench.engine.comeBack();
    await bench.settle();
    assert.deepEqual(networks(), []);
  });

  for (const when of ['before', 'after'] as const) {
    for (const verb of ['createNetwork', 'removeNetwork', 'inspectNetwork']) {
      it(`gets there when ${verb} fails ${when} it is done`, async () => {
        await declare(plain);
        await bench.settle();
        let failures = 2;
        bench.engine[when] = (name) => {
          if (name !== verb || failures === 0) return;
          failures -= 1;
          throw new EngineError('out of luck', 500);
        };
        await declare(internal);
        await bench.settle();
        assert.equal(networks().length, 1);
        assert.deepEqual(await bench.again(), { acts: [], wrote: false });
      });
    }
  }
});

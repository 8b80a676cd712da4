import assert from 'node:assert/strict';
import { conditionOf, isReady } from '../../../crds/model/conditions.js';
import { type AnyDeclared, API_VERSION } from '../../../crds/model/kinds.js';
import { parseDocument } from '../../../crds/schema/parse.js';
import { type Agent, Device } from '../../simulation/device.js';

const app = (name: string, spec: object): AnyDeclared => {
  const parsed = parseDocument({
    ...{ apiVersion: API_VERSION, kind: 'App', metadata: { name } },
    spec: { rollout: { minReadySeconds: 0 }, ...spec },
  });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.document;
};
const BUILT_IN = ['bridge', 'host', 'none', 'supervisor0'];
const web = { web: { image: 'web:1' } };
/** Uses a network that somebody else makes. */
const guest = (name: string, more: object = {}): AnyDeclared =>
  app(name, { services: web, networks: { default: { name: 'proxy', external: true } }, ...more });
const host = (more: object = {}): AnyDeclared =>
  app('host', { services: web, networks: { default: { name: 'proxy', ...more } } });

describe('networks and volumes with names of their own', () => {
  let device: Device;
  let agent: Agent;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1');
    agent = await device.boot();
  });
  afterEach(() => device.stop());

  const settle = async (): Promise<void> => {
    for (let second = 0; second < 30; second += 1) {
      await agent.quiet();
      device.clock.advance(1_000);
    }
    await agent.quiet();
  };
  const declare = async (...documents: readonly AnyDeclared[]): Promise<void> => {
    await agent.propose(documents);
    await settle();
  };
  const of = (name: string) => agent.store.get('App', name) ?? assert.fail(`no App ${name}`);
  const ready = (...names: readonly string[]): void => {
    for (const name of names) assert.ok(isReady(of(name)), `${name}: ${conditionOf(of(name), 'Ready')?.message}`);
  };
  const networks = (): readonly string[] =>
    [...device.engine.docker.networks]
      .map(({ name }) => name)
      .filter((name) => !BUILT_IN.includes(name))
      .sort();
  const volumes = (): readonly string[] => device.engine.docker.volumes.map(({ name }) => name).sort();
  const containers = () => [...device.engine.docker.containers];
  const networksOf = (appName: string): readonly string[] => {
    const id = agent.store.get('Service', `${appName}.web`)?.status?.container?.id ?? assert.fail('no container');
    return [...(device.engine.docker.findContainer(id)?.networks.keys() ?? [])];
  };
  /** Everything that a second look at what is settled does. */
  const again = async (): Promise<readonly string[]> => {
    device.engine.forgetCalls();
    const before = agent
      .documents()
      .map(({ kind, metadata }) => `${kind}/${metadata.name} ${metadata.resourceVersion}`);
    await agent.relist();
    await settle();
    const after = agent.documents().map(({ kind, metadata }) => `${kind}/${metadata.name} ${metadata.resourceVersion}`);
    assert.deepEqual(after, before);
    return device.engine.calls
      .map(({ verb }) => verb)
      .filter((verb) => /create|remove|start|stop|connect|rename/i.test(verb));
  };

  it('gives a network the name that the App says, and its services join it', async () => {
    await declare(host());
    ready('host');
    assert.deepEqual(networks(), ['proxy']);
    assert.deepEqual(networksOf('host'), ['proxy']);
    assert.deepEqual(await again(), []);
  });

  it('waits for an external network, and goes on when it appears', async () => {
    await declare(guest('a'));
    assert.match(
      conditionOf(of('a'), 'Ready')?.message ?? '',
      /NetworkMissing: Network proxy is not there; it is declared external/,
    );
    assert.deepEqual(networks(), []);
    device.engine.docker.createNetwork('proxy', { Labels: {} });
    await settle();
    ready('a');
    assert.deepEqual(networksOf('a'), ['proxy']);
    assert.deepEqual(await again(), []);
    await declare();
    assert.deepEqual(networks(), ['proxy']);
    assert.deepEqual(containers(), []);
  });

  for (const order of ['before', 'after'] as const) {
    it(`lets two Apps use the network of a third that is declared ${order} them`, async () => {
      const steps =
        order === 'before'
          ? [[host()], [host(), guest('a'), guest('b')]]
          : [
              [guest('a'), guest('b')],
              [host(), guest('a'), guest('b')],
            ];
      for (const documents of steps) await declare(...documents);
      ready('host', 'a', 'b');
      assert.deepEqual(networks(), ['proxy']);
      assert.deepEqual(await again(), []);
    });
  }

  it('keeps the network of an App that is deleted until the others have left it', async () => {
    await declare(host(), guest('a'));
    await declare(guest('a'));
    assert.match(
      conditionOf(of('host'), 'Ready')?.message ?? '',
      /StillAttached: Waiting for web_.* to leave the network proxy/,
    );
    assert.deepEqual(networks(), ['proxy']);
    ready('a');
    await declare();
    assert.deepEqual(networks(), []);
    assert.deepEqual(agent.store.list('App'), []);
  });

  it('has the others leave a network that is recreated, and join it again', async () => {
    await declare(host(), guest('a'));
    await declare(host({ driver_opts: { a: 'b' } }), guest('a'));
    ready('host', 'a');
    const [network] = device.engine.docker.networks.filter(({ name }) => name === 'proxy');
    assert.deepEqual(network?.definition?.options, { a: 'b' });
    assert.deepEqual(networksOf('a'), ['proxy']);
    assert.deepEqual(await again(), []);
  });

  it('moves services to a network of another name, and removes the one before', async () => {
    await declare(host());
    await declare(host({ name: 'edge' }));
    ready('host');
    assert.deepEqual(networks(), ['edge']);
    assert.deepEqual(networksOf('host'), ['edge']);
    await declare(app('host', { services: web }));
    ready('host');
    assert.equal(networks().includes('edge'), false);
    assert.deepEqual(await again(), []);
  });

  it('hands the network of an App that is declared under another name over, and the others stay on it', async () => {
    await declare(host(), guest('a'));
    await declare(app('heir', { services: web, networks: { default: { name: 'proxy' } } }), guest('a'));
    await settle();
    ready('heir', 'a');
    assert.equal(agent.store.get('App', 'host'), undefined);
    assert.deepEqual(networks(), ['proxy']);
    assert.deepEqual(networksOf('a'), ['proxy']);
    assert.deepEqual(networksOf('heir'), ['proxy']);
    assert.deepEqual(await again(), []);
  });

  it('hands it over as well to an App that comes when the first is waiting to go', async () => {
    await declare(host(), guest('a'));
    await declare(guest('a'));
    await declare(app('heir', { services: web, networks: { default: { name: 'proxy' } } }), guest('a'));
    ready('heir', 'a');
    assert.deepEqual(networks(), ['proxy']);
    await declare(guest('a'));
    assert.deepEqual(networks(), ['proxy']);
    await declare();
    assert.deepEqual(networks(), []);
  });

  it('goes back to the network and the volume that a release had before', async () => {
    const shop = (name: string | undefined) =>
      app('shop', {
        ...{ appId: 7, uuid: 's' },
        services: { web: { image: 'web:1', volumes: ['data:/data'] } },
        networks: { default: name === undefined ? {} : { name: `${name}_net` } },
        volumes: { data: name === undefined ? {} : { name: `${name}_data` } },
      });
    await declare(shop(undefined));
    await declare(shop('new'));
    ready('shop');
    assert.deepEqual(networks(), ['new_net']);
    await agent.store.request('App/shop', { rollback: {} });
    await settle();
    assert.deepEqual(networks(), ['s_default']);
    assert.deepEqual(volumes(), ['7_data', 'new_data']);
    assert.ok(containers()[0]?.volumes.includes('7_data'));
    assert.equal(containers().length, 1);
    assert.deepEqual(await again(), []);
  });

  it('gives a container name on to another service of the App', async () => {
    await declare(app('shop', { services: { web: { image: 'web:1', containerName: 'front' } } }));
    await declare(app('shop', { services: { www: { image: 'web:1', containerName: 'front' } } }));
    ready('shop');
    assert.deepEqual(
      containers().map(({ name }) => name),
      ['front'],
    );
  });

  it('refuses a second App that would make the network, and names the first', async () => {
    await declare(host());
    const result = JSON.stringify(
      await agent.propose([host(), app('b', { services: web, networks: { x: { name: 'proxy' } } })]),
    );
    assert.match(result, /network proxy/);
    assert.match(result, /host/);
    assert.match(result, /external: true/);
    await settle();
    assert.equal(agent.store.get('App', 'b'), undefined);
  });

  it('waits for an external volume, never makes, purges or removes it', async () => {
    const shop = app('shop', {
      services: { web: { image: 'web:1', volumes: ['data:/data'] } },
      volumes: { data: { external: true } },
      volumeReclaim: 'Delete',
    });
    await declare(shop);
    assert.match(
      conditionOf(of('shop'), 'Ready')?.message ?? '',
      /VolumeMissing: Volume data is not there; it is declared external/,
    );
    assert.deepEqual(volumes(), []);
    device.engine.docker.createVolume('data', { Driver: 'local', DriverOpts: {}, Labels: {} });
    await settle();
    ready('shop');
    assert.deepEqual(await again(), []);
    const [before] = device.engine.docker.volumes;
    await agent.store.request('App/shop', { purge: {} });
    await settle();
    ready('shop');
    assert.equal(device.engine.docker.volumes[0], before);
    await declare();
    assert.deepEqual(volumes(), ['data']);
    assert.deepEqual(agent.store.list('App'), []);
  });

  it('keeps the data of a volume that gets another name, says so, and mounts the other one', async () => {
    const shop = (data: object | null) =>
      app('shop', { appId: 7, services: { web: { image: 'web:1', volumes: ['data:/data'] } }, volumes: { data } });
    await declare(shop(null));
    await declare(shop({ name: 'shop_data' }));
    ready('shop');
    assert.deepEqual(volumes(), ['7_data', 'shop_data']);
    assert.deepEqual(
      agent.store
        .list('Volume')
        .map(({ spec }) => spec.volumeName)
        .sort(),
      ['7_data', 'shop_data'],
    );
    const reported = agent.store.events().filter(({ reason }) => reason === 'VolumeRenamed');
    assert.match(reported[0]?.message ?? '', /data is shop_data .*stay in 7_data/);
    assert.deepEqual(await again(), []);
    await declare(shop(null));
    ready('shop');
    const [container] = containers();
    assert.ok(container?.volumes.includes('7_data'));
  });

  it('never removes data that another App names', async () => {
    const owner = app('owner', {
      services: { web: { image: 'web:1', volumes: ['data:/data'] } },
      volumes: { data: { name: 'shared' } },
      volumeReclaim: 'Delete',
    });
    const user = app('user', { services: web, volumes: { data: { name: 'shared', external: true } } });
    await declare(owner, user);
    ready('owner', 'user');
    await agent.store.request('App/owner', { purge: {} });
    await settle();
    assert.match(
      JSON.stringify(agent.store.list('Volume').map(({ status }) => status?.refused)),
      /in use by App user too/,
    );
    await declare(user);
    assert.deepEqual(volumes(), ['shared']);
    ready('user');
  });

  it('swaps the names of two Apps that are declared together', async () => {
    const shop = (name: string, label: string) =>
      app(name, {
        services: { web: { image: 'web:1', containerName: `${label}-web`, volumes: ['data:/data'] } },
        networks: { default: { name: `${label}-net` } },
        volumes: { data: { name: `${label}-data` } },
        volumeReclaim: 'Delete',
      });
    await declare(shop('one', 'a'), shop('two', 'b'));
    ready('one', 'two');
    const before = new Set(device.engine.docker.volumes);
    await declare(shop('one', 'b'), shop('two', 'a'));
    ready('one', 'two');
    const containerOf = (name: string) => {
      const id = agent.store.get('Service', `${name}.web`)?.status?.container?.id ?? assert.fail('no container');
      return device.engine.docker.findContainer(id);
    };
    assert.deepEqual([containerOf('one')?.name, containerOf('two')?.name], ['b-web', 'a-web']);
    assert.deepEqual([networksOf('one'), networksOf('two')], [['b-net'], ['a-net']]);
    assert.deepEqual([containerOf('one')?.volumes, containerOf('two')?.volumes], [['b-data'], ['a-data']]);
    assert.deepEqual(networks(), ['a-net', 'b-net']);
    assert.ok(device.engine.docker.volumes.every((one) => before.has(one)));
    assert.deepEqual(volumes(), ['a-data', 'b-data']);
    assert.equal(containers().length, 2);
    assert.deepEqual(await again(), []);
    await declare();
    assert.deepEqual([networks(), volumes()], [[], []]);
  });
});

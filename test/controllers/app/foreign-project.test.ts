import assert from 'node:assert/strict';
import { COMPOSE } from '../../../crds/model/compose.js';
import { conditionOf, isStalled } from '../../../crds/model/conditions.js';
import type { Declared } from '../../../crds/model/kinds.js';
import { declareApp } from '../../setup/declared.js';
import { Device } from '../../simulation/device.js';
import { rehearseOn } from '../../simulation/rehearse-device.js';

/** The App of a Compose file with two services, whose names on the engine are those of Compose. */
const shop = (annotations: Readonly<Record<string, string>> = { [COMPOSE.files]: 'compose.yaml' }): Declared<'App'> => {
  const app = declareApp(
    { web: { ports: ['8080:80'] }, db: { volumes: ['data:/data'] } },
    { name: 'shop', appId: 9, uuid: 'shop', volumes: { data: { name: 'shop_data' } } },
  );
  return { ...app, metadata: { ...app.metadata, annotations } };
};

describe('an App whose Compose project docker compose keeps', () => {
  let device: Device;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1');
    await device.boot();
  });
  afterEach(() => device.stop());

  /** What docker compose makes: version 1 has underscores in the names of containers, version 2 hyphens. */
  function up(separator: string, more: Readonly<Record<string, string>> = {}): readonly string[] {
    const { docker } = device.engine;
    const labels = {
      'com.docker.compose.project': 'shop',
      'com.docker.compose.project.config_files': '/srv/shop/compose.yaml',
    };
    docker.createNetwork('shop_default', { Labels: { ...labels, 'com.docker.compose.network': 'default' } });
    docker.createVolume('shop_data', { Labels: { ...labels, 'com.docker.compose.volume': 'data' } });
    return ['web', 'db'].map((service) => {
      const id = docker.createContainer(['shop', service, '1'].join(separator), {
        Image: 'web:1',
        Labels: { ...labels, 'com.docker.compose.service': service, 'com.docker.compose.oneoff': 'False', ...more },
        HostConfig: {
          NetworkMode: 'shop_default',
          ...(service === 'db'
            ? { Binds: ['shop_data:/data'] }
            : { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } }),
        },
      });
      docker.startContainer(id);
      return id;
    });
  }
  /** As `docker compose down` does: volumes stay. */
  function down(ids: readonly string[]): void {
    const { docker } = device.engine;
    for (const id of ids) docker.removeContainer(id);
    docker.removeNetwork('shop_default');
  }
  const app = () => device.agent?.store.get('App', 'shop');
  const bring = async (...documents: readonly Declared<'App'>[]): Promise<void> => {
    await device.agent?.propose(documents);
    await pass();
  };
  const pass = async (ms = 0): Promise<void> => {
    device.clock.advance(ms);
    for (let turn = 0; turn < 5; turn += 1) {
      await device.agent?.quiet();
      device.clock.advance(100);
    }
  };
  /** Everything on the engine, without what changes by itself. */
  const engineState = (): unknown => {
    const { containers, networks, volumes } = device.engine.docker;
    return {
      containers: containers.map(({ id, name, state, startedAt }) => ({ id, name, state, startedAt })),
      networks: networks.map(({ id, name }) => ({ id, name })),
      volumes: volumes.map(({ name }) => name),
    };
  };
  const asked = (): number => device.engine.verbs.filter((verb) => verb === 'listLabelled').length;

  for (const [version, separator] of [
    ['1', '_'],
    ['2', '-'],
  ] as const) {
    it(`is not begun, and says what there is: containers of version ${version}`, async () => {
      const theirs = up(separator);
      await pass();
      const before = engineState();
      await bring(shop());
      const message = `The project shop is kept by docker compose: containers shop${separator}db${separator}1, shop${separator}web${separator}1 and volumes shop_data, of /srv/shop/compose.yaml. Nothing of it is touched. \`supercargo adopt shop\` takes it over with its volumes and networks, one service at a time (db, web), each down for as long as it takes to stop and start. Or end it there with \`docker compose -p shop down\`, without --volumes: its volumes stay, and the App goes on with them`;
      for (const look of ['first', 'after a while', 'by the next agent']) {
        const ready = conditionOf(app() ?? assert.fail(), 'Ready');
        assert.deepEqual(
          [ready?.reason, ready?.message, isStalled(app() ?? assert.fail())],
          ['AdoptionNeeded', message, true],
          look,
        );
        assert.deepEqual(engineState(), before, look);
        if (look === 'first') await pass(60_000);
        if (look === 'after a while') {
          await device.halt();
          await device.boot();
          await pass();
        }
      }
      down(theirs);
      await pass(10_000);
      await device.agent?.settle();
      assert.equal(conditionOf(app() ?? assert.fail(), 'Ready')?.status, 'True');
      const { containers, volumes } = device.engine.docker;
      assert.deepEqual(containers.map(({ state, volumes: mounted }) => [state, ...mounted]).sort(), [
        ['running'],
        ['running', 'shop_data'],
      ]);
      assert.deepEqual(
        volumes.map(({ name }) => name),
        ['shop_data'],
      );
    });
  }

  it('counts containers that are stopped, and not those of docker compose run that have ended', async () => {
    const [web = '', db = ''] = up('-');
    device.engine.docker.stopContainer(web);
    device.engine.docker.stopContainer(db);
    await bring(shop());
    assert.equal(conditionOf(app() ?? assert.fail(), 'Ready')?.reason, 'AdoptionNeeded');
    down([web, db]);
    const [one = '', two = ''] = up('-', { 'com.docker.compose.oneoff': 'True' });
    for (const id of [one, two]) device.engine.docker.stopContainer(id);
    device.engine.docker.removeNetwork('shop_default');
    await pass(10_000);
    await device.agent?.settle();
    assert.equal(conditionOf(app() ?? assert.fail(), 'Ready')?.status, 'True');
  });

  it('is told before it is declared, by a plan', async () => {
    up('_');
    await pass();
    const { calls, store } = await rehearseOn(device.agent ?? assert.fail(), async (copy) => {
      await copy.propose({ origin: 'files', documents: [{ document: shop() }] });
    });
    assert.equal(conditionOf(store.get('App', 'shop') ?? assert.fail(), 'Stalled')?.reason, 'AdoptionNeeded');
    assert.deepEqual(calls, []);
  });

  it('is not looked for where the App is from elsewhere, nor once its services are there', async () => {
    await bring(shop());
    await device.agent?.settle();
    const before = asked();
    assert.ok(before > 0);
    device.engine.docker.createContainer('shop_web_1', {
      Image: 'web:1',
      Labels: { 'com.docker.compose.project': 'shop' },
    });
    await pass(60_000);
    assert.equal(conditionOf(app() ?? assert.fail(), 'Ready')?.status, 'True');
    assert.equal(asked(), before);
    await bring();
    await device.agent?.settle();
    await bring(shop({}));
    assert.equal(asked(), before);
    assert.notEqual(conditionOf(app() ?? assert.fail(), 'Ready')?.reason, 'AdoptionNeeded');
  });

  it('is not asked about while the App has no service: nothing is begun', async () => {
    up('-');
    const { spec, ...rest } = shop();
    await bring({ ...rest, spec: { ...spec, services: {} } });
    device.engine.forgetCalls();
    for (const loop of device.agent?.loops ?? []) loop.resync();
    await pass();
    assert.deepEqual(device.engine.verbs, []);
  });
});

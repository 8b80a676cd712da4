import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conditionOf } from '../../../crds/model/conditions.js';
import { type App, type Declared, keyOf, type Request } from '../../../crds/model/kinds.js';
import { composeApp, composeUp, type TheirService } from '../../setup/compose-project.js';
import { Device } from '../../simulation/device.js';

const WEB = { name: 'web', port: '8080', restart: 'always' } as const;
const DB = { name: 'db', binds: ['shop_data:/data'], restart: 'on-failure' } as const;
const ours = (more: Parameters<typeof composeApp>[1] = {}): Declared<'App'> =>
  composeApp({ web: { ports: ['8080:80'], depends_on: ['db'] }, db: { volumes: ['data:/data'] } }, more);

describe('an App that takes over what docker compose runs', () => {
  let device: Device;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1');
    await device.boot();
  });
  afterEach(() => device.stop());

  const agent = () => device.agent ?? assert.fail('no agent');
  const app = (): App => agent().store.get('App', 'shop') ?? assert.fail('no App');
  const reason = (): string | undefined => conditionOf(app(), 'Ready')?.reason;
  const message = (): string => conditionOf(app(), 'Ready')?.message ?? '';
  const up = (services: readonly TheirService[] = [WEB, DB], separator: '-' | '_' = '-') =>
    composeUp(device.engine.docker, services, { separator });
  const pass = async (ms = 0): Promise<void> => {
    device.clock.advance(ms);
    for (let turn = 0; turn < 5; turn += 1) {
      await agent().quiet();
      device.clock.advance(100);
    }
  };
  const declare = async (...documents: readonly Declared<'App'>[]): Promise<void> => {
    await agent().propose(documents);
    await pass();
  };
  const ask = async (more: Omit<Request, 'id' | 'at'> = {}): Promise<void> => {
    await agent().store.request(keyOf('App', 'shop'), { adopt: { by: 'ada', ...more } });
    await pass();
  };
  /** `shop-web-1 running`, `web_7_1_a running shop_data`. */
  const containers = (): readonly string[] =>
    device.engine.docker.containers
      .map(({ name, state, volumes }) => [name, state, ...volumes.map((one) => one.slice(0, 12))].join(' '))
      .sort();
  const refusal = () => app().status?.refused?.adopt?.message;
  const handled = () => app().status?.handled?.adopt === app().requests.adopt?.id;

  for (const separator of ['-', '_'] as const) {
    it(`takes one service after another, in the order of dependencies: shop${separator}web${separator}1`, async () => {
      up([WEB, DB], separator);
      await declare(ours());
      assert.equal(reason(), 'AdoptionNeeded');
      const network = device.engine.docker.findNetwork('shop_default')?.id;
      device.engine.forgetCalls();
      await ask();
      await agent().settle();
      assert.deepEqual(containers(), ['db_7_1_a running shop_data', 'web_7_1_a running']);
      assert.deepEqual([handled(), refusal(), conditionOf(app(), 'Ready')?.status], [true, undefined, 'True']);
      assert.deepEqual([app().status?.adoption?.phase, app().status?.adoption?.by], ['TakenOver', 'ada']);
      const acts = /^(create|start|stop|remove|rename)Container$/;
      assert.deepEqual(
        device.engine.verbs.filter((verb) => acts.test(verb)),
        Array.from({ length: 2 }, () => [
          'createContainer',
          'stopContainer',
          'startContainer',
          'removeContainer',
        ]).flat(),
      );
      assert.equal(device.engine.docker.findNetwork('shop_default')?.id, network);
      assert.deepEqual(
        device.engine.docker.volumes.map(({ name }) => name),
        ['shop_data'],
      );
    });
  }

  it('does so once where the document says it, and looks no more afterwards', async () => {
    up();
    await declare(ours({ adopt: true }));
    await agent().settle();
    assert.deepEqual(containers(), ['db_7_1_a running shop_data', 'web_7_1_a running']);
    device.engine.forgetCalls();
    for (const loop of agent().loops) loop.resync();
    await agent().settle();
    assert.deepEqual(device.engine.verbs, []);
  });

  const cases: readonly {
    readonly it: string;
    readonly theirs: readonly TheirService[];
    readonly byHand?: (ids: readonly string[]) => void;
    readonly want: readonly string[];
    readonly refused?: RegExp;
    readonly force?: true;
  }[] = [
    {
      it: 'all replicas of a service, which the App has once',
      theirs: [{ name: 'web', replicas: 3 }, DB],
      want: ['db_7_1_a running shop_data', 'web_7_1_a running'],
    },
    {
      it: 'a container that is stopped',
      theirs: [WEB, DB],
      byHand: ([web = '']) => device.engine.docker.stopContainer(web),
      want: ['db_7_1_a running shop_data', 'web_7_1_a running'],
    },
    {
      it: 'not one of a service that the App does not have, nor of docker compose run',
      theirs: [
        WEB,
        DB,
        { name: 'worker' },
        { name: 'db', containerName: 'run', labels: { 'com.docker.compose.oneoff': 'True' } },
      ],
      want: ['db_7_1_a running shop_data', 'run running', 'shop-worker-1 running', 'web_7_1_a running'],
    },
    {
      it: 'not while one is paused',
      theirs: [WEB, DB],
      byHand: ([web = '']) => device.engine.docker.pauseContainer(web),
      want: ['shop-db-1 running shop_data', 'shop-web-1 paused'],
      refused: /shop-web-1 is paused/,
    },
    {
      it: 'not where data are in a volume without a name',
      theirs: [WEB, { ...DB, binds: [], anonymous: '/data' }],
      want: ['shop-db-1 running 0000', 'shop-web-1 running'],
      refused:
        /container shop-db-1 has a volume without a name at \/data \([0-9a-f]{12}\), and service db mounts shop_data/,
    },
    {
      it: 'a volume without a name is left where it is by force',
      theirs: [WEB, { ...DB, binds: [], anonymous: '/data' }],
      want: ['db_7_1_a running shop_data', 'web_7_1_a running'],
      force: true,
    },
    {
      it: 'not where theirs mounts another folder of the host at the same place',
      theirs: [WEB, { ...DB, binds: ['/srv/data:/data'] }],
      want: ['shop-db-1 running', 'shop-web-1 running'],
      refused: /container shop-db-1 has \/srv\/data at \/data, and service db mounts shop_data there/,
    },
    {
      it: 'though theirs reads a file of the host that the App does not',
      theirs: [WEB, { ...DB, binds: ['shop_data:/data', '/etc/hosts:/etc/h:ro'] }],
      want: ['db_7_1_a running shop_data', 'web_7_1_a running'],
    },
  ];
  for (const { it: what, theirs, byHand, want, refused, force } of cases) {
    it(`takes over ${what}`, async () => {
      const ids = up(theirs);
      byHand?.(ids);
      await declare(ours());
      await ask(force ? { force } : {});
      await agent().settle();
      assert.deepEqual(
        containers().map((one) => one.replace(/ [0-9a-f]{12}$/, ' 0000')),
        want,
      );
      assert.equal(handled(), true);
      if (refused) assert.match(refusal() ?? 'not refused', refused);
      else assert.equal(refusal(), undefined);
      if (force) assert.equal(device.engine.docker.volumes.length, 2);
    });
  }

  it('leaves alone what the App runs by a schedule, and comes to its end', async () => {
    up([WEB, DB, { name: 'backup' }]);
    const job = { backup: { schedule: { cron: '0 4 * * *' }, restart: 'no' as const } };
    const { spec } = ours();
    await declare({
      ...ours(),
      spec: { ...spec, adopt: true, services: { ...spec.services, ...composeApp(job).spec.services } },
    });
    await agent().settle();
    assert.deepEqual(containers(), ['db_7_1_a running shop_data', 'shop-backup-1 running', 'web_7_1_a running']);
    assert.equal(app().status?.adoption?.phase, 'TakenOver');
  });

  it('refuses what the document asks for in the same way, until that is mended', async () => {
    up([WEB, { ...DB, anonymous: '/cache' }]);
    await declare(ours({ adopt: true }));
    assert.equal(reason(), 'AdoptionRefused');
    assert.match(message(), /at \/cache/);
    await ask({ force: true });
    await agent().settle();
    assert.deepEqual(containers(), ['db_7_1_a running shop_data', 'web_7_1_a running']);
  });

  it('gives a service back that does not come up, begins no other, and tries again when asked', async () => {
    up();
    device.engine.images.add('bad:1');
    device.engine.after = (verb, [id]) => {
      const started = device.engine.docker.containers.find((one) => one.id === id);
      if (verb === 'startContainer' && started?.options.Image !== undefined && started.name === 'db_7_1_a')
        device.engine.docker.exit(String(id), 1);
    };
    const bad = composeApp({
      web: { ports: ['8080:80'], depends_on: ['db'] },
      db: { volumes: ['data:/data'], restart: 'no' },
    });
    await declare(bad);
    await ask();
    await agent().settle();
    assert.deepEqual(containers(), ['shop-db-1 running shop_data', 'shop-web-1 running']);
    assert.equal(device.engine.seen('shop-db-1')?.updatable?.RestartPolicy.Name, 'on-failure');
    assert.match(refusal() ?? '', /Service db was not taken over \(container db_7_1_a exited with 1\)/);
    assert.equal(reason(), 'AdoptionFailed');
    await pass(60_000);
    assert.deepEqual(containers(), ['shop-db-1 running shop_data', 'shop-web-1 running']);
    await ask();
    await agent().settle();
    assert.equal(reason(), 'AdoptionFailed');
    assert.equal(handled(), true);
    device.engine.after = undefined;
    await declare(ours()); // another document is tried by itself
    await agent().settle();
    assert.deepEqual(containers(), ['db_7_1_a running shop_data', 'web_7_1_a running']);
    assert.equal(app().status?.adoption?.by, 'ada');
  });

  it('goes on without theirs once somebody has removed what was given back', async () => {
    const ids = up();
    device.engine.after = (verb, [id]) => {
      if (verb === 'startContainer' && device.engine.docker.container(String(id)).name === 'db_7_1_a')
        device.engine.docker.setHealth(String(id), 'unhealthy');
    };
    await declare(ours());
    await ask();
    await agent().settle();
    assert.equal(reason(), 'AdoptionFailed');
    device.engine.after = undefined;
    for (const id of ids) device.engine.docker.removeContainer(id);
    await pass(10_000);
    await agent().settle();
    assert.deepEqual(containers(), ['db_7_1_a running shop_data', 'web_7_1_a running']);
    assert.equal(app().status?.adoption, undefined);
  });

  it('gives a container its name back that the service wants, too', async () => {
    up([{ ...WEB, containerName: 'web' }, DB]);
    const named = composeApp({ web: { containerName: 'web', ports: ['8080:80'] }, db: { volumes: ['data:/data'] } });
    device.engine.after = (verb, [id]) => {
      if (
        verb === 'startContainer' &&
        device.engine.docker.container(String(id)).options.Labels?.['io.balena.service-name'] === 'web'
      )
        device.engine.docker.setHealth(String(id), 'unhealthy');
    };
    await declare(named);
    await ask();
    await agent().settle();
    assert.deepEqual(containers(), ['db_7_1_a running shop_data', 'web running']);
    assert.equal(device.engine.docker.container('web').options.Labels?.['io.balena.service-name'], undefined);
    device.engine.after = undefined;
    await ask();
    await agent().settle();
    assert.deepEqual(containers(), ['db_7_1_a running shop_data', 'web running']);
    assert.equal(device.engine.docker.container('web').options.Labels?.['io.balena.service-name'], 'web');
  });

  it('starts theirs again when it is deleted meanwhile, and leaves their network', async () => {
    up();
    await declare(ours());
    await ask();
    for (let step = 0; step < 50 && !containers().includes('shop-db-1 exited shop_data'); step += 1) {
      device.clock.advance(10);
      await agent().quiet();
    }
    assert.ok(containers().includes('shop-db-1 exited shop_data'), containers().join());
    await declare();
    await agent().settle();
    assert.deepEqual(containers(), ['shop-db-1 running shop_data', 'shop-web-1 running']);
    assert.ok(device.engine.docker.findNetwork('shop_default'));
  });

  it('removes their network with itself once they are gone, and keeps the volumes', async () => {
    up();
    await declare(ours({ adopt: true }));
    await agent().settle();
    await declare();
    await agent().settle();
    assert.deepEqual(containers(), []);
    assert.equal(device.engine.docker.findNetwork('shop_default'), undefined);
    assert.ok(device.engine.docker.volume('shop_data'));
  });

  it('takes over containers that are named, for one service', async () => {
    const { docker } = device.engine;
    await declare(composeApp({ web: { ports: ['8080:80'] } }));
    await agent().settle();
    const loose = docker.createContainer('old-db', { Image: 'web:1', HostConfig: { Binds: ['shop_data:/data'] } });
    docker.startContainer(loose);
    await declare(composeApp({ web: { ports: ['8080:80'] }, db: { volumes: ['data:/data'] } }));
    await ask({ service: 'db', containers: ['old-db', 'none-such'] });
    assert.match(refusal() ?? '', /There is no container none-such/);
    await ask({ service: 'none', containers: ['old-db'] });
    assert.match(refusal() ?? '', /App shop has no service none/);
    await ask({ service: 'db', containers: ['web_7_1_a'] });
    assert.match(refusal() ?? '', /Container web_7_1_a is the agent's own/);
    await ask({ service: 'db', containers: ['old-db'] });
    await agent().settle();
    assert.deepEqual(containers(), ['db_7_1_a running shop_data', 'web_7_1_a running']);
    assert.equal(handled(), true);
  });

  it('takes over containers that are named first of all when a suspension ends: nothing begins beside them', async () => {
    const { docker } = device.engine;
    const db = composeApp({ db: { volumes: ['data:/data'] } });
    const loose = docker.createContainer('old-db', { Image: 'web:1', HostConfig: { Binds: ['shop_data:/data'] } });
    docker.startContainer(loose);
    await declare({ ...db, spec: { ...db.spec, suspend: true } });
    await ask({ service: 'db', containers: ['none-such'] });
    assert.equal(refusal(), 'Nothing of theirs is touched: There is no container none-such');
    await ask({ service: 'db', containers: ['old-db'] });
    assert.equal(handled(), false);
    assert.match(message(), /is suspended: .*; then it takes over old-db first/);
    assert.deepEqual(containers(), ['old-db running shop_data']);
    let both = false;
    docker.events.onEvent = () => {
      both ||= containers().filter((one) => one.endsWith('running shop_data')).length > 1;
    };
    await declare(db);
    await agent().settle();
    assert.deepEqual(containers(), ['db_7_1_a running shop_data']);
    assert.deepEqual([handled(), both], [true, false]);
  });

  it('does not stop what the engine would remove with that: there would be no way back', async () => {
    const { docker } = device.engine;
    await declare(composeApp({ web: {} }));
    await agent().settle();
    const HostConfig = { AutoRemove: true };
    docker.startContainer(docker.createContainer('old', { Image: 'web:1', HostConfig }));
    await ask({ service: 'web', containers: ['old'] });
    await agent().settle();
    assert.match(refusal() ?? '', /container old is removed by the engine as soon as it stops/);
    assert.equal(docker.container('old').state, 'running');
    assert.equal(docker.container('web_7_1_a').state, 'running');
    assert.deepEqual([conditionOf(app(), 'Ready')?.status, app().status?.adoption], ['True', undefined]);
    await declare(composeApp({ web: { environment: { V: '2' } } }));
    await agent().settle();
    assert.ok(docker.container('web_7_1_a').options.Env?.includes('V=2'));
    assert.equal(docker.container('old').state, 'running');
  });

  /** Passes until theirs of `db` is stopped. */
  const untilLetGo = async (): Promise<void> => {
    for (let step = 0; step < 80 && !containers().includes('shop-db-1 exited shop_data'); step += 1) {
      device.clock.advance(10);
      await agent().quiet();
    }
    assert.ok(containers().includes('shop-db-1 exited shop_data'), containers().join());
  };
  const TAKEN = ['db_7_1_a running shop_data', 'web_7_1_a running'];

  it('ends at the same when the engine is started again in between, which starts nothing of theirs that was let go', async () => {
    up([WEB, { ...DB, restart: 'always' }]);
    await declare(ours());
    await ask();
    await untilLetGo();
    device.engine.docker.restart();
    assert.ok(!containers().includes('shop-db-1 running shop_data'));
    device.engine.breakEvents();
    await agent().settle();
    assert.deepEqual(containers(), TAKEN);
  });

  it('starts theirs again once it can, where somebody else has taken the port', async () => {
    up();
    await declare(ours());
    const thief = device.engine.docker.createContainer('thief', {
      Image: 'web:1',
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } },
    });
    device.engine.after = (verb, [id]) => {
      if (verb === 'stopContainer' && device.engine.docker.findContainer(String(id))?.name === 'shop-web-1')
        device.engine.docker.startContainer(thief);
    };
    await ask();
    for (let step = 0; step < 60; step += 1) await pass(5_000);
    assert.deepEqual(containers(), ['db_7_1_a running shop_data', 'shop-web-1 exited', 'thief running']);
    const waits = conditionOf(agent().store.get('Service', 'shop.web') ?? assert.fail(), 'Ready');
    assert.match(waits?.message ?? '', /Could not start container shop-web-1 again/);
    device.engine.docker.removeContainer(thief);
    await pass(300_000);
    await agent().settle();
    assert.deepEqual(containers(), ['db_7_1_a running shop_data', 'shop-web-1 running']);
    assert.match(
      refusal() ?? '',
      /Service web was not taken over \(Could not start service web: port 0\.0\.0\.0:8080 of the host is taken: container thief/,
    );
  });

  it('takes over what docker compose makes meanwhile, too', async () => {
    up();
    await declare(ours());
    await ask();
    await untilLetGo();
    up([{ ...DB, containerName: 'shop-db-2' }]);
    await agent().settle();
    assert.deepEqual(containers(), TAKEN);
  });

  it('removes what docker compose has made beside it later, when asked again', async () => {
    up();
    await declare(ours({ adopt: true }));
    await agent().settle();
    const before = device.engine.docker.container('db_7_1_a').id;
    up([DB]);
    await pass(60_000);
    assert.deepEqual(containers(), ['db_7_1_a running shop_data', 'shop-db-1 running shop_data', 'web_7_1_a running']);
    await ask();
    await agent().settle();
    assert.deepEqual(containers(), TAKEN);
    assert.equal(device.engine.docker.container('db_7_1_a').id, before);
    await ask();
    await agent().settle();
    assert.equal(handled(), true);
  });

  it('is asked twice at once, and does it once', async () => {
    up();
    await declare(ours());
    await ask();
    await untilLetGo();
    await ask({ by: 'bob' });
    await agent().settle();
    assert.deepEqual(containers(), TAKEN);
    assert.deepEqual([handled(), refusal(), app().status?.adoption?.by], [true, undefined, 'bob']);
  });

  it('follows a document that changes meanwhile', async () => {
    up();
    await declare(ours());
    await ask();
    await untilLetGo();
    const web = { ports: ['8080:80'], depends_on: ['db'] };
    await declare(composeApp({ web, db: { volumes: ['data:/data'], environment: { V: '2' } } }));
    await agent().settle();
    assert.deepEqual(containers(), TAKEN);
    assert.ok(device.engine.docker.container('db_7_1_a').options.Env?.includes('V=2'));
  });

  it('stops nothing before every image is there', async () => {
    up();
    const web = { image: 'shop:2', ports: ['8080:80'], depends_on: ['db'] };
    await declare(composeApp({ web, db: { volumes: ['data:/data'] } }));
    await ask();
    await pass(600_000);
    assert.deepEqual(containers(), ['shop-db-1 running shop_data', 'shop-web-1 running']);
    assert.equal(reason(), 'ImagesNotReady');
    device.engine.images.serve('shop:2');
    await agent().settle();
    assert.deepEqual(containers(), TAKEN);
  });

  it('refuses to while it is suspended', async () => {
    up();
    await declare(ours({ suspend: true }));
    await ask();
    assert.match(refusal() ?? '', /suspended/);
    assert.deepEqual(containers(), ['shop-db-1 running shop_data', 'shop-web-1 running']);
  });

  it('takes over under the update lock, and waits for the application that holds it', async () => {
    await declare(ours());
    await agent().settle();
    up([DB]);
    const folder = join(device.folder, 'locks', '9', 'db');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'updates.lock'), '');
    await ask();
    await pass(60_000);
    assert.ok(containers().includes('shop-db-1 running shop_data'));
    assert.equal(reason(), 'UpdatesLocked');
    rmSync(join(folder, 'updates.lock'));
    await agent().settle();
    assert.deepEqual(containers(), TAKEN);
  });
});

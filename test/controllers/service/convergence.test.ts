import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EngineError } from '../../../controllers/engine/engine.js';
import type { AnyDeclared } from '../../../crds/model/kinds.js';
import type { AppService } from '../../../crds/model/types.js';
import { Device } from '../../simulation/device.js';
import type { Fault } from '../../simulation/fault-plan.js';

/** One app with these services, as a file would declare it. */
const anApp = (services: Readonly<Record<string, Partial<AppService>>>, more: Readonly<Record<string, unknown>> = {}) =>
  ({
    apiVersion: 'supercargo.io/v1',
    kind: 'App',
    metadata: { name: 'hello' },
    spec: {
      appId: 1,
      uuid: 'u',
      release: { commit: 'a', id: 1 },
      services: Object.fromEntries(
        Object.entries(services).map(([name, service]) => [name, { image: 'web:1', imageId: 7, ...service }]),
      ),
      ...more,
    },
  }) satisfies AnyDeclared;

async function aDevice(): Promise<Device> {
  const device = new Device();
  device.engine.images.add('web:1', { content: 'one' });
  device.engine.images.add('web:2', { content: 'two' });
  await device.boot();
  return device;
}

/** Proposes and lets everything come to rest. */
async function bring(device: Device, ...documents: readonly AnyDeclared[]): Promise<void> {
  const agent = device.agent ?? (await device.boot());
  await agent.propose(documents);
  await agent.settle();
}

/** Lets events of what was done by hand arrive. */
async function flush({ agent, clock }: Device): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await agent?.quiet();
    clock.advance(100);
  }
}

/** The same, and lets everything come to rest. */
async function notice(device: Device): Promise<void> {
  await flush(device);
  await device.agent?.settle();
}

const containersOn = ({ engine }: Device): readonly string[] =>
  engine.docker.containers.map(({ name, state, networks }) => `${name} ${state} ${[...networks.keys()].sort()}`).sort();

const creations = ({ engine }: Device): number => engine.verbs.filter((verb) => verb === 'createContainer').length;

describe('a service converges', () => {
  let device: Device;
  beforeEach(async () => {
    device = await aDevice();
  });
  afterEach(() => device.stop());

  it('from nothing to running with create, start and a look, and then rests', async () => {
    await bring(device, anApp({ web: {} }));
    assert.deepEqual(containersOn(device), ['web_7_1_a running u_default']);
    const about = device.engine.verbs.filter((verb) => /Container/.test(verb) && verb !== 'listContainers');
    // Another look may follow, when an event comes late.
    assert.deepEqual(about.slice(0, 3), ['createContainer', 'startContainer', 'inspectContainer']);
    assert.ok(
      about.slice(3).every((verb) => verb === 'inspectContainer'),
      about.join(),
    );

    device.engine.forgetCalls();
    for (const loop of device.agent?.loops ?? []) loop.resync();
    await device.agent?.settle();
    assert.deepEqual(device.engine.verbs, []);
  });

  // The new container is created before the old one is stopped: what the engine refuses stops nothing.
  it('to a changed definition with one request more than to one of a new release, leaving its sibling alone', async () => {
    await bring(device, anApp({ web: {}, db: {} }));
    const db = device.engine.docker.container('db_7_1_a').id;
    device.engine.forgetCalls();
    await bring(device, anApp({ web: { environment: { A: '1' } }, db: {} }));
    assert.deepEqual(containersOn(device), ['db_7_1_a running u_default', 'web_7_1_a running u_default']);
    assert.equal(device.engine.docker.container('db_7_1_a').id, db);
    const about = (): readonly string[] => device.engine.verbs.filter((verb) => /Container/.test(verb));
    const acts = (): readonly string[] => about().filter((verb) => verb !== 'inspectContainer');
    assert.deepEqual(acts(), [
      'createContainer',
      'stopContainer',
      'removeContainer',
      'renameContainer',
      'startContainer',
    ]);
    const confirms = 2; // before the release is good, each container that is younger than ten minutes is looked at once more
    assert.ok(about().length <= 7 + confirms, about().join());

    device.engine.forgetCalls();
    const next = { release: { commit: 'b', id: 2 } };
    await bring(device, anApp({ web: { environment: { A: '2' } }, db: {} }, next));
    assert.deepEqual(containersOn(device), ['db_7_2_b running u_default', 'web_7_2_b running u_default']);
    // The other one is only renamed, and looked at.
    assert.deepEqual(acts().toSorted(), [
      'createContainer',
      'removeContainer',
      'renameContainer',
      'startContainer',
      'stopContainer',
    ]);
    assert.ok(about().length <= 6 + 2 + confirms, about().join());
  });

  it('to a new release by renaming', async () => {
    await bring(device, anApp({ web: {} }));
    const { id } = device.engine.docker.container('web_7_1_a');
    device.engine.forgetCalls();
    await bring(device, anApp({ web: {} }, { release: { commit: 'b', id: 2 } }));
    assert.equal(device.engine.docker.container('web_7_2_b').id, id);
    assert.equal(creations(device), 0);
  });

  it('back to running when its container was removed or stopped manually', async () => {
    await bring(device, anApp({ web: {} }));
    device.engine.docker.removeContainer('web_7_1_a');
    await notice(device);
    device.engine.docker.stopContainer('web_7_1_a');
    await notice(device);
    assert.deepEqual(containersOn(device), ['web_7_1_a running u_default']);
  });

  it('and a one-shot that finished stays finished', async () => {
    await bring(device, anApp({ web: { restart: 'no' } }));
    device.engine.docker.exit('web_7_1_a', 3);
    await notice(device);
    assert.deepEqual(containersOn(device), ['web_7_1_a exited u_default']);
    assert.equal(device.agent?.store.get('Service', 'hello.web')?.status?.exitCode, 3);
  });

  it('onto all of its networks, and back onto one that somebody took away', async () => {
    const app = anApp({ web: { networks: { b: { aliases: ['w'] }, c: null } } }, { networks: { b: {}, c: {} } });
    await bring(device, app);
    assert.deepEqual(containersOn(device), ['web_7_1_a running u_b,u_c']);
    device.engine.docker.disconnectNetwork('u_c', 'web_7_1_a');
    await notice(device);
    assert.deepEqual(containersOn(device), ['web_7_1_a running u_b,u_c']);
  });

  it('through the rebuilding of its network', async () => {
    await bring(device, anApp({ web: { networks: ['b'] } }, { networks: { b: {} } }));
    const before = device.agent?.cache.network('u_b')?.id;
    await bring(device, anApp({ web: { networks: ['b'] } }, { networks: { b: { internal: true } } }));
    assert.notEqual(device.agent?.cache.network('u_b')?.id, before);
    assert.deepEqual(containersOn(device), ['web_7_1_a running u_b']);
  });

  it('into the network of a sibling, and after it into the new one', async () => {
    const vpn = (environment: Record<string, string>) =>
      anApp({ vpn: { environment }, web: { network_mode: 'service:vpn' } });
    const inside = () => device.engine.docker.container('web_7_1_a').networkMode;
    await bring(device, vpn({}));
    assert.equal(inside(), `container:${device.engine.docker.container('vpn_7_1_a').id}`);
    await bring(device, vpn({ A: '1' }));
    assert.equal(inside(), `container:${device.engine.docker.container('vpn_7_1_a').id}`);
  });

  for (const [field, namespace] of [
    ['network_mode', 'network'],
    ['pid', 'PID'],
    ['ipc', 'IPC'],
  ] as const) {
    const shared = (more: Partial<AppService> = {}) =>
      anApp({ vpn: { ipc: 'shareable' }, web: { [field]: 'service:vpn', environment: { A: '1' }, ...more } });
    const ofWeb = () => device.engine.docker.container('web_7_1_a');
    const isInside = (): void => {
      const { startedAt = 0 } = device.engine.docker.container('vpn_7_1_a');
      assert.equal(ofWeb().state, 'running');
      assert.ok((ofWeb().startedAt ?? 0) > startedAt, 'web has joined the present run of vpn');
    };

    it(`into the ${namespace} of a sibling, and into it again whenever that one has been started again`, async () => {
      await bring(device, shared());
      isInside();
      const { id } = ofWeb();
      for (const again of [
        () => {
          device.engine.docker.exit('vpn_7_1_a', 1);
          device.engine.docker.restartNow('vpn_7_1_a');
        },
        () => {
          device.engine.docker.stopContainer('vpn_7_1_a');
          device.engine.docker.startContainer('vpn_7_1_a');
        },
        () => device.engine.docker.stopContainer('vpn_7_1_a', 137), // and we start it
      ]) {
        device.clock.advance(90_000);
        again();
        await notice(device);
        isInside();
        assert.equal(ofWeb().id, id);
      }
      device.engine.forgetCalls();
      for (const loop of device.agent?.loops ?? []) loop.resync();
      await device.agent?.settle();
      assert.deepEqual(device.engine.verbs, []);
    });

    // A one-shot ends with the PID namespace that it lives in, and has finished then.
    if (field === 'pid') continue;
    it(`into the ${namespace} of a sibling that was started again while no agent ran`, async () => {
      await bring(device, shared({ restart: 'no' }));
      await device.halt();
      device.clock.advance(90_000);
      device.engine.docker.stopContainer('vpn_7_1_a');
      device.engine.docker.startContainer('vpn_7_1_a');
      await device.boot();
      await notice(device);
      isInside();
    });
  }

  it('to a restart of what lives in the network of a sibling without the update lock', async () => {
    await bring(device, anApp({ vpn: {}, web: { network_mode: 'service:vpn' } }));
    await mkdir(join(device.folder, 'locks/1/web'), { recursive: true });
    await writeFile(join(device.folder, 'locks/1/web/updates.lock'), '');
    device.engine.docker.exit('vpn_7_1_a', 1);
    device.engine.docker.restartNow('vpn_7_1_a');
    device.engine.forgetCalls();
    await notice(device);
    assert.ok(device.engine.verbs.includes('restartContainer'));
  });

  it('with few restarts of what lives in the network of a sibling that crashes again and again', async () => {
    await bring(device, anApp({ vpn: {}, web: { network_mode: 'service:vpn' } }));
    const restarts = () => device.engine.verbs.filter((verb) => verb === 'restartContainer').length;
    device.engine.forgetCalls();
    for (let crash = 0; crash < 60; crash += 1) {
      device.clock.advance(11_000);
      await flush(device);
      device.engine.docker.exit('vpn_7_1_a', 1);
      await device.agent?.quiet();
      device.clock.advance(100);
      device.engine.docker.restartNow('vpn_7_1_a');
      await flush(device);
    }
    const stormy = restarts();
    assert.ok(stormy >= 1 && stormy <= 4, `${stormy} restarts`);
    device.clock.advance(61_000);
    await device.agent?.settle();
    assert.equal(restarts(), stormy + 1);
    assert.equal(device.agent?.store.get('Service', 'hello.web')?.status?.conditions?.[0]?.status, 'True');
  });

  it('to both in one grace period when one lives in the network of the other', async () => {
    const app = (A: string) => anApp({ vpn: { environment: { A } }, web: { network_mode: 'service:vpn' } });
    await bring(device, app('1'));
    const stopping: string[] = [];
    let release = (): void => undefined;
    const grace = new Promise<void>((resolve) => {
      release = resolve;
    });
    device.engine.before = async (verb, [id]) => {
      if (verb !== 'stopContainer') return;
      stopping.push(device.engine.docker.container(String(id)).name);
      await grace;
    };
    await device.agent?.propose([app('2')]);
    for (let turn = 0; turn < 2_000 && stopping.length < 2; turn += 1) {
      await nextTurn();
      device.clock.advance(1);
    }
    assert.deepEqual(stopping.sort(), ['vpn_7_1_a', 'web_7_1_a']);
    release();
    await device.agent?.settle();
    const { id } = device.engine.docker.container('vpn_7_1_a');
    assert.equal(device.engine.docker.container('web_7_1_a').networkMode, `container:${id}`);
    assert.equal(creations(device), 4);
  });

  for (const runs of [true, false]) {
    it(`from a container that cannot be started because of a task that ${runs ? 'runs' : 'does not run'} and that the engine does not know`, async () => {
      await bring(device, anApp({ web: { running: false } }));
      const { id } = device.engine.docker.container('web_7_1_a');
      device.engine.docker.leaveTask('web_7_1_a', { runs });
      device.engine.forgetCalls();
      await device.agent?.propose([anApp({ web: {} })]);
      await device.agent?.quiet(); // without a back-off: no time passes
      const web = device.engine.docker.container('web_7_1_a');
      assert.equal(web.state, 'running');
      assert.notEqual(web.id, id);
      assert.deepEqual(device.engine.docker.doubles, [], 'nothing runs twice');
      assert.equal(device.engine.verbs.filter((verb) => verb === 'startContainer').length, 2);
    });
  }

  it('from a one-shot whose second start met what the engine has kept of the first', async () => {
    await bring(device, anApp({ vpn: {}, web: { network_mode: 'service:vpn', restart: 'no' } }));
    device.engine.docker.leaveTask('web_7_1_a', { runs: true });
    device.engine.docker.exit('vpn_7_1_a', 1);
    device.engine.docker.restartNow('vpn_7_1_a');
    await notice(device);
    assert.equal(device.engine.docker.container('web_7_1_a').state, 'running');
    assert.deepEqual(device.engine.docker.doubles, []);
  });

  it('from an endpoint that the engine has kept of a former container of the same name', async () => {
    await bring(device, anApp({ web: {} }));
    device.engine.docker.leakEndpoint('u_default', 'web_7_1_a');
    device.engine.docker.removeContainer('web_7_1_a');
    await notice(device);
    assert.deepEqual(containersOn(device), ['web_7_1_a running u_default']);
  });

  it('to nothing, although the engine keeps an endpoint of a container that is gone', async () => {
    await bring(device, anApp({ web: {} }));
    device.engine.docker.leakEndpoint('u_default', 'web_7_1_a');
    await bring(device);
    assert.equal(device.engine.docker.findNetwork('u_default'), undefined);
    assert.deepEqual(device.agent?.store.list('App'), []);
  });

  describe('on an engine that keeps an endpoint whose name nobody knows', () => {
    const ready = (kind: 'App' | 'Network', name: string) =>
      device.agent?.store.get(kind, name)?.status?.conditions?.find(({ type }) => type === 'Ready');
    const leak = () => device.engine.docker.leakEndpoint('u_default', 'forgotten');
    const waits = { waiting: ['App/hello', 'Network/hello.default'] };

    it('to nothing once that has been restarted, and says so until then', async () => {
      await bring(device, anApp({ web: {} }));
      leak();
      await device.agent?.propose([]);
      await device.agent?.settle(waits);
      device.clock.advance(5_000);
      await flush(device);
      assert.equal(ready('Network', 'hello.default')?.reason, 'EndpointsLeaked');
      assert.match(ready('Network', 'hello.default')?.message ?? '', /docker network disconnect --force u_default/);
      device.engine.goAway();
      await flush(device);
      device.engine.docker.restart();
      device.engine.comeBack();
      device.clock.advance(10_000);
      await notice(device);
      assert.deepEqual(device.agent?.store.list('App'), []);
      assert.equal(device.engine.docker.findNetwork('u_default'), undefined);
    });

    it('to running when the app is declared again, in the network that is still there', async () => {
      await bring(device, anApp({ web: {} }));
      const before = device.engine.docker.findNetwork('u_default')?.id;
      leak();
      await device.agent?.propose([]);
      await device.agent?.settle(waits);
      device.clock.advance(5_000);
      await flush(device);
      await bring(device, anApp({ web: {} }));
      assert.deepEqual(containersOn(device), ['web_7_1_a running u_default']);
      assert.equal(device.engine.docker.findNetwork('u_default')?.id, before);
    });

    it('to running in the old network when that cannot be recreated, without stopping twice', async () => {
      const app = (internal: boolean) => anApp({ web: { networks: ['b'] } }, { networks: { b: { internal } } });
      await bring(device, app(false));
      device.engine.docker.leakEndpoint('u_b', 'forgotten');
      await device.agent?.propose([app(true)]);
      await device.agent?.settle({ waiting: ['App/hello'] });
      assert.deepEqual(containersOn(device), ['web_7_1_a running u_b']);
      assert.equal(ready('Network', 'hello.b')?.reason, 'EndpointsLeaked');
      device.engine.forgetCalls();
      for (const loop of device.agent?.loops ?? []) loop.resync();
      await device.agent?.settle({ waiting: ['App/hello'] });
      assert.deepEqual(device.engine.verbs, [], 'nobody steps aside in vain again');

      device.engine.goAway();
      await flush(device);
      device.engine.docker.restart();
      device.engine.comeBack();
      device.clock.advance(10_000);
      await notice(device);
      assert.deepEqual(containersOn(device), ['web_7_1_a running u_b']);
      assert.equal(ready('Network', 'hello.b')?.status, 'True');
      assert.equal(device.engine.docker.findNetwork('u_b')?.definition?.internal, true);
    });
  });

  it('to stopped and back', async () => {
    await bring(device, anApp({ web: {} }));
    await bring(device, anApp({ web: { running: false } }));
    assert.deepEqual(containersOn(device), ['web_7_1_a exited u_default']);
    await bring(device, anApp({ web: {} }));
    assert.deepEqual(containersOn(device), ['web_7_1_a running u_default']);
    assert.equal(creations(device), 1);
  });

  it('to nothing', async () => {
    await bring(device, anApp({ web: {} }));
    await bring(device);
    assert.deepEqual(containersOn(device), []);
    assert.deepEqual(device.agent?.store.list('Service'), []);
  });

  it('in the order of what it waits for', async () => {
    await bring(
      device,
      anApp({ a: { depends_on: ['b'] }, b: { depends_on: { c: { condition: 'service_started' } } }, c: {} }),
    );
    const started = device.engine.calls
      .filter(({ verb }) => verb === 'createContainer')
      .map(({ args: [name] }) => String(name).split('_')[0]);
    assert.deepEqual(started, ['c', 'b', 'a']);
  });

  it('and says what is wrong with its definition, without touching its sibling', async () => {
    await bring(device, anApp({ web: { ports: ['nonsense'] }, db: {} })).catch(() => undefined);
    const ready = device.agent?.store
      .get('Service', 'hello.web')
      ?.status?.conditions?.find(({ type }) => type === 'Ready');
    assert.equal(ready?.reason, 'InvalidSpec');
    assert.match(ready?.message ?? '', /ports\[0\]/);
    assert.deepEqual(containersOn(device), ['db_7_1_a running u_default']);
  });

  it('and names the container of another app that has its port of the host', async () => {
    const app = anApp({ web: { ports: ['80:80'] } });
    await bring(device, app);
    const agent = device.agent ?? (await device.boot());
    const other = anApp({ db: { ports: ['80:80'] } }, { appId: 2, uuid: 'v' });
    await agent.propose([app, { ...other, metadata: { name: 'other' } }]);
    await agent.quiet();
    const ready = agent.store.get('Service', 'other.db')?.status?.conditions?.find(({ type }) => type === 'Ready');
    assert.equal(ready?.reason, 'PortInUse');
    assert.match(
      ready?.message ?? '',
      /port 0\.0\.0\.0:80 of the host is taken: container web_7_1_a publishes it; stop that one/,
    );
  });

  it("and names somebody else's container that has it", async () => {
    const { docker } = device.engine;
    const HostConfig = { PortBindings: { '8080/tcp': [{ HostIp: '', HostPort: '80' }] } };
    docker.startContainer(docker.createContainer('stranger', { Image: 'web:1', HostConfig }));
    const agent = device.agent ?? (await device.boot());
    await agent.propose([anApp({ web: { ports: ['80:80'] } })]);
    await agent.quiet();
    const ready = agent.store.get('Service', 'hello.web')?.status?.conditions?.find(({ type }) => type === 'Ready');
    assert.equal(ready?.reason, 'PortInUse');
    assert.match(ready?.message ?? '', /container stranger publishes it/);
    assert.equal(creations(device), 1, 'no container is recreated for that');
    docker.stopContainer('stranger');
    device.clock.advance(60_000);
    await notice(device);
    assert.equal(docker.container('web_7_1_a').state, 'running');
  });

  describe('on an engine that holds a port for no container', () => {
    const app = anApp({ web: { ports: ['80:80'] }, db: {} });
    const ready = () =>
      device.agent?.store.get('Service', 'hello.web')?.status?.conditions?.find(({ type }) => type === 'Ready');
    /** A minute of retries. */
    const retry = async (): Promise<void> => {
      for (let second = 0; second < 60; second += 1) {
        device.clock.advance(1_000);
        await device.agent?.quiet();
      }
    };

    it('to running with another container, where it is held under the name of that which never ran', async () => {
      device.engine.docker.leakPort('tcp/0.0.0.0:80', 'web_7_1_a');
      await bring(device, app);
      assert.deepEqual(containersOn(device), ['db_7_1_a running u_default', 'web_7_1_a running u_default']);
      assert.equal(creations(device), 3);
    });

    it('to running once the engine has been restarted, which is asked for where it is ours', async () => {
      const asked: string[] = [];
      device.restartEngine = (why) => asked.push(why) > 0;
      device.engine.docker.leakPort('tcp/0.0.0.0:80');
      await device.agent?.propose([app]);
      await device.agent?.quiet();
      assert.equal(ready()?.reason, 'PortLeaked');
      assert.deepEqual(asked, [], 'another container may just be starting');
      await retry();
      assert.ok(asked.length > 0);
      assert.equal(asked[0], 'the engine holds port 0.0.0.0:80 of the host for no running container');
      assert.match(ready()?.message ?? '', /for no running container; it is restarted, containers run on$/);
      assert.equal(creations(device), 3, 'recreated once');
      device.engine.docker.restoreLive();
      await retry();
      assert.deepEqual(containersOn(device), ['db_7_1_a running u_default', 'web_7_1_a running u_default']);
      assert.equal(ready()?.status, 'True');
    });

    for (const [how, held, free] of [
      ['stopped', { stop: {} }, { start: {} }],
      ['suspended', { suspend: {} }, { resume: {} }],
    ] as const) {
      it(`asking for no restart at once after it was ${how} in between`, async () => {
        const asked: string[] = [];
        device.restartEngine = (why) => asked.push(why) > 0;
        device.engine.docker.leakPort('tcp/0.0.0.0:80');
        const agent = device.agent ?? (await device.boot());
        await agent.propose([app]);
        await agent.quiet();
        assert.equal(ready()?.reason, 'PortLeaked');
        const key = how === 'stopped' ? 'Service/hello.web' : 'App/hello';
        await agent.store.request(key, held);
        await retry();
        assert.deepEqual([asked, ready()?.reason === 'PortLeaked'], [[], false]);
        await agent.store.request(key, free);
        await agent.quiet();
        assert.equal(ready()?.reason, 'PortLeaked');
        assert.deepEqual(asked, [], 'another container may just be starting');
        // A start that was asked for is tried once: the next one, soon after, belongs to it.
        device.clock.advance(15_000);
        if (how === 'stopped') await agent.store.request(key, { start: {} });
        await agent.quiet();
        await retry();
        assert.ok(asked.length > 0);
      });
    }

    it('to running once the engine is restarted whose own proxy has kept the port, and says so', async () => {
      const asked: string[] = [];
      device.restartEngine = (why) => asked.push(why) > 0;
      let proxy: ReturnType<NonNullable<typeof device.portProxy>> = { pid: 77, target: '172.17.0.2:80' };
      device.portProxy = ({ port }) => (port === 80 ? proxy : undefined);
      const listen = 'listen tcp4 0.0.0.0:80: bind: address already in use';
      device.engine.before = (verb, [id]) => {
        if (verb !== 'startContainer' || !proxy) return;
        const isWeb = device.engine.docker.findContainer(String(id))?.name.startsWith('web');
        if (isWeb) throw new EngineError(`driver failed: Error starting userland proxy: ${listen}`, 500);
      };
      await device.agent?.propose([app]);
      await device.agent?.quiet();
      await retry();
      const held = 'the engine holds port 0.0.0.0:80 of the host for no running container';
      const why = `${held} (its docker-proxy, process 77, still forwards it to 172.17.0.2:80)`;
      assert.deepEqual([asked[0], ready()?.reason], [why, 'PortLeaked']);
      assert.equal(creations(device), 2, 'no container is recreated for that');
      proxy = undefined;
      await retry();
      assert.equal(ready()?.status, 'True');
    });

    for (const [who, listener, publishes, words] of [
      [
        'a program',
        'nc (pid 77, uid 1000)',
        false,
        'nc (pid 77, uid 1000) listens there; end that, or publish another port',
      ],
      [
        'a proxy of another engine',
        'docker-proxy (pid 78, uid 0)',
        false,
        'docker-proxy (pid 78, uid 0) listens there; end that, or publish another port',
      ],
      [
        'a container',
        'docker-proxy (pid 79, uid 0)',
        true,
        'container other publishes it; stop that one, or publish another port',
      ],
      [
        'somebody who cannot be seen',
        undefined,
        false,
        'another container or program uses it; stop that one, or publish another port',
      ],
    ] as const) {
      it(`and says who listens at its port: ${who}`, async () => {
        device.portHolder = ({ port }) => (port === 80 ? listener : undefined);
        device.engine.before = (verb) => {
          if (verb !== 'startContainer') return;
          throw new EngineError(
            'driver failed: Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use',
            500,
          );
        };
        if (publishes) {
          device.engine.publishedPorts = async () => [
            { container: 'other', address: '0.0.0.0', port: 80, protocol: 'tcp' },
          ];
        }
        await device.agent?.propose([app]);
        await device.agent?.quiet();
        assert.equal(ready()?.reason, 'PortInUse');
        assert.equal(ready()?.message, `Could not start service web: port 0.0.0.0:80 of the host is taken: ${words}`);
      });
    }

    it("and says the way out where it is somebody else's engine", async () => {
      device.engine.docker.leakPort('tcp/0.0.0.0:80');
      await device.agent?.propose([app]);
      await retry();
      assert.equal(ready()?.reason, 'PortLeaked');
      assert.equal(
        ready()?.message,
        'Could not start service web: the engine holds port 0.0.0.0:80 of the host for no running container; restarting the engine frees it',
      );
    });

    it('without the loss of what a container that has run before holds', async () => {
      await bring(device, app);
      const { id } = device.engine.docker.container('web_7_1_a');
      device.engine.docker.stopContainer('web_7_1_a');
      device.engine.docker.leakPort('tcp/0.0.0.0:80', 'web_7_1_a');
      await flush(device);
      await retry();
      assert.equal(ready()?.reason, 'PortLeaked');
      device.engine.docker.restoreLive();
      await retry();
      assert.equal(device.engine.docker.container('web_7_1_a').id, id);
      assert.equal(device.engine.docker.container('web_7_1_a').state, 'running');
    });
  });
});

describe('a service converges in spite of', () => {
  const before = anApp({ web: { networks: ['b', 'c'] }, db: {} }, { networks: { b: {}, c: {} } });
  const after = anApp(
    { web: { image: 'web:2', networks: ['b', 'c'] }, db: {} },
    { release: { commit: 'b', id: 2 }, networks: { b: {}, c: { internal: true } } },
  );
  const end = ['db_7_2_b running u_default', 'web_7_2_b running u_b,u_c'];

  /** From `before` to `after`, with one mishap at that call to the engine; returns how many calls there were. */
  async function rollOut(at: number, fault: Fault): Promise<number> {
    const device = await aDevice();
    try {
      await bring(device, before);
      let calls = 0;
      device.faultPlan = (what) => (!what.startsWith('disk.') && calls++ === at ? fault : 'none');
      await device.agent?.propose([after]);
      await device.agent?.settle();
      if (device.agent?.isDead) {
        const agent = await device.boot();
        await agent.propose([after]);
        await agent.settle();
      }
      assert.deepEqual(containersOn(device), end, `call ${at}, ${fault}`);
      const made = calls;
      device.engine.forgetCalls();
      for (const loop of device.agent?.loops ?? []) loop.resync();
      await device.agent?.settle();
      assert.deepEqual(device.engine.verbs, [], `second pass after call ${at}, ${fault}`);
      return made;
    } finally {
      await device.halt();
    }
  }

  for (const fault of ['fail', 'lose', 'kill-before', 'kill-after'] as const) {
    it(`${fault} at any call`, async () => {
      const calls = await rollOut(-1, 'none');
      assert.ok(calls > 8, `${calls} calls`);
      for (let at = 0; at < calls; at += 1) await rollOut(at, fault);
    }).timeout(180_000);
  }
});

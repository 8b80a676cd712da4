import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { appTrees } from '../../../api/http/supervisor/app-tree.js';
import { deviceStatus } from '../../../api/http/supervisor/device-status-view.js';
import { EngineError } from '../../../controllers/engine/engine.js';
import { conditionOf } from '../../../crds/model/conditions.js';
import type { AnyDeclared, Kind } from '../../../crds/model/kinds.js';
import { declareApp } from '../../setup/declared.js';
import { supervisorMade } from '../../setup/supervisor-made.js';
import { Device } from '../../simulation/device.js';

const running = declareApp({ web: {}, db: {} });
/** A release that is found bad stays, so that what is seen is what the refusal leaves. */
const HOLD = { rollout: { onFailure: 'hold' } } as const;
/** No check of ours knows which runtimes an engine has. */
const refused = declareApp({ web: { runtime: 'none-such' }, db: {} }, HOLD);
const WAITS = { waiting: ['App/hello'] };

describe('what the engine refuses to create', () => {
  let device: Device;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1', { content: 'one' });
    await device.boot();
    await bring(running);
    device.engine.forgetCalls();
  });
  afterEach(() => device.stop());

  async function bring(...documents: readonly AnyDeclared[]): Promise<void> {
    const agent = device.agent ?? (await device.boot());
    await agent.propose(documents);
    await agent.settle(WAITS);
  }

  /** Lets events of what was done by hand arrive, and time pass. */
  async function flush(ms: number): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) {
      await device.agent?.quiet();
      device.clock.advance(ms / 5);
    }
  }

  /** The same, and lets everything come to rest. */
  async function pass(ms: number): Promise<void> {
    await flush(ms);
    await device.agent?.settle(WAITS);
  }

  const containers = (): readonly string[] =>
    device.engine.docker.containers.map(({ name, state }) => `${name} ${state}`).sort();
  const count = (...verbs: readonly string[]): number =>
    device.engine.verbs.filter((verb) => verbs.includes(verb)).length;
  const stops = (): number => count('stopContainer', 'removeContainer', 'restartContainer');
  const ready = (kind: Kind, name: string) => {
    const document = device.agent?.store.get(kind, name);
    return document && conditionOf(document, 'Ready');
  };
  const service = () => device.agent?.store.get('Service', 'hello.web')?.status;
  /** From now on the engine refuses every container with these words. */
  const refuse = (words: string, statusCode: number): void => {
    device.engine.before = (verb) => {
      if (verb === 'createContainer') throw new EngineError(words, statusCode);
    };
  };
  const applicationLock = async (): Promise<void> => {
    const path = join(device.folder, 'locks/1/web/updates.lock');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '');
  };

  it('stops nothing: the old container runs on, the status says why, and a corrected document goes through', async () => {
    const { id } = device.engine.docker.container('web_7_1_a');
    await bring(refused);
    assert.deepEqual(containers(), ['db_7_1_a running', 'web_7_1_a running']);
    assert.equal(device.engine.docker.container('web_7_1_a').id, id);
    assert.equal(stops(), 0);
    assert.equal(ready('Service', 'hello.web')?.reason, 'RuntimeMissing');
    assert.match(ready('Service', 'hello.web')?.message ?? '', /the engine has no runtime none-such/);
    assert.equal(service()?.state, 'running');
    assert.equal(service()?.container?.id, id);
    assert.equal(service()?.outgoing, undefined);
    assert.equal(ready('App', 'hello')?.reason, 'ChildrenNotReady');
    assert.equal(device.agent?.store.get('App', 'hello')?.status?.lock, undefined, 'the lock is given back');

    await bring(declareApp({ web: { environment: { V: '2' } }, db: {} }));
    assert.deepEqual(containers(), ['db_7_1_a running', 'web_7_1_a running']);
    assert.notEqual(device.engine.docker.container('web_7_1_a').id, id);
    assert.equal(ready('App', 'hello')?.status, 'True');
    const { strategy, steps } = service()?.update ?? {};
    assert.equal(strategy, 'download-then-kill');
    assert.deepEqual(
      steps?.map(({ step }) => step),
      ['Created', 'Stopping', 'Stopped', 'Removed', 'Started', 'Complete'],
    );
    assert.ok((service()?.update?.downtimeMs ?? -1) >= 0);
  });

  it('makes the App go back, and touches nothing for it', async () => {
    const old = containers();
    const { id } = device.engine.docker.container('web_7_1_a');
    await bring(declareApp({ web: { runtime: 'none-such' }, db: {} }));
    assert.deepEqual(containers(), old);
    assert.equal(device.engine.docker.container('web_7_1_a').id, id);
    assert.equal(stops(), 0);
    assert.equal(ready('Service', 'hello.web')?.status, 'True');
    assert.equal(ready('App', 'hello')?.reason, 'RolledBack');
    assert.match(ready('App', 'hello')?.message ?? '', /the engine has no runtime none-such/);
    assert.equal(device.agent?.store.get('App', 'hello')?.status?.lock, undefined, 'the lock is given back');
  });

  it('is taken back with the document, and is no update', async () => {
    await bring(refused);
    assert.equal(service()?.update, undefined);
    device.engine.forgetCalls();
    await bring(running);
    assert.equal(count('createContainer', 'startContainer') + stops(), 0);
    assert.equal(ready('Service', 'hello.web')?.status, 'True');
    assert.equal(service()?.update, undefined);
  });

  for (const strategy of ['download-then-kill', 'rolling'] as const) {
    it(`leaves the record of the last update that was made (${strategy})`, async () => {
      const web = (more: object) => declareApp({ web: { updateStrategy: strategy, ...more }, db: {} }, HOLD);
      await bring(web({ environment: { V: '2' } }));
      const made = service()?.update;
      assert.equal(made?.steps.at(-1)?.step, 'Complete');
      await bring(web({ runtime: 'none-such' }));
      assert.deepEqual(service()?.update, made);
      await bring(web({ environment: { V: '2' } }));
      assert.deepEqual(service()?.update, made);
    });
  }

  it('is not asked for again, nor for the lock, whatever the old container does; and again after an hour', async () => {
    await bring(refused);
    device.engine.forgetCalls();
    const from = device.agent?.steps.length ?? 0;
    for (const loop of device.agent?.loops ?? []) loop.resync();
    device.engine.docker.exit('web_7_1_a', 1);
    await pass(100);
    device.engine.docker.restartNow('web_7_1_a');
    await pass(100);
    assert.deepEqual(
      device.agent?.steps.slice(from).filter((step) => /^lock\.|createContainer/.test(step)),
      [],
    );
    assert.equal(ready('Service', 'hello.web')?.reason, 'RuntimeMissing');

    device.engine.docker.runtimes.add('none-such');
    device.clock.advance(60 * 60_000 + 1);
    for (const loop of device.agent?.loops ?? []) loop.resync();
    await device.agent?.settle();
    assert.equal(device.engine.docker.container('web_7_1_a').options.HostConfig?.Runtime, 'none-such');
    assert.equal(ready('Service', 'hello.web')?.status, 'True');
  });

  it('is asked for again by another agent, and of an engine that has come back', async () => {
    await bring(refused);
    device.engine.forgetCalls();
    await device.halt();
    await bring(refused);
    assert.equal(count('createContainer'), 1);
    device.engine.goAway();
    await flush(100);
    device.engine.docker.runtimes.add('none-such');
    device.engine.comeBack();
    await pass(10_000);
    assert.equal(device.engine.docker.container('web_7_1_a').options.HostConfig?.Runtime, 'none-such');
  });

  it('leaves the container of a new release where it is', async () => {
    const next = declareApp({ web: { runtime: 'none-such' }, db: {} }, { ...HOLD, release: { commit: 'b', id: 2 } });
    await bring(next);
    assert.deepEqual(containers(), ['db_7_2_b running', 'web_7_1_a running']);
    assert.equal(stops(), 0);
  });

  it('is told in the words of the engine, and tried again where it may pass', async () => {
    refuse('create v: error looking up volume plugin none-such: plugin "none-such" not found', 404);
    await device.agent?.propose([declareApp({ web: { environment: { V: '2' } }, db: {} })]);
    await device.agent?.quiet();
    assert.equal(ready('Service', 'hello.web')?.reason, 'Retrying');
    assert.match(ready('Service', 'hello.web')?.message ?? '', /plugin "none-such" not found/);
    assert.equal(stops(), 0);
    device.engine.before = undefined;
    await device.agent?.settle();
    assert.ok(device.engine.docker.container('web_7_1_a').options.Env?.includes('V=2'));
  });

  for (const [what, words, statusCode] of [
    ['what the agent does not know', 'create v: error looking up volume plugin none-such', 404],
    ['a path that the host lacks', 'invalid mount config for type "bind": bind source path does not exist: /x', 400],
  ] as const) {
    it(`takes the lock once, and tells once, however often the engine refuses ${what}`, async () => {
      const lines: string[] = [];
      device.agent?.logs.listen((line) => 'isSystem' in line && lines.push(line.message.replace(/ '.*/, '')));
      const from = device.agent?.steps.length ?? 0;
      const claims = () => device.agent?.steps.slice(from).filter((step) => step === 'lock.claim').length;
      refuse(words, statusCode);
      await device.agent?.propose([declareApp({ web: { environment: { V: '2' } }, db: {} }, HOLD)]);
      await device.agent?.quiet();
      assert.equal(device.agent?.store.get('App', 'hello')?.status?.lock, undefined, 'the lock is given back');
      for (let tries = 0; tries < 6; tries += 1) {
        device.clock.step();
        await device.agent?.quiet();
        assert.equal(device.agent?.store.get('App', 'hello')?.status?.lock, undefined, 'nor is it taken again');
      }
      assert.ok(count('createContainer') > 2, 'it is tried again');
      assert.equal(claims(), 1);
      const reported = [
        'Taking update locks',
        'Installing service',
        'Failed to install service',
        'Releasing update locks',
      ];
      assert.deepEqual(lines.splice(0), reported);

      device.engine.before = undefined;
      await device.agent?.settle();
      assert.ok(device.engine.docker.container('web_7_1_a').options.Env?.includes('V=2'));
      assert.deepEqual(lines, [
        ...['Taking update locks', 'Killing service', 'Service exited', 'Killed service', 'Installing service'],
        ...['Installed service', 'Starting service', 'Started service', 'Releasing update locks'],
      ]);
      assert.deepEqual(
        service()?.update?.steps.map(({ step }) => step),
        ['Created', 'Stopping', 'Stopped', 'Removed', 'Started', 'Complete'],
      );
    });
  }

  it('is told again of another container, though its name begins alike, and of another definition', async () => {
    await bring();
    const lines: string[] = [];
    device.agent?.logs.listen((line) => 'isSystem' in line && lines.push(line.message.replace(/ '.*/, '')));
    refuse('the storage driver is not well', 500);
    for (const [commit, V] of [
      ['ab', '1'],
      ['a', '1'],
      ['a', '2'],
    ] as const) {
      await device.agent?.propose([
        declareApp({ web: { environment: { V } } }, { ...HOLD, release: { commit, id: 1 } }),
      ]);
      for (let tries = 0; tries < 3; tries += 1) {
        await device.agent?.quiet();
        device.clock.step();
      }
      const reported = lines.splice(0).filter((line) => /install/i.test(line));
      assert.deepEqual([commit, V, reported], [commit, V, ['Installing service', 'Failed to install service']]);
    }
  });

  it('gives the lock back while the cure is for somebody else', async () => {
    refuse('invalid mount config for type "bind": bind source path does not exist: /x', 400);
    await device.agent?.propose([declareApp({ web: { environment: { V: '2' } }, db: {} }, HOLD)]);
    await device.agent?.quiet();
    assert.equal(ready('Service', 'hello.web')?.reason, 'HostPathMissing');
    assert.equal(device.agent?.store.get('App', 'hello')?.status?.lock, undefined);
    device.engine.before = undefined;
    await device.agent?.settle();
    assert.ok(device.engine.docker.container('web_7_1_a').options.Env?.includes('V=2'));
  });

  const refusals: readonly (readonly [string, () => Promise<void> | void])[] = [
    ['a restart', async () => void device.agent?.store.request('Service/hello.web', { restart: {} })],
    ['a restart of the app', async () => void device.agent?.store.request('App/hello', { restart: {} })],
    ['the repair of an edited limit', () => device.engine.docker.updateContainer('web_7_1_a', { CpuShares: 2 })],
  ];
  for (const [what, bringAbout] of refusals) {
    it(`stops nothing for ${what}`, async () => {
      refuse('no', 400);
      await bringAbout();
      await pass(1_000);
      assert.equal(count('createContainer') > 0, true);
      assert.equal(stops(), 0);
      assert.deepEqual(containers(), ['db_7_1_a running', 'web_7_1_a running']);
    });
  }

  it('stops nothing that another agent made', async () => {
    await device.stop();
    device = new Device();
    device.engine.images.add('web:1');
    const { containers: made, networks } = supervisorMade(
      {
        ...{ appId: 1, uuid: 'u', release: { id: 1, commit: 'a' }, volumes: [] },
        services: { web: { serviceId: 3, imageId: 7, volumes: [] } },
      },
      'web:1',
    );
    const { docker } = device.engine;
    for (const one of networks) docker.createNetwork(one.name, one.options);
    for (const one of made) docker.startContainer(docker.createContainer(one.name, one.options));
    await bring(declareApp({ web: { runtime: 'none-such' } }));
    assert.deepEqual(containers(), ['web_7_1_a running']);
    assert.equal(stops(), 0);
  });

  it('stops neither a service nor what lives in its network', async () => {
    const app = (vpn: object, web: object) => declareApp({ vpn, web: { network_mode: 'service:vpn', ...web } }, HOLD);
    await bring(app({}, {}));
    device.engine.forgetCalls();
    await device.agent?.propose([app({ runtime: 'none-such' }, { environment: { V: '2' } })]);
    await device.agent?.settle({ waiting: ['App/hello', 'Service/hello.web'] });
    assert.equal(ready('Service', 'hello.vpn')?.reason, 'RuntimeMissing');
    assert.equal(ready('Service', 'hello.web')?.message, 'Waiting for vpn to be settled');
    assert.deepEqual(containers(), ['vpn_7_1_a running', 'web_7_1_a running']);
    assert.equal(stops(), 0);
    assert.equal(device.agent?.store.get('App', 'hello')?.status?.lock, undefined, 'the lock is given back');
    await bring(app({ environment: { V: '2' } }, { environment: { V: '2' } }));
    assert.deepEqual(containers(), ['vpn_7_1_a running', 'web_7_1_a running']);
    assert.equal(ready('App', 'hello')?.status, 'True');
  });

  const declareAlone = (more: object = {}): AnyDeclared => ({
    apiVersion: 'supercargo.io/v1',
    kind: 'Service',
    metadata: { name: 'alone' },
    spec: {
      ...{ app: 'none', serviceName: 'alone', image: 'web:1', appId: 5, appUuid: 'x', appName: 'none' },
      release: { commit: 'a', id: 1 },
      network_mode: 'bridge',
      ...more,
    },
  });
  const locks = (): readonly string[] => device.agent?.steps.filter((step) => step.startsWith('lock.')) ?? [];

  it('stops nothing of a service without an App, and does not keep the lock', async () => {
    await bring(declareAlone());
    assert.ok(containers().some((one) => one.startsWith('alone_')));
    device.engine.forgetCalls();
    await bring(declareAlone({ runtime: 'none-such' }));
    assert.equal(count('createContainer'), 1);
    assert.ok(containers().some((one) => /^alone_\S+ running$/.test(one)));
    assert.equal(locks().at(-1), 'lock.release');
  });

  it('does not keep the lock of a service without an App whose image goes right before', async () => {
    await bring(declareAlone());
    device.engine.before = (verb) => {
      if (verb === 'createContainer') device.engine.images.remove('web:1', () => []);
    };
    await device.agent?.propose([declareAlone({ environment: { V: '2' } })]);
    await device.agent?.quiet();
    assert.equal(ready('Service', 'alone')?.reason, 'ImageMissing');
    assert.deepEqual(locks().slice(-2), ['lock.claim', 'lock.release']);
  });

  it('does not keep the lock of a service without an App whose new container is not seen', async () => {
    await bring(declareAlone());
    device.engine.after = (verb, [name]) => {
      if (verb !== 'createContainer') return;
      device.engine.after = undefined;
      device.engine.docker.removeContainer(String(name));
    };
    const before = locks().length;
    await bring(declareAlone({ environment: { V: '2' } }));
    assert.deepEqual(locks().slice(before), ['lock.claim', 'lock.release', 'lock.claim', 'lock.release']);
  });

  it('does not keep the lock of a service without an App whose new container cannot start', async () => {
    await bring(declareAlone());
    device.engine.before = (verb) => {
      if (verb === 'startContainer') throw new EngineError('no', 500);
    };
    await device.agent?.propose([declareAlone({ environment: { V: '2' } })]);
    await flush(10_000);
    assert.ok(containers().some((one) => /^\S*alone_\S+ created$/.test(one)));
    assert.equal(locks().at(-1), 'lock.release');
  });

  it('is created only once the lock is held', async () => {
    await applicationLock();
    await device.agent?.propose([declareApp({ web: { environment: { V: '2' } }, db: {} })]);
    await flush(60_000);
    assert.equal(count('createContainer'), 0);
  });

  it('leaves no container about while somebody else holds the lock, when an agent dies between creation and stop', async () => {
    device.faultPlan = (what) => (what === 'stopContainer' ? 'kill-before' : 'none');
    await device.agent?.propose([declareApp({ web: { environment: { V: '2' } }, db: {} })]);
    await device.agent?.settle();
    assert.equal(device.agent?.isDead, true);
    const found = containers().map((one) => one.replace(/^[0-9a-f]{8}_/, 'HASH_'));
    assert.deepEqual(found.sort(), ['HASH_web_7_1_a created', 'db_7_1_a running', 'web_7_1_a running']);
    device.faultPlan = () => 'none';
    await applicationLock();
    const agent = await device.boot();
    await agent.propose([declareApp({ web: { environment: { V: '2' } }, db: {} })]);
    await flush(10_000);
    assert.deepEqual(containers(), ['db_7_1_a running', 'web_7_1_a running']);
    assert.equal(service()?.state, 'running');
    await rm(join(device.folder, 'locks/1/web'), { recursive: true });
    await bring(running);
    assert.equal(service()?.update, undefined, 'a container that was made and taken back is no update');
  });

  for (const setBackMs of [0, 24 * 60 * 60_000]) {
    const after = setBackMs > 0 ? ', after the clock was set back' : '';

    it(`takes the place of the old one when that could not be stopped at first${after}`, async () => {
      device.clock.set(-setBackMs);
      device.engine.before = (verb) => {
        if (verb !== 'stopContainer') return;
        device.engine.before = undefined;
        throw new EngineError('no', 500);
      };
      device.engine.docker.updateContainer('web_7_1_a', { CpuShares: 2 });
      await pass(5_000);
      assert.deepEqual(containers(), ['db_7_1_a running', 'web_7_1_a running']);
      assert.equal(device.engine.docker.container('web_7_1_a').options.HostConfig?.CpuShares ?? 0, 0);
      assert.equal(count('createContainer'), 1);
    });

    it(`runs beside the old one until it has run for a while${after}`, async () => {
      const web = (more: object) => declareApp({ web: { updateStrategy: 'rolling', ...more }, db: {} }, HOLD);
      await bring(web({}));
      const { id } = device.engine.docker.container('web_7_1_a');
      device.clock.set(-setBackMs);
      await device.agent?.propose([web({ environment: { V: '2' } })]);
      for (const afterMs of [0, 5_000]) {
        device.clock.advance(afterMs);
        await device.agent?.quiet();
        assert.equal(containers().filter((one) => /web_7_1_a running/.test(one)).length, 2);
        assert.equal(service()?.outgoing?.id, id);
        assert.notEqual(service()?.container?.id, id);
      }
      await bring(web({ environment: { V: '2' } }));
      assert.equal(stops(), 2);
      assert.deepEqual(
        service()?.update?.steps.map(({ step }) => step),
        ['Created', 'Started', 'Steady', 'Introduced', 'Stopping', 'Stopped', 'Removed', 'Complete'],
      );
    });
  }

  it('is no update when both have run and the old one is wanted again', async () => {
    const web = (more: object) => declareApp({ web: { updateStrategy: 'rolling', ...more }, db: {} }, HOLD);
    await bring(web({}));
    await device.agent?.propose([web({ environment: { V: '2' } })]);
    await device.agent?.quiet();
    assert.deepEqual(
      service()?.update?.steps.map(({ step }) => step),
      ['Created', 'Started'],
    );
    await bring(web({}));
    assert.equal(service()?.update, undefined);
  });

  it('is one container for everybody who asks, also while two are there', async () => {
    const { id } = device.engine.docker.container('web_7_1_a');
    const seen: unknown[] = [];
    device.engine.before = async (verb) => {
      if (verb !== 'stopContainer') return;
      const store = device.agent?.store ?? assert.fail();
      const found = deviceStatus(appTrees(store, { type: 'global' }), 'applying') as {
        readonly containers: readonly { readonly serviceName: string; readonly containerId: string }[];
      };
      assert.equal(device.agent?.cache.containersOf(1, 'web').length, 2);
      seen.push(found.containers.filter(({ serviceName }) => serviceName === 'web').map((one) => one.containerId));
      seen.push(store.get('Service', 'hello.web')?.status?.state, service()?.outgoing);
    };
    await bring(declareApp({ web: { environment: { V: '2' } }, db: {} }));
    assert.deepEqual(seen, [[id], 'Stopping', undefined]);
  });
});

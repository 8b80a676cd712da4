import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Scene, unchanged } from '../setup/scene.js';

interface TargetService {
  readonly serviceName: string;
  readonly image: string;
  readonly imageId: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

describe('POST /v2/local/target-state', () => {
  let scene: Scene;
  let appId: number;

  before(async () => {
    scene = await Scene.open();
    appId = scene.appId();
    for (const image of ['local_image_one:latest', 'local_image_two:latest']) {
      await scene.makeImage(image, { cmd: ['sh', '-c', 'trap "exit 0" TERM; sleep 1000000 & wait'] });
    }
  });
  after(() => scene?.close());

  /** The document of the Supervisor's public page, with another number for the app. */
  const target = (second: object, commit = 'localcommit', first: object = {}) => ({
    local: {
      name: 'Home',
      config: { SUPERVISOR_LOCAL_MODE: '1', SUPERVISOR_POLL_INTERVAL: '600000' },
      apps: {
        [appId]: {
          name: 'localapp',
          commit,
          releaseId: '1',
          services: {
            '1': {
              environment: {},
              labels: {},
              imageId: 1,
              serviceName: 'one',
              serviceId: 1,
              image: 'local_image_one:latest',
              running: true,
              ...first,
            },
            '2': {
              environment: {},
              labels: {},
              imageId: 2,
              serviceName: 'two',
              serviceId: 2,
              image: 'local_image_two:latest',
              running: true,
              ...second,
            },
          },
          volumes: {},
          networks: {},
        },
      },
    },
    dependent: { apps: [], devices: [] },
  });
  const shared = () => target({ network_mode: 'service:one' });

  const post = async (body: object): Promise<void> => {
    const reply = await scene.agent.post('/v2/local/target-state', body);
    assert.deepEqual([reply.status, reply.json()], [200, { status: 'success', message: 'OK' }]);
  };
  const applied = () =>
    scene.until(
      'appState is applied',
      () => scene.agent.status(),
      ({ appState }) => appState === 'applied',
    );

  it('runs two services that share a network, and says applying first and applied in the end', async () => {
    await post(shared());
    assert.equal((await scene.agent.status()).appState, 'applying');
    const status = await applied();
    const [one, two, ...others] = await scene.containers(appId);
    assert.deepEqual(others, []);
    assert.equal(one?.name, 'one_1_1_localcommit');
    assert.equal(two?.name, 'two_2_1_localcommit');
    assert.deepEqual([one.state, two.state], ['running', 'running']);
    assert.equal(two.networkMode, `container:${one.id}`);
    assert.deepEqual(Object.keys(one.networks), [`${appId}_default`]);
    const reported = Object.fromEntries(status.containers.map((seen) => [seen.serviceName, seen.containerId]));
    assert.deepEqual(reported, { one: one.id, two: two.id });
    const ids = await scene.agent.get<{ services: object }>('/v2/containerId');
    assert.deepEqual(ids.services, reported);
  });

  it('changes nothing when the same is posted again', async () => {
    const record = await scene.record(appId);
    const old = await scene.containers(appId);
    for (let times = 0; times < 3; times += 1) {
      await post(shared());
      await applied();
    }
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));
    record.stop();
    assert.deepEqual(record.seen, []);
  });

  it('gives back what can be posted', async () => {
    const old = await scene.containers(appId);
    const { state } = await scene.agent.get<{ state: { local: { apps: Record<string, object> } } }>(
      '/v2/local/target-state',
    );
    assert.deepEqual(Object.keys(state.local.apps), [String(appId)]);
    const services = Object.values((state.local.apps[appId] as { services: Record<string, TargetService> }).services);
    assert.deepEqual(services.map(({ serviceName }) => serviceName).sort(), ['one', 'two']);
    await post(state);
    await applied();
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));
    assert.deepEqual((await scene.agent.get<{ state: object }>('/v2/local/target-state')).state, state);
  });

  it('keeps the container of a service when only the name of the release is new', async () => {
    const old = await scene.containers(appId);
    await post(target({ network_mode: 'service:one' }, 'nextcommit'));
    await applied();
    const now = await scene.containers(appId);
    assert.deepEqual(
      now.map(({ id, startedAt }) => ({ id, startedAt })),
      old.map(({ id, startedAt }) => ({ id, startedAt })),
    );
    assert.deepEqual(
      now.map(({ name }) => name),
      ['one_1_1_nextcommit', 'two_2_1_nextcommit'],
    );
    assert.deepEqual(await scene.lockFiles(appId), []);
  });

  it('replaces the changed service, and the one that shares its network with it', async () => {
    const old = await scene.containers(appId);
    await post(target({ network_mode: 'service:one' }, 'nextcommit', { environment: { A: 'new' } }));
    await applied();
    const [one, two, ...others] = await scene.untilRunning(appId, ['one', 'two']);
    assert.deepEqual(others, []);
    assert.ok(one?.env.includes('A=new'));
    assert.notEqual(one?.id, old[0]?.id);
    assert.equal(two?.networkMode, `container:${one?.id}`);
  });

  it('takes the document of the public page to the letter: container:one is left out with a warning', async () => {
    await post(target({ network_mode: 'container:one' }));
    await applied();
    const [one, two, ...others] = await scene.untilRunning(appId, ['one', 'two']);
    assert.deepEqual(others, []);
    assert.deepEqual(Object.keys(one?.networks ?? {}), [`${appId}_default`]);
    assert.deepEqual(Object.keys(two?.networks ?? {}), [`${appId}_default`]);
    assert.ok(
      scene.agent.lines.some(({ msg }) => msg.includes('"container:one" is ignored')),
      scene.agent.tail(),
    );
  });

  it('empties the device only when the apps are said to be none', async () => {
    const old = await scene.containers(appId);
    await post({ local: { name: 'Home', config: {} } });
    await applied();
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));
    await post({ local: { name: 'Home', config: {}, apps: {} } });
    await scene.untilGone(`app-${appId}`);
    assert.deepEqual(await scene.containers(appId), []);
    assert.deepEqual(await scene.networks(appId), []);
  });

  it('passes on a volume that binds a path of the host, as the Supervisor does; a document needs permission for it', async () => {
    const d = { driver_opts: { type: 'none', o: 'bind', device: '/etc' } };
    const body = target({}, 'boundcommit', { volumes: ['d:/h'] });
    const app = body.local.apps[appId] ?? assert.fail();
    await post({ ...body, local: { ...body.local, apps: { [appId]: { ...app, volumes: { d } } } } });
    await applied();
    const [one] = await scene.containers(appId);
    const { output } = await scene.exec(one?.id ?? '', ['cat', '/h/hostname']);
    assert.equal(output.trim(), (await readFile('/etc/hostname', 'utf8')).trim());

    const refused = await scene.agent.ask(`/apis/supercargo.io/v1/apps/${scene.prefix}-bound`, {
      method: 'PUT',
      body: { spec: { volumes: { d } } },
    });
    assert.equal(refused.status, 422);
    assert.match(
      refused.text,
      /spec\.volumes\.d\.driver_opts\.device.*mounts \/etc of the host only with spec\.allowHostBinds: true/,
    );
  });
});

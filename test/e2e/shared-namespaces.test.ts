import assert from 'node:assert/strict';
import { readlink } from 'node:fs/promises';
import type { AppService } from '../../crds/model/types.js';
import { type Container, Scene } from '../setup/scene.js';

/** Twenty containers start at once. */
const PATIENCE = { withinMs: 180_000 };

/** An app of the service `vpn` and of others that live in its namespaces. */
interface Shared {
  readonly name: string;
  readonly appId: number;
}

/** Services that live in namespaces of `vpn`, which is started again in every way there is. */
describe('namespaces that services share', function () {
  this.timeout(400_000);
  let scene: Scene;

  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.close());

  const share = (what: string): Shared => ({ name: `${scene.prefix}-${what}`, appId: scene.appId() });
  const declare = async (
    { name, appId }: Shared,
    guests: Readonly<Record<string, Partial<AppService>>>,
    vpn: Partial<AppService> = {},
  ) => {
    const command = ['sh', '-c', "trap 'exit 1' TERM USR1; sleep 1000000 & wait"];
    await scene.put(name, {
      appId,
      services: {
        vpn: scene.service({ command, ipc: 'shareable', stop_signal: 'SIGTERM', stop_grace_period: '2s', ...vpn }),
        ...Object.fromEntries(Object.entries(guests).map(([guest, fields]) => [guest, scene.service(fields)])),
      },
    });
    await scene.untilReady(name, PATIENCE);
  };
  const container = async ({ appId }: Shared, service: string): Promise<Container> => {
    const found = (await scene.containers(appId)).find((one) => one.service === service);
    return found ?? assert.fail(`no container of ${service}`);
  };
  const request = async (app: Shared, path: string, query: Record<string, string> = {}): Promise<void> => {
    const { id } = await container(app, 'vpn');
    await scene.docker.request({ method: 'POST', path: `/containers/${id}/${path}`, query });
  };
  const command = async ({ appId }: Shared, path: string): Promise<void> => {
    const { status, text } = await scene.agent.post(`/v2/applications/${appId}/${path}`, { serviceName: 'vpn' });
    assert.equal(status, 200, text);
  };
  /**
   * What a namespace is, by the kernel, of the process that a container began with; of one that is gone there is nothing
   * to ask. Read on this machine, as the engine is on it: a process in the container for every look would be most of the work.
   */
  const namespaceOf = async (app: Shared, service: string, file: string): Promise<string> => {
    const { id } = await container(app, service);
    return readlink(`/proc/${await scene.pid(id)}/ns/${file}`).catch(() => `none of ${service}`);
  };

  const GUESTS = {
    net: { field: 'network_mode', file: 'net' },
    pid: { field: 'pid', file: 'pid' },
    ipc: { field: 'ipc', file: 'ipc' },
  } as const;
  const guests = Object.fromEntries(
    Object.entries(GUESTS).map(([guest, { field }]) => [guest, { [field]: 'service:vpn' }]),
  );

  const WAYS: Readonly<Record<string, (app: Shared) => Promise<unknown>>> = {
    'it crashes': (app) => request(app, 'kill', { signal: 'SIGUSR1' }),
    'somebody kills it': (app) => request(app, 'kill'),
    'somebody restarts it': (app) => request(app, 'restart'),
    'somebody stops it': (app) => request(app, 'stop'),
    'it is stopped and started by the API': async (app) => {
      await command(app, 'stop-service');
      await command(app, 'start-service');
    },
  };

  /** What has crashed is well after a few seconds if it says itself that it is, otherwise after a minute. */
  const HEALTHY = { healthcheck: { test: ['CMD', 'true'], interval: '2s' } };

  const joinsAgain = async (app: Shared, act: (app: Shared) => Promise<unknown>): Promise<void> => {
    await declare(app, guests, HEALTHY);
    for (const [guest, { file }] of Object.entries(GUESTS)) {
      assert.equal(await namespaceOf(app, guest, file), await namespaceOf(app, 'vpn', file), guest);
    }
    const before = await container(app, 'vpn');
    const ids = (await scene.containers(app.appId)).map(({ id }) => id);
    await act(app);
    await scene.until(
      'vpn runs again',
      () => container(app, 'vpn'),
      ({ state, startedAt }) => state === 'running' && startedAt > before.startedAt,
    );
    for (const [guest, { file }] of Object.entries(GUESTS)) {
      await scene.until(
        `${guest} is in the ${file} namespace of vpn`,
        async () => [await namespaceOf(app, guest, file).catch(() => ''), await namespaceOf(app, 'vpn', file)],
        ([its, vpns]) => its === vpns,
        PATIENCE,
      );
    }
    await scene.untilReady(app.name, PATIENCE);
    assert.deepEqual(
      (await scene.containers(app.appId)).map(({ id }) => id),
      ids,
    );
    // Its healthcheck is a process a second, which the others would wait for.
    await scene.delete(app.name);
  };

  describe('are joined again when', () => {
    /** All ways at once, each on an app of its own: most of the time is waiting. */
    const runs: Record<string, Promise<void>> = {};
    before(() => {
      for (const [index, [way, act]] of Object.entries(WAYS).entries()) {
        runs[way] = joinsAgain(share(`way${index}`), act);
        runs[way].catch(() => undefined); // reported by its test
      }
    });
    for (const way of Object.keys(WAYS)) it(way, () => runs[way]);
  });

  it('cost one grace period when their container is replaced, not two', async () => {
    const app = share('slow');
    const slow = { command: ['sleep', '100000'], stop_signal: 'SIGTERM', stop_grace_period: '4s' };
    const user = { ...slow, network_mode: 'service:vpn' };
    await declare(app, { user }, slow);
    const stops: number[] = [];
    const watch = new AbortController();
    const watching = (async () => {
      for await (const { action, attributes, timeNano } of scene.docker.engine.events(
        undefined,
        () => undefined,
        watch.signal,
      )) {
        if (action === 'die' && attributes['io.balena.app-id'] === String(app.appId))
          stops.push(Number(timeNano) / 1e6);
      }
    })().catch(() => undefined);
    await declare(app, { user }, { ...slow, environment: { A: '1' } });
    await scene.untilRunning(app.appId, ['user', 'vpn']);
    watch.abort();
    await watching;
    assert.equal(stops.length, 2);
    assert.ok(Math.abs((stops[1] ?? 0) - (stops[0] ?? 0)) < 3_000, `${(stops[1] ?? 0) - (stops[0] ?? 0)} ms apart`);
    assert.equal(await namespaceOf(app, 'user', 'net'), await namespaceOf(app, 'vpn', 'net'));
  });
});

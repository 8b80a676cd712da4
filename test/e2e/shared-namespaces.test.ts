import assert from 'node:assert/strict';
import type { AppService } from '../../crds/model/types.js';
import { type Container, Scene } from '../setup/scene.js';

/** Services that live in namespaces of `vpn`, which is started again in every way there is. */
describe('namespaces that services share', () => {
  let scene: Scene;
  let name: string;
  let appId: number;

  before(async () => {
    scene = await Scene.open();
    name = `${scene.prefix}-shared`;
    appId = scene.appId();
  });
  after(() => scene?.close());

  const declare = async (guests: Readonly<Record<string, Partial<AppService>>>, vpn: Partial<AppService> = {}) => {
    const command = ['sh', '-c', "trap 'exit 1' TERM USR1; while :; do sleep 0.1; done"];
    await scene.put(name, {
      appId,
      services: {
        vpn: scene.service({ command, stop_signal: 'SIGTERM', stop_grace_period: '2s', ...vpn }),
        ...Object.fromEntries(Object.entries(guests).map(([guest, fields]) => [guest, scene.service(fields)])),
      },
    });
    await scene.untilReady(name);
  };
  const container = async (service: string): Promise<Container> => {
    const found = (await scene.containers(appId)).find((one) => one.service === service);
    return found ?? assert.fail(`no container of ${service}`);
  };
  const request = async (path: string, query: Record<string, string> = {}): Promise<void> => {
    await scene.docker.request({ method: 'POST', path: `/containers/${(await container('vpn')).id}/${path}`, query });
  };
  const command = async (path: string): Promise<void> => {
    const { status, text } = await scene.agent.post(`/v2/applications/${appId}/${path}`, { serviceName: 'vpn' });
    assert.equal(status, 200, text);
  };
  /** What a namespace is, by the kernel; of a process in a PID namespace that is gone there is nothing to ask. */
  const namespaceOf = async (service: string, file: string): Promise<string> => {
    const { code, output } = await scene.exec((await container(service)).id, ['readlink', `/proc/1/ns/${file}`]);
    return code === 0 ? output.trim() : `none of ${service}`;
  };

  const GUESTS = {
    net: { field: 'network_mode', file: 'net' },
    pid: { field: 'pid', file: 'pid' },
    ipc: { field: 'ipc', file: 'ipc' },
  } as const;

  const WAYS: Readonly<Record<string, () => Promise<unknown>>> = {
    'it crashes': () => request('kill', { signal: 'SIGUSR1' }),
    'somebody kills it': () => request('kill'),
    'somebody restarts it': () => request('restart'),
    'somebody stops it': () => request('stop'),
    'it is stopped and started by the API': async () => {
      await command('stop-service');
      await command('start-service');
    },
  };

  it('are declared as service:<name>', async () => {
    await declare(
      Object.fromEntries(Object.entries(GUESTS).map(([guest, { field }]) => [guest, { [field]: 'service:vpn' }])),
    );
    for (const [guest, { file }] of Object.entries(GUESTS)) {
      assert.equal(await namespaceOf(guest, file), await namespaceOf('vpn', file), guest);
    }
  });

  for (const [way, act] of Object.entries(WAYS)) {
    it(`are joined again when ${way}`, async () => {
      const before = await container('vpn');
      const ids = (await scene.containers(appId)).map(({ id }) => id);
      await act();
      await scene.until(
        'vpn runs again',
        () => container('vpn'),
        ({ state, startedAt }) => state === 'running' && startedAt > before.startedAt,
      );
      for (const [guest, { file }] of Object.entries(GUESTS)) {
        await scene.until(
          `${guest} is in the ${file} namespace of vpn`,
          async () => [await namespaceOf(guest, file).catch(() => ''), await namespaceOf('vpn', file)],
          ([its, vpns]) => its === vpns,
          { withinMs: 90_000 },
        );
      }
      await scene.untilReady(name, { withinMs: 90_000 });
      assert.deepEqual(
        (await scene.containers(appId)).map(({ id }) => id),
        ids,
      );
    });
  }

  it('cost one grace period when their container is replaced, not two', async () => {
    const slow = { command: ['sleep', '100000'], stop_signal: 'SIGTERM', stop_grace_period: '4s' };
    const user = { ...slow, network_mode: 'service:vpn' };
    await declare({ user }, slow);
    const stops: number[] = [];
    const watch = new AbortController();
    const watching = (async () => {
      for await (const { action, attributes, timeNano } of scene.docker.engine.events(
        undefined,
        () => undefined,
        watch.signal,
      )) {
        if (action === 'die' && attributes['io.balena.app-id'] === String(appId)) stops.push(Number(timeNano) / 1e6);
      }
    })().catch(() => undefined);
    await declare({ user }, { ...slow, environment: { A: '1' } });
    await scene.untilRunning(appId, ['user', 'vpn']);
    watch.abort();
    await watching;
    assert.equal(stops.length, 2);
    assert.ok(Math.abs((stops[1] ?? 0) - (stops[0] ?? 0)) < 3_000, `${(stops[1] ?? 0) - (stops[0] ?? 0)} ms apart`);
    assert.equal(await namespaceOf('user', 'net'), await namespaceOf('vpn', 'net'));
  });
});

import assert from 'node:assert/strict';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import type { Kind } from '../../crds/model/kinds.js';
import type { AppSpec } from '../../crds/model/types.js';
import { type Container, Scene, unchanged } from '../setup/scene.js';

interface Inspected {
  readonly Config: Readonly<Record<string, unknown>>;
  readonly HostConfig: {
    readonly Memory: number;
    readonly CpuShares: number;
    readonly RestartPolicy: { readonly Name: string };
  };
}

/** One agent, one app; what people do by hand on the device, one after the other. */
describe('drift', () => {
  let scene: Scene;
  let name: string;
  let appId: number;
  const signal = timeoutSignal(600_000);

  before(async () => {
    scene = await Scene.open();
    name = `${scene.prefix}-drift`;
    appId = scene.appId();
    const spec: AppSpec = {
      appId,
      release: { commit: scene.prefix, id: 1 },
      services: {
        web: scene.service({ networks: ['front'], volumes: ['data:/data'], mem_limit: '64m', imageId: 1 }),
        db: scene.service({ networks: { front: { aliases: ['database'] }, back: {} }, imageId: 2 }),
      },
      networks: { front: {}, back: {} },
      volumes: { data: {} },
    };
    await scene.put(name, spec);
    await scene.untilReady(name);
  });
  after(() => scene?.close());

  const post = (path: string, body: object = {}, query: Record<string, string> = {}): Promise<unknown> =>
    scene.docker.request({ method: 'POST', path, body, query });
  const inspect = async (id: string): Promise<Inspected> =>
    (await scene.docker.request({ path: `/containers/${id}/json` })) as Inspected;
  const container = async (service: string): Promise<Container> => {
    const found = (await scene.containers(appId)).find((one) => one.service === service);
    return found ?? assert.fail(`no container of ${service}`);
  };
  /** Waits until the document tells of it. */
  const untilTold = async (kind: Kind, child: string, message: RegExp): Promise<void> => {
    const path = `/apis/supercargo.io/v1/${kind.toLowerCase()}s/${name}.${child}/events`;
    await scene.until(
      `${kind} ${child} tells ${message}`,
      async () => (await scene.agent.ask(path)).text,
      (text) => message.test(text),
    );
  };
  const untilBack = async (holds: (containers: readonly Container[]) => boolean): Promise<readonly Container[]> => {
    const seen = await scene.until(
      'both run as they should',
      () => scene.containers(appId),
      (all) => all.length === 2 && all.every(({ state }) => state === 'running') && holds(all),
    );
    await scene.untilReady(name);
    return seen;
  };

  it('makes a removed container again', async () => {
    const { id } = await container('web');
    await scene.docker.engine.removeContainer(id, signal);
    const [, web] = await untilBack((all) => all.every((one) => one.id !== id));
    assert.equal(web?.name, `web_1_1_${scene.prefix}`);
    await untilTold('Service', 'web', /Created container web_1_1_\S+: there was none/);
  });

  for (const verb of ['stop', 'kill'] as const) {
    it(`starts a container again after docker ${verb}`, async () => {
      const { id, startedAt } = await container('web');
      await post(`/containers/${id}/${verb}`);
      await untilBack((all) => all.some((one) => one.id === id && one.startedAt !== startedAt));
      await untilTold('Service', 'web', /Started service web: it had been stopped/);
    });
  }

  it('ends a pause', async () => {
    const old = await scene.containers(appId);
    await post(`/containers/${old[1]?.id}/pause`);
    await untilTold('Service', 'web', /Unpaused container web_1_1_\S+: it was paused/);
    assert.deepEqual(unchanged(await untilBack(() => true)), unchanged(old));
  });

  it('gives a container its name back', async () => {
    const old = await scene.containers(appId);
    await post(`/containers/${old[1]?.id}/rename`, {}, { name: `${scene.prefix}-mine` });
    await untilTold('Service', 'web', /Renamed container \S+-mine to web_1_1_\S+: name changed/);
    assert.deepEqual(unchanged(await untilBack(() => true)), unchanged(old));
  });

  it('removes a copy, and leaves the container that it was made from', async () => {
    const old = await scene.containers(appId);
    const { Config } = await inspect(old[1]?.id ?? '');
    const query = { name: `${scene.prefix}-copy` };
    const { Id } = (await post('/containers/create', { ...Config, Hostname: '' }, query)) as { Id: string };
    await post(`/containers/${Id}/start`).catch(() => undefined); // it may have gone already
    await untilTold('Service', 'web', /Removed container \S+-copy: younger duplicate of web_1_1_/);
    assert.deepEqual(unchanged(await untilBack(() => true)), unchanged(old));
  });

  it('connects a container again that was taken from its networks', async () => {
    const old = await scene.containers(appId);
    for (const network of ['front', 'back']) {
      await post(`/networks/${appId}_${network}/disconnect`, { Container: old[0]?.id, Force: true });
    }
    await untilBack((all) => Object.keys(all[0]?.networks ?? {}).length === 2);
    await untilTold('Service', 'db', /Connected db_2_1_\S+ to \d+_front: not connected/);
    const found = await scene.exec(old[1]?.id ?? '', ['nslookup', 'database']);
    assert.match(found.output, /Address/i, 'under its alias again');
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));
  });

  it('gives edited limits and the restart policy back without a restart', async () => {
    const old = await scene.containers(appId);
    const id = old[1]?.id ?? '';
    await post(`/containers/${id}/update`, { Memory: 32 << 20, RestartPolicy: { Name: 'no' } });
    await untilTold('Service', 'web', /it was edited: mem_limit is 33554432, not 67108864, restart is no, not always/);
    const { HostConfig } = await inspect(id);
    assert.deepEqual([HostConfig.Memory, HostConfig.RestartPolicy.Name], [64 << 20, 'always']);
    assert.deepEqual(unchanged(await untilBack(() => true)), unchanged(old));
  });

  it('replaces a container with a limit that Docker cannot take away', async () => {
    const { id } = await container('db');
    await post(`/containers/${id}/update`, { CpuShares: 2 });
    const [db] = await untilBack((all) => all.every((one) => one.id !== id));
    assert.equal((await inspect(db?.id ?? '')).HostConfig.CpuShares, 0);
    await untilTold('Service', 'db', /Removed container db_2_1_\S+: was edited: cpu_shares is 2, not set/);
  });

  it('makes a network again that was removed from under its containers', async () => {
    const old = await scene.containers(appId);
    const before = (await scene.networks(appId)).find((one) => one.name === `${appId}_front`);
    for (const { id } of old) await post(`/networks/${before?.id}/disconnect`, { Container: id, Force: true });
    await scene.docker.engine.removeNetwork(before?.id ?? '', signal); // may be in use again already
    const now = await untilBack((all) => all.every((one) => ![undefined, ''].includes(one.networks[`${appId}_front`])));
    assert.deepEqual(unchanged(now), unchanged(old));
  });

  it('makes a volume again that was removed with its container', async () => {
    const { id } = await container('web');
    await scene.docker.engine.removeContainer(id, signal);
    // The agent may have mounted it again already.
    const gone = await scene.docker.engine.removeVolume(`${appId}_data`, signal);
    await untilBack((all) => all.every((one) => one.id !== id));
    assert.deepEqual(await scene.volumes(appId), [`${appId}_data`]);
    if (gone === 'removed') await untilTold('Volume', 'data', /Created volume \d+_data: there was none/);
  });

  it('reports containers with our labels that no document knows, and leaves them alone', async () => {
    const ids: string[] = [];
    const lost = { 'io.balena.app-id': String(scene.appId()), 'io.balena.service-name': 'lost' };
    for (const [suffix, labels] of Object.entries({ lost, odd: {} })) {
      const body = {
        Image: scene.image,
        Cmd: ['sleep', '1000000'],
        StopSignal: 'SIGKILL',
        Labels: { 'io.balena.supervised': 'true', ...labels },
      };
      const made = (await post('/containers/create', body, { name: `${scene.prefix}-${suffix}` })) as { Id: string };
      scene.onClose(() => scene.docker.engine.removeContainer(made.Id, timeoutSignal(30_000)));
      await post(`/containers/${made.Id}/start`);
      ids.push(made.Id);
    }
    const problems = async (): Promise<string> => (await scene.agent.ask('/apis/supercargo.io/v1/problems')).text;
    const lostOne = new RegExp(`${scene.prefix}-lost .* belongs to service lost .* which no document declares`);
    const oddOne = new RegExp(`${scene.prefix}-odd .* does not say whose it is`);
    await scene.until('both are reported', problems, (text) => lostOne.test(text) && oddOne.test(text));
    await scene.untilReady(name);
    for (const id of ids) assert.equal((await scene.container(id))?.state, 'running');
    await scene.docker.engine.removeContainer(ids[0] ?? '', signal);
    await scene.until('the one that was removed is not', problems, (text) => !lostOne.test(text) && oddOne.test(text));
  });

  it('leaves what runs alone while its image has no name, and says so', async () => {
    const old = await scene.containers(appId);
    const id = old[0]?.image ?? '';
    await scene.docker.request({ method: 'DELETE', path: `/images/${scene.image}`, query: { force: '1' } });
    await scene.until(
      'the app is not Ready',
      () => scene.agent.document('App', name),
      (app) => app?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'False') === true,
    );
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));
    await scene.docker.tag(id, scene.image);
    assert.deepEqual(unchanged(await untilBack(() => true)), unchanged(old));
  });
});

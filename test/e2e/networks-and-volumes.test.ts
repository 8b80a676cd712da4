import assert from 'node:assert/strict';
import type { AppSpec } from '../../crds/model/types.js';
import { Scene, unchanged } from '../setup/scene.js';

describe('networks and volumes', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.close());

  it('recreates a changed network: its containers step aside and come back on the new one', async () => {
    const name = `${scene.prefix}-net`;
    const appId = scene.appId();
    const spec = (mtu: string): AppSpec => ({
      appId,
      services: {
        a: scene.service({ networks: ['back'] }),
        b: scene.service({ networks: ['back', 'default'] }),
        apart: scene.service({ networks: ['default'] }),
      },
      networks: { back: { driver_opts: { 'com.docker.network.driver.mtu': mtu } } },
    });
    await scene.put(name, spec('1400'));
    await scene.untilReady(name);
    const old = await scene.untilRunning(appId, ['a', 'apart', 'b']);
    const before = await scene.networks(appId);

    await scene.put(name, spec('1300'));
    await scene.untilReady(name);
    const now = await scene.untilRunning(appId, ['a', 'apart', 'b']);
    const after = await scene.networks(appId);
    const idOf = (list: typeof before, network: string) => list.find((one) => one.name === `${appId}_${network}`)?.id;
    assert.equal(after.length, 2);
    assert.notEqual(idOf(after, 'back'), idOf(before, 'back'));
    assert.equal(idOf(after, 'default'), idOf(before, 'default'));
    assert.equal(now[0]?.networks[`${appId}_back`], idOf(after, 'back'));
    assert.equal(now[2]?.networks[`${appId}_back`], idOf(after, 'back'));
    assert.equal(now[1]?.id, old[1]?.id, 'a container that is not on the network stays');
  });

  it('waits for an external network and volume, and shares those of another App', async () => {
    const [host, guest] = [`${scene.prefix}-host`, `${scene.prefix}-guest`];
    const [hostId, guestId] = [scene.appId(), scene.appId()];
    const shared = `${scene.prefix}-shared`;
    const serve = { command: ['httpd', '-f', '-p', '80', '-h', '/data'], volumes: ['data:/data'] };
    await scene.put(guest, {
      appId: guestId,
      services: { client: scene.service({ volumes: ['data:/data'] }) },
      networks: { default: { name: shared, external: true } },
      volumes: { data: { name: shared, external: true } },
    });
    const missing = new RegExp(`Network ${shared} is not there; it is declared external`);
    await scene.untilReason('App', guest, 'ChildrenNotReady', missing);

    await scene.put(host, {
      appId: hostId,
      services: { server: scene.service(serve) },
      networks: { default: { name: shared } },
      volumes: { data: { name: shared } },
      volumeReclaim: 'Delete',
    });
    await scene.untilReady(host);
    await scene.untilReady(guest);
    const [client] = await scene.untilRunning(guestId, ['client']);
    assert.deepEqual(Object.keys(client?.networks ?? {}), [shared]);
    await scene.until(
      'the client sees the server and its data',
      () => scene.exec(client?.id ?? '', ['sh', '-c', 'echo shared > /data/a && wget -q -O - http://server/a']),
      ({ code, output }) => code === 0 && output.includes('shared'),
    );

    await scene.delete(host);
    await scene.untilReason('App', host, 'ChildrenNotReady', /StillAttached/);
    const [still] = await scene.untilRunning(guestId, ['client']);
    assert.equal(still?.id, client?.id);
    await scene.delete(guest);
    await scene.untilGone(host);
    await scene.untilGone(guest);
  });

  it('reaches a sibling by its name', async () => {
    const name = `${scene.prefix}-dns`;
    const appId = scene.appId();
    await scene.put(name, {
      appId,
      services: {
        server: scene.service({ command: ['httpd', '-f', '-p', '80', '-h', '/etc'] }),
        client: scene.service({ depends_on: ['server'] }),
      },
    });
    await scene.untilReady(name);
    const [client] = await scene.untilRunning(appId, ['client', 'server']);
    const { output } = await scene.until(
      'the sibling answers',
      () => scene.exec(client?.id ?? '', ['wget', '-q', '-O', '-', 'http://server/passwd']),
      ({ code }) => code === 0,
    );
    assert.match(output, /^root:/);
  });

  it('refuses to change a volume, says so, and leaves the app as it runs', async () => {
    const name = `${scene.prefix}-vol`;
    const appId = scene.appId();
    const spec = (size: string | undefined): AppSpec => ({
      appId,
      services: { main: scene.service({ volumes: ['data:/data'] }) },
      volumes: { data: size === undefined ? {} : { driver_opts: { type: 'tmpfs', device: 'tmpfs', o: size } } },
    });
    await scene.put(name, spec(undefined));
    await scene.untilReady(name);
    const old = await scene.untilRunning(appId, ['main']);
    await scene.exec(old[0]?.id ?? '', ['sh', '-c', 'echo precious > /data/file']);

    await scene.put(name, spec('size=1m'));
    const message = await scene.untilReason('Volume', `${name}.data`, 'DataLossRefused');
    assert.match(message, new RegExp(`${appId}_data`));
    await scene.untilReason('App', name, 'ChildrenNotReady', /DataLossRefused/);
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));
    const { output } = await scene.exec(old[0]?.id ?? '', ['cat', '/data/file']);
    assert.equal(output.trim(), 'precious');

    await scene.put(name, spec(undefined));
    await scene.untilReady(name);
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));
  });

  it('names what keeps a network or a volume from being made, and is fine once the document is', async () => {
    const [name, other] = [`${scene.prefix}-bad`, `${scene.prefix}-other`];
    const [appId, otherId] = [scene.appId(), scene.appId()];
    const pool = (config: { subnet: string; gateway?: string }) => ({ ipam: { config: [config] } });
    const services = { main: scene.service({ networks: ['default'] }) };
    await scene.put(other, { appId: otherId, services, networks: { lab: pool({ subnet: '10.231.7.0/24' }) } });
    await scene.untilReady(other);
    const old = await scene.containers(otherId);

    const lab = pool({ subnet: '10.231.8.0/24', gateway: '10.231.9.1' });
    await scene.put(name, {
      appId,
      services,
      networks: { lab, overlapping: pool({ subnet: '10.231.0.0/16' }), odd: { driver: 'nodriver' } },
      volumes: { odd: { driver: 'nodriver' } },
    });
    await scene.untilReason('Network', `${name}.overlapping`, 'PoolOverlaps', /10\.231\.0\.0\/16/);
    await scene.untilReason('Network', `${name}.odd`, 'DriverMissing', /nodriver/);
    await scene.untilReason('Network', `${name}.lab`, 'InvalidSpec', /10\.231\.9\.1|gateway/);
    await scene.untilReason('Volume', `${name}.odd`, 'DriverMissing', /nodriver/);
    await scene.untilRunning(appId, ['main']);
    assert.deepEqual(unchanged(await scene.containers(otherId)), unchanged(old));

    await scene.put(name, { appId, services, networks: { lab: pool({ subnet: '10.231.8.0/24' }) } });
    await scene.untilReady(name);
  });

  it('keeps the data of an app that is deleted, unless the app says Delete', async () => {
    const name = `${scene.prefix}-reclaim`;
    const appId = scene.appId();
    const spec: AppSpec = {
      appId,
      services: { main: scene.service({ volumes: ['data:/data'] }) },
      volumes: { data: null },
    };
    await scene.put(name, spec);
    await scene.untilReady(name);
    await scene.delete(name);
    await scene.untilGone(name);
    assert.deepEqual(await scene.volumes(appId), [`${appId}_data`]);

    await scene.put(name, { ...spec, volumeReclaim: 'Delete' });
    await scene.untilReady(name);
    await scene.delete(name);
    await scene.untilGone(name);
    assert.deepEqual(await scene.volumes(appId), []);
  });
});

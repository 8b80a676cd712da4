import assert from 'node:assert/strict';
import { type EngineFixture, refused } from './engine-fixture.js';

export function describeNetworks(fixture: EngineFixture): void {
  const { create, inspect, network, signal, start } = fixture;

  describe('networks', () => {
    it('creates a name once, finds it by name and id, and removes it', async () => {
      const { name, id } = await network();
      assert.deepEqual(await fixture.engine.createNetwork(name, { Labels: {} }, signal), { is: 'exists' });
      const seen = await fixture.engine.inspectNetwork(name, signal);
      assert.equal(seen?.id, id);
      assert.equal(seen.specHash, 'n1');
      assert.match(seen.gateway ?? '', /^\d+\.\d+\.\d+\.\d+$/);
      assert.deepEqual(await fixture.engine.inspectNetwork(id, signal), seen);
      assert.deepEqual(
        (await fixture.engine.listNetworks(signal)).find((one) => one.id === id),
        seen,
      );
      assert.equal(await fixture.engine.removeNetwork(id, signal), 'removed');
      assert.equal(await fixture.engine.removeNetwork(id, signal), 'absent');
      assert.equal(await fixture.engine.inspectNetwork(name, signal), undefined);
      assert.notEqual((await network(name)).id, id);
    });

    it('takes subnet and gateway as given, and refuses a subnet that is taken', async () => {
      const octet = 100 + (fixture.names.port() % 100);
      const ipam = (gateway: string) => ({ Config: [{ Subnet: `10.213.${octet}.0/24`, Gateway: gateway }] });
      const name = fixture.names.network();
      await fixture.engine.createNetwork(name, { IPAM: ipam(`10.213.${octet}.9`), Labels: {} }, signal);
      assert.equal((await fixture.engine.inspectNetwork(name, signal))?.gateway, `10.213.${octet}.9`);
      await assert.rejects(
        fixture.engine.createNetwork(fixture.names.network(), { IPAM: ipam(`10.213.${octet}.8`), Labels: {} }, signal),
        refused(403, /Pool overlaps/),
      );
    });

    it('keeps a network that a running container is on, not for a stopped one', async () => {
      const { name, id } = await network();
      const container = await start({ HostConfig: { NetworkMode: name } });
      assert.deepEqual((await inspect(container)).networks, { [name]: { id, aliases: [] } });
      assert.equal(await fixture.engine.removeNetwork(id, signal), 'in-use');
      await fixture.engine.stopContainer(container, signal);
      assert.deepEqual((await inspect(container)).networks, { [name]: { id, aliases: [] } });
      assert.equal(await fixture.engine.removeNetwork(id, signal), 'removed');
    });

    it('does not start a container whose network has been made again', async () => {
      const { name, id } = await network();
      const container = await start({ HostConfig: { NetworkMode: name } });
      await fixture.engine.stopContainer(container, signal);
      await fixture.engine.removeNetwork(id, signal);
      await network(name);
      await assert.rejects(
        fixture.engine.startContainer(container, signal),
        refused(404, new RegExp(`network ${id} not found`)),
      );
      const seen = await inspect(container);
      assert.equal(seen.state, 'exited');
      assert.match(seen.error, /not found/);
      assert.deepEqual(seen.networks, { [name]: { id, aliases: [] } });
    });

    it('does not start a container on a network that never was', async () => {
      const id = await create({ HostConfig: { NetworkMode: fixture.names.network() } });
      await assert.rejects(fixture.engine.startContainer(id, signal), refused(404, /network .* not found/));
    });

    it('creates a container on several networks', async () => {
      const [one, two] = [await network(), await network()];
      const id = await create({
        HostConfig: { NetworkMode: two.name },
        NetworkingConfig: { EndpointsConfig: { [one.name]: { Aliases: ['a'] }, [two.name]: { Aliases: ['b'] } } },
      });
      assert.deepEqual(Object.keys((await inspect(id)).networks).sort(), [one.name, two.name].sort());
      await fixture.engine.startContainer(id, signal);
      assert.deepEqual((await inspect(id)).networks, {
        [one.name]: { id: one.id, aliases: ['a'] },
        [two.name]: { id: two.id, aliases: ['b'] },
      });
    });

    it('connects and disconnects, and says when that was done before', async () => {
      const { name, id } = await network();
      const container = await start();
      const endpoint = { IPAMConfig: {}, Aliases: ['web'] };
      assert.equal(await fixture.engine.connectNetwork(id, container, endpoint, signal), 'connected');
      assert.equal(await fixture.engine.connectNetwork(name, container, endpoint, signal), 'already');
      assert.deepEqual((await inspect(container)).networks[name], { id, aliases: ['web'] });
      assert.equal(await fixture.engine.removeNetwork(id, signal), 'in-use');
      assert.equal(await fixture.engine.disconnectNetwork(id, container, signal), 'disconnected');
      assert.equal(await fixture.engine.disconnectNetwork(id, container, signal), 'absent');
      assert.equal((await inspect(container)).networks[name], undefined);
      assert.equal(await fixture.engine.connectNetwork(fixture.names.network(), container, endpoint, signal), 'absent');
      assert.equal(await fixture.engine.connectNetwork(id, fixture.names.container(), endpoint, signal), 'absent');
      assert.equal(await fixture.engine.disconnectNetwork(fixture.names.network(), container, signal), 'absent');
      assert.equal(await fixture.engine.disconnectNetwork(id, fixture.names.container(), signal), 'absent');
    });

    it('disconnects a container that does not run', async () => {
      const { name, id } = await network();
      const container = await create({ HostConfig: { NetworkMode: name } });
      assert.equal(await fixture.engine.disconnectNetwork(id, container, signal), 'disconnected');
      assert.equal(await fixture.engine.disconnectNetwork(id, container, signal), 'absent');
    });

    it('throws when a container that uses the host network shall join another one', async () => {
      const { id } = await network();
      const container = await start({ HostConfig: { NetworkMode: 'host' } });
      assert.deepEqual(Object.keys((await inspect(container)).networks), ['host']);
      await assert.rejects(
        fixture.engine.connectNetwork(id, container, { IPAMConfig: {}, Aliases: [] }, signal),
        refused(400, /sharing network namespace/),
      );
    });
  });
}

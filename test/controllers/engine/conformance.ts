import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  type ContainerOptions,
  type Engine,
  EngineError,
  type EngineEvent,
  type SeenContainer,
} from '../../../controllers/engine/engine.js';
import { APP_ID, SERVICE_NAME, SPEC_HASH, SUPERVISED } from '../../../controllers/engine/labels.js';
import { tarOf } from '../../../controllers/engine/local/tar.js';
import { savedImages } from '../../setup/image-archives.js';

/** An engine and what a person at the device can do to it. */
export interface EngineUnderTest {
  readonly engine: Engine;
  /** A local image with `sh` and `sleep`, and no `VOLUME`. */
  readonly image: string;
  /** A tag of a registry that the engine can reach; not local. */
  pullable(): Promise<string>;
  /** `docker tag` */
  tag(image: string, as: string): Promise<void>;
  /** `docker kill` */
  kill(container: string): Promise<void>;
  /** The container's command fails with 3, again and again; resolves when its restart policy has given up. */
  gaveUp(container: string): Promise<void>;
  /** `docker pause` */
  pause(container: string): Promise<void>;
  /** The container has `echo one; echo two >&2` behind it. */
  printed(container: string): Promise<void>;
  close(): Promise<void>;
}

/** Everything the rest of the code relies on, as tests that the real engine and the one in memory both pass. */
export function describeEngine(title: string, make: () => Promise<EngineUnderTest>): void {
  describe(title, () => {
    const { signal } = new AbortController();
    let under: EngineUnderTest;
    let engine: Engine;
    let names: Names;

    before(async () => {
      under = await make();
      engine = under.engine;
    });
    beforeEach(() => {
      names = new Names();
    });
    afterEach(() => names.removeAll(engine, signal));
    after(() => under?.close());

    const options = (more: Partial<ContainerOptions> = {}): ContainerOptions => ({
      Image: under.image,
      Cmd: ['sleep', '1000'],
      StopTimeout: 0,
      ...more,
      Labels: { [SUPERVISED]: '1', ...more.Labels },
    });
    const create = async (more: Partial<ContainerOptions> = {}, name = names.container()): Promise<string> => {
      const created = await engine.createContainer(name, options(more), signal);
      assert.equal(created.is, 'created');
      return created.is === 'created' ? created.id : '';
    };
    const start = async (more: Partial<ContainerOptions> = {}): Promise<string> => {
      const id = await create(more);
      assert.equal(await engine.startContainer(id, signal), 'started');
      return id;
    };
    const network = async (name = names.network()): Promise<{ name: string; id: string }> => {
      const created = await engine.createNetwork(name, { Labels: { [SPEC_HASH]: 'n1' } }, signal);
      assert.equal(created.is, 'created');
      return { name, id: created.is === 'created' ? created.id : '' };
    };
    const inspect = async (id: string): Promise<SeenContainer> => {
      const seen = await engine.inspectContainer(id, signal);
      assert.ok(seen, `container ${id} exists`);
      return seen;
    };

    it('says which engine it is', async () => {
      const { version, apiVersion, rootDir, logDriver, machine } = await engine.info(signal);
      assert.match(version, /^\d+\.\d+/);
      assert.match(apiVersion, /^1\.\d+$/);
      assert.match(rootDir, /^\//);
      assert.match(logDriver, /^[a-z-]+$/);
      assert.match(machine, /^\w+$/);
    });

    it('rejects with the reason of a signal that has fired', async () => {
      const reason = new Error('not wanted any more');
      await assert.rejects(engine.listContainers(AbortSignal.abort(reason)), reason);
    });

    describe('containers', () => {
      it('shows a created container as it is', async () => {
        const name = names.container();
        const labels = { [APP_ID]: '7', [SERVICE_NAME]: 'web', [SPEC_HASH]: 'abc' };
        const id = await create({ Labels: labels, Env: ['A=b=c', 'EMPTY='] }, name);
        const { createdAt, image, env, updatable: _, ...seen } = await inspect(id);
        assert.deepEqual([env?.A, env?.EMPTY], ['b=c', '']);
        assert.match(id, /^[0-9a-f]{64}$/);
        assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        assert.equal(image, (await engine.inspectImage(under.image, signal))?.id);
        assert.deepEqual(seen, {
          id,
          name,
          appId: 7,
          serviceName: 'web',
          specHash: 'abc',
          labels: { [SUPERVISED]: '1', [APP_ID]: '7', [SERVICE_NAME]: 'web', [SPEC_HASH]: 'abc' },
          state: 'created',
          health: undefined,
          exitCode: 0,
          restartCount: 0,
          error: '',
          startedAt: undefined,
          finishedAt: undefined,
          networkMode: 'default',
          networks: { bridge: { id: '', aliases: [] } },
          volumes: [],
          stopGraceMs: 0,
        });
      });

      it('finds containers by id and by name, and nothing where nothing is', async () => {
        const name = names.container();
        const id = await create({}, name);
        assert.equal((await inspect(name)).id, id);
        assert.equal((await inspect(id)).name, name);
        assert.equal(await engine.inspectContainer(names.container(), signal), undefined);
      });

      it('lists supervised containers only', async () => {
        const id = await create();
        const other = names.container();
        await engine.createContainer(other, { ...options(), Labels: {} }, signal);
        const listed = await engine.listContainers(signal);
        assert.ok(listed.some((one) => one.id === id));
        assert.ok(listed.every((one) => one.name !== other));
      });

      it('hands back what is known and unchanged, and looks again at what has changed', async () => {
        const [still, stopped, renamed] = await Promise.all([start(), start(), start()]);
        const known = new Map((await engine.listContainers(signal)).map((one) => [one.id, one]));
        const name = names.container();
        await engine.stopContainer(stopped, signal);
        await engine.renameContainer(renamed, name, signal);
        const listed = new Map(
          (await engine.listContainers(signal, (id) => known.get(id))).map((one) => [one.id, one]),
        );
        assert.equal(listed.get(still), known.get(still));
        assert.equal(listed.get(stopped)?.state, 'exited');
        assert.equal(listed.get(renamed)?.name, name);
      });

      it('refuses a taken name, but first an image that is not there', async () => {
        const name = names.container();
        await create({}, name);
        assert.deepEqual(await engine.createContainer(name, options(), signal), { is: 'exists' });
        const missing = options({ Image: `${names.prefix}/none:1` });
        assert.deepEqual(await engine.createContainer(name, missing, signal), { is: 'no-image' });
      });

      it('throws for a name that Docker cannot take', async () => {
        await assert.rejects(
          engine.createContainer('no spaces', options(), signal),
          refused(400, /Invalid container name/),
        );
      });

      it('refuses to create what it has no runtime or volume driver for, and leaves nothing behind', async () => {
        const name = names.container();
        const runtime = options({ HostConfig: { Runtime: 'none-such' } });
        await assert.rejects(engine.createContainer(name, runtime, signal), refused(400, /runtime.*none-such/i));
        const VolumeOptions = { DriverConfig: { Name: 'none-such', Options: {} }, NoCopy: false, Labels: {} };
        const mount = { Type: 'volume', Source: names.volume(), Target: '/x', VolumeOptions } as const;
        const driver = options({ HostConfig: { Mounts: [mount] } });
        await assert.rejects(
          engine.createContainer(name, driver, signal),
          refused(404, /plugin "none-such" not found/),
        );
        assert.equal(await engine.inspectContainer(name, signal), undefined);
      });

      it('starts, stops and removes, and says when that was done before', async () => {
        const id = await create();
        assert.equal(await engine.stopContainer(id, signal), 'already');
        assert.equal(await engine.startContainer(id, signal), 'started');
        assert.equal(await engine.startContainer(id, signal), 'already');
        const running = await inspect(id);
        assert.equal(running.state, 'running');
        assert.ok(running.startedAt);
        assert.equal(running.finishedAt, undefined);
        assert.equal(await engine.stopContainer(id, signal), 'stopped');
        assert.equal(await engine.stopContainer(id, signal), 'already');
        const stopped = await inspect(id);
        assert.equal(stopped.state, 'exited');
        assert.ok(stopped.finishedAt && stopped.finishedAt >= running.startedAt);
        assert.equal(await engine.startContainer(id, signal), 'started');
        assert.equal(await engine.removeContainer(id, signal), 'removed');
        assert.equal(await engine.removeContainer(id, signal), 'absent');
        assert.equal(await engine.startContainer(id, signal), 'absent');
        assert.equal(await engine.stopContainer(id, signal), 'absent');
      });

      it('counts what the restart policy did, gives up when it says so, and counts again from 0 with a manual start', async () => {
        const RestartPolicy = { Name: 'on-failure', MaximumRetryCount: 2 };
        const id = await start({ Cmd: ['sh', '-c', 'sleep 0.2; exit 3'], HostConfig: { RestartPolicy } });
        await under.gaveUp(id);
        const { state, exitCode, restartCount } = await inspect(id);
        assert.deepEqual({ state, exitCode, restartCount }, { state: 'exited', exitCode: 3, restartCount: 2 });
        assert.equal(await engine.startContainer(id, signal), 'started');
        assert.equal((await inspect(id)).restartCount, 0);
      });

      it('shows a process that ended by itself', async () => {
        const id = await start();
        const died = await heard(
          engine,
          (event) => event.id === id && event.action === 'die',
          () => under.kill(id),
        );
        assert.equal(died.at(-1)?.attributes.exitCode, '137');
        const { state, exitCode } = await inspect(id);
        assert.deepEqual({ state, exitCode }, { state: 'exited', exitCode: 137 });
      });

      it('shows a paused container, which cannot be started', async () => {
        const id = await start();
        await under.pause(id);
        assert.equal((await inspect(id)).state, 'paused');
        await assert.rejects(engine.startContainer(id, signal), refused(409, /paused/));
      });

      it('goes on after a pause, and says when there was none', async () => {
        const id = await start();
        await under.pause(id);
        assert.equal(await engine.unpauseContainer(id, signal), 'unpaused');
        assert.equal((await inspect(id)).state, 'running');
        assert.equal(await engine.unpauseContainer(id, signal), 'already');
        await engine.stopContainer(id, signal);
        assert.equal(await engine.unpauseContainer(id, signal), 'already');
        assert.equal(await engine.unpauseContainer(names.container(), signal), 'absent');
      });

      it('shows limits and restart policy as they were asked for, and what an update makes of them', async () => {
        const limits = {
          RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
          Memory: 64 << 20,
          MemoryReservation: 32 << 20,
          NanoCpus: 500_000_000,
          CpuShares: 512,
          CpuQuota: 0,
          CpusetCpus: '0',
          PidsLimit: 80,
        };
        const id = await start({ HostConfig: limits });
        assert.deepEqual((await inspect(id)).updatable, limits);
        const change = { CpuShares: 256, RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } };
        const [event] = await heard(
          engine,
          (one) => one.id === id && one.action === 'update',
          async () => assert.equal(await engine.updateContainer(id, change, signal), 'updated'),
        );
        assert.ok(event);
        assert.deepEqual((await inspect(id)).updatable, { ...limits, ...change });
        // Nothing is no limit to Docker, but "as it is", except for PIDs.
        await engine.updateContainer(id, { Memory: 0, CpuShares: 0, CpusetCpus: '', PidsLimit: 0 }, signal);
        assert.deepEqual((await inspect(id)).updatable, { ...limits, ...change, PidsLimit: 0 });
        assert.equal(await engine.updateContainer(names.container(), change, signal), 'absent');
      });

      it('shows no limits where none were asked for, and takes memory and swap only together', async () => {
        const none = { Memory: 0, MemoryReservation: 0, NanoCpus: 0, CpuShares: 0, CpuQuota: 0, CpusetCpus: '' };
        const id = await start({ HostConfig: { ...none, PidsLimit: 0, RestartPolicy: { Name: 'no' } } });
        const unlimited = { ...none, PidsLimit: 0, RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } };
        assert.deepEqual((await inspect(id)).updatable, unlimited);
        await assert.rejects(engine.updateContainer(id, { Memory: 64 << 20 }, signal), /memoryswap/);
        await engine.updateContainer(id, { Memory: 64 << 20, MemorySwap: 128 << 20 }, signal);
        assert.deepEqual((await inspect(id)).updatable, { ...unlimited, Memory: 64 << 20 });
      });

      it('renames, also to the name it has, but not to a taken one', async () => {
        const [name, other] = [names.container(), names.container()];
        const id = await create();
        await create({}, other);
        assert.equal(await engine.renameContainer(id, name, signal), 'renamed');
        assert.equal(await engine.renameContainer(id, name, signal), 'renamed');
        assert.equal((await inspect(id)).name, name);
        assert.equal(await engine.renameContainer(id, other, signal), 'name-taken');
        assert.equal(await engine.renameContainer(names.container(), names.container(), signal), 'absent');
      });

      it('cannot start on a taken port, and says so in the container', async () => {
        const hostPort = names.port();
        const ports = {
          ExposedPorts: { '80/tcp': {} },
          HostConfig: { PortBindings: { '80/tcp': [{ HostPort: String(hostPort) }] } },
        };
        const published = async () => (await engine.publishedPorts(signal)).filter(({ port }) => port === hostPort);
        const holder = await start(ports);
        const { name: container } = await inspect(holder);
        const id = await create(ports);
        assert.deepEqual(
          (await published()).filter(({ address }) => address === '0.0.0.0'),
          [{ container, address: '0.0.0.0', port: hostPort, protocol: 'tcp' }],
        );
        await assert.rejects(engine.startContainer(id, signal), refused(500, /port is already allocated/));
        const { state, error, exitCode } = await inspect(id);
        assert.deepEqual({ state, exitCode }, { state: 'created', exitCode: 128 });
        assert.match(error, /port is already allocated/);
        await engine.stopContainer(holder, signal);
        assert.deepEqual(await published(), []);
        assert.equal(await engine.startContainer(id, signal), 'started');
        assert.equal((await inspect(id)).error, '');
      });

      it('shares the network of another container only while that one runs', async () => {
        const parentName = names.container();
        const parent = await create({}, parentName);
        const id = await create({ HostConfig: { NetworkMode: `container:${parentName}` } });
        const seen = await inspect(id);
        assert.equal(seen.networkMode, `container:${parent}`);
        assert.deepEqual(seen.networks, {});
        await assert.rejects(engine.startContainer(id, signal), EngineError);
        await engine.startContainer(parent, signal);
        assert.equal(await engine.startContainer(id, signal), 'started');
        const orphan = await create({ HostConfig: { NetworkMode: `container:${names.container()}` } });
        await assert.rejects(engine.startContainer(orphan, signal), refused(404, /No such container/));
      });

      it('shares the PID and IPC namespace of another container only while that one runs', async () => {
        const parent = await create({ HostConfig: { IpcMode: 'shareable' } });
        const mode = `container:${parent}`;
        for (const [HostConfig, seen] of [
          [{ PidMode: mode }, { pidMode: mode }],
          [{ IpcMode: mode }, { ipcMode: mode }],
        ] as const) {
          const id = await create({ HostConfig });
          const { pidMode, ipcMode } = await inspect(id);
          assert.deepEqual({ pidMode, ipcMode }, { pidMode: undefined, ipcMode: undefined, ...seen });
          await assert.rejects(engine.startContainer(id, signal), refused(500, /is not running/));
          await engine.startContainer(parent, signal);
          assert.equal(await engine.startContainer(id, signal), 'started');
          await engine.stopContainer(parent, signal);
          // The kernel ends a PID namespace with its first process; an IPC namespace lives on.
          const after = 'pidMode' in seen ? 'exited' : 'running';
          for (let turn = 0; turn < 1_000 && (await inspect(id)).state !== after; turn += 1);
          assert.equal((await inspect(id)).state, after);
        }
      });

      it('restarts a container, and leaves it stopped when it cannot be started again', async () => {
        const id = await start();
        const { startedAt: first = '' } = await inspect(id);
        assert.equal(await engine.restartContainer(id, signal), 'restarted');
        const { state, startedAt = '' } = await inspect(id);
        assert.equal(state, 'running');
        assert.ok(startedAt > first);
        assert.equal(await engine.restartContainer(names.container(), signal), 'absent');
        const guest = await start({ HostConfig: { NetworkMode: `container:${id}` } });
        await engine.stopContainer(id, signal);
        assert.equal((await inspect(guest)).state, 'running');
        await assert.rejects(
          engine.restartContainer(guest, signal),
          refused(500, /Cannot restart container .*non running container/),
        );
        const after = await inspect(guest);
        assert.equal(after.state, 'exited');
        assert.match(after.error, /non running container/);
      });

      it('names who is on a network, and has no endpoint of a container that is gone', async () => {
        const { name, id } = await network();
        const NetworkingConfig = { EndpointsConfig: { [name]: {} } };
        const user = await start({ HostConfig: { NetworkMode: name }, NetworkingConfig });
        const { name: userName } = await inspect(user);
        assert.deepEqual(await engine.networkUsers(id, signal), [userName]);
        await engine.removeContainer(user, signal);
        assert.deepEqual(await engine.networkUsers(id, signal), []);
        assert.equal(await engine.releaseEndpoint(id, userName, signal), 'absent');
        assert.equal(await engine.networkUsers(names.network(), signal), undefined);
      });

      it('makes the volumes that it mounts and removes only those without a name', async () => {
        const volume = names.volume();
        const id = await create({ Volumes: { '/anonymous': {} }, HostConfig: { Binds: [`${volume}:/data`] } });
        const { volumes } = await inspect(id);
        assert.equal(volumes.length, 2);
        assert.ok(volumes.includes(volume));
        await engine.removeContainer(id, signal);
        const left = (await engine.listVolumes(signal)).map(({ name }) => name);
        assert.deepEqual(
          volumes.filter((name) => left.includes(name)),
          [volume],
        );
      });
    });

    describe('logs', () => {
      const printing = (): Promise<string> => start({ Cmd: ['sh', '-c', 'echo one; echo two >&2; exec sleep 1000'] });

      it('follows lines until the container stops', async () => {
        const id = await printing();
        await under.printed(id);
        const lines: string[] = [];
        for await (const { message, isStdErr, timestamp } of engine.followLogs(id, 0, signal)) {
          lines.push(`${isStdErr ? 'err' : 'out'} ${message}`);
          assert.ok(timestamp > Date.parse('2020-01-01'));
          if (lines.length === 2) await engine.stopContainer(id, signal);
        }
        assert.deepEqual(lines.sort(), ['err two', 'out one']);
      });

      it('begins where it is told to', async () => {
        const id = await printing();
        await under.printed(id);
        let last = 0;
        for await (const { timestamp } of engine.followLogs(id, 0, signal)) {
          if (last > 0) await engine.stopContainer(id, signal);
          last = timestamp;
        }
        const later: string[] = [];
        for await (const { message } of engine.followLogs(id, last / 1000 + 10, signal)) later.push(message);
        assert.deepEqual(later, []);
      });

      it('ends quietly with the signal, and at once without a container', async () => {
        const id = await printing();
        await under.printed(id);
        const stop = new AbortController();
        for await (const _ of engine.followLogs(id, 0, stop.signal)) stop.abort();
        for await (const _ of engine.followLogs(names.container(), 0, signal))
          assert.fail('there is no such container');
      });
    });

    describe('past logs', () => {
      it('ends with what was printed until now, from a moment on or the last lines', async () => {
        const id = await start({ Cmd: ['sh', '-c', 'echo one; echo two >&2; exec sleep 1000'] });
        await under.printed(id);
        const read = async (range: { since?: number; tail?: number }): Promise<string[]> => {
          const lines: string[] = [];
          for await (const { message } of engine.pastLogs(id, range, signal)) lines.push(message);
          return lines.sort();
        };
        assert.deepEqual(await read({}), ['one', 'two']);
        assert.equal((await read({ tail: 1 })).length, 1);
        assert.deepEqual(await read({ tail: 0 }), []);
        assert.deepEqual(await read({ since: Date.now() / 1000 + 1000 }), []);
      });

      it('has none without a container', async () => {
        for await (const _ of engine.pastLogs(names.container(), {}, signal)) assert.fail('there is no such container');
      });
    });

    describe('statistics', () => {
      it('tells what a running container uses, and nothing of any other', async () => {
        const id = await start();
        const stats = await engine.containerStats(id, signal);
        assert.ok(stats);
        assert.ok(Date.parse(stats.at) > Date.parse('2020-01-01'));
        assert.ok(stats.memoryLimitBytes > 0);
        for (const figure of [stats.cpuNs, stats.memoryBytes, stats.processes])
          assert.ok(figure >= 0, JSON.stringify(stats));
        await engine.stopContainer(id, signal);
        assert.equal(await engine.containerStats(id, signal), undefined);
        assert.equal(await engine.containerStats(names.container(), signal), undefined);
      });
    });

    describe('networks', () => {
      it('creates a name once, finds it by name and id, and removes it', async () => {
        const { name, id } = await network();
        assert.deepEqual(await engine.createNetwork(name, { Labels: {} }, signal), { is: 'exists' });
        const seen = await engine.inspectNetwork(name, signal);
        assert.equal(seen?.id, id);
        assert.equal(seen.specHash, 'n1');
        assert.match(seen.gateway ?? '', /^\d+\.\d+\.\d+\.\d+$/);
        assert.deepEqual(await engine.inspectNetwork(id, signal), seen);
        assert.deepEqual(
          (await engine.listNetworks(signal)).find((one) => one.id === id),
          seen,
        );
        assert.equal(await engine.removeNetwork(id, signal), 'removed');
        assert.equal(await engine.removeNetwork(id, signal), 'absent');
        assert.equal(await engine.inspectNetwork(name, signal), undefined);
        assert.notEqual((await network(name)).id, id);
      });

      it('takes subnet and gateway as given, and refuses a subnet that is taken', async () => {
        const octet = 100 + (names.port() % 100);
        const ipam = (gateway: string) => ({ Config: [{ Subnet: `10.213.${octet}.0/24`, Gateway: gateway }] });
        const name = names.network();
        await engine.createNetwork(name, { IPAM: ipam(`10.213.${octet}.9`), Labels: {} }, signal);
        assert.equal((await engine.inspectNetwork(name, signal))?.gateway, `10.213.${octet}.9`);
        await assert.rejects(
          engine.createNetwork(names.network(), { IPAM: ipam(`10.213.${octet}.8`), Labels: {} }, signal),
          refused(403, /Pool overlaps/),
        );
      });

      it('keeps a network that a running container is on, not for a stopped one', async () => {
        const { name, id } = await network();
        const container = await start({ HostConfig: { NetworkMode: name } });
        assert.deepEqual((await inspect(container)).networks, { [name]: { id, aliases: [] } });
        assert.equal(await engine.removeNetwork(id, signal), 'in-use');
        await engine.stopContainer(container, signal);
        assert.deepEqual((await inspect(container)).networks, { [name]: { id, aliases: [] } });
        assert.equal(await engine.removeNetwork(id, signal), 'removed');
      });

      it('does not start a container whose network has been made again', async () => {
        const { name, id } = await network();
        const container = await start({ HostConfig: { NetworkMode: name } });
        await engine.stopContainer(container, signal);
        await engine.removeNetwork(id, signal);
        await network(name);
        await assert.rejects(
          engine.startContainer(container, signal),
          refused(404, new RegExp(`network ${id} not found`)),
        );
        const seen = await inspect(container);
        assert.equal(seen.state, 'exited');
        assert.match(seen.error, /not found/);
        assert.deepEqual(seen.networks, { [name]: { id, aliases: [] } });
      });

      it('does not start a container on a network that never was', async () => {
        const id = await create({ HostConfig: { NetworkMode: names.network() } });
        await assert.rejects(engine.startContainer(id, signal), refused(404, /network .* not found/));
      });

      it('creates a container on several networks', async () => {
        const [one, two] = [await network(), await network()];
        const id = await create({
          HostConfig: { NetworkMode: two.name },
          NetworkingConfig: { EndpointsConfig: { [one.name]: { Aliases: ['a'] }, [two.name]: { Aliases: ['b'] } } },
        });
        assert.deepEqual(Object.keys((await inspect(id)).networks).sort(), [one.name, two.name].sort());
        await engine.startContainer(id, signal);
        assert.deepEqual((await inspect(id)).networks, {
          [one.name]: { id: one.id, aliases: ['a'] },
          [two.name]: { id: two.id, aliases: ['b'] },
        });
      });

      it('connects and disconnects, and says when that was done before', async () => {
        const { name, id } = await network();
        const container = await start();
        const endpoint = { IPAMConfig: {}, Aliases: ['web'] };
        assert.equal(await engine.connectNetwork(id, container, endpoint, signal), 'connected');
        assert.equal(await engine.connectNetwork(name, container, endpoint, signal), 'already');
        assert.deepEqual((await inspect(container)).networks[name], { id, aliases: ['web'] });
        assert.equal(await engine.removeNetwork(id, signal), 'in-use');
        assert.equal(await engine.disconnectNetwork(id, container, signal), 'disconnected');
        assert.equal(await engine.disconnectNetwork(id, container, signal), 'absent');
        assert.equal((await inspect(container)).networks[name], undefined);
        assert.equal(await engine.connectNetwork(names.network(), container, endpoint, signal), 'absent');
        assert.equal(await engine.connectNetwork(id, names.container(), endpoint, signal), 'absent');
        assert.equal(await engine.disconnectNetwork(names.network(), container, signal), 'absent');
        assert.equal(await engine.disconnectNetwork(id, names.container(), signal), 'absent');
      });

      it('disconnects a container that does not run', async () => {
        const { name, id } = await network();
        const container = await create({ HostConfig: { NetworkMode: name } });
        assert.equal(await engine.disconnectNetwork(id, container, signal), 'disconnected');
        assert.equal(await engine.disconnectNetwork(id, container, signal), 'absent');
      });

      it('throws when a container that uses the host network shall join another one', async () => {
        const { id } = await network();
        const container = await start({ HostConfig: { NetworkMode: 'host' } });
        assert.deepEqual(Object.keys((await inspect(container)).networks), ['host']);
        await assert.rejects(
          engine.connectNetwork(id, container, { IPAMConfig: {}, Aliases: [] }, signal),
          refused(400, /sharing network namespace/),
        );
      });
    });

    describe('volumes', () => {
      it('creates a volume and leaves one that exists as it is', async () => {
        const name = names.volume();
        const made = await engine.createVolume(name, { Labels: { [SPEC_HASH]: 'v1' } }, signal);
        assert.equal(made.name, name);
        assert.equal(made.driver, 'local');
        assert.equal(made.specHash, 'v1');
        assert.deepEqual(made.options, {});
        assert.match(made.mountpoint, new RegExp(`/${name}/`));
        assert.deepEqual(await engine.createVolume(name, { Labels: { [SPEC_HASH]: 'v2' } }, signal), made);
        assert.deepEqual(await engine.inspectVolume(name, signal), made);
        assert.deepEqual(
          (await engine.listVolumes(signal)).find((one) => one.name === name),
          made,
        );
      });

      it('keeps a volume for every container, also one that never ran', async () => {
        const name = names.volume();
        const container = await create({ HostConfig: { Binds: [`${name}:/data`] } });
        assert.equal(await engine.removeVolume(name, signal), 'in-use');
        const stranger = names.container();
        const binds = { Image: under.image, HostConfig: { Binds: [`${name}:/data`] } };
        await engine.createContainer(stranger, binds, signal);
        const users = await engine.volumeUsers(name, signal);
        assert.deepEqual(
          users.filter(({ isOurs }) => !isOurs),
          [{ name: stranger, isOurs: false }],
        );
        assert.equal(users.length, 2);
        await engine.removeContainer(container, signal);
        await engine.removeContainer(stranger, signal);
        assert.deepEqual(await engine.volumeUsers(name, signal), []);
        assert.equal(await engine.removeVolume(name, signal), 'removed');
        assert.equal(await engine.removeVolume(name, signal), 'absent');
        assert.equal(await engine.inspectVolume(name, signal), undefined);
      });
    });

    describe('images', () => {
      it('finds an image by tag and by id', async () => {
        const seen = await engine.inspectImage(under.image, signal);
        assert.ok(seen);
        assert.match(seen.id, /^sha256:[0-9a-f]{64}$/);
        assert.ok(seen.tags.includes(under.image));
        assert.deepEqual(await engine.inspectImage(seen.id, signal), seen);
        const listed = (await engine.listImages(signal)).find(({ id }) => id === seen.id);
        assert.deepEqual(listed, { id: seen.id, tags: seen.tags, digests: seen.digests });
        assert.equal(await engine.inspectImage(`${names.prefix}/none:1`, signal), undefined);
      });

      it('untags an image that is in use while another tag holds it', async () => {
        const second = names.image();
        await create();
        await under.tag(under.image, second);
        assert.equal(await engine.removeImage(second, signal), 'removed');
        assert.equal(await engine.removeImage(second, signal), 'absent');
        assert.ok(await engine.inspectImage(under.image, signal));
      });

      it('pulls exactly one tag, tells progress, and does not remove it while a container needs it', async () => {
        const reference = await under.pullable();
        const told: number[] = [];
        await engine.pullImage(reference, {}, (percent) => told.push(percent), signal);
        assert.equal(told.at(-1), 100);
        assert.deepEqual(
          told,
          [...new Set(told)].sort((a, b) => a - b),
        );
        const seen = await engine.inspectImage(reference, signal);
        assert.deepEqual(seen?.tags, [reference]);
        assert.equal(seen.digests.length, 1);
        const container = await create({ Image: reference });
        assert.equal(await engine.removeImage(reference, signal), 'in-use');
        await engine.removeContainer(container, signal);
        assert.equal(await engine.removeImage(reference, signal), 'removed');
        assert.equal(await engine.inspectImage(reference, signal), undefined);
        assert.equal(await engine.inspectImage(seen.id, signal), undefined);
      });

      it('pulls by digest', async () => {
        const reference = await under.pullable();
        await engine.pullImage(reference, {}, () => undefined, signal);
        const [digest = ''] = (await engine.inspectImage(reference, signal))?.digests ?? [];
        await engine.removeImage(reference, signal);
        assert.equal(await engine.inspectImage(digest, signal), undefined);
        await engine.pullImage(digest, {}, () => undefined, signal);
        const seen = await engine.inspectImage(digest, signal);
        assert.deepEqual(seen?.digests, [digest]);
        assert.deepEqual(seen.tags, []);
        assert.equal(await engine.removeImage(digest, signal), 'removed');
      });

      it('keeps what a digest stands for when the tag moves on, and gives the tag back', async () => {
        const reference = await under.pullable();
        await engine.pullImage(reference, {}, () => undefined, signal);
        const first = await engine.inspectImage(reference, signal);
        const [digest = ''] = first?.digests ?? [];
        assert.equal(await engine.tagImage(under.image, reference, signal), 'tagged');
        assert.equal((await engine.inspectImage(digest, signal))?.id, first?.id);
        assert.deepEqual((await engine.inspectImage(digest, signal))?.tags, []);
        assert.equal(await engine.tagImage(digest, reference, signal), 'tagged');
        assert.equal(await engine.tagImage(digest, reference, signal), 'tagged');
        assert.equal((await engine.inspectImage(reference, signal))?.id, first?.id);
        assert.equal(await engine.removeImage(reference, signal), 'removed');
        assert.equal(await engine.tagImage(digest, reference, signal), 'absent');
      });

      it('takes in what docker save wrote, and tells what was in it', async () => {
        const [reference, other] = [names.image(), names.image()];
        const image = { files: [{ path: 'name', content: reference }], architecture: 'riscv64' };
        const archive = savedImages({ ...image, references: [reference, other] });
        const load = (bytes: Buffer) => engine.loadImages(Readable.from([bytes]), signal);
        assert.deepEqual(await load(archive), [reference, other]);
        const seen = await engine.inspectImage(reference, signal);
        assert.deepEqual([seen?.tags.length, seen?.digests, seen?.platform?.architecture], [2, [], 'riscv64']);
        assert.deepEqual(await load(archive), [reference, other]);
        for (const one of [reference, other]) assert.equal(await engine.removeImage(one, signal), 'removed');

        const [id = ''] = await load(savedImages({ ...image, references: [] }));
        assert.match(id, /^sha256:[0-9a-f]{64}$/);
        assert.equal(await engine.removeImage(id, signal), 'removed');
      });

      it('throws what is wrong with an archive, and what the source of one says', async () => {
        const empty = Readable.from([tarOf([{ path: 'a', content: 'b' }])]);
        await assert.rejects(engine.loadImages(empty, signal), refused(500, /manifest.json|no such file/));
        const failing = new Readable({
          read() {
            this.destroy(new Error('the disk is broken'));
          },
        });
        await assert.rejects(engine.loadImages(failing, signal), /the disk is broken/);
      });

      it('throws what the registry says about a tag that it does not have', async () => {
        const unknown = (await under.pullable()).replace(/:[^:/]+$/, ':unknown');
        await assert.rejects(
          engine.pullImage(unknown, {}, () => undefined, signal),
          refused(404, /manifest unknown|not found/),
        );
      });
    });

    describe('events', () => {
      it('tells the life of a container in order, with growing times', async () => {
        const { id: networkId, name } = await network();
        let id = '';
        const events = await heard(
          engine,
          (event) => event.id === id && event.action === 'destroy',
          async () => {
            id = await start({ HostConfig: { NetworkMode: name }, Labels: { [SERVICE_NAME]: 'web' } });
            await engine.renameContainer(id, names.container(), signal);
            await engine.stopContainer(id, signal);
            await engine.removeContainer(id, signal);
          },
        );
        const mine = events.filter((event) => event.id === id || event.attributes.container === id);
        assert.deepEqual(
          mine.map(({ type, action }) => `${type} ${action}`),
          [
            'container create',
            'network connect',
            'container start',
            'container rename',
            'container die',
            'network disconnect',
            'container destroy',
          ],
        );
        assert.equal(mine[0]?.attributes[SERVICE_NAME], 'web');
        assert.equal(mine[1]?.id, networkId);
        assert.equal(mine[1]?.attributes.name, name);
        const times = mine.map(({ timeNano }) => BigInt(timeNano));
        assert.ok(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0n)));
      });

      it('tells of networks, volumes and tags', async () => {
        const [volume, tag] = [names.volume(), names.image()];
        const { id: imageId } = (await engine.inspectImage(under.image, signal)) ?? { id: '' };
        let networkId = '';
        const events = await heard(
          engine,
          ({ action, id }) => action === 'untag' && id === imageId,
          async () => {
            networkId = (await network()).id;
            await engine.removeNetwork(networkId, signal);
            await engine.createVolume(volume, { Labels: {} }, signal);
            await engine.removeVolume(volume, signal);
            await under.tag(under.image, tag);
            await engine.removeImage(tag, signal);
          },
        );
        assert.deepEqual(
          events
            .filter(({ id }) => [networkId, volume, imageId].includes(id))
            .map(({ type, action }) => `${type} ${action}`),
          ['network create', 'network destroy', 'volume create', 'volume destroy', 'image tag', 'image untag'],
        );
      });

      it('tells again what was missed since a time', async () => {
        const volume = names.volume();
        const first = await heard(
          engine,
          ({ id }) => id === volume,
          () => engine.createVolume(volume, { Labels: {} }, signal),
        );
        await engine.removeVolume(volume, signal);
        const missed = await heard(
          engine,
          ({ id, action }) => id === volume && action === 'destroy',
          async () => undefined,
          first.at(-1)?.timeNano,
        );
        assert.deepEqual(
          missed.filter(({ id }) => id === volume).map(({ action }) => action),
          ['create', 'destroy'],
        );
      });
    });
  });
}

/** Events from the moment the stream is open, `act` done, up to and including the one that `isLast`. */
async function heard(
  engine: Engine,
  isLast: (event: EngineEvent) => boolean,
  act: () => Promise<unknown>,
  since?: string,
): Promise<EngineEvent[]> {
  const stop = new AbortController();
  const events: EngineEvent[] = [];
  let acting: Promise<unknown> = Promise.resolve();
  // The engine answers before it subscribes: a verb's worth of time passes before anything is done.
  const onOpen = (): void => {
    acting = engine.info(stop.signal).then(act);
    acting.catch((error: unknown) => stop.abort(error));
  };
  for await (const event of engine.events(since, onOpen, stop.signal)) {
    events.push(event);
    if (isLast(event)) break;
  }
  await acting;
  return events;
}

const refused =
  (statusCode: number, words: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof EngineError, `an EngineError, not ${error}`);
    assert.equal(error.statusCode, statusCode, error.message);
    assert.match(error.message, words);
    return true;
  };

/** Names that nobody else uses, remembered for removal. */
class Names {
  readonly prefix = `conformance-${randomBytes(4).toString('hex')}`;
  readonly #containers: string[] = [];
  readonly #networks: string[] = [];
  readonly #volumes: string[] = [];
  readonly #images: string[] = [];

  container = (): string => this.#next(this.#containers, 'c');
  network = (): string => this.#next(this.#networks, 'n');
  volume = (): string => this.#next(this.#volumes, 'v');
  image = (): string => this.#next(this.#images, 'i:');
  /** Of the range that neither services nor outgoing connections use. */
  port = (): number => 20_000 + (randomBytes(2).readUInt16BE() % 10_000);

  #next(kind: string[], letter: string): string {
    const name = `${this.prefix}-${letter}${kind.length + 1}`;
    kind.push(name);
    return name;
  }

  async removeAll(engine: Engine, signal: AbortSignal): Promise<void> {
    const containers = await Promise.all(this.#containers.map((name) => engine.inspectContainer(name, signal)));
    for (const container of containers) if (container) await engine.removeContainer(container.id, signal);
    for (const name of this.#networks) {
      const network = await engine.inspectNetwork(name, signal);
      if (network) await engine.removeNetwork(network.id, signal);
    }
    for (const name of this.#volumes) await engine.removeVolume(name, signal);
    for (const name of this.#images) await engine.removeImage(name, signal);
  }
}

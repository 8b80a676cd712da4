import assert from 'node:assert/strict';
import { EngineError } from '../../../../controllers/engine/engine.js';
import { APP_ID, SERVICE_NAME, SPEC_HASH, SUPERVISED } from '../../../../controllers/engine/labels.js';
import { type EngineFixture, received, refused } from './engine-fixture.js';

export function describeContainers(fixture: EngineFixture): void {
  const { create, inspect, network, options, signal, start } = fixture;

  describe('containers', () => {
    it('shows a created container as it is', async () => {
      const name = fixture.names.container();
      const labels = { [APP_ID]: '7', [SERVICE_NAME]: 'web', [SPEC_HASH]: 'abc' };
      const id = await create({ Labels: labels, Env: ['A=b=c', 'EMPTY='] }, name);
      const { createdAt, image, env, updatable: _, ...seen } = await inspect(id);
      assert.deepEqual([env?.A, env?.EMPTY], ['b=c', '']);
      assert.match(id, /^[0-9a-f]{64}$/);
      assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.equal(image, (await fixture.engine.inspectImage(fixture.under.image, signal))?.id);
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

    it('lists all containers with a label, ours and those of others', async () => {
      const [ours, theirs, volume] = [fixture.names.container(), fixture.names.container(), fixture.names.volume()];
      const label = `test.of.${ours}`;
      const id = await create({ Labels: { [label]: 'a b' }, HostConfig: { Binds: [`${volume}:/data`] } }, ours);
      const body = { Image: fixture.under.image, Labels: { [label]: 'c' } };
      const made = await fixture.engine.createContainer(theirs, body, signal);
      assert.ok(made.is === 'created');
      const all = await fixture.engine.listLabelled(label, signal);
      assert.deepEqual(all.map(({ name }) => name).sort(), [ours, theirs].sort());
      const [found, ...others] = await fixture.engine.listLabelled(`${label}=a b`, signal);
      assert.deepEqual(others, []);
      assert.deepEqual(
        { ...found, labels: found?.labels[label] },
        {
          ...{ id, name: ours, state: 'created', labels: 'a b', volumes: [volume] },
          mounts: [{ type: 'volume', source: volume, target: '/data', isReadOnly: false }],
        },
      );
      const named = await fixture.engine.listNamed([ours, fixture.names.container()], signal);
      assert.deepEqual(named, [found]);
      assert.deepEqual(await fixture.engine.listNamed([], signal), []);
      assert.deepEqual(await fixture.engine.listLabelled(`${label}=d`, signal), []);
      await fixture.engine.removeContainer(made.id, signal);
    });

    it('tells where a volume without a name is mounted, and keeps it on removal where that is asked for', async () => {
      const name = fixture.names.container();
      const id = await create({ Volumes: { '/kept': {} } }, name);
      const [seen] = await fixture.engine.listNamed([name], signal);
      const [mount] = seen?.mounts ?? [];
      assert.deepEqual([mount?.type, mount?.target, mount?.isReadOnly], ['volume', '/kept', false]);
      assert.match(mount?.source ?? '', /^[0-9a-f]{64}$/);
      assert.equal(await fixture.engine.removeContainer(id, signal, { keepVolumes: true }), 'removed');
      assert.ok(await fixture.engine.inspectVolume(mount?.source ?? '', signal));
      await fixture.engine.removeVolume(mount?.source ?? '', signal);
    });

    it('finds containers by id and by name, and nothing where nothing is', async () => {
      const name = fixture.names.container();
      const id = await create({}, name);
      assert.equal((await inspect(name)).id, id);
      assert.equal((await inspect(id)).name, name);
      assert.equal(await fixture.engine.inspectContainer(fixture.names.container(), signal), undefined);
    });

    it('lists supervised containers only', async () => {
      const id = await create();
      const other = fixture.names.container();
      await fixture.engine.createContainer(other, { ...options(), Labels: {} }, signal);
      const listed = await fixture.engine.listContainers(signal);
      assert.ok(listed.some((one) => one.id === id));
      assert.ok(listed.every((one) => one.name !== other));
    });

    it('hands back what is known and unchanged, and looks again at what has changed', async () => {
      const [still, stopped, renamed] = await Promise.all([start(), start(), start()]);
      const known = new Map((await fixture.engine.listContainers(signal)).map((one) => [one.id, one]));
      const name = fixture.names.container();
      await fixture.engine.stopContainer(stopped, signal);
      await fixture.engine.renameContainer(renamed, name, signal);
      const listed = new Map(
        (await fixture.engine.listContainers(signal, (id) => known.get(id))).map((one) => [one.id, one]),
      );
      assert.equal(listed.get(still), known.get(still));
      assert.equal(listed.get(stopped)?.state, 'exited');
      assert.equal(listed.get(renamed)?.name, name);
    });

    it('refuses a taken name, but first an image that is not there', async () => {
      const name = fixture.names.container();
      await create({}, name);
      assert.deepEqual(await fixture.engine.createContainer(name, options(), signal), { is: 'exists' });
      const missing = options({ Image: `${fixture.names.prefix}/none:1` });
      assert.deepEqual(await fixture.engine.createContainer(name, missing, signal), { is: 'no-image' });
    });

    it('throws for a name that Docker cannot take', async () => {
      await assert.rejects(
        fixture.engine.createContainer('no spaces', options(), signal),
        refused(400, /Invalid container name/),
      );
    });

    it('refuses to create what it has no runtime or volume driver for, and leaves nothing behind', async () => {
      const name = fixture.names.container();
      const runtime = options({ HostConfig: { Runtime: 'none-such' } });
      await assert.rejects(fixture.engine.createContainer(name, runtime, signal), refused(400, /runtime.*none-such/i));
      const VolumeOptions = { DriverConfig: { Name: 'none-such', Options: {} }, NoCopy: false, Labels: {} };
      const mount = { Type: 'volume', Source: fixture.names.volume(), Target: '/x', VolumeOptions } as const;
      const driver = options({ HostConfig: { Mounts: [mount] } });
      await assert.rejects(
        fixture.engine.createContainer(name, driver, signal),
        refused(404, /plugin "none-such" not found/),
      );
      assert.equal(await fixture.engine.inspectContainer(name, signal), undefined);
    });

    it('starts, stops and removes, and says when that was done before', async () => {
      const id = await create();
      assert.equal(await fixture.engine.stopContainer(id, signal), 'already');
      assert.equal(await fixture.engine.startContainer(id, signal), 'started');
      assert.equal(await fixture.engine.startContainer(id, signal), 'already');
      const running = await inspect(id);
      assert.equal(running.state, 'running');
      assert.ok(running.startedAt);
      assert.equal(running.finishedAt, undefined);
      assert.equal(await fixture.engine.stopContainer(id, signal), 'stopped');
      assert.equal(await fixture.engine.stopContainer(id, signal), 'already');
      const stopped = await inspect(id);
      assert.equal(stopped.state, 'exited');
      assert.ok(stopped.finishedAt && stopped.finishedAt >= running.startedAt);
      assert.equal(await fixture.engine.startContainer(id, signal), 'started');
      assert.equal(await fixture.engine.removeContainer(id, signal), 'removed');
      assert.equal(await fixture.engine.removeContainer(id, signal), 'absent');
      assert.equal(await fixture.engine.startContainer(id, signal), 'absent');
      assert.equal(await fixture.engine.stopContainer(id, signal), 'absent');
    });

    it('counts what the restart policy did, gives up when it says so, and counts again from 0 with a manual start', async () => {
      const RestartPolicy = { Name: 'on-failure', MaximumRetryCount: 2 };
      const id = await start({ Cmd: ['sh', '-c', 'sleep 0.2; exit 3'], HostConfig: { RestartPolicy } });
      await fixture.under.gaveUp(id);
      const { state, exitCode, restartCount } = await inspect(id);
      assert.deepEqual({ state, exitCode, restartCount }, { state: 'exited', exitCode: 3, restartCount: 2 });
      assert.equal(await fixture.engine.startContainer(id, signal), 'started');
      assert.equal((await inspect(id)).restartCount, 0);
    });

    it('shows a process that ended by itself', async () => {
      const id = await start();
      const died = await received(
        fixture.engine,
        (event) => event.id === id && event.action === 'die',
        () => fixture.under.kill(id),
      );
      assert.equal(died.at(-1)?.attributes.exitCode, '137');
      const { state, exitCode } = await inspect(id);
      assert.deepEqual({ state, exitCode }, { state: 'exited', exitCode: 137 });
    });

    it('shows a paused container, which cannot be started', async () => {
      const id = await start();
      await fixture.under.pause(id);
      assert.equal((await inspect(id)).state, 'paused');
      await assert.rejects(fixture.engine.startContainer(id, signal), refused(409, /paused/));
    });

    it('goes on after a pause, and says when there was none', async () => {
      const id = await start();
      await fixture.under.pause(id);
      assert.equal(await fixture.engine.unpauseContainer(id, signal), 'unpaused');
      assert.equal((await inspect(id)).state, 'running');
      assert.equal(await fixture.engine.unpauseContainer(id, signal), 'already');
      await fixture.engine.stopContainer(id, signal);
      assert.equal(await fixture.engine.unpauseContainer(id, signal), 'already');
      assert.equal(await fixture.engine.unpauseContainer(fixture.names.container(), signal), 'absent');
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
      const [event] = await received(
        fixture.engine,
        (one) => one.id === id && one.action === 'update',
        async () => assert.equal(await fixture.engine.updateContainer(id, change, signal), 'updated'),
      );
      assert.ok(event);
      assert.deepEqual((await inspect(id)).updatable, { ...limits, ...change });
      // Nothing is no limit to Docker, but "as it is", except for PIDs.
      await fixture.engine.updateContainer(id, { Memory: 0, CpuShares: 0, CpusetCpus: '', PidsLimit: 0 }, signal);
      assert.deepEqual((await inspect(id)).updatable, { ...limits, ...change, PidsLimit: 0 });
      assert.equal(await fixture.engine.updateContainer(fixture.names.container(), change, signal), 'absent');
    });

    it('shows no limits where none were asked for, and takes memory and swap only together', async () => {
      const none = { Memory: 0, MemoryReservation: 0, NanoCpus: 0, CpuShares: 0, CpuQuota: 0, CpusetCpus: '' };
      const id = await start({ HostConfig: { ...none, PidsLimit: 0, RestartPolicy: { Name: 'no' } } });
      const unlimited = { ...none, PidsLimit: 0, RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } };
      assert.deepEqual((await inspect(id)).updatable, unlimited);
      await assert.rejects(fixture.engine.updateContainer(id, { Memory: 64 << 20 }, signal), /memoryswap/);
      await fixture.engine.updateContainer(id, { Memory: 64 << 20, MemorySwap: 128 << 20 }, signal);
      assert.deepEqual((await inspect(id)).updatable, { ...unlimited, Memory: 64 << 20 });
    });

    it('renames, also to the name it has, but not to a taken one', async () => {
      const [name, other] = [fixture.names.container(), fixture.names.container()];
      const id = await create();
      await create({}, other);
      assert.equal(await fixture.engine.renameContainer(id, name, signal), 'renamed');
      assert.equal(await fixture.engine.renameContainer(id, name, signal), 'renamed');
      assert.equal((await inspect(id)).name, name);
      assert.equal(await fixture.engine.renameContainer(id, other, signal), 'name-taken');
      assert.equal(
        await fixture.engine.renameContainer(fixture.names.container(), fixture.names.container(), signal),
        'absent',
      );
    });

    it('cannot start on a taken port, and says so in the container', async () => {
      const hostPort = fixture.names.port();
      const ports = {
        ExposedPorts: { '80/tcp': {} },
        HostConfig: { PortBindings: { '80/tcp': [{ HostPort: String(hostPort) }] } },
      };
      const published = async () =>
        (await fixture.engine.publishedPorts(signal)).filter(({ port }) => port === hostPort);
      const holder = await start(ports);
      const { name: container } = await inspect(holder);
      const id = await create(ports);
      assert.deepEqual(
        (await published()).filter(({ address }) => address === '0.0.0.0'),
        [{ container, address: '0.0.0.0', port: hostPort, protocol: 'tcp' }],
      );
      await assert.rejects(fixture.engine.startContainer(id, signal), refused(500, /port is already allocated/));
      const { state, error, exitCode } = await inspect(id);
      assert.deepEqual({ state, exitCode }, { state: 'created', exitCode: 128 });
      assert.match(error, /port is already allocated/);
      await fixture.engine.stopContainer(holder, signal);
      assert.deepEqual(await published(), []);
      assert.equal(await fixture.engine.startContainer(id, signal), 'started');
      assert.equal((await inspect(id)).error, '');
    });

    it('gets a free port of the host for each run, where none is asked for by number', async () => {
      const ports = (HostIp: string) => ({
        ExposedPorts: { '80/tcp': {} },
        HostConfig: { PortBindings: { '80/tcp': [{ HostIp, HostPort: '' }] } },
      });
      const [one, other] = [await start(ports('')), await start(ports('127.0.0.1'))];
      const [first, second] = [await inspect(one), await inspect(other)];
      assert.match(String(first.published), /^\d{4,5}:80$/);
      assert.match(String(second.published), /^127\.0\.0\.1:\d{4,5}:80$/);
      assert.deepEqual([first.ports, second.ports], [undefined, undefined], 'nobody has asked for those');
      const port = Number(String(first.published).split(':')[0]);
      const held = (await fixture.engine.publishedPorts(signal)).filter((two) => two.port === port);
      assert.deepEqual([...new Set(held.map(({ container }) => container))], [first.name]);
      await fixture.engine.stopContainer(one, signal);
      assert.equal((await inspect(one)).published, undefined);
    });

    it('shares the network of another container only while that one runs', async () => {
      const parentName = fixture.names.container();
      const parent = await create({}, parentName);
      const id = await create({ HostConfig: { NetworkMode: `container:${parentName}` } });
      const seen = await inspect(id);
      assert.equal(seen.networkMode, `container:${parent}`);
      assert.deepEqual(seen.networks, {});
      await assert.rejects(fixture.engine.startContainer(id, signal), EngineError);
      await fixture.engine.startContainer(parent, signal);
      assert.equal(await fixture.engine.startContainer(id, signal), 'started');
      const orphan = await create({ HostConfig: { NetworkMode: `container:${fixture.names.container()}` } });
      await assert.rejects(fixture.engine.startContainer(orphan, signal), refused(404, /No such container/));
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
        await assert.rejects(fixture.engine.startContainer(id, signal), refused(500, /is not running/));
        await fixture.engine.startContainer(parent, signal);
        assert.equal(await fixture.engine.startContainer(id, signal), 'started');
        await fixture.engine.stopContainer(parent, signal);
        // The kernel ends a PID namespace with its first process; an IPC namespace lives on.
        const after = 'pidMode' in seen ? 'exited' : 'running';
        for (let turn = 0; turn < 1_000 && (await inspect(id)).state !== after; turn += 1);
        assert.equal((await inspect(id)).state, after);
      }
    });

    it('does not share an IPC namespace that a container has for itself', async () => {
      const parent = await start({ HostConfig: { IpcMode: 'private' } });
      const id = await create({ HostConfig: { IpcMode: `container:${parent}` } });
      await assert.rejects(fixture.engine.startContainer(id, signal), refused(500, /non-shareable IPC/));
    });

    it('restarts a container, and leaves it stopped when it cannot be started again', async () => {
      const id = await start();
      const { startedAt: first = '' } = await inspect(id);
      assert.equal(await fixture.engine.restartContainer(id, signal), 'restarted');
      const { state, startedAt = '' } = await inspect(id);
      assert.equal(state, 'running');
      assert.ok(startedAt > first);
      assert.equal(await fixture.engine.restartContainer(fixture.names.container(), signal), 'absent');
      const guest = await start({ HostConfig: { NetworkMode: `container:${id}` } });
      await fixture.engine.stopContainer(id, signal);
      assert.equal((await inspect(guest)).state, 'running');
      await assert.rejects(
        fixture.engine.restartContainer(guest, signal),
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
      assert.deepEqual(await fixture.engine.networkUsers(id, signal), [userName]);
      await fixture.engine.removeContainer(user, signal);
      assert.deepEqual(await fixture.engine.networkUsers(id, signal), []);
      assert.equal(await fixture.engine.releaseEndpoint(id, userName, signal), 'absent');
      assert.equal(await fixture.engine.networkUsers(fixture.names.network(), signal), undefined);
    });

    it('makes the volumes that it mounts and removes only those without a name', async () => {
      const volume = fixture.names.volume();
      const id = await create({ Volumes: { '/anonymous': {} }, HostConfig: { Binds: [`${volume}:/data`] } });
      const { volumes } = await inspect(id);
      assert.equal(volumes.length, 2);
      assert.ok(volumes.includes(volume));
      await fixture.engine.removeContainer(id, signal);
      const left = (await fixture.engine.listVolumes(signal)).map(({ name }) => name);
      assert.deepEqual(
        volumes.filter((name) => left.includes(name)),
        [volume],
      );
    });
  });
}

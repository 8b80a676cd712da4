import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Container, Scene, unchanged } from '../setup/scene.js';

type Values = Readonly<Record<string, unknown>>;

describe('the fields of a service', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.close());

  /** Drops an example into the watched folder, with an image and a number of the scene's own. */
  async function run(example: string, service: string): Promise<{ appId: number; container: Container }> {
    const appId = scene.appId();
    const text = await readFile(join('examples', `${example}.yaml`), 'utf8');
    const own = text.replaceAll('busybox:latest', scene.image).replace(/^spec:$/m, `spec:\n  appId: ${appId}`);
    await writeFile(join(scene.agent.manifests, `${example}.yaml`), own);
    const name = /^metadata:\n {2}name: (\w+)$/m.exec(text)?.[1] ?? '';
    await scene.untilReady(name);
    const [container] = await scene.untilRunning(appId, [service]);
    return { appId, container: container ?? assert.fail() };
  }

  const inspect = async (id: string): Promise<Values> =>
    (await scene.docker.request({ path: `/containers/${id}/json` })) as Values;

  /** Every value that is wanted, with what is there. */
  const picked = (there: unknown, want: Values): Values =>
    Object.fromEntries(Object.keys(want).map((key) => [key, (there as Values)[key]]));

  it('reach the engine as the document says, all at once, and a second look does nothing', async () => {
    const { appId, container } = await run('service-fields', 'lathe');
    const { Config, HostConfig, NetworkSettings } = await inspect(container.id);
    const config = {
      Entrypoint: ['sh', '-c'],
      Cmd: ['while sleep 1; do date >> /data/log; done'],
      WorkingDir: '/data',
      User: '1000:1000',
      Tty: false,
      OpenStdin: true,
      StopSignal: 'SIGINT',
      StopTimeout: 3,
      Hostname: 'lathe-1',
      Domainname: 'workshop.example',
      MacAddress: '02:42:0a:5d:07:14',
      Healthcheck: {
        Test: ['CMD', 'test', '-s', '/data/log'],
        Interval: 5e9,
        Timeout: 2e9,
        Retries: 3,
        StartPeriod: 30e9,
      },
      ExposedPorts: { '8080/tcp': {}, '8081/tcp': {}, '9100/tcp': {}, '5353/udp': {} },
    };
    assert.deepEqual(picked(Config, config), config);
    const host = {
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 5 },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } },
      Init: true,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      CapAdd: ['NET_BIND_SERVICE'],
      SecurityOpt: ['no-new-privileges'],
      GroupAdd: ['20'],
      Sysctls: { 'net.core.somaxconn': '512' },
      Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/coolant', CgroupPermissions: 'rw' }],
      DeviceCgroupRules: ['c 188:* rmw'],
      IpcMode: 'private',
      CgroupnsMode: 'private',
      CpuShares: 512,
      CpuPeriod: 50_000,
      CpuQuota: 25_000,
      CpusetCpus: '0',
      Memory: 64 * 1024 ** 2,
      MemoryReservation: 32 * 1024 ** 2,
      MemorySwap: 128 * 1024 ** 2,
      PidsLimit: 100,
      ShmSize: 16 * 1024 ** 2,
      OomScoreAdj: 500,
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'nofile', Soft: 256, Hard: 512 },
      ],
      Tmpfs: { '/run': 'size=64k,mode=755' },
      Mounts: [
        {
          ...{ Type: 'volume', Source: `${appId}_tools`, Target: '/tools', ReadOnly: true },
          VolumeOptions: { NoCopy: true },
        },
        { Type: 'tmpfs', Target: '/scratch', TmpfsOptions: { SizeBytes: 1024 ** 2, Mode: 0o1777 } },
      ],
      PortBindings: {
        '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '18080' }],
        '8081/tcp': [{ HostIp: '127.0.0.1', HostPort: '18081' }],
      },
      Dns: ['10.93.7.1'],
      DnsSearch: ['workshop.example'],
      DnsOptions: ['ndots:2'],
      ExtraHosts: ['nas:10.93.7.9'],
    };
    assert.deepEqual(picked(HostConfig, host), host);
    const { Networks } = NetworkSettings as { Networks: Record<string, { IPAddress: string; Aliases: string[] }> };
    assert.deepEqual(Object.keys(Networks).sort(), [`${appId}_floor`, `${appId}_office`]);
    assert.equal(Networks[`${appId}_floor`]?.IPAddress, '10.93.7.20');
    assert.ok(['spindle', 'lathe'].every((alias) => Networks[`${appId}_floor`]?.Aliases.includes(alias)));
    const inside = await scene.exec(container.id, [
      'sh',
      '-c',
      'id -u; echo $RETRIES $BALENA_SERVICE_NAME; ls /dev/coolant',
    ]);
    assert.match(inside.output, /^1000\s+3 lathe\s+\/dev\/coolant/);

    const before = await scene.containers(appId);
    const events = await scene.record(appId);
    await scene.agent.post('/v1/update', {});
    await scene.agent.restart();
    await scene.untilReady('workshop');
    await scene.agent.post('/v1/update', {});
    await scene.untilReady('workshop');
    events.stop();
    assert.deepEqual(events.seen, []);
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(before));
  });

  it('reach into the host where the App says so: paths, a volume that binds one, a label', async () => {
    const { container } = await run('host-paths', 'inspector');
    const { HostConfig } = await inspect(container.id);
    const { Binds, Mounts, LogConfig } = HostConfig as Record<'Binds' | 'Mounts' | 'LogConfig', unknown>;
    assert.deepEqual((Binds as string[]).slice(-2), ['/etc/os-release:/host/os-release:ro', '/sys:/sys']);
    assert.deepEqual(Mounts, [{ Type: 'bind', Source: '/etc', Target: '/host/etc', ReadOnly: true }]);
    assert.deepEqual(LogConfig, { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } });
    const seen = await scene.exec(container.id, [
      'sh',
      '-c',
      'cat /host/os-release; ls -d /host/apt/sources*; touch /host/etc/x',
    ]);
    assert.equal(
      seen.output.includes(await readFile('/etc/os-release', 'utf8').then((text) => text.split('\n')[0] ?? '')),
      true,
    );
    assert.match(seen.output, /Read-only file system/);
    assert.match(seen.output, /\/host\/apt\/sources/);
  });

  it('that only engines know are taken: runtime, platform, uts, real limits of devices', async () => {
    const name = `${scene.prefix}-rest`;
    const appId = scene.appId();
    await scene.put(name, {
      appId,
      services: {
        main: scene.service({ runtime: 'runc', platform: 'linux/amd64', uts: 'host', storage_opt: {}, gpus: [] }),
      },
    });
    await scene.untilReady(name);
    const [main] = await scene.untilRunning(appId, ['main']);
    const { HostConfig } = await inspect(main?.id ?? '');
    assert.deepEqual(picked(HostConfig, { Runtime: '', UTSMode: '' }), { Runtime: 'runc', UTSMode: 'host' });
  });

  it('of an image count where the document says nothing, and in their place a feature of its labels', async () => {
    const image = `${scene.prefix}:baked`;
    await scene.makeImage(image, {
      labels: { 'io.balena.features.sysfs': '1', 'io.resin.features.procfs': '1', team: 'image' },
      env: { FROM_IMAGE: 'yes', MODE: 'image' },
      changes: ['USER 7:7', 'WORKDIR /srv', 'VOLUME /cache', 'HEALTHCHECK --interval=1s CMD true'],
    });
    const name = `${scene.prefix}-baked`;
    const appId = scene.appId();
    const environment = { MODE: 'document' };
    await scene.put(name, {
      appId,
      allowHostBinds: true, // the image's labels mount /sys and /proc
      services: { main: { image, command: 'sleep 1000000', environment } },
    });
    await scene.untilReady(name);
    const [main] = await scene.untilRunning(appId, ['main']);
    const { Config, HostConfig, Mounts } = await inspect(main?.id ?? '');
    const config = { User: '7:7', WorkingDir: '/srv', Volumes: { '/cache': {} } };
    assert.deepEqual(picked(Config, config), config);
    const { Env, Labels, Healthcheck } = Config as { Env: string[]; Labels: Values; Healthcheck: { Test: string[] } };
    assert.ok(
      ['FROM_IMAGE=yes', 'MODE=document', 'BALENA=1'].every((line) => Env.includes(line)),
      Env.join(),
    );
    assert.equal(Labels.team, 'image');
    assert.equal(Healthcheck.Test[0], 'CMD-SHELL');
    const { Binds } = HostConfig as { Binds: string[] };
    assert.ok(
      ['/sys:/sys', '/proc:/proc'].every((bind) => Binds.includes(bind)),
      Binds.join(),
    );
    assert.ok(
      (Mounts as { Type: string; Destination: string }[]).some(
        (one) => one.Type === 'volume' && one.Destination === '/cache',
      ),
    );

    const events = await scene.record(appId);
    await scene.agent.restart();
    await scene.untilReady(name);
    events.stop();
    assert.deepEqual(events.seen, []);
  });
});

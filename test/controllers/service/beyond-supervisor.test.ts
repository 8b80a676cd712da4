import assert from 'node:assert/strict';
import { normalizeComposition } from '../../../api/sources/target-state/composition.js';
import { containerOptions } from '../../../controllers/service/container/container-options.js';
import { BOUNDED_LOGS, isUnbounded } from '../../../controllers/service/spec/logging.js';
import { isMap } from '../../../crds/model/maps.js';
import { aServiceSpec, containerContext } from './builders.js';

const optionsOf = (fields: Readonly<Record<string, unknown>>, more: Partial<typeof containerContext> = {}) =>
  containerOptions({ ...containerContext, ...more, spec: aServiceSpec(fields) }).options;

const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((inner, key) => (isMap(inner) ? inner[key] : undefined), value);

/** Compose's fields that the Supervisor drops, and what our own documents make of them. */
const cases: readonly { fields: Record<string, unknown>; path: string; want: unknown }[] = [
  {
    fields: { logging: { driver: 'local', options: { 'max-size': '5m', 'max-file': 2, compress: true } } },
    path: 'HostConfig.LogConfig',
    want: { Type: 'local', Config: { 'max-size': '5m', 'max-file': '2', compress: 'true' } },
  },
  { fields: { logging: { driver: 'journald' } }, path: 'HostConfig.LogConfig', want: { Type: 'journald', Config: {} } },
  {
    fields: { restart: 'on-failure:3' },
    path: 'HostConfig.RestartPolicy',
    want: { Name: 'on-failure', MaximumRetryCount: 3 },
  },
  { fields: { runtime: 'nvidia' }, path: 'HostConfig.Runtime', want: 'nvidia' },
  { fields: { platform: 'linux/arm64' }, path: 'platform', want: 'linux/arm64' },
  {
    fields: { gpus: 'all' },
    path: 'HostConfig.DeviceRequests',
    want: [{ Driver: '', Count: -1, DeviceIDs: [], Capabilities: [['gpu']], Options: {} }],
  },
  {
    fields: { gpus: [{ count: -1 }] },
    path: 'HostConfig.DeviceRequests',
    want: [{ Driver: '', Count: -1, DeviceIDs: [], Capabilities: [['gpu']], Options: {} }],
  },
  {
    fields: { gpus: [{ driver: 'nvidia', device_ids: ['1'], capabilities: ['compute'], options: { a: 'b' } }] },
    path: 'HostConfig.DeviceRequests',
    want: [{ Driver: 'nvidia', Count: 0, DeviceIDs: ['1'], Capabilities: [['gpu', 'compute']], Options: { a: 'b' } }],
  },
  {
    fields: { gpus: [{ count: 2 }], labels: { 'io.balena.features.gpu': '1' } },
    path: 'HostConfig.DeviceRequests',
    want: [
      { Driver: '', Count: 2, DeviceIDs: [], Capabilities: [['gpu']], Options: {} },
      { Driver: '', Count: 1, DeviceIDs: [], Capabilities: [['gpu']], Options: {} },
    ],
  },
  { fields: { device_cgroup_rules: ['c 188:* rmw'] }, path: 'HostConfig.DeviceCgroupRules', want: ['c 188:* rmw'] },
  { fields: { stdin_open: true }, path: 'OpenStdin', want: true },
  {
    fields: { expose: ['9', 8000, '7-8/udp'], ports: ['80'] },
    path: 'ExposedPorts',
    want: { '80/tcp': {}, '7/udp': {}, '8/udp': {}, '8000/tcp': {}, '9/tcp': {} },
  },
  { fields: { uts: 'host' }, path: 'HostConfig.UTSMode', want: 'host' },
  { fields: { uts: 'host', network_mode: 'host' }, path: 'Hostname', want: '' },
  { fields: { cgroup: 'private' }, path: 'HostConfig.CgroupnsMode', want: 'private' },
  { fields: { cpu_period: '50000' }, path: 'HostConfig.CpuPeriod', want: 50_000 },
  { fields: { cpu_rt_runtime: '400ms' }, path: 'HostConfig.CpuRealtimeRuntime', want: 400_000 },
  { fields: { cpu_rt_period: 1_000_000 }, path: 'HostConfig.CpuRealtimePeriod', want: 1_000_000 },
  { fields: { mem_limit: '64m', memswap_limit: '1g' }, path: 'HostConfig.MemorySwap', want: 1_073_741_824 },
  { fields: { mem_limit: '64m', memswap_limit: -1 }, path: 'HostConfig.MemorySwap', want: -1 },
  { fields: { mem_swappiness: 0 }, path: 'HostConfig.MemorySwappiness', want: 0 },
  { fields: { blkio_config: { weight: 300 } }, path: 'HostConfig.BlkioWeight', want: 300 },
  {
    fields: { blkio_config: { weight_device: [{ path: '/dev/sda', weight: 200 }] } },
    path: 'HostConfig.BlkioWeightDevice',
    want: [{ Path: '/dev/sda', Weight: 200 }],
  },
  {
    fields: { blkio_config: { device_write_bps: [{ path: '/dev/sda', rate: '1m' }] } },
    path: 'HostConfig.BlkioDeviceWriteBps',
    want: [{ Path: '/dev/sda', Rate: 1_048_576 }],
  },
  {
    fields: { blkio_config: { device_read_iops: [{ path: '/dev/sda', rate: 50 }] } },
    path: 'HostConfig.BlkioDeviceReadIOps',
    want: [{ Path: '/dev/sda', Rate: 50 }],
  },
  { fields: { storage_opt: { size: '2G' } }, path: 'HostConfig.StorageOpt', want: { size: '2G' } },
  {
    fields: { devices: [{ source: '/dev/a', target: '/dev/b', permissions: 'r' }] },
    path: 'HostConfig.Devices',
    want: [{ PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'r' }],
  },
  {
    fields: { volumes: [{ type: 'tmpfs', target: '/x', tmpfs: { size: '1m', mode: '1770' } }] },
    path: 'HostConfig.Mounts',
    want: [{ Type: 'tmpfs', Target: '/x', TmpfsOptions: { SizeBytes: 1_048_576, Mode: 0o1770 } }],
  },
  {
    fields: { networks: { lab: { driver_opts: { a: 'b' } } } },
    path: 'NetworkingConfig.EndpointsConfig.5f1c0e9a_lab.DriverOpts',
    want: { a: 'b' },
  },
  {
    fields: { volumes: ['/etc/app:/etc/app:ro,rslave', '/srv:/srv', '/x:/x:Z'] },
    path: 'HostConfig.Binds',
    want: [
      '/tmp/balena-supervisor/services/1207/sensor:/tmp/resin',
      '/tmp/balena-supervisor/services/1207/sensor:/tmp/balena',
      '/etc/app:/etc/app:ro,rslave',
      '/srv:/srv',
      '/x:/x:Z',
    ],
  },
  {
    fields: {
      volumes: [
        {
          ...{ type: 'bind', source: '/dev/shm', target: '/shm', read_only: true },
          bind: { create_host_path: false, propagation: 'rslave' },
        },
      ],
    },
    path: 'HostConfig.Mounts',
    want: [
      {
        ...{ Type: 'bind', Source: '/dev/shm', Target: '/shm', ReadOnly: true },
        BindOptions: { Propagation: 'rslave' },
      },
    ],
  },
];

describe('containerOptions, beyond the Supervisor', () => {
  for (const { fields, path, want } of cases) {
    it(`makes ${path} of ${JSON.stringify(fields)}`, () => assert.deepEqual(at(optionsOf(fields), path), want));
  }

  it('sends none of it where the document says none of it', () => {
    const { HostConfig = {}, ...plain } = optionsOf({});
    const sent = [...Object.keys(HostConfig), ...Object.keys(plain)];
    const news =
      /^(LogConfig|Runtime|platform|OpenStdin|UTSMode|Cgroupns|CpuPeriod|CpuRealtime|MemorySw|Blkio|Storage)/;
    assert.deepEqual(
      sent.filter((key) => news.test(key)),
      [],
    );
  });

  it('bounds logs that nobody has said anything of, and only those', () => {
    const bounded = { ...containerContext, boundLogs: true };
    assert.deepEqual(optionsOf({}, bounded).HostConfig?.LogConfig, BOUNDED_LOGS);
    const own = { logging: { driver: 'json-file' } };
    assert.deepEqual(optionsOf(own, bounded).HostConfig?.LogConfig, { Type: 'json-file', Config: {} });
    assert.deepEqual(['json-file', undefined, 'journald', 'local', 'none'].map(isUnbounded), [
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('a Supervisor’s target state', () => {
  const dropped = {
    ...{ logging: { driver: 'local' }, runtime: 'nvidia', platform: 'linux/arm64', gpus: 'all', stdin_open: true },
    ...{ device_cgroup_rules: ['a *:* r'], expose: ['9'], uts: 'host', cgroup: 'private', pull_policy: 'missing' },
    ...{ cpu_period: 5000, cpu_rt_runtime: 1, cpu_rt_period: 1, memswap_limit: -1, mem_swappiness: 1 },
    ...{ blkio_config: { weight: 300 }, storage_opt: { size: '2G' } },
  };

  it('leaves out what the Supervisor does, with a word about each', () => {
    const { fields, warnings } = normalizeComposition(dropped);
    assert.deepEqual(fields, {});
    assert.deepEqual(
      warnings.map((warning) => warning.split(' ', 1)[0]),
      Object.keys(dropped),
    );
  });

  const changed: readonly (readonly [Record<string, unknown>, Record<string, unknown>])[] = [
    [{ restart: 'on-failure:3' }, { restart: 'always' }],
    [{ volumes: ['/etc:/etc', './x:/x', { type: 'bind', source: '/etc', target: '/etc' }] }, { volumes: [] }],
    [{ networks: { lab: { driver_opts: { a: 'b' } } } }, { networks: { lab: {} } }],
    [{ volumes: [{ type: 'tmpfs', target: '/x', tmpfs: { size: '1m' } }] }, { volumes: [] }],
  ];
  for (const [composition, want] of changed) {
    it(`makes ${JSON.stringify(want)} of ${JSON.stringify(composition)}, and says so`, () => {
      const { fields, warnings } = normalizeComposition(composition);
      assert.deepEqual(fields, want);
      assert.ok(warnings.length > 0);
    });
  }
});

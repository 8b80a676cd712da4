/** One definition and what of Docker's create options it decides. */
export interface DefinitionVector {
  readonly id: string;
  readonly why: string;
  readonly composition: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Inspect data of the local image; absent: not pulled. */
  readonly image?: { readonly Id: string; readonly Config: Readonly<Record<string, unknown>> };
  readonly device?: { readonly hostPathExists: { readonly modules: boolean; readonly firmware: boolean } };
  /** Ids of siblings' containers. */
  readonly containers?: Readonly<Record<string, string>>;
  /** A subset of the create options. */
  readonly expect?: Readonly<Record<string, unknown>>;
  /** Networks connected after create. */
  readonly joins?: Readonly<Record<string, unknown>>;
  readonly dependsOn?: readonly string[];
  /** Values or keys that must not occur at that path. */
  readonly absent?: Readonly<Record<string, readonly string[]>>;
  readonly error?: boolean;
}

/** A change of a definition, and whether `balena-supervisor` 19.0.5 recreates the container for it. */
export interface ChangeVector {
  readonly id: string;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
  readonly recreate: boolean;
  readonly note?: string;
}

/** Definition → create options, observed with `balena-supervisor` 19.0.5. */
export const definitionVectors: readonly DefinitionVector[] = [
  {
    id: 'C01',
    why: 'defaults of an empty composition',
    composition: {},
    expect: {
      name: 'sensor_4410_970_b7e2d4',
      Image: 'registry.example.net/v2/aa11:latest',
      Tty: true,
      Cmd: [],
      Entrypoint: [],
      StopSignal: 'SIGTERM',
      StopTimeout: 10,
      Healthcheck: { Test: ['NONE'] },
      NetworkingConfig: { EndpointsConfig: { '5f1c0e9a_default': { IPAMConfig: {}, Aliases: ['sensor'] } } },
      HostConfig: {
        NetworkMode: '5f1c0e9a_default',
        RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
        ShmSize: 67108864,
        IpcMode: 'shareable',
        Memory: 0,
        NanoCpus: 0,
        PidsLimit: 0,
        Privileged: false,
        Binds: [
          '/tmp/balena-supervisor/services/1207/sensor:/tmp/resin',
          '/tmp/balena-supervisor/services/1207/sensor:/tmp/balena',
        ],
      },
    },
  },
  {
    id: 'C02',
    why: 'memory units are 1024-based; bare number is bytes',
    composition: { mem_limit: '96m', mem_reservation: 33554432, shm_size: '1Gb' },
    expect: { HostConfig: { Memory: 100663296, MemoryReservation: 33554432, ShmSize: 1073741824 } },
  },
  {
    id: 'C03',
    why: 'fractions and unknown units are not parsed: field default is used',
    composition: { mem_limit: '1.5g', shm_size: 'huge' },
    expect: { HostConfig: { Memory: 0, ShmSize: 67108864 } },
  },
  {
    id: 'C04',
    why: 'stop timings and numeric signal',
    composition: { stop_grace_period: '2m5s', stop_signal: 12 },
    expect: { StopTimeout: 125, StopSignal: '12' },
  },
  {
    id: 'C05',
    why: 'restart value is trimmed and lower-cased, retry count never set',
    composition: { restart: ' On-Failure ' },
    expect: { HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 0 } } },
  },
  {
    id: 'C06',
    why: 'anything outside the four policies becomes always',
    composition: { restart: 'on-failure:4' },
    expect: { HostConfig: { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } } },
  },
  {
    id: 'C07',
    why: 'shell-like splitting, no variable expansion, no shell',
    composition: { command: 'python -u run.py --tag "$ZONE a" *.cfg | tee log', entrypoint: '/bin/tini -- ' },
    expect: {
      Cmd: ['python', '-u', 'run.py', '--tag', '$ZONE a', '*.cfg', '|', 'tee', 'log'],
      Entrypoint: ['/bin/tini', '--'],
    },
  },
  {
    id: 'C08',
    why: 'image supplies what the composition leaves out',
    composition: { entrypoint: ['/go'] },
    image: {
      Id: 'sha256:feed01',
      Config: {
        Cmd: ['serve'],
        Entrypoint: ['/img'],
        WorkingDir: '/opt/app/',
        User: '1001',
        StopSignal: 'SIGQUIT',
        Volumes: { '/cache': {} },
      },
    },
    expect: {
      Image: 'sha256:feed01',
      Cmd: ['serve'],
      Entrypoint: ['/go'],
      WorkingDir: '/opt/app',
      User: '1001',
      StopSignal: 'SIGQUIT',
      Volumes: { '/cache': {} },
    },
  },
  {
    id: 'C09',
    why: 'environment precedence: top level, composition, injected, image',
    composition: { environment: { MODE: 'comp', LEVEL: 'comp' } },
    environment: { MODE: 'top', BALENA_APP_NAME: 'renamed' },
    image: { Id: 'sha256:feed02', Config: { Env: ['MODE=img', 'LEVEL=img', 'ONLY_IMG=1', 'USER=app'] } },
    expect: {
      Env: [
        'MODE=top',
        'LEVEL=comp',
        'ONLY_IMG=1',
        'USER=root',
        'BALENA_APP_NAME=renamed',
        'RESIN_APP_NAME=greenhouse',
        'BALENA_APP_ID=1207',
        'BALENA_SERVICE_NAME=sensor',
        'BALENA=1',
      ],
    },
  },
  {
    id: 'C10',
    why: 'label precedence, legacy rewrite, reserved labels win',
    composition: { labels: { team: 'comp', 'io.balena.app-id': '666' } },
    labels: { team: 'top', 'io.resin.update.strategy': 'kill-then-download' },
    image: { Id: 'sha256:feed03', Config: { Labels: { team: 'img', maintainer: 'ops' } } },
    expect: {
      Labels: {
        team: 'top',
        maintainer: 'ops',
        'io.balena.update.strategy': 'kill-then-download',
        'io.balena.supervised': 'true',
        'io.balena.app-id': '1207',
        'io.balena.app-uuid': '5f1c0e9a',
        'io.balena.service-id': '88',
        'io.balena.service-name': 'sensor',
      },
    },
  },
  {
    id: 'C11',
    why: 'single, mapped, ip-bound and udp ports',
    composition: { ports: ['7000', '8088:80', '127.0.0.1:6000:6001', '5353:53/udp'] },
    expect: {
      ExposedPorts: { '7000/tcp': {}, '80/tcp': {}, '6001/tcp': {}, '53/udp': {} },
      HostConfig: {
        PortBindings: {
          '7000/tcp': [{ HostIp: '', HostPort: '7000' }],
          '80/tcp': [{ HostIp: '', HostPort: '8088' }],
          '6001/tcp': [{ HostIp: '127.0.0.1', HostPort: '6000' }],
          '53/udp': [{ HostIp: '', HostPort: '5353' }],
        },
      },
    },
  },
  {
    id: 'C12',
    why: 'equal-length ranges are paired; same container port may be bound twice',
    composition: { ports: ['4100-4102:100-102', '4200:100'] },
    expect: {
      HostConfig: {
        PortBindings: {
          '100/tcp': [
            { HostIp: '', HostPort: '4100' },
            { HostIp: '', HostPort: '4200' },
          ],
          '101/tcp': [{ HostIp: '', HostPort: '4101' }],
          '102/tcp': [{ HostIp: '', HostPort: '4102' }],
        },
      },
    },
  },
  {
    id: 'C13',
    why: 'ranges of different length are an error',
    composition: { ports: ['4100-4103:100-102'] },
    error: true,
  },
  {
    id: 'C14',
    why: 'short volumes: prefix, trim, mode; binds dropped; anonymous kept',
    composition: { volumes: ['store : /srv/store : ro', '/dev/shm:/x', '/var/spool'] },
    expect: { Volumes: { '/var/spool': {} }, HostConfig: { Binds: ['1207_store:/srv/store:ro'] } },
    absent: { 'HostConfig.Binds': ['/dev/shm:/x'] },
  },
  {
    id: 'C15',
    why: 'long volumes become Mounts',
    composition: {
      volumes: [
        { type: 'volume', source: 'db', target: '/db', volume: { nocopy: true } },
        { type: 'tmpfs', target: '/scratch', tmpfs: { size: 2097152 } },
        { type: 'bind', source: '/etc', target: '/host/etc' },
        { type: 'volume', target: '/anon' },
      ],
    },
    expect: {
      HostConfig: {
        Mounts: [
          { Type: 'volume', Source: '1207_db', Target: '/db', VolumeOptions: { NoCopy: true } },
          { Type: 'tmpfs', Target: '/scratch', TmpfsOptions: { SizeBytes: 2097152 } },
          { Type: 'volume', Target: '/anon' },
        ],
      },
    },
  },
  {
    id: 'C16',
    why: 'tmpfs list, read-only root',
    composition: { tmpfs: ['/run', '/var/lock'], read_only: true },
    expect: { HostConfig: { Tmpfs: { '/run': '', '/var/lock': '' }, ReadonlyRootfs: true } },
  },
  {
    id: 'C17',
    why: 'devices: 1, 2 and 3 parts',
    composition: { devices: ['/dev/i2c-1', '/dev/ttyACM0:/dev/modem', '/dev/video2:/dev/cam:rw'] },
    expect: {
      HostConfig: {
        Devices: [
          { PathOnHost: '/dev/i2c-1', PathInContainer: '/dev/i2c-1', CgroupPermissions: 'rwm' },
          { PathOnHost: '/dev/ttyACM0', PathInContainer: '/dev/modem', CgroupPermissions: 'rwm' },
          { PathOnHost: '/dev/video2', PathInContainer: '/dev/cam', CgroupPermissions: 'rw' },
        ],
      },
    },
  },
  {
    id: 'C18',
    why: 'ulimits scalar and pair, sysctls list stringified',
    composition: { ulimits: { memlock: -1, nofile: { soft: 2048, hard: 8192 } }, sysctls: ['net.ipv4.ip_forward=1'] },
    expect: {
      HostConfig: {
        Ulimits: [
          { Name: 'memlock', Soft: -1, Hard: -1 },
          { Name: 'nofile', Soft: 2048, Hard: 8192 },
        ],
        Sysctls: { 'net.ipv4.ip_forward': '1' },
      },
    },
  },
  {
    id: 'C19',
    why: 'sysctls map values become strings',
    composition: { sysctls: { 'kernel.shmmax': 65536 } },
    expect: { HostConfig: { Sysctls: { 'kernel.shmmax': '65536' } } },
  },
  {
    id: 'C20',
    why: 'healthcheck string, units to ns',
    composition: { healthcheck: { test: 'wget -q localhost', interval: '1m30s', timeout: '750ms', retries: 4 } },
    expect: {
      Healthcheck: { Test: ['CMD-SHELL', 'wget -q localhost'], Interval: 90000000000, Timeout: 750000000, Retries: 4 },
    },
  },
  {
    id: 'C21',
    why: 'composition healthcheck overlays the image one key by key',
    composition: { healthcheck: { test: ['CMD', 'probe'], interval: '20s' } },
    image: {
      Id: 'sha256:feed04',
      Config: { Healthcheck: { Test: ['CMD', 'img'], Interval: 1000000000, Timeout: 3000000000, Retries: 2 } },
    },
    expect: { Healthcheck: { Test: ['CMD', 'probe'], Interval: 20000000000, Timeout: 3000000000, Retries: 2 } },
  },
  {
    id: 'C22',
    why: 'disable wins',
    composition: { healthcheck: { disable: true, test: 'x' } },
    expect: { Healthcheck: { Test: ['NONE'] } },
  },
  {
    id: 'C23',
    why: 'cpu fields',
    composition: { cpus: '0.25', cpu_shares: '640', cpu_quota: 30000, cpuset: '1,3', cpu_period: 100000 },
    expect: { HostConfig: { NanoCpus: 250000000, CpuShares: 640, CpuQuota: 30000, CpusetCpus: '1,3' } },
    absent: { HostConfig: ['CpuPeriod'] },
  },
  {
    id: 'C24',
    why: 'networks list: first is the creation network, others joined later',
    composition: { networks: ['south', 'north'] },
    expect: {
      NetworkingConfig: { EndpointsConfig: { '5f1c0e9a_south': { IPAMConfig: {}, Aliases: ['sensor'] } } },
      HostConfig: { NetworkMode: '5f1c0e9a_south' },
    },
    joins: { '5f1c0e9a_north': { IPAMConfig: {}, Aliases: ['sensor'] } },
  },
  {
    id: 'C25',
    why: 'networks map with addresses; service name appended to aliases',
    composition: {
      networks: {
        lab: { aliases: ['probe'], ipv4_address: '10.9.0.7', ipv6_address: 'fd00::7', link_local_ips: ['169.254.8.8'] },
      },
    },
    expect: {
      NetworkingConfig: {
        EndpointsConfig: {
          '5f1c0e9a_lab': {
            IPAMConfig: { IPv4Address: '10.9.0.7', IPv6Address: 'fd00::7', LinkLocalIPs: ['169.254.8.8'] },
            Aliases: ['probe', 'sensor'],
          },
        },
      },
    },
  },
  {
    id: 'C26',
    why: 'host networking takes the device hostname and no endpoints',
    composition: { network_mode: 'host' },
    expect: { Hostname: 'shed', NetworkingConfig: { EndpointsConfig: {} }, HostConfig: { NetworkMode: 'host' } },
  },
  {
    id: 'C27',
    why: 'explicit hostname kept under host networking',
    composition: { network_mode: 'host', hostname: 'gw' },
    expect: { Hostname: 'gw' },
  },
  {
    id: 'C28',
    why: "sharing a sibling's network resolves to its container id and adds a dependency",
    composition: { network_mode: 'service:vpn' },
    containers: { vpn: 'c0ffee77' },
    expect: { NetworkingConfig: { EndpointsConfig: {} }, HostConfig: { NetworkMode: 'container:c0ffee77' } },
    dependsOn: ['vpn'],
  },
  { id: 'C29', why: 'same, sibling has no container yet', composition: { network_mode: 'service:vpn' }, error: true },
  {
    id: 'C30',
    why: 'security options: label=… removed, others passed',
    composition: {
      security_opt: ['label=type:x', 'apparmor=unconfined'],
      cap_add: ['NET_RAW'],
      cap_drop: ['ALL'],
      privileged: true,
    },
    expect: {
      HostConfig: { SecurityOpt: ['apparmor=unconfined'], CapAdd: ['NET_RAW'], CapDrop: ['ALL'], Privileged: true },
    },
  },
  {
    id: 'C31',
    why: 'dns scalars and extra_hosts separators',
    composition: {
      dns: '9.9.9.9',
      dns_search: 'lan',
      dns_opt: ['ndots:2'],
      extra_hosts: ['nas=10.0.0.9', 'hub:10.0.0.1'],
    },
    expect: {
      HostConfig: {
        Dns: ['9.9.9.9'],
        DnsSearch: ['lan'],
        DnsOptions: ['ndots:2'],
        ExtraHosts: ['nas:10.0.0.9', 'hub:10.0.0.1'],
      },
    },
  },
  {
    id: 'C32',
    why: 'pass-through strings',
    composition: {
      pid: 'host',
      ipc: 'host',
      userns_mode: 'host',
      cgroup_parent: '/slice',
      domainname: 'lan',
      mac_address: '02:42:00:00:00:09',
      user: '7:7',
      group_add: ['dialout'],
      pids_limit: 80,
      oom_score_adj: '-300',
      oom_kill_disable: 1,
      init: true,
      tty: false,
    },
    expect: {
      Tty: false,
      User: '7:7',
      Domainname: 'lan',
      MacAddress: '02:42:00:00:00:09',
      HostConfig: {
        PidMode: 'host',
        IpcMode: 'host',
        UsernsMode: 'host',
        CgroupParent: '/slice',
        GroupAdd: ['dialout'],
        PidsLimit: 80,
        OomScoreAdj: -300,
        OomKillDisable: true,
        Init: true,
      },
    },
  },
  {
    id: 'C33',
    why: 'supervisor-api feature on a user network',
    composition: {},
    labels: { 'io.balena.features.supervisor-api': '1' },
    expect: {
      Env: [
        'BALENA_SUPERVISOR_API_KEY=SK',
        'RESIN_SUPERVISOR_API_KEY=SK',
        'BALENA_SUPERVISOR_PORT=48484',
        'BALENA_SUPERVISOR_HOST=10.114.104.1',
        'BALENA_SUPERVISOR_ADDRESS=http://10.114.104.1:48484',
      ],
    },
    joins: { supervisor0: { IPAMConfig: {}, Aliases: [] } },
  },
  {
    id: 'C34',
    why: 'supervisor-api under host networking',
    composition: { network_mode: 'host' },
    labels: { 'io.balena.features.supervisor-api': 'true' },
    expect: { Env: ['BALENA_SUPERVISOR_ADDRESS=http://127.0.0.1:48484'] },
    joins: {},
  },
  {
    id: 'C35',
    why: 'engine socket feature (engine socket of this device: /run/engine.sock)',
    composition: {},
    labels: { 'io.balena.features.balena-socket': 'on' },
    expect: {
      Env: ['DOCKER_HOST=unix:///host/run/balena-engine.sock'],
      HostConfig: {
        Mounts: [
          { Type: 'bind', Source: '/run/engine.sock', Target: '/host/run/balena-engine.sock' },
          { Type: 'bind', Source: '/run/engine.sock', Target: '/run/engine.sock' },
          { Type: 'bind', Source: '/run/engine.sock', Target: '/var/run/balena.sock' },
        ],
      },
    },
  },
  {
    id: 'C36',
    why: 'a feature label baked into the image counts',
    composition: {},
    image: { Id: 'sha256:feed05', Config: { Labels: { 'io.balena.features.sysfs': '1' } } },
    expect: { HostConfig: { Binds: ['/sys:/sys'] } },
  },
  {
    id: 'C37',
    why: 'kernel-modules only when the host has the directory; gpu request',
    composition: {},
    labels: {
      'io.balena.features.kernel-modules': '1',
      'io.balena.features.firmware': '1',
      'io.balena.features.gpu': '1',
    },
    device: { hostPathExists: { modules: false, firmware: true } },
    expect: {
      HostConfig: {
        Binds: ['/lib/firmware:/lib/firmware'],
        DeviceRequests: [{ Driver: '', Count: 1, DeviceIDs: [], Capabilities: [['gpu']], Options: {} }],
      },
    },
    absent: { 'HostConfig.Binds': ['/lib/modules:/lib/modules'] },
  },
  {
    id: 'C38',
    why: 'a feature label with a falsy value adds nothing',
    composition: {},
    labels: { 'io.balena.features.dbus': '0', 'io.balena.features.procfs': 'yes' },
    expect: {},
    absent: { 'HostConfig.Binds': ['/run/dbus:/host/run/dbus', '/proc:/proc'] },
  },
  {
    id: 'C39',
    why: 'balena-api under its legacy name',
    composition: {},
    labels: { 'io.resin.features.resin-api': '1' },
    expect: { Env: ['BALENA_API_KEY=DK', 'RESIN_API_KEY=DK', 'BALENA_API_URL=https://api.example.net'] },
  },
  {
    id: 'C40',
    why: 'dropped fields leave no trace; null equals absent',
    composition: {
      uts: 'host',
      container_name: 'x',
      expose: ['9'],
      runtime: 'nvidia',
      stdin_open: true,
      mem_limit: null,
      cap_add: null,
    },
    expect: { name: 'sensor_4410_970_b7e2d4', HostConfig: { Memory: 0, CapAdd: [] } },
    absent: { HostConfig: ['UTSMode', 'Runtime'] },
  },
];

/** Comparison: does the change recreate the container? Observed with the same version. */
export const changeVectors: readonly ChangeVector[] = [
  { id: 'E01', before: {}, after: {}, recreate: false },
  { id: 'E02', before: { cap_add: ['A', 'B'] }, after: { cap_add: ['B', 'A'] }, recreate: false },
  { id: 'E03', before: { dns: ['1.1.1.1', '9.9.9.9'] }, after: { dns: ['9.9.9.9', '1.1.1.1'] }, recreate: true },
  { id: 'E04', before: { volumes: ['p:/p', 'q:/q'] }, after: { volumes: ['q:/q', 'p:/p'] }, recreate: false },
  { id: 'E05', before: { ports: ['81:81', '80:80'] }, after: { ports: ['80-81:80-81'] }, recreate: false },
  { id: 'E06', before: { cpus: 1 }, after: { cpus: 2 }, recreate: false, note: 'cpus is never compared' },
  {
    id: 'E07',
    before: { depends_on: ['m'] },
    after: {},
    recreate: false,
    note: 'dependency list is not container config',
  },
  {
    id: 'E08',
    before: { networks: ['m', 'n'] },
    after: { networks: ['m'] },
    recreate: false,
    note: 'networks missing from the target are ignored',
  },
  { id: 'E09', before: { networks: ['m'] }, after: { networks: ['m', 'n'] }, recreate: true },
  {
    id: 'E10',
    before: { networks: ['m', 'n'] },
    after: { networks: ['n', 'm'] },
    recreate: true,
    note: 'main network changes',
  },
  {
    id: 'E11',
    before: { networks: { m: { aliases: ['k', 'l'] } } },
    after: { networks: { m: { aliases: ['l'] } } },
    recreate: false,
    note: 'target aliases must be a subset',
  },
  {
    id: 'E12',
    before: { networks: { m: { ipv4_address: '10.3.0.4' } } },
    after: { networks: { m: {} } },
    recreate: false,
    note: 'address compared only when the target sets it',
  },
  {
    id: 'E13',
    before: { networks: { m: { ipv4_address: '10.3.0.4' } } },
    after: { networks: { m: { ipv4_address: '10.3.0.5' } } },
    recreate: true,
  },
  { id: 'E14', before: { hostname: 'h1' }, after: { hostname: 'h2' }, recreate: true },
  { id: 'E15', before: { restart: 'no' }, after: { restart: 'always' }, recreate: true },
  { id: 'E16', before: { environment: { K: '1' } }, after: { environment: { K: '2' } }, recreate: true },
  { id: 'E17', before: { labels: { k: '1' } }, after: { labels: { k: '2' } }, recreate: true },
  { id: 'E18', before: { stop_grace_period: '5s' }, after: { stop_grace_period: '6s' }, recreate: true },
  { id: 'E19', before: { security_opt: ['label=disable'] }, after: {}, recreate: false },
  {
    id: 'E20',
    before: { storage_opt: { size: '2G' } },
    after: { storage_opt: { size: '2G' } },
    recreate: true,
    note: 'quirk: never converges',
  },
  {
    id: 'E21',
    before: { stop_grace_period: '0s' },
    after: { stop_grace_period: '0s' },
    recreate: true,
    note: 'quirk: engine 0 reads back as 10',
  },
  {
    id: 'E22',
    before: { devices: ['/dev/a', '/dev/b'] },
    after: { devices: ['/dev/b', '/dev/a'] },
    recreate: true,
    note: 'object arrays keep their order',
  },
];

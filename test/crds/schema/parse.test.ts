import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseDocument } from '../../../crds/schema/parse.js';
import { LIMITS } from '../../../crds/schema/plain.js';
import { type Schema, schemaAt } from '../../../crds/schema/schema.js';
import { SCHEMAS } from '../../../crds/schema/schemas.js';
import { cpuStopwatch } from '../../setup/cpu-time.js';

const document = (kind: string, name: string, spec: unknown, more: object = {}) => ({
  apiVersion: 'supercargo.io/v1',
  kind,
  metadata: { name },
  spec,
  ...more,
});
const app = (spec: unknown, more: object = {}) => document('App', 'hello', spec, more);
const service = (fields: object) => app({ services: { web: { image: 'busybox:1.36', ...fields } } });

/** Every issue as one line; empty for a good document. */
function issuesOf(value: unknown): string[] {
  const parsed = parseDocument(value);
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path}: ${message}`);
}

function specOf(value: unknown): unknown {
  const parsed = parseDocument(value);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.document.spec;
}

describe('parseDocument', () => {
  describe('takes', () => {
    const fields: Record<string, readonly unknown[]> = {
      command: ['httpd -f', ['httpd', '-f'], '', [], null],
      entrypoint: ['/init', ['/init'], null],
      environment: [{ A: 'x', B: 1, C: true, D: null }, ['A=x', 'B=', 'C'], {}, [], null],
      // One that mounts nothing of the host: those that do need the App's leave.
      labels: [{ 'io.balena.features.gpu': '1', n: 1 }, ['io.balena.features.gpu=1'], null],
      user: ['1000:1000', 1000],
      group_add: [['dialout', 20]],
      stop_signal: ['SIGINT', 12],
      stop_grace_period: ['10s', '1m30s', '1.5h', '2m 5s', '500ms', '3µs', '0', 90000],
      healthcheck: [
        { test: 'x', interval: '5s', start_period: '1m' },
        { test: ['CMD', 'x'], startPeriod: 1000, retries: 3 },
        { disable: true },
        {},
      ],
      restart: ['no', 'always', 'on-failure', 'on-failure:3', 'unless-stopped'],
      logging: [{ driver: 'local', options: { 'max-size': '5m', 'max-file': 2 } }, { driver: 'journald' }, {}, null],
      gpus: [
        'all',
        [{ count: 'all' }, { driver: 'nvidia', count: 1, capabilities: ['compute'] }, { device_ids: ['0'] }],
      ],
      device_cgroup_rules: [['c 188:* rmw', 'a *:* r']],
      runtime: ['nvidia'],
      platform: ['linux/arm64', 'linux/arm/v7'],
      expose: [[80, '80', '8000-8010', '53/udp']],
      blkio_config: [{ weight: 300, device_read_bps: [{ path: '/dev/sda', rate: '1m' }] }],
      cpu_rt_runtime: ['400ms', 95000, '95000'],
      memswap_limit: [0],
      uts: ['host', ''],
      cgroup: ['host', 'private'],
      pull_policy: ['missing'],
      ulimits: [{ nofile: 1024, memlock: { soft: -1, hard: -1 }, core: { soft: 1, hard: -1 } }],
      sysctls: [{ 'net.core.somaxconn': 1024 }, ['net.core.somaxconn=1024']],
      tmpfs: ['/run', ['/run', '/tmp']],
      volumes: [
        ['data:/data', 'data:/again:ro', '/anonymous', ' data : /more : ro'],
        [{ type: 'volume', source: 'data', target: '/data', read_only: true, volume: { nocopy: true } }],
        [
          { type: 'tmpfs', target: '/tmp', tmpfs: { size: 1024, mode: '1770' } },
          { type: 'tmpfs', target: '/run', tmpfs: { size: '16m' } },
          { type: 'volume', target: '/x', readOnly: false },
        ],
      ],
      ports: [
        [
          '80',
          '8080:80',
          '127.0.0.1:8080:80',
          '::1:53:53/udp',
          '[::1]:53:53',
          '10.0.0.1:53',
          '1000-1002:2000-2002',
          80,
        ],
        [{ target: 80, published: '8080', host_ip: '127.0.0.1', protocol: 'tcp', mode: 'host' }, { target: '80-81' }],
      ],
      network_mode: ['host', 'none', 'bridge', 'service:db', 'service: db', 'front', null],
      networks: [['front', 'back'], { front: null, back: { aliases: ['db'], ipv4_address: '172.28.0.4' } }],
      dns: ['1.1.1.1', ['1.1.1.1']],
      extra_hosts: [['nas:10.0.0.9', 'hub=10.0.0.1', 'six:::1'], { nas: '10.0.0.9' }],
      devices: [['/dev/i2c-1', '/dev/a:/dev/b', '/dev/a:/dev/b:rw'], [{ source: '/dev/a', permissions: 'r' }]],
      cpus: [0.5, '0.25', 2],
      cpu_shares: [512, '512'],
      cpuset: ['0-2', 1],
      mem_limit: ['512m', '1Gb', '8388608', 8_388_608, 0],
      oom_score_adj: [-300, '-300'],
      depends_on: [['db'], { db: { condition: 'service_healthy', required: false, restart: true }, cache: null }],
      storage_opt: [{ size: '2G' }],
      running: [true, false],
      updateStrategy: ['rolling', 'hand-over', 'delete-then-download'],
      contract: [{ type: 'sw.container', requires: [{ type: 'sw.supervisor', version: '>=1' }] }],
    };
    for (const [field, values] of Object.entries(fields)) {
      for (const value of values) {
        it(`${field}: ${JSON.stringify(value)}`, () => {
          const want = { services: { web: { image: 'busybox:1.36', [field]: value } } };
          assert.deepEqual(specOf(service({ [field]: value })), want);
        });
      }
    }

    it('every Compose field of a service as null, and keeps the null', () => {
      const own = ['image', 'serviceId', 'imageId', 'running', 'updateStrategy', 'contract'];
      const known = Object.keys(fieldSchemas());
      const nulls = Object.fromEntries(known.filter((field) => !own.includes(field)).map((field) => [field, null]));
      assert.ok(Object.keys(nulls).length === 65);
      assert.deepEqual(specOf(service(nulls)), { services: { web: { image: 'busybox:1.36', ...nulls } } });
    });

    for (const image of [
      'busybox',
      'busybox:1.36',
      'library/busybox',
      'registry.example.com:5000/team/web:1.2',
      '[::1]:5000/web',
      'localhost/web@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
      'web:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
      'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
      'registry2.balena-cloud.com/v2/aa11bb22:latest',
    ]) {
      it(`the image ${image}`, () => assert.deepEqual(issuesOf(service({ image })), []));
    }

    it('an empty key as absent where null means nothing', () => {
      assert.deepEqual(specOf(app({ services: null, networks: null, volumes: { data: null }, name: null })), {
        volumes: { data: null },
      });
      assert.deepEqual(specOf(app({ release: null })), { release: null });
    });

    it('documents of every other kind', () => {
      const good = [
        document('Service', 'hello.web', { app: 'hello', serviceName: 'web', image: 'busybox', ports: ['80'] }),
        document('Image', 'hello.busybox-1a2b3c4d', { app: 'hello', image: 'busybox:latest', services: ['web'] }),
        document('Network', 'supervisor0', {
          networkName: 'supervisor0',
          ipam: { config: [{ subnet: '10.1.0.0/16' }] },
        }),
        document('Volume', 'hello.data', { app: 'hello', appId: 1, volumeName: '1_data', reclaim: 'Retain' }),
        document('HostConfig', 'device', { name: 'shed', config: { BALENA_SUPERVISOR_DELTA: 'true' } }),
        document('HostConfig', 'network', { hostname: '' }),
        document('HostConfig', 'network', { hostname: `${'x'.repeat(60)}.lan` }),
        document('HostConfig', 'network', { hostname: null, proxy: { type: 'socks5', port: 1080, other: { a: [1] } } }),
      ];
      for (const one of good) assert.deepEqual(issuesOf(one), []);
    });

    it('an exported document, without what the server wrote', () => {
      const exported = app(
        { appId: 7 },
        {
          metadata: {
            ...{
              name: 'Hello_1',
              uid: 'u',
              generation: 3,
              resourceVersion: '9',
              creationTimestamp: 't',
              origin: 'files',
            },
            ...{ finalizers: [], owner: 'App/x', source: { file: 'f' }, managedFields: [], problem: { message: 'm' } },
            ...{ labels: { a: 'b' }, annotations: { c: 'd' } },
          },
          status: { phase: 'Settled', anything: true },
          requests: { restart: { id: '1', at: 't' } },
        },
      );
      assert.deepEqual(parseDocument(exported), {
        ok: true,
        document: app({ appId: 7 }, { metadata: { name: 'Hello_1', labels: { a: 'b' }, annotations: { c: 'd' } } }),
      });
    });

    it('a copy: the value that it was given is left alone and not shared', () => {
      const given = service({ environment: { A: 'x' }, hostname: undefined });
      const before = structuredClone(given);
      const spec = specOf(given);
      assert.deepEqual(given, before);
      assert.notEqual(spec, given.spec);
      assert.deepEqual(spec, { services: { web: { image: 'busybox:1.36', environment: { A: 'x' } } } });
    });
  });

  describe('refuses', () => {
    const at = 'spec.services.web';
    const cases: readonly { it: string; value: unknown; want: readonly string[] }[] = [
      {
        it: 'nothing',
        value: null,
        want: [': Expected a document, a map with apiVersion, kind, metadata and spec, found nothing (null)'],
      },
      {
        it: 'a list',
        value: [],
        want: [': Expected a document, a map with apiVersion, kind, metadata and spec, found a list'],
      },
      {
        it: 'an empty map',
        value: {},
        want: [
          'apiVersion: Missing: supercargo.io/v1',
          'kind: Missing: one of App, Image, Network, Volume, Service, HostConfig or GitSource',
          'metadata: Missing: a map with a name',
        ],
      },
      {
        it: 'another version',
        value: { ...app({}), apiVersion: 'supercargo.io/v2' },
        want: ['apiVersion: Expected supercargo.io/v1, found "supercargo.io/v2"'],
      },
      {
        it: 'an unknown kind that is near a known one',
        value: document('app', 'x', {}),
        want: [
          'kind: Unknown kind "app"; did you mean "App"? Known are App, Image, Network, Volume, Service, HostConfig and GitSource',
        ],
      },
      {
        it: 'a foreign kind',
        value: document('Deployment', 'x', {}),
        want: [
          'kind: Unknown kind "Deployment". Known are App, Image, Network, Volume, Service, HostConfig and GitSource',
        ],
      },
      {
        it: 'a kind that every object has as a method',
        value: document('constructor', 'x', {}),
        want: [
          'kind: Unknown kind "constructor". Known are App, Image, Network, Volume, Service, HostConfig and GitSource',
        ],
      },
      { it: 'a missing spec', value: document('App', 'x', undefined), want: ['spec: Missing: a map'] },
      { it: 'a spec of text', value: document('App', 'x', 'web'), want: ['spec: Expected a map, found "web"'] },
      { it: 'a missing name', value: app({}, { metadata: {} }), want: ['metadata.name: Missing: a string (name)'] },
      {
        it: 'a name that is a number',
        value: app({}, { metadata: { name: 3 } }),
        want: ['metadata.name: Expected a string (name), found the number 3; put it in quotes'],
      },
      {
        it: 'a name that is a path',
        value: app({}, { metadata: { name: '../x' } }),
        want: [
          'metadata.name: "../x" is not a name: letters, digits, _ . - are allowed, and a letter or digit comes first',
        ],
      },
      {
        it: 'an App whose name leaves no room for its children',
        value: document('App', 'x'.repeat(201), {}),
        want: ['metadata.name: Too long for an App, whose name begins others: 201 characters, at most 200'],
      },
      {
        it: 'unknown metadata, and labels that are no text',
        value: app({}, { metadata: { name: 'x', nmae: 'y', namespace: 'z', labels: { a: 1 }, annotations: [] } }),
        want: [
          'metadata.nmae: Unknown field "nmae"; did you mean "name"?',
          'metadata.namespace: No kind has namespaces here; leave it out',
          'metadata.labels.a: Expected a string, found the number 1; put it in quotes',
          'metadata.annotations: Expected a map of strings, found a list',
        ],
      },
      {
        it: 'fields of the spec beside it',
        value: app({}, { services: {}, colour: 1 }),
        want: [
          'services: Unknown field "services"; it belongs under spec',
          'colour: Unknown field "colour"; known are apiVersion, kind, metadata and spec',
        ],
      },
      {
        it: "a service's field in the App",
        value: app({ image: 'busybox', servces: {} }),
        want: [
          'spec.image: Unknown field "image"; it belongs to a service, under spec.services.<name>',
          'spec.servces: Unknown field "servces"; did you mean "services"?',
        ],
      },
      {
        it: 'unknown fields of a service, each with what was meant',
        value: service({ helthcheck: {}, networkMode: 'host', 'mem-limit': 1, port: [], container_name: 'x', zzz: 1 }),
        want: [
          `${at}.helthcheck: Unknown field "helthcheck"; did you mean "healthcheck"?`,
          `${at}.networkMode: Unknown field "networkMode"; did you mean "network_mode"?`,
          `${at}.mem-limit: Unknown field "mem-limit"; did you mean "mem_limit"?`,
          `${at}.port: Unknown field "port"; did you mean "ports"?`,
          `${at}.container_name: Unknown field "container_name"; Compose has it, but it is not supported here: containers are named by the agent: others reach it by the name of the service, or by networks.<name>.aliases`,
          `${at}.zzz: Unknown field "zzz"`,
        ],
      },
      {
        it: 'a field called like a method or a prototype',
        value: service(JSON.parse('{"constructor": 1, "__proto__": {"image": 1}}')),
        want: [`${at}.constructor: Unknown field "constructor"`, `${at}.__proto__: Unknown field "__proto__"`],
      },
      {
        it: 'a service without an image',
        value: app({ services: { web: {} } }),
        want: [`${at}.image: Missing: a string (an image reference such as registry.example.com/team/web:1.2)`],
      },
      {
        it: 'a service that is nothing',
        value: app({ services: { web: null } }),
        want: [`${at}: Expected a map, found nothing (null); leave it out instead`],
      },
      {
        it: 'services as a list',
        value: app({ services: ['web'] }),
        want: ['spec.services: Expected a map, found a list'],
      },
      {
        it: 'names that Docker would refuse',
        value: app({ services: { 'a b': { image: 'x' } }, volumes: { '.x': null }, networks: { 'é"': {} } }),
        want: [
          'spec.services["a b"]: Not a name: letters, digits, _ . - are allowed, and a letter or digit comes first',
          'spec.volumes[".x"]: Not a name: letters, digits, _ . - are allowed, and a letter or digit comes first',
          'spec.networks["é\\""]: Not a name: letters, digits, _ . - are allowed, and a letter or digit comes first',
        ],
      },
      {
        it: 'a value near one of a set',
        value: app({ volumeReclaim: 'retain' }),
        want: ['spec.volumeReclaim: Expected Retain or Delete, found "retain"; did you mean "Retain"?'],
      },
      {
        it: 'a number out of bounds',
        value: app({ appId: 0 }),
        want: ['spec.appId: Expected at least 1, found the number 0'],
      },
      {
        it: 'a fraction',
        value: app({ appId: 1.5 }),
        want: ['spec.appId: Expected a whole number, found the number 1.5'],
      },
      {
        it: 'HostConfig under another name',
        value: document('HostConfig', 'devise', {}),
        want: ['metadata.name: A HostConfig is named device or network; did you mean "device"?'],
      },
      {
        it: "the other HostConfig's fields",
        value: document('HostConfig', 'device', { hostname: 'x' }),
        want: ['spec.hostname: Belongs to the HostConfig network'],
      },
      ...['a b', 'a\nb', '-a', 'a-', 'a..b', 'a.', 'ü', 'a_b', 'x'.repeat(64)].map((hostname) => ({
        it: `a host name that no system takes, ${JSON.stringify(hostname)}`,
        value: document('HostConfig', 'network', { hostname }),
        want: [
          'spec.hostname: Not a host name: letters, digits and hyphens, in parts of at most 63 between dots, at most 64 together',
        ],
      })),
      { it: 'what is no data', value: app({ name: () => 1 }), want: ['spec.name: A function is not data'] },
      {
        it: 'infinity',
        value: app({ appId: Number.POSITIVE_INFINITY }),
        want: ['spec.appId: Infinity is not a number that can be kept'],
      },
      {
        it: 'a date',
        value: app({ name: new Date(0) }),
        want: ['spec.name: Expected text, a number, true or false, a list or a map, found a Date'],
      },
    ];
    for (const { it: name, value, want } of cases) it(name, () => assert.deepEqual(issuesOf(value), want));

    const size = 'a string (a size such as 512m) or a whole number';
    const port = 'a port such as 8080:80 or 127.0.0.1:5353:53/udp';
    const fields: readonly [field: string, value: unknown, want: string][] = [
      ['command', 3, 'Expected a string or a list, found the number 3; put it in quotes'],
      ['command', ['a', 3], '[1]: Expected a string, found the number 3; put it in quotes'],
      ['tty', 'yes', 'Expected true or false, found "yes"'],
      ['user', true, 'Expected a string or a whole number, found true; put it in quotes'],
      ['restart', 'sometimes', 'Expected no, always, on-failure, on-failure:3 or unless-stopped, found "sometimes"'],
      ['restart', false, 'Expected a string (no, always, on-failure, on-failure:3 or unless-stopped), found false'],
      ['mem_limit', '1.5g', 'Expected a size such as 512m, found "1.5g"'],
      ['mem_limit', {}, `Expected ${size}, found a map`],
      ['stop_grace_period', '90', 'Expected a duration such as 1m30s, found "90"'],
      ['stop_grace_period', 'abc', 'Expected a duration such as 1m30s, found "abc"'],
      ['stop_grace_period', '', 'Expected a duration such as 1m30s, found ""'],
      ['healthcheck', { interval: '1h5' }, '.interval: Expected a duration such as 1m30s, found "1h5"'],
      [
        'healthcheck',
        { start_period: '1s', startPeriod: '1s' },
        '.startPeriod: Is the same as start_period; leave one out',
      ],
      ['cpus', 'many', 'Expected a number such as 0.5, found "many"'],
      ['ports', '80:80', 'Expected a list, found "80:80"'],
      ['ports', ['x'], `[0]: Expected ${port}, found "x"`],
      ['ports', ['80/sctp'], `[0]: Expected ${port}, found "80/sctp"`],
      ['ports', ['127.0.0.1::80'], '[0]: Expected [ip:][host[-end]:]container[-end][/tcp|/udp], found "127.0.0.1::80"'],
      [
        'ports',
        ['999.1.1.1:80:80'],
        '[0]: Expected [ip:][host[-end]:]container[-end][/tcp|/udp], found "999.1.1.1:80:80"',
      ],
      ['ports', [70000], '[0]: Expected at most 65535, found the number 70000'],
      ['ports', ['80:70000'], '[0]: 70000 is not a port: they go from 1 to 65535'],
      ['ports', ['0:80'], '[0]: 0 is not a port: they go from 1 to 65535'],
      ['ports', ['90-80'], '[0]: The range 90-80 goes backwards'],
      ['ports', ['4100-4103:100-102'], '[0]: The ranges 4100-4103 and 100-102 are not equally long'],
      [
        'ports',
        [{ published: 80 }],
        '[0].target: Missing: a string (a port such as 80 or 8000-8010) or a whole number',
      ],
      ['ports', [{ target: '80-82', published: 80 }], '[0]: The ranges 80-80 and 80-82 are not equally long'],
      ['ports', [{ target: 80, publish: 80 }], '[0].publish: Unknown field "publish"; did you mean "published"?'],
      ['volumes', { data: '/data' }, 'Expected a list, found a map'],
      ['volumes', ['data'], '[0]: Expected a volume and a path, such as data:/var/lib/data'],
      [
        'volumes',
        ['/etc:/etc'],
        '[0]: Paths of the host are mounted only where the App says allowHostBinds: true; use a volume, such as data:/var/lib/data',
      ],
      [
        'volumes',
        ['./x:/x'],
        '[0]: Paths of the host are mounted only where the App says allowHostBinds: true; use a volume, such as data:/var/lib/data',
      ],
      ['volumes', ['data:data'], '[0]: The path "data" must begin with /'],
      [
        'volumes',
        [{ type: 'bind', source: '/etc', target: '/x' }],
        '[0]: Paths of the host are mounted only where the App says allowHostBinds: true; use a volume, such as data:/var/lib/data',
      ],
      ['volumes', [{ type: 'tmpfs', source: 'a', target: '/x' }], '[0]: A tmpfs has no source'],
      ['volumes', [{ type: 'nfs', target: '/x' }], '[0].type: Expected volume, tmpfs or bind, found "nfs"'],
      [
        'network_mode',
        'container:x',
        'Containers have no fixed names here; use service:<name of a service of the app>',
      ],
      ['network_mode', 'a b', 'Expected host, none, bridge, service:<name> or a network, found "a b"'],
      [
        'networks',
        { 'a b': null },
        '["a b"]: Not a name: letters, digits, _ . - are allowed, and a letter or digit comes first',
      ],
      ['networks', { a: { alias: [] } }, '.a.alias: Unknown field "alias"; did you mean "aliases"?'],
      [
        'depends_on',
        { a: { condition: 'healthy' } },
        '.a.condition: Expected service_started, service_healthy or service_completed_successfully, found "healthy"',
      ],
      ['ulimits', { nofile: '5' }, '.nofile: Expected a whole number or a map, found "5"'],
      ['ulimits', { nofile: { soft: 9, hard: 5 } }, '.nofile: soft (9) is above hard (5)'],
      [
        'devices',
        [3],
        '[0]: Expected a string (a device such as /dev/ttyUSB0:/dev/modem:rw) or a map, found the number 3; put it in quotes',
      ],
      [
        'devices',
        ['/dev/a:/dev/b:all'],
        '[0]: Expected a device such as /dev/ttyUSB0:/dev/modem:rw, found "/dev/a:/dev/b:all"',
      ],
      ['image', 'Busy Box', 'Expected an image reference such as registry.example.com/team/web:1.2, found "Busy Box"'],
      ['environment', { 'A=B': 'x' }, '["A=B"]: Not a name: it must not be empty and must not contain ='],
      ['sysctls', ['x'], '[0]: Expected name=value, found "x"'],
      ['running', 'yes', 'Expected true or false, found "yes"'],
      ['restart', 'always:3', 'Expected no, always, on-failure, on-failure:3 or unless-stopped, found "always:3"'],
      ['logging', 'json-file', 'Expected a map, found "json-file"'],
      ['gpus', 'some', 'Expected all, found "some"'],
      ['gpus', [{ count: 0 }], '[0].count: Expected at least 1, found the number 0'],
      ['device_cgroup_rules', ['all'], '[0]: Expected a rule such as c 188:* rmw, found "all"'],
      ['platform', 'arm64', 'Expected a platform such as linux/arm64 or linux/arm/v7, found "arm64"'],
      ['expose', ['90-80'], '[0]: The range 90-80 goes backwards'],
      ['expose', ['0/udp'], '[0]: 0 is not a port: they go from 1 to 65535'],
      [
        'healthcheck',
        { test: ['curl', 'localhost'] },
        '.test[0]: Expected CMD, CMD-SHELL or NONE before the command, found "curl"; a string is a command for the shell',
      ],
      ['expose', ['http'], '[0]: Expected a port such as 80, 8000-8010 or 53/udp, found "http"'],
      ['mem_swappiness', 101, 'Expected at most 100, found the number 101'],
      ['blkio_config', { weight: 5 }, '.weight: Expected at least 10, found the number 5'],
      ['cgroup', 'parent', 'Expected host or private, found "parent"'],
      ['pull_policy', 'always', 'Expected missing or if_not_present, found "always"'],
    ];

    it('what Compose has and we do not, with what to write instead', () => {
      const sentences = issuesOf(
        service({
          ...{ links: ['db'], deploy: {}, env_file: '.env', volumes_from: ['db'], annotations: {}, scale: 2 },
          healthcheck: { start_interval: '1s' },
          networks: { a: { priority: 1 } },
        }),
      );
      const prefix = /^spec\.services\.web\.(\S+): Unknown field "\w+"; Compose has it, but it is not supported here: /;
      assert.deepEqual(
        sentences.map((sentence) => sentence.replace(prefix, '$1 → ')),
        [
          'links → services of an app reach each other by name; further names are networks.<name>.aliases, the order is depends_on',
          'deploy → write its limits as cpus, mem_limit, mem_reservation and restart; a service is one container',
          'env_file → write the variables under environment',
          'volumes_from → name the same volumes in both services',
          'annotations → engines before 25.0 do not know it: use labels',
          'scale → a service is one container: write a second service',
          'healthcheck.start_interval → engines before 25.0 do not know it: use interval and start_period',
          'networks.a.priority → the first network of the list is the main one',
        ],
      );
    });

    for (const [field, value, want] of fields) {
      it(`${field}: ${JSON.stringify(value)}`, () => {
        const path = /^[.[]/.test(want) ? want : `: ${want}`;
        assert.deepEqual(issuesOf(service({ [field]: value })), [`${at}.${field}${path}`]);
      });
    }

    it('an environment that the kernel would not take', () => {
      const sentence = 'bytes with its name, at most 131071; write it to a file in a volume';
      const refused = (bytes: number) => [`${at}.environment.BIG: Too large: ${bytes} ${sentence}`];
      assert.deepEqual(issuesOf(service({ environment: { BIG: 'ü'.repeat(100_000) } })), refused(200_004));
      assert.deepEqual(issuesOf(service({ environment: [`BIG=${'x'.repeat(131_068)}`] })), refused(131_072));
      assert.deepEqual(issuesOf(service({ environment: { BIG: 'x'.repeat(131_067) } })), []);
      assert.deepEqual(issuesOf(service({ environment: { BIG: 'x'.repeat(1 << 20) } })), [
        'spec.services.web.environment.BIG: Too long: at most 256 KiB of text',
      ]);
    });

    it('limits that need or exclude each other', () => {
      assert.deepEqual(issuesOf(service({ cpus: 1, cpu_period: 5000, memswap_limit: '1g' })), [
        `${at}.cpu_period: Cannot be set together with cpus; leave one out`,
        `${at}.memswap_limit: Counts memory and swap together, so mem_limit must be set as well`,
      ]);
      for (const memswap_limit of [-1, '-1', '128m'])
        assert.deepEqual(issuesOf(service({ mem_limit: '64m', memswap_limit })), []);
    });

    describe('paths of the host, although the App allows them', () => {
      const binding = (volume: unknown) =>
        app({ allowHostBinds: true, services: { web: { image: 'busybox:1.36', volumes: [volume] } } });
      const bind = (more: object) => ({ type: 'bind', source: '/etc', target: '/host/etc', ...more });
      const good: readonly unknown[] = [
        '/etc:/host/etc',
        '/etc:/host/etc:ro',
        '/mnt:/mnt:ro,rslave,z',
        '/srv:/srv:cached',
        bind({}),
        bind({ read_only: true, bind: { propagation: 'rshared', create_host_path: false } }),
        bind({ source: '/a:b', bind: { create_host_path: false } }),
      ];
      for (const volume of good) {
        it(`not ${JSON.stringify(volume)}`, () => assert.deepEqual(issuesOf(binding(volume)), []));
      }
      const bad: readonly [volume: unknown, want: string][] = [
        ['./x:/x', '[0]: The path "./x" must begin with /: documents have no folder that it could start from'],
        ['~/x:/x', '[0]: The path "~/x" must begin with /: documents have no folder that it could start from'],
        ['/etc:etc', '[0]: The path "etc" must begin with /'],
        ['/etc:/etc:rw,foo', '[0]: "foo" is no mode of a bind: ro, rw, z, Z or a propagation such as rslave'],
        [{ type: 'bind', target: '/x' }, '[0]: A bind needs a source: a path of the host'],
        [
          bind({ source: 'data' }),
          '[0]: The path "data" must begin with /: documents have no folder that it could start from',
        ],
        [bind({ source: '/a:b' }), '[0]: A path with a colon needs bind.create_host_path: false'],
        [{ type: 'volume', source: '/etc', target: '/x' }, '[0]: "/etc" is a path of the host: its type is bind'],
        [
          bind({ bind: { propagation: 'all' } }),
          '[0].bind.propagation: Expected private, rprivate, shared, rshared, slave or rslave, found "all"',
        ],
      ];
      for (const [volume, want] of bad) {
        it(JSON.stringify(volume), () => assert.deepEqual(issuesOf(binding(volume)), [`${at}.volumes${want}`]));
      }

      it('not in a Service, whose App decides', () => {
        const spec = { app: 'hello', serviceName: 'web', image: 'busybox', volumes: ['/etc:/etc'] };
        assert.deepEqual(issuesOf(document('Service', 'hello.web', spec)), []);
      });
    });

    it('cpus together with cpu_quota', () => {
      assert.deepEqual(issuesOf(service({ cpus: 1, cpu_quota: 5000 })), [
        `${at}.cpu_quota: Cannot be set together with cpus; leave one out`,
      ]);
    });
  });

  describe('names the document that it refuses', () => {
    const cases: [value: unknown, kind: string | undefined, name: string | undefined][] = [
      [app({ image: 'x' }), 'App', 'hello'],
      [document('Deployment', 'x', {}), undefined, 'x'],
      [app({}, { metadata: { name: '../x' } }), 'App', undefined],
      ['x', undefined, undefined],
    ];
    for (const [value, kind, name] of cases) {
      it(`${kind} ${name}`, () => {
        const parsed = parseDocument(value);
        assert.ok(!parsed.ok);
        assert.deepEqual([parsed.kind, parsed.name], [kind, name]);
      });
    }
  });

  describe('keeps secrets', () => {
    const secret = 'hunter2';
    const source = (spec: object) =>
      document('GitSource', 'fleet', { url: 'https://git.example.org/fleet.git', ...spec });
    const cases: Record<string, unknown> = {
      'environment as text': service({ environment: `PASSWORD=${secret}` }),
      'an entry without a name': service({ environment: [`=${secret}`] }),
      'a number in the list': service({ environment: [secret, 4_711_471] }),
      'a map in the map': service({ environment: { A: { secret } } }),
      'the password of the proxy': document('HostConfig', 'network', {
        proxy: { password: [secret], login: [secret] },
      }),
      'a configuration variable': document('HostConfig', 'device', { config: { WIFI: 4_711_471 } }),
      annotations: app({}, { metadata: { name: 'x', annotations: secret } }),
      'a login before an image': service({ image: `bob:${secret}@example.org/x` }),
      'a password with a slash': service({ image: `https://bob:a/${secret}@example.org/x` }),
      'a token behind an image': service({ image: `https://example.org/x?access_token=${secret}` }),
      'a login in the address of a repository': source({ url: `bob:${secret}@example.org:x.git` }),
      'a token behind the address of a repository': source({ url: `https://example.org/x?token=${secret}` }),
      'a token instead of the name of its file': source({ credentials: { token: `a b/${secret}` } }),
      'a secret of the webhook': source({ webhook: { secret: `a b/${secret}` } }),
      'a password as the name of a file of variables': source({ varsFrom: [{ file: `a b/${secret}` }] }),
    };
    for (const [name, value] of Object.entries(cases)) {
      it(name, () => {
        const lines = issuesOf(value).join('\n');
        assert.notEqual(lines, '');
        assert.doesNotMatch(lines, /hunter2|4711471/);
      });
    }

    it('shows other values cut short', () => {
      const [line = ''] = issuesOf(service({ restart: 'x'.repeat(1000) }));
      assert.ok(line.endsWith(`found "${'x'.repeat(40)}…"`), line);
    });
  });

  describe('takes bounded time for', () => {
    const deep = (levels: number): unknown => {
      let value: unknown = 'bottom';
      for (let level = 0; level < levels; level++) value = { a: value };
      return value;
    };
    const bomb = (): unknown => {
      let value: unknown = ['lol'];
      for (let level = 0; level < 30; level++) value = Array(10).fill(value);
      return value;
    };
    const loop = (): unknown => {
      const value: Record<string, unknown> = {};
      value.self = value;
      return value;
    };
    const tooDeep = `: The document is nested too deeply: at most ${LIMITS.depth} levels`;
    const tooMany = `: The document is too large: at most ${LIMITS.values} values`;
    const tooLong = ': The document is too large: at most 1024 KiB of text';
    const cases: [name: string, value: () => unknown, want: string][] = [
      ['a value of 100 000 levels', () => app({ services: deep(100_000) }), tooDeep],
      ['a deep contract, where anything may stand', () => service({ contract: deep(100) }), tooDeep],
      ['an alias bomb', () => app({ services: bomb() }), tooMany],
      ['a value that holds itself', () => app({ services: loop() }), tooDeep],
      ['10 MB of text', () => service({ command: 'x'.repeat(10_000_000) }), tooLong],
      ['10 MB of names', () => service({ ['x'.repeat(10_000_000)]: 1 }), tooLong],
      ['a million items', () => service({ command: Array(1_000_000).fill('x') }), tooMany],
    ];
    for (const [name, value, want] of cases) {
      it(name, () => assert.deepEqual(issuesOf(value()), [want]));
    }

    it('thousands of issues, of which it lists fifty', () => {
      const parsed = parseDocument(service({ ports: Array(5000).fill(true) }));
      assert.ok(!parsed.ok);
      assert.equal(parsed.issues.length, 51);
      assert.deepEqual(parsed.issues.at(-1), { path: '', message: 'and 4950 more' });
    });

    it('texts that make patterns go back and forth', () => {
      const patterns = new Set<string>();
      const collect = (schema: Schema | false | undefined): void => {
        if (!schema) return;
        if (schema.pattern !== undefined) patterns.add(schema.pattern);
        collect(schema.items);
        collect(schema.additionalProperties);
        for (const field of Object.values(schema.properties ?? {})) collect(field);
      };
      for (const { spec } of Object.values(SCHEMAS)) collect(spec);
      assert.ok(patterns.size > 10);
      for (const pattern of patterns) {
        const expression = new RegExp(pattern, 'u');
        for (const unit of [' ', '1', 'a', ':', '/', '1:', 'a/', '1s ', '1s', '.', '1.', '-', '1-', '=']) {
          // Quadratic time would be 100 ms and more, each time; a busy machine is slow now and then.
          const isQuick = [1, 2, 3].some(() => {
            const usedMs = cpuStopwatch();
            expression.test(`${unit.repeat(20_000)}!`);
            return usedMs() < 50;
          });
          assert.ok(isQuick, `${pattern} is slow on ${JSON.stringify(unit)}`);
        }
      }
    });
  });

  it('answers any value without throwing, and only with issues that have a message', () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withSparseArray: true });
    const near = fc.record({
      apiVersion: fc.constant('supercargo.io/v1'),
      kind: fc.constantFrom(...Object.keys(SCHEMAS)),
      metadata: fc.constant({ name: 'device' }),
      spec: anything,
    });
    const field = fc.tuple(fc.constantFrom(...Object.keys(fieldSchemas())), anything);
    const services = field.map(([name, value]) => service({ [name]: value }));
    fc.assert(
      fc.property(fc.oneof(anything, near, services), (value) => {
        const parsed = parseDocument(value);
        if (!parsed.ok) assert.ok(parsed.issues.length > 0 && parsed.issues.every(({ message }) => message !== ''));
        else assert.deepEqual(parseDocument(parsed.document), parsed);
      }),
      { numRuns: 2000 },
    );
  });
});

const fieldSchemas = (): Readonly<Record<string, Schema>> =>
  schemaAt(SCHEMAS.App.spec, ['services', '*'])?.properties ?? {};

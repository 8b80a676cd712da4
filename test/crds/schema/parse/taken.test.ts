import assert from 'node:assert/strict';
import { parseDocument } from '../../../../crds/schema/parse.js';
import { app, document, fieldSchemas, issuesOf, service, specOf } from './a-document.js';

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
      pull_policy: ['missing', 'always', 'never'],
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
      restart_unhealthy: [true, false, '5/300s', '1/1h30m'],
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
      const own = [
        'image',
        'serviceId',
        'imageId',
        'containerName',
        'running',
        'updateStrategy',
        'restart_unhealthy',
        'schedule',
        'contract',
      ];
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
});

import assert from 'node:assert/strict';
import type { AppService } from '../../../crds/model/types.js';
import { checkRelease } from '../../../crds/schema/check-release.js';
import { parseDocument } from '../../../crds/schema/parse.js';

const specOf = (fields: object) => ({
  services: { web: { image: 'busybox', ...fields } },
  volumes: { data: {}, more: {} },
});
const parse = (fields: object, options = {}) =>
  parseDocument(
    { apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'a' }, spec: specOf(fields) },
    options,
  );
const pathsOf = (fields: object): readonly string[] => {
  const parsed = parse(fields);
  return parsed.ok ? [] : parsed.issues.map(({ path }) => path.replace('spec.services.web.', ''));
};

/** By dockerd 20.10 and runc, which refuse each of them when the container is created or started. */
const REFUSED: readonly [path: string, fields: object][] = [
  ['stop_signal', { stop_signal: 'SIGFOO' }],
  ['stop_signal', { stop_signal: 0 }],
  ['stop_signal', { stop_signal: 'SIGRTMIN+16' }],
  ['cap_add[0]', { cap_add: ['NOPE'] }],
  ['cap_add[0]', { cap_add: ['CAP_ALL'] }],
  ['cap_drop[1]', { cap_drop: ['ALL', 'NOPE'] }],
  ['ulimits.foo', { ulimits: { foo: 1 } }],
  ['sysctls["kernel.nope"]', { sysctls: { 'kernel.nope': '1' } }],
  ['sysctls["kernel.hostname"]', { sysctls: ['kernel.hostname=x'] }],
  ['sysctls["net.core.somaxconn"]', { network_mode: 'host', sysctls: { 'net.core.somaxconn': 128 } }],
  ['sysctls["kernel.msgmax"]', { ipc: 'host', sysctls: { 'kernel.msgmax': 8192 } }],
  ['security_opt[0]', { security_opt: ['foo=bar'] }],
  ['security_opt[0]', { security_opt: ['systempaths=unconfined'] }],
  ['security_opt[0]', { security_opt: ['no-new-privileges:perhaps'] }],
  ['security_opt[0]', { security_opt: ['seccomp=/etc/profile.json'] }],
  ['mem_limit', { mem_limit: '1k' }],
  ['mem_reservation', { mem_reservation: '5m' }],
  ['mem_reservation', { mem_limit: '10m', mem_reservation: '20m' }],
  ['memswap_limit', { mem_limit: '20m', memswap_limit: '10m' }],
  ['cpus', { cpus: 0.001 }],
  ['cpu_quota', { cpu_quota: 999 }],
  ['cpu_period', { cpu_period: 999 }],
  ['cpuset', { cpuset: '1-0' }],
  ['ipc', { ipc: 'foo' }],
  ['extra_hosts[0]', { extra_hosts: ['foo:bar'] }],
  ['extra_hosts.foo', { extra_hosts: { foo: 'bar' } }],
  ['command', { command: "a 'b" }],
  ['entrypoint', { entrypoint: 'a "b' }],
  ['working_dir', { working_dir: 'srv' }],
  ['user', { user: '-1' }],
  ['group_add[0]', { group_add: [99_999_999_999] }],
  ['hostname', { hostname: 'x'.repeat(65) }],
  ['hostname', { uts: 'host', hostname: 'x' }],
  ['networks.default.ipv4_address', { networks: { default: { ipv4_address: 'nope' } } }],
  ['networks.default.ipv6_address', { networks: { default: { ipv6_address: '10.0.0.1' } } }],
  ['networks.default.link_local_ips[0]', { networks: { default: { link_local_ips: ['nope'] } } }],
  ['mac_address', { network_mode: 'host', mac_address: '02:42:ac:11:00:02' }],
  ['ports', { network_mode: 'service:db', ports: [80] }],
  ['dns', { network_mode: 'service:db', dns: '1.1.1.1' }],
  ['volumes[0]', { volumes: ['data:/'] }],
  ['volumes[1]', { volumes: ['data:/x', 'more:/x/'] }],
  ['volumes[0]', { volumes: ['data:/tmp/balena'] }],
  ['volumes[0]', { volumes: ['data:/x:rslave'] }],
  ['volumes[0]', { volumes: ['data:/x:ro,rw'] }],
  ['tmpfs', { tmpfs: 'run' }],
  ['tmpfs[0]', { tmpfs: ['/run:size=much'] }],
  ['tmpfs[0]', { volumes: ['data:/run'], tmpfs: ['/run'] }],
  ['logging.options.nope', { logging: { driver: 'json-file', options: { nope: 1 } } }],
  ['logging.options.max-size', { logging: { driver: 'local', options: { 'max-size': 'much' } } }],
  ['logging.options.mode', { logging: { driver: 'json-file', options: { mode: 'fast' } } }],
  ['ports[1]', { ports: ['8099:80', '8099:81'] }],
  ['ports[1]', { ports: ['0.0.0.0:8090-8099:90-99', { target: 81, published: 8099 }] }],
];

/** The engine takes these and does something else. */
const PASSED_OVER: readonly [path: string, fields: object][] = [
  ['pid', { pid: 'foo' }],
  ['userns_mode', { userns_mode: 'container:x' }],
  ['dns', { dns: 'nope' }],
  ['dns[1]', { dns: ['1.1.1.1', 'nope'] }],
];

const TAKEN: readonly object[] = [
  ...['SIGTERM', 'term', 'SIGRTMIN+3', 'rtmax-14', 'SIGPOLL', 15, '+15', 64, ''].map((stop_signal) => ({
    stop_signal,
  })),
  { cap_add: ['NET_ADMIN', 'cap_sys_time', 'ALL', 'all'], cap_drop: ['MKNOD', 'BPF'] },
  { ulimits: { nofile: 1024, NPROC: { soft: 1, hard: 2 }, rttime: 1 } },
  { sysctls: ['net.ipv4.ip_forward=1', 'net/ipv4/conf/eth0.1/forwarding=1', 'kernel.shm_rmid_forced=1'] },
  { sysctls: { 'fs.mqueue.msg_max': 10, 'kernel.domainname': 'x', 'kernel/msgmax': 8192 } },
  { security_opt: ['no-new-privileges', 'no-new-privileges:true', 'seccomp=unconfined', 'apparmor:unconfined'] },
  { security_opt: ['label=disable', 'label:disable', 'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'] },
  { mem_limit: '6m', mem_reservation: '6m', memswap_limit: '6m' },
  { mem_limit: '20m', memswap_limit: -1 },
  { mem_limit: 0, mem_reservation: 0 },
  { cpus: 0.01, cpuset: '0-1,3' },
  { cpu_quota: -1, cpu_period: 1000, mem_swappiness: 0, oom_score_adj: -1000 },
  ...['', 'host', 'shareable', 'private', 'none'].map((ipc) => ({ ipc })),
  { pid: 'host', uts: 'host', cgroup: 'private', userns_mode: 'host', dns: ['1.1.1.1', '::1'] },
  { extra_hosts: ['a:1.1.1.1', 'b=::1', 'c:::1', 'host.docker.internal:host-gateway'] },
  { extra_hosts: { a: '1.1.1.1', b: 'fe80::1' } },
  { environment: { 'A B': 1, 'a.b-c': 2 }, command: `a 'b c' "d"`, working_dir: '/srv', user: '1000:docker' },
  { group_add: [44, 'audio'], hostname: 'x'.repeat(64), healthcheck: { test: 'true', interval: '1ms', timeout: 0 } },
  { networks: { default: { ipv4_address: '10.0.0.1', ipv6_address: 'fd00::1', link_local_ips: ['169.254.1.1'] } } },
  {
    volumes: ['data:/x:ro,nocopy', 'more:/y:cached', '/x'],
    tmpfs: ['/run:rw,noexec,size=16m,mode=1777', '/t:size=50%'],
  },
  { volumes: [{ type: 'volume', source: 'data', target: '/x' }], tmpfs: '/x' },
  { logging: { driver: 'json-file', options: { 'max-size': '1.5m', 'max-file': 3, mode: 'non-blocking', tag: 'x' } } },
  { logging: { driver: 'journald', options: { tag: 'x' } } },
  { ports: ['8099:80', '8099:80', '8099:81/udp', '127.0.0.1:8098:80', '127.0.0.2:8098:81', '[::1]:53:53', 8000] },
  { ports: ['8099:80', '8099:81'], network_mode: 'host' },
  { runtime: 'kata', sysctls: { 'kernel.nope': 1 }, ulimits: { foo: 1 } },
];

describe('what the engine would refuse is refused before anything is stopped', () => {
  for (const [path, fields] of [...REFUSED, ...PASSED_OVER]) {
    it(`${path} of ${JSON.stringify(fields).slice(0, 90)}`, () => assert.deepEqual(pathsOf(fields), [path]));
  }

  it('in a standalone Service as well', () => {
    const spec = { app: 'a', serviceName: 'web', image: 'busybox', stop_signal: 'SIGFOO', dns: 'nope' };
    const parsed = parseDocument({ apiVersion: 'supercargo.io/v1', kind: 'Service', metadata: { name: 'w' }, spec });
    assert.deepEqual(parsed.ok ? [] : parsed.issues.map(({ path }) => path), ['spec.stop_signal', 'spec.dns']);
  });

  for (const fields of TAKEN) {
    it(`but ${JSON.stringify(fields).slice(0, 100)} is taken`, () => assert.deepEqual(pathsOf(fields), []));
  }
});

describe('a target state with what the engine would refuse', () => {
  const issuesOf = (fields: object): readonly string[] =>
    checkRelease({
      metadata: { name: 'shop', origin: 'local' },
      spec: { ...specOf(fields), release: { commit: 'c' } } as { services: Record<string, AppService> },
    }).map(({ path }) => path);

  it('is taken, and its release is not rolled out', () => {
    for (const [path, fields] of REFUSED) {
      if (/service:|"soft"/.test(JSON.stringify(fields))) continue; // of what is not declared here
      assert.ok(parse(fields, { isTargetState: true }).ok, path);
      assert.deepEqual(issuesOf(fields), [`spec.services.web.${path}`]);
    }
  });

  it('goes on with what the engine passes over', () => {
    for (const [, fields] of PASSED_OVER) assert.deepEqual(issuesOf(fields), []);
  });
});

describe('one port of the host for two services of an App', () => {
  const issuesOf = (other: object, origin: 'api' | 'local' = 'api') =>
    checkRelease({
      metadata: { name: 'shop', origin },
      spec: {
        release: { commit: 'c' },
        services: { a: { image: 'x', ports: ['80', '8099:80'] }, b: { image: 'x', ports: ['8099:81'], ...other } },
      },
    });

  it('is refused', () => {
    const message = 'port 8099/tcp of the host is published by a already: publish another one';
    assert.deepEqual(issuesOf({}), [{ path: 'spec.services.b.ports[0]', message }]);
  });

  it('is taken where they need not run together, and in a target state', () => {
    const others = [
      { running: false },
      { restart: 'no' },
      { contract: { type: 'sw.container' } },
      { network_mode: 'host' },
    ];
    for (const other of others) assert.deepEqual(issuesOf(other), []);
    for (const ports of [['8099:80/udp'], ['127.0.0.1:8099:80'], ['8098:80']])
      assert.deepEqual(issuesOf({ ports }), []);
    assert.deepEqual(issuesOf({}, 'local'), []);
  });
});

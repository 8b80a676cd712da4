import assert from 'node:assert/strict';
import { fieldsOf } from './a-target-state.js';

describe('parseTargetState', () => {
  describe('reads compose fields as a Supervisor does', () => {
    const cases: { it: string; given: object; want: object; warns?: RegExp }[] = [
      {
        it: 'any spelling',
        given: { memLimit: '1g', 'shm-size': 64, workingDir: '/x' },
        want: { mem_limit: '1g', shm_size: 64, working_dir: '/x' },
      },
      { it: 'null is absent', given: { cap_add: null, mem_limit: null }, want: {} },
      {
        it: 'unknown fields dropped',
        given: { container_name: 'x', expose: ['9'] },
        want: {},
        warns: /container_name is not supported.*\n.*expose is not supported/,
      },
      {
        it: 'sizes that do not parse',
        given: { mem_limit: '1.5g', shm_size: 'huge' },
        want: {},
        warns: /mem_limit is not a size/,
      },
      { it: 'restart trimmed and lower-cased', given: { restart: ' On-Failure ' }, want: { restart: 'on-failure' } },
      {
        it: 'restart with a count',
        given: { restart: 'on-failure:4' },
        want: { restart: 'always' },
        warns: /"on-failure:4" is not one of/,
      },
      { it: 'restart false', given: { restart: false }, want: { restart: 'always' }, warns: /false is not one of/ },
      {
        it: 'host binds dropped',
        given: {
          volumes: ['data:/d : ro', '/etc:/e', './x:/y', '/anon', { type: 'bind', source: '/x', target: '/y' }],
        },
        want: { volumes: ['data:/d:ro', '/anon'] },
        warns: /"\/etc:\/e" is left out/,
      },
      {
        it: 'long mounts',
        given: {
          volumes: [
            { type: 'volume', source: 'db', target: '/db', readOnly: true, volume: { nocopy: true } },
            { type: 'npipe', target: '/x' },
          ],
        },
        want: { volumes: [{ type: 'volume', source: 'db', target: '/db', read_only: true, volume: { nocopy: true } }] },
        warns: /npipe/,
      },
      {
        it: 'service network with a space',
        given: { network_mode: 'service: vpn' },
        want: { network_mode: 'service:vpn' },
      },
      {
        it: 'one name server',
        given: { dns: '1.1.1.1', dns_search: 'lan' },
        want: { dns: ['1.1.1.1'], dns_search: ['lan'] },
      },
      {
        it: 'truthiness',
        given: { tty: 'false', init: 1, read_only: 0 },
        want: { tty: true, init: true, read_only: false },
      },
      {
        it: 'numbers as text',
        given: { cpus: '0.25', cpu_shares: '640', oom_score_adj: '-300', pids_limit: 80, stop_signal: 12, user: 7 },
        want: { cpus: 0.25, cpu_shares: 640, oom_score_adj: -300, pids_limit: 80, stop_signal: '12', user: '7' },
      },
      {
        it: 'numbers that are none',
        given: { cpus: 'two', cpu_shares: 'x' },
        want: {},
        warns: /cpus is not a number of CPUs/,
      },
      {
        it: 'sysctls of a list',
        given: { sysctls: ['net.ipv4.ip_forward=1'] },
        want: { sysctls: { 'net.ipv4.ip_forward': '1' } },
      },
      { it: 'hosts of a map', given: { extra_hosts: { nas: '10.0.0.9' } }, want: { extra_hosts: ['nas:10.0.0.9'] } },
      {
        it: 'limits',
        given: { ulimits: { memlock: -1, nofile: { soft: '5', hard: 6 } } },
        want: { ulimits: { memlock: -1, nofile: { soft: 5, hard: 6 } } },
      },
      {
        it: 'labels of the security module dropped',
        given: { security_opt: ['label=type:x', 'apparmor=unconfined'] },
        want: { security_opt: ['apparmor=unconfined'] },
        warns: /label=/,
      },
      {
        it: 'a trailing number after a duration',
        given: { stop_grace_period: '1m30' },
        want: { stop_grace_period: '1m' },
      },
      {
        it: 'a healthcheck in both spellings',
        given: { healthcheck: { test: 'x', startPeriod: '5s', interval: 500, retries: '3', start_interval: '1s' } },
        want: { healthcheck: { test: 'x', start_period: '5s', interval: 500, retries: 3 } },
        warns: /start_interval/,
      },
      {
        it: 'endpoint options',
        given: { networks: { lab: { ipv4Address: '10.9.0.7', priority: 5 } } },
        want: { networks: { lab: { ipv4_address: '10.9.0.7' } } },
        warns: /lab\.priority/,
      },
      {
        it: 'dependencies of a map',
        given: { depends_on: { db: { condition: 'service_healthy' }, x: null } },
        want: { depends_on: { db: { condition: 'service_healthy' }, x: {} } },
      },
      {
        it: 'ports as numbers and maps',
        given: { ports: [80, '8080:80', { target: 53, published: 5353, protocol: 'udp', name: 'dns' }] },
        want: { ports: ['80', '8080:80', { target: 53, published: 5353, protocol: 'udp' }] },
      },
    ];
    for (const { it: title, given, want, warns } of cases) {
      it(title, () => {
        const { fields, warnings } = fieldsOf(given);
        assert.deepEqual(fields, want);
        if (warns) assert.match(warnings.join('\n'), warns);
        else assert.deepEqual(warnings, []);
      });
    }
  });
});

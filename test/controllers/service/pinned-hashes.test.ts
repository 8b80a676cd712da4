import assert from 'node:assert/strict';
import { readDefinition } from '../../../controllers/service/container/definition.js';
import { specHash } from '../../../controllers/service/container/spec-hash.js';
import { aServiceSpec, identity } from './builders.js';

/**
 * Hashes that containers on devices carry. A change here makes every agent recreate such containers at its update: what a
 * later version learns must not change the hash of documents that do not use it.
 */
const pinned: readonly (readonly [why: string, fields: Record<string, unknown>, hash: string])[] = [
  ['an image and nothing else', {}, '0557ee663f1e87fccf574d2e31636a5df83debeba97328e9927328bc593ca15e'],
  [
    'a web server',
    {
      command: 'httpd -f -p 80',
      ports: ['8080:80', '127.0.0.1:5353:53/udp'],
      healthcheck: { test: 'wget -q -O- localhost', interval: '5s', start_period: '1m', retries: 2 },
    },
    '10b31312a59c659de27d8f1fd8d0b48f52e47e3454f0d72146f4684336f4ade3',
  ],
  [
    'volumes of every form',
    {
      volumes: [
        'data:/data',
        'logs:/logs:ro',
        '/anon',
        { type: 'volume', source: 'db', target: '/db', volume: { nocopy: true }, read_only: true },
        { type: 'tmpfs', target: '/scratch', tmpfs: { size: 1024 } },
      ],
    },
    'c3a8c24af24a38365b215f5f9b612575f04545544c8890a13ec7376b28317821',
  ],
  [
    'networks with addresses',
    {
      networks: {
        lab: { aliases: ['probe'], ipv4_address: '10.9.0.7', ipv6_address: 'fd00::7', link_local_ips: ['169.254.8.8'] },
        default: {},
      },
    },
    'b858091296bbcfe2cf3c23c58df548b5e0f113a9d7a76922eaabef518eb06b9e',
  ],
  [
    'host networking',
    { network_mode: 'host', privileged: true, restart: 'unless-stopped' },
    '834a38ac4fc7885fc35b289177986964c30ba3d7ddd5e1f8d7a33861a8bfc621',
  ],
  [
    'a sibling’s network',
    { network_mode: 'service:vpn' },
    'c2520a7982e49225efe538f6dd8b9b314b4338323febfd6fa379b5eb3fcdc201',
  ],
  [
    'a one-shot',
    { restart: 'no', command: ['sh', '-c', 'exit 0'], tty: false },
    'd7ee44dc8fad48defd5fe1c0d81da15f8f7ec842bbbef1a0fe582f94d1b91b37',
  ],
  ['retries', { restart: 'on-failure' }, '60e4d70c88c2a5d1fd7a6f34c66754bb0b497052e3e6cd0828f1bbd4406d88ea'],
  [
    'limits',
    {
      mem_limit: '96m',
      mem_reservation: '64m',
      shm_size: '1Gb',
      cpus: 0.5,
      cpu_shares: 512,
      cpuset: '0,1',
      pids_limit: 80,
      oom_score_adj: 100,
      oom_kill_disable: true,
      ulimits: { nofile: { soft: 1, hard: 2 }, memlock: -1 },
    },
    '085a9094b5181c411ce6b2f00693db70f1542e9a3534e429ae4c889a649dfc89',
  ],
  [
    'security',
    {
      cap_add: ['B', 'A'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges', 'label=x'],
      read_only: true,
      user: 1000,
      group_add: ['dialout', 20],
      userns_mode: 'host',
      pid: 'host',
      ipc: 'private',
      cgroup_parent: '/slice',
    },
    '4b90af15a67d8cbcc35a987bf216956959771775203127dbc398816234a1039b',
  ],
  [
    'devices and kernel settings',
    {
      devices: ['/dev/i2c-1', '/dev/ttyACM0:/dev/modem:rw'],
      sysctls: { 'net.ipv4.ip_forward': 1 },
      tmpfs: ['/run:size=16m', '/tmp'],
    },
    'd21577111fa088e582cdffa6fcadb2549c5294506056311a06152b8d9ac1914f',
  ],
  [
    'names and resolvers',
    {
      hostname: 'h',
      domainname: 'lan',
      mac_address: '02:42:00:00:00:09',
      dns: '9.9.9.9',
      dns_search: ['lan'],
      dns_opt: ['ndots:2'],
      extra_hosts: { nas: '10.0.0.9' },
    },
    '1c345e96a0e0b2a4e5b1d60d26641bb90e5f18ec7e482a6e192ebaa4e4a74099',
  ],
  [
    'what it is told',
    {
      environment: { A: 1, B: null, C: 'x' },
      labels: { 'io.resin.features.dbus': '1', team: 'x' },
      entrypoint: '/bin/tini --',
      working_dir: '/srv/',
      stop_signal: 12,
      stop_grace_period: '2m5s',
      init: true,
    },
    '14c9ff6551b77fa55f8948d4e9cea95093347bae8cf8794c64803416846d80d3',
  ],
];

describe('specHash, as it is on devices', () => {
  for (const [why, fields, hash] of pinned) {
    it(`stays for ${why}`, () => {
      const { definition } = readDefinition(aServiceSpec(fields));
      const now = specHash({ definition, imageId: 'sha256:feed', identity, api: undefined, cloud: undefined });
      assert.equal(now, hash);
    });
  }

  it('stays with keys for the API and the cloud', () => {
    const { definition } = readDefinition(aServiceSpec({}));
    const now = specHash({
      definition,
      imageId: 'sha256:feed',
      identity,
      api: { key: 'SK', host: '10.114.104.1', port: 48484 },
      cloud: { key: 'DK', url: 'https://api.example.net' },
    });
    assert.equal(now, 'e9cf3774704f067410b8ebcad2c7bddbe9a49db6611658a0d352cc1250220f75');
  });
});

import assert from 'node:assert/strict';
import { readDefinition } from '../../../../controllers/service/container/definition.js';
import { specHash } from '../../../../controllers/service/container/spec-hash.js';
import { aServiceSpec, identity } from '../builders.js';
import { deviations } from '../deviations.js';
import { changeVectors } from '../vectors.js';

const hashOf = (
  fields: Readonly<Record<string, unknown>>,
  more: Partial<Parameters<typeof specHash>[0]> = {},
): string =>
  specHash({
    definition: readDefinition(aServiceSpec(fields)).definition,
    imageId: 'sha256:feed',
    identity,
    api: undefined,
    cloud: undefined,
    ...more,
  });

describe('specHash', () => {
  const deviating = new Set(deviations.flatMap(({ vectors }) => vectors));
  for (const { id, before, after, recreate, note } of changeVectors) {
    const want = deviating.has(id) ? !recreate : recreate;
    it(`${id}: ${JSON.stringify(before)} → ${JSON.stringify(after)} ${want ? 'recreates' : 'keeps'}${note ? ` (${note})` : ''}`, () => {
      assert.equal(hashOf(before) !== hashOf(after), want);
    });
  }

  it('names only vectors that exist as deviations', () => {
    const known = new Set(changeVectors.map(({ id }) => id));
    assert.deepEqual(
      [...deviating].filter((id) => !known.has(id)),
      [],
    );
  });

  const same: readonly [Record<string, unknown>, Record<string, unknown>][] = [
    [{}, { defaults: 'supervisor' }],
    [{ defaults: 'compose' }, { tty: false, ipc: '' }],
    [
      { defaults: 'compose', tty: true, ipc: 'shareable', entrypoint: '/x', command: [], ports: ['80:80'] },
      { entrypoint: '/x', command: [], ports: ['80'] },
    ],
    [{ defaults: 'compose', tty: true, ipc: 'shareable', ports: ['80'] }, { ports: ['0:80'] }],
    [
      {},
      { restart: 'always', tty: true, cap_add: [], mem_limit: 0, hostname: '', shm_size: '64m', networks: ['default'] },
    ],
    [{ environment: { A: 1 } }, { environment: ['A=1'] }],
    [{ ports: [80] }, { ports: ['80:80', { target: 80 }] }],
    [{ running: true, depends_on: ['m'] }, { running: false }],
    [{ mem_limit: '1k' }, { mem_limit: 1024 }],
    [{ tmpfs: ['/a', '/b'] }, { tmpfs: ['/b', '/a'] }],
    [{ networks: ['m', 'n', 'o'] }, { networks: ['m', 'o', 'n'] }],
    [{ command: 'a "b c"' }, { command: ['a', 'b c'] }],
    [
      { volumes: ['/etc:/host/etc:ro,rslave', '/a:/a:rw,rprivate'] },
      {
        volumes: [
          { type: 'bind', source: '/a/', target: '/a', bind: { create_host_path: true } },
          { type: 'bind', source: '/etc', target: '/host/etc/', readOnly: true, bind: { propagation: 'rslave' } },
        ],
      },
    ],
    [{ expose: [80, '53/udp', '81-82'] }, { expose: ['82', '53/udp', '81/tcp', '80', '80'] }],
    [{ devices: ['/dev/a'] }, { devices: [{ source: '/dev/a', permissions: 'rwm' }] }],
    [{ gpus: 'all' }, { gpus: [{ count: 'all', capabilities: ['gpu'] }] }],
    [{ logging: { options: { 'max-file': 3 } } }, { logging: { driver: null, options: { 'max-file': '3' } } }],
    [{ restart: 'on-failure:0' }, { restart: 'on-failure' }],
    [
      {},
      {
        ...{
          stdin_open: false,
          expose: [],
          runtime: '',
          uts: '',
          cpu_period: 0,
          cpu_rt_runtime: 0,
          cpu_rt_period: '0',
        },
        ...{ memswap_limit: 0, blkio_config: { device_read_bps: [] }, device_cgroup_rules: [], storage_opt: {} },
        ...{ gpus: [], logging: {}, pull_policy: 'missing', cgroup: null, platform: null, mem_swappiness: null },
      },
    ],
    [{ cpu_rt_runtime: '400ms' }, { cpu_rt_runtime: 400_000 }],
  ];
  for (const [a, b] of same) {
    it(`is the same for ${JSON.stringify(a)} and ${JSON.stringify(b)}`, () => assert.equal(hashOf(a), hashOf(b)));
  }

  const different: readonly [Record<string, unknown>, Record<string, unknown>][] = [
    [{ volumes: ['/a:/a'] }, { volumes: ['a:/a'] }],
    [{ volumes: ['/a:/a'] }, { volumes: ['/a:/a:ro'] }],
    [
      { volumes: ['/a:/a'] },
      { volumes: [{ type: 'bind', source: '/a', target: '/a', bind: { create_host_path: false } }] },
    ],
    [{ restart: 'on-failure' }, { restart: 'on-failure:3' }],
    [{}, { platform: 'linux/arm64' }],
    [{}, { logging: { driver: 'json-file' } }],
    [{}, { mem_swappiness: 0 }],
    [{}, { blkio_config: { weight: 300 } }],
    [{ networks: { a: {} } }, { networks: { a: { driver_opts: { x: 'y' } } } }],
  ];
  for (const [a, b] of different) {
    it(`differs for ${JSON.stringify(a)} and ${JSON.stringify(b)}`, () => assert.notEqual(hashOf(a), hashOf(b)));
  }

  it('does not change with a release, its commit or the number of its image', () => {
    assert.equal(hashOf({}), hashOf({}, { identity: { ...identity, releaseId: 971, commit: 'ffff', imageId: 4411 } }));
  });

  it('changes with the image, the app’s name and a new key for the API', () => {
    const api = { key: 'SK', host: '10.114.104.1', port: 48484 };
    const all = [
      hashOf({}),
      hashOf({}, { imageId: 'sha256:f00d' }),
      hashOf({}, { identity: { ...identity, appName: 'other' } }),
      hashOf({}, { api }),
      hashOf({}, { api: { ...api, key: 'NEW' } }),
    ];
    assert.equal(new Set(all).size, all.length);
  });
});

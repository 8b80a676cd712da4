import assert from 'node:assert/strict';
import { normalizeComposition } from '../../../../api/sources/target-state/composition.js';
import { InvalidSpecError } from '../../../../controllers/runtime/outcome.js';
import { containerOptions } from '../../../../controllers/service/container/container-options.js';
import { readDefinition } from '../../../../controllers/service/container/definition.js';
import { containerNameOf } from '../../../../controllers/service/spec/identity.js';
import { withCurrentNames } from '../../../../controllers/service/spec/labels.js';
import { isMap } from '../../../../crds/model/maps.js';
import { anImage, aServiceSpec, containerContext, facts, identity } from '../builders.js';
import { type DefinitionVector, definitionVectors } from '../vectors.js';

/** As a target state is turned into a document: by the Supervisor's rules; top-level values win, legacy labels first get their current name. */
const specOf = ({ composition, environment, labels }: DefinitionVector) => {
  const { environment: below, labels: labelsBelow, ...rest } = composition;
  return aServiceSpec({
    ...normalizeComposition(rest).fields,
    environment: { ...record(below), ...environment },
    labels: { ...record(labelsBelow), ...withCurrentNames(labels ?? {}) },
  });
};

const record = (value: unknown): Readonly<Record<string, unknown>> => (isMap(value) ? value : {});

const build = (vector: DefinitionVector) =>
  containerOptions({
    ...containerContext,
    spec: specOf(vector),
    image: vector.image && anImage(vector.image.Id, vector.image.Config),
    facts: {
      ...facts,
      hasModules: vector.device?.hostPathExists.modules ?? true,
      hasFirmware: vector.device?.hostPathExists.firmware ?? true,
    },
    siblingContainers: new Map(Object.entries(vector.containers ?? {})),
  });

/** Objects recurse (an empty one must be empty), lists are exact, of `Env` and `Binds` every entry must be contained. */
function assertContains(actual: unknown, expected: unknown, path: string): void {
  if (Array.isArray(expected) && /(Env|Binds)$/.test(path)) {
    assert.ok(Array.isArray(actual), path);
    for (const entry of expected) assert.ok(actual.includes(entry), `${path} has ${entry}: ${JSON.stringify(actual)}`);
  } else if (isMap(expected) && Object.keys(expected).length > 0) {
    assert.ok(isMap(actual), path);
    for (const [key, value] of Object.entries(expected)) assertContains(actual[key], value, `${path}.${key}`);
  } else assert.deepEqual(actual, expected, path);
}

const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((inner, key) => (isMap(inner) ? inner[key] : undefined), value);

describe('containerOptions', () => {
  for (const vector of definitionVectors) {
    it(`${vector.id}: ${vector.why}`, () => {
      if (vector.error) {
        assert.throws(() => build(vector));
        return;
      }
      const { options, joins } = build(vector);
      const named: Readonly<Record<string, unknown>> = { ...options, name: containerNameOf(identity) };
      for (const [key, want] of Object.entries(vector.expect ?? {})) assertContains(named[key], want, key);
      if (vector.joins) assert.deepEqual(joins, vector.joins);
      for (const [path, values] of Object.entries(vector.absent ?? {})) {
        const found = at(options, path);
        const there = Array.isArray(found) ? found : Object.keys(record(found));
        for (const value of values) assert.ok(!there.includes(value), `${path} has no ${value}`);
      }
      if (vector.dependsOn) {
        const { definition } = readDefinition(specOf(vector));
        assert.deepEqual(
          definition.dependencies.map(({ service }) => service),
          vector.dependsOn,
        );
      }
    });
  }
});

const optionsOf = (fields: Readonly<Record<string, unknown>>) =>
  containerOptions({ ...containerContext, spec: aServiceSpec(fields) });

describe('containerOptions, friendlier than the Supervisor', () => {
  const cases: readonly { it: string; fields: Record<string, unknown>; path: string; want: unknown }[] = [
    {
      it: 'publishes a port given as a number',
      fields: { ports: [80] },
      path: 'HostConfig.PortBindings',
      want: { '80/tcp': [{ HostIp: '', HostPort: '80' }] },
    },
    {
      it: 'publishes the long form',
      fields: { ports: [{ target: 80, published: '8080', protocol: 'udp', host_ip: '::1' }] },
      path: 'HostConfig.PortBindings',
      want: { '80/udp': [{ HostIp: '::1', HostPort: '8080' }] },
    },
    {
      it: 'drops the double of a port',
      fields: { ports: ['80:80', '80-81:80-81', 80] },
      path: 'HostConfig.PortBindings',
      want: { '80/tcp': [{ HostIp: '', HostPort: '80' }], '81/tcp': [{ HostIp: '', HostPort: '81' }] },
    },
    {
      it: 'reads an IPv6 address, bare or in brackets',
      fields: { ports: ['::1:80:80', '[::1]:81:81'] },
      path: 'HostConfig.PortBindings',
      want: { '80/tcp': [{ HostIp: '::1', HostPort: '80' }], '81/tcp': [{ HostIp: '::1', HostPort: '81' }] },
    },
    {
      it: 'publishes on an address the same number',
      fields: { ports: ['127.0.0.1:80'] },
      path: 'HostConfig.PortBindings',
      want: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '80' }] },
    },
    {
      it: 'keeps $ and # as they are written',
      fields: { command: `sh -c 'echo $HOME' # "a b"` },
      path: 'Cmd',
      want: ['sh', '-c', 'echo $HOME', '#', 'a b'],
    },
    {
      it: 'accepts Compose’s start_period',
      fields: { healthcheck: { test: 'x', start_period: '2s' } },
      path: 'Healthcheck',
      want: { Test: ['CMD-SHELL', 'x'], StartPeriod: 2e9 },
    },
    {
      it: 'reads read_only of a long volume',
      fields: { volumes: [{ type: 'volume', source: 'db', target: '/db', read_only: true }] },
      path: 'HostConfig.Mounts',
      want: [{ Type: 'volume', Source: '1207_db', Target: '/db', ReadOnly: true }],
    },
    {
      it: 'treats read_only: false as nothing said',
      fields: { volumes: [{ type: 'volume', source: 'db', target: '/db', read_only: false }] },
      path: 'HostConfig.Mounts',
      want: [{ Type: 'volume', Source: '1207_db', Target: '/db' }],
    },
    {
      it: 'splits options off a tmpfs',
      fields: { tmpfs: '/run:size=16m,mode=755' },
      path: 'HostConfig.Tmpfs',
      want: { '/run': 'size=16m,mode=755' },
    },
    {
      it: 'takes extra_hosts as a map',
      fields: { extra_hosts: { nas: '10.0.0.9' } },
      path: 'HostConfig.ExtraHosts',
      want: ['nas:10.0.0.9'],
    },
    {
      it: 'writes numbers out where Docker wants texts',
      fields: { user: 1000, group_add: [20] },
      path: 'HostConfig.GroupAdd',
      want: ['20'],
    },
    { it: 'takes labels as a list', fields: { labels: ['io.resin.x=1', 'bare'] }, path: 'Labels.bare', want: '' },
  ];
  for (const { it: title, fields, path, want } of cases) {
    it(title, () => assert.deepEqual(at(optionsOf(fields).options, path), want));
  }

  for (const environment of [
    { BALENA_DEVICE_NAME_AT_INIT: 'mine', RESIN_DEVICE_NAME_AT_INIT: null },
    ['BALENA_DEVICE_NAME_AT_INIT=mine', 'RESIN_DEVICE_NAME_AT_INIT='],
  ]) {
    it(`tells a container what the device is called, whatever ${JSON.stringify(environment)} says`, () => {
      const { options, warnings } = optionsOf({ environment });
      assert.deepEqual(options.Env?.filter((line) => line.includes('NAME_AT_INIT')).sort(), [
        'BALENA_DEVICE_NAME_AT_INIT=shed',
        'RESIN_DEVICE_NAME_AT_INIT=shed',
      ]);
      assert.match(warnings.join(), /BALENA_DEVICE_NAME_AT_INIT is set by the agent alone/);
    });
  }

  it('writes numbers and booleans of the environment out, and takes a list', () => {
    const { Env } = optionsOf({ environment: { N: 1, B: true, USER: 'me' } }).options;
    assert.deepEqual(
      Env?.filter((line) => /^(N|B|USER)=/.test(line)),
      ['USER=me', 'N=1', 'B=true'],
    );
    assert.ok(optionsOf({ environment: ['A=b=c'] }).options.Env?.includes('A=b=c'));
  });

  it('does not set a variable that is null, whoever else would', () => {
    const { options } = containerOptions({
      ...containerContext,
      spec: aServiceSpec({ environment: { FROM_IMAGE: null, USER: null } }),
      image: anImage('sha256:1', { Env: ['FROM_IMAGE=1'] }),
    });
    const about = options.Env?.filter((line) => /^(FROM_IMAGE|USER)/.test(line)).sort();
    assert.deepEqual(about, ['FROM_IMAGE', 'USER']);
  });

  it('does not join the API network from inside a sibling’s network', () => {
    const spec = aServiceSpec({ network_mode: 'service:vpn', labels: { 'io.balena.features.supervisor-api': '1' } });
    assert.deepEqual(
      containerOptions({ ...containerContext, spec, siblingContainers: new Map([['vpn', 'c0ffee']]) }).joins,
      {},
    );
  });

  it('says what it leaves out', () => {
    const { warnings } = optionsOf({
      container_name: 'x',
      links: ['db'],
      volumes: [{ type: 'nfs', target: '/a' }],
      cpus: 'many',
    });
    assert.deepEqual(warnings, [
      'volumes[0]: type "nfs" is not volume, tmpfs or bind; left out',
      'cpus: "many" is not a number; no limit is set',
      'not supported and left out: container_name, links',
    ]);
  });
});

describe('readDefinition', () => {
  const refused: readonly { fields: Record<string, unknown>; paths: readonly string[] }[] = [
    { fields: { ports: ['x'] }, paths: ['ports[0]'] },
    { fields: { ports: ['80', '127.0.0.1::80'] }, paths: ['ports[1]'] },
    { fields: { ports: ['90-80'] }, paths: ['ports[0]'] },
    { fields: { ports: ['70000'] }, paths: ['ports[0]'] },
    { fields: { ports: '80' }, paths: ['ports'] },
    { fields: { ports: ['localhost:80:80'] }, paths: ['ports[0]'] },
    { fields: { volumes: { a: '/b' } }, paths: ['volumes'] },
    { fields: { volumes: ['data'] }, paths: ['volumes[0]'] },
    { fields: { volumes: ['data:relative'] }, paths: ['volumes[0]'] },
    { fields: { volumes: ['./a:/a', '/etc:/etc:foo'] }, paths: ['volumes[0]', 'volumes[1]'] },
    { fields: { volumes: [{ type: 'bind', target: '/a' }] }, paths: ['volumes[0].source'] },
    { fields: { gpus: [{ count: 1, device_ids: ['0'] }], expose: ['90-80'] }, paths: ['expose[0]', 'gpus[0].count'] },
    { fields: { cgroup: 'x', cpu_rt_runtime: '1 day' }, paths: ['cgroup', 'cpu_rt_runtime'] },
    { fields: { stop_grace_period: 'abc' }, paths: ['stop_grace_period'] },
    { fields: { stop_grace_period: '90' }, paths: ['stop_grace_period'] },
    { fields: { healthcheck: { test: 'x', interval: '' } }, paths: ['healthcheck.interval'] },
    { fields: { healthcheck: { test: ['curl', 'x'] } }, paths: ['healthcheck.test[0]'] },
    { fields: { network_mode: 'container:other' }, paths: ['network_mode'] },
    { fields: { network_mode: 7 }, paths: ['network_mode'] },
    { fields: { security_opt: 'x' }, paths: ['security_opt'] },
    { fields: { devices: [7] }, paths: ['devices[0]'] },
    { fields: { command: "echo 'open" }, paths: ['command'] },
    { fields: { privileged: 'false' }, paths: ['privileged'] },
    { fields: { depends_on: { db: { condition: 'service_happy' } } }, paths: ['depends_on.db.condition'] },
    { fields: { ulimits: { nofile: 'many' }, environment: { A: {} } }, paths: ['environment.A', 'ulimits.nofile'] },
  ];
  for (const { fields, paths } of refused) {
    it(`refuses ${JSON.stringify(fields)} at ${paths.join(', ')}`, () => {
      assert.throws(
        () => readDefinition(aServiceSpec(fields)),
        (error: unknown) => {
          assert.ok(error instanceof InvalidSpecError);
          assert.deepEqual(
            error.issues.map(({ path }) => path),
            paths,
          );
          return true;
        },
      );
    });
  }

  const image = anImage('sha256:feed', { Cmd: ['serve'], Entrypoint: ['/image'] });
  const built = (fields: Readonly<Record<string, unknown>>) => {
    const { options } = containerOptions({ ...containerContext, image, spec: aServiceSpec(fields) });
    const { Tty, Cmd, Entrypoint, HostConfig } = options;
    return { Tty, Cmd, Entrypoint, ipc: HostConfig?.IpcMode, ports: HostConfig?.PortBindings };
  };
  const left = { Tty: false, Cmd: ['serve'], Entrypoint: ['/image'], ipc: '', ports: {} };
  for (const [what, fields, want] of [
    ['leaves all out', {}, left],
    ['says them itself', { tty: true, ipc: 'shareable' }, { ...left, Tty: true, ipc: 'shareable' }],
    ['has an entrypoint alone', { entrypoint: '/x' }, { ...left, Cmd: [], Entrypoint: ['/x'] }],
    ['has both', { entrypoint: '/x', command: 'y' }, { ...left, Cmd: ['y'], Entrypoint: ['/x'] }],
    ['has an empty entrypoint', { entrypoint: [] }, { ...left, Entrypoint: [] }],
    [
      'publishes ports without ports of the host',
      { ports: ['80', { target: 81 }, '127.0.0.1::82', '1000-1001:90-91'] },
      {
        ...left,
        ports: {
          '80/tcp': [{ HostIp: '', HostPort: '' }],
          '81/tcp': [{ HostIp: '', HostPort: '' }],
          '82/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }],
          '90/tcp': [{ HostIp: '', HostPort: '1000' }],
          '91/tcp': [{ HostIp: '', HostPort: '1001' }],
        },
      },
    ],
  ] as const) {
    it(`makes of a service what Compose makes of it where it ${what}`, () =>
      assert.deepEqual(built({ defaults: 'compose', ...fields }), want));
  }

  it('makes of the same service what a Supervisor makes of it', () => {
    assert.deepEqual(built({ entrypoint: '/x', ports: ['80'] }), {
      ...{ Tty: true, Cmd: ['serve'], Entrypoint: ['/x'], ipc: 'shareable' },
      ports: { '80/tcp': [{ HostIp: '', HostPort: '80' }] },
    });
    assert.throws(() => built({ ports: ['127.0.0.1::80'] }), InvalidSpecError);
  });
});

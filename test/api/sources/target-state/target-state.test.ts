import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Parse } from '../../../../api/sources/documents.js';
import { renderTargetState } from '../../../../api/sources/target-state/render-target-state.js';
import { deviceDocument, parseTargetState } from '../../../../api/sources/target-state/target-state.js';
import type { App, HostConfig, Metadata, Origin } from '../../../../crds/model/kinds.js';
import { parseDocument } from '../../../../crds/schema/parse.js';

const U = '0123456789abcdef0123456789abcdef';
const parse: Parse = parseDocument;
const read = (body: unknown) => parseTargetState(body, { deviceUuid: U, parse });
const service = (more: object = {}) => ({
  serviceName: 'main',
  imageId: 1,
  image: 'a:latest',
  environment: {},
  labels: {},
  ...more,
});
const app = (more: object = {}) => ({
  name: 'localapp',
  commit: 'localcommit',
  releaseId: '1',
  services: { 1: service() },
  volumes: {},
  networks: {},
  ...more,
});
const local = (apps: unknown, more: object = {}) => ({ local: { apps, ...more } });
const withService = (more: object) => local({ 1: app({ services: { 1: service(more) } }) });

const taken = (body: unknown) => {
  const result = read(body);
  assert.ok(result.ok, result.ok ? '' : result.message);
  return result;
};
const fieldsOf = (more: object) => {
  const { apps, warnings } = taken(withService(more));
  const {
    image: _i,
    serviceId: _s,
    imageId: _m,
    environment: _e,
    labels: _l,
    ...fields
  } = apps?.[0]?.spec.services?.main ?? { image: '' };
  return { fields, warnings };
};

const documented = local(
  {
    1: app({
      services: {
        1: service({ serviceName: 'one', serviceId: 1, image: 'local_image_one:latest', running: true }),
        2: service({
          serviceName: 'two',
          serviceId: 2,
          imageId: 2,
          image: 'local_image_two:latest',
          running: true,
          network_mode: 'container:one',
        }),
      },
    }),
  },
  { name: 'Home', config: { HOST_CONFIG_gpu_mem: '16', SUPERVISOR_LOCAL_MODE: '1', NOBODY_KNOWS: 'x' } },
);

describe('parseTargetState', () => {
  it('takes the documented example, and says what it leaves out', () => {
    const result = taken(documented);
    assert.equal(result.name, 'Home');
    assert.deepEqual(result.config, { HOST_CONFIG_gpu_mem: '16', SUPERVISOR_LOCAL_MODE: '1' });
    assert.deepEqual(
      result.apps?.map(({ metadata, spec }) => ({ name: metadata.name, spec })),
      [
        {
          name: 'app-1',
          spec: {
            appId: 1,
            name: 'localapp',
            release: { commit: 'localcommit', id: 1 },
            services: {
              one: { image: 'local_image_one:latest', serviceId: 1, imageId: 1, environment: {}, labels: {} },
              two: { image: 'local_image_two:latest', serviceId: 2, imageId: 2, environment: {}, labels: {} },
            },
            volumes: {},
            networks: {},
          },
        },
      ],
    );
    assert.equal(result.warnings.length, 2);
    assert.match(result.warnings.join('\n'), /app 1 service two: network_mode "container:one" is ignored/);
    assert.match(result.warnings.join('\n'), /NOBODY_KNOWS is not known/);
  });

  it('takes what a command line client sends without a Compose file', () => {
    const { fields, warnings } = fieldsOf({
      privileged: true,
      tty: true,
      restart: 'always',
      network_mode: 'host',
      volumes: ['resin-data:/data'],
      labels: { 'io.resin.features.supervisor-api': '1' },
      contract: {
        type: 'sw.container',
        slug: 'contract-for-main',
        requires: [{ type: 'sw.spec', slug: 'compose', version: '>=2' }],
      },
    });
    assert.deepEqual(fields, {
      privileged: true,
      tty: true,
      restart: 'always',
      network_mode: 'host',
      volumes: ['resin-data:/data'],
    });
    assert.deepEqual(warnings, []);
  });

  it('leaves apps, name and config alone that are not named', () => {
    const result = taken({ local: {} });
    assert.deepEqual([result.apps, result.name, result.config], [undefined, undefined, undefined]);
  });

  it('empties the device only when told to', () => {
    assert.deepEqual(taken(local({})).apps, []);
    assert.deepEqual(taken(local([])).apps, []);
    assert.equal(taken(local(null)).apps, undefined);
  });

  it('makes an app without a release of one without a commit', () => {
    for (const commit of [undefined, null]) {
      const [one] = taken(local({ 5: app({ commit, releaseId: undefined }) })).apps ?? [];
      assert.equal(one?.spec.release, null);
      assert.deepEqual(one?.spec.services, {});
    }
  });

  it('reads force as it comes', () => {
    assert.equal(taken({ local: {}, force: true }).force, true);
    assert.equal(taken({ local: {}, force: 0 }).force, false);
    assert.equal(taken({ local: {} }).force, false);
  });

  it('accepts an empty contract, and empty networks as newer clients send them', () => {
    const body = local({
      1: app({
        services: { 1: service({ contract: {}, networks: { default: null } }) },
        networks: { default: { ipam: {} } },
      }),
    });
    const [one] = taken(body).apps ?? [];
    assert.deepEqual(one?.spec.services?.main?.networks, { default: {} });
    assert.deepEqual(one?.spec.networks, { default: { ipam: {} } });
  });

  it('strips the prefixes of configuration variables', () => {
    const config = {
      RESIN_HOST_CONFIG_gpu_mem: '2',
      BALENA_HOST_CONFIG_gpu_mem: '1',
      HOST_CONFIG_gpu_mem: '3',
      SUPERVISOR_DELTA: 'true',
    };
    assert.deepEqual(taken({ local: { config } }).config, { HOST_CONFIG_gpu_mem: '1', SUPERVISOR_DELTA: 'true' });
  });

  it('takes v3 for this device', () => {
    const composition = { restart: 'no', environment: { A: 'below', B: 'below' }, labels: { l: 1 } };
    const body = {
      [U]: {
        name: 'Home',
        config: {},
        apps: {
          c0ffee: {
            id: 7,
            name: 'fleet',
            class: 'fleet',
            releases: {
              abc: {
                id: 9,
                services: {
                  main: {
                    id: 3,
                    image_id: '4',
                    image: 'x',
                    environment: { A: 'top' },
                    labels: {},
                    running: false,
                    composition,
                  },
                },
              },
            },
          },
          d00d: { id: 8, name: 'os', is_host: true, releases: {} },
        },
      },
    };
    const result = taken(body);
    assert.deepEqual(
      result.apps?.map(({ spec }) => spec),
      [
        {
          appId: 7,
          uuid: 'c0ffee',
          name: 'fleet',
          release: { commit: 'abc', id: 9 },
          services: {
            main: {
              image: 'x',
              serviceId: 3,
              imageId: 4,
              environment: { A: 'top', B: 'below' },
              labels: { l: '1' },
              running: false,
              restart: 'no',
            },
          },
          volumes: {},
          networks: {},
        },
      ],
    );
    assert.deepEqual(result.warnings, ['app d00d is for the host and left out']);
  });

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

  describe('refuses', () => {
    const at = `${U}.apps.1.0.releases.localcommit`;
    const main = `${at}.services.main`;
    const identifier = '(must be be an positive integer)';
    const cases: { it: string; body: unknown; want: string[] }[] = [
      { it: 'a body without local', body: {}, want: ['Expecting object at local but instead got: undefined'] },
      { it: 'a list', body: [], want: ['Expecting object but instead got: []'] },
      { it: 'a local that is a text', body: { local: 'x' }, want: ['Expecting object at local but instead got: "x"'] },
      {
        it: 'a service without environment',
        body: withService({ environment: undefined }),
        want: [`Expecting { [K in EnvVarName]: string } at ${main}.0.environment but instead got: undefined`],
      },
      {
        it: 'a variable name',
        body: withService({ environment: { 'A B': 'x' } }),
        want: [
          `Expecting EnvVarName at ${main}.0.environment.A B but instead got: "A B" (needs to start with a letter and may only contain alphanumeric characters plus '_')`,
        ],
      },
      {
        it: 'a variable that is a number',
        body: withService({ environment: { A: 1 } }),
        want: [`Expecting string at ${main}.0.environment.A but instead got: 1`],
      },
      {
        it: 'a missing image id',
        body: withService({ imageId: undefined }),
        want: [
          `Expecting number at ${main}.0.image_id.0 but instead got: undefined`,
          `Expecting string at ${main}.0.image_id.1 but instead got: undefined`,
        ],
      },
      {
        it: 'a missing image',
        body: withService({ image: undefined }),
        want: [`Expecting string at ${main}.0.image but instead got: undefined`],
      },
      {
        it: 'a release id',
        body: local({ 1: app({ releaseId: 'x' }) }),
        want: [`Expecting NumericIdentifier at ${at}.id but instead got: "x" ${identifier}`],
      },
      {
        it: 'running as a text',
        body: withService({ running: 'yes' }),
        want: [`Expecting boolean at ${main}.1.running but instead got: "yes"`],
      },
      {
        it: 'a volume name',
        body: local({ 1: app({ volumes: { 'da ta': {} } }) }),
        want: [
          `Expecting LabelName at ${at}.volumes.da ta but instead got: "da ta" (only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed)`,
        ],
      },
      {
        it: 'a volume that is null',
        body: local({ 1: app({ volumes: { data: null } }) }),
        want: [
          `Expecting Volume at ${at}.volumes.data but instead got: null (Expected value to be an object of type Volume, got: null)`,
        ],
      },
      {
        it: 'a network that is null',
        body: local({ 1: app({ networks: { n: null } }) }),
        want: [
          `Expecting Network at ${at}.networks.n but instead got: null (Expected value to be an object of type Network, got: null)`,
        ],
      },
      {
        it: 'a device name',
        body: { local: { name: 'a\nb' } },
        want: [`Expecting DeviceName at ${U}.name but instead got: "a\\nb" (must not contain newline chars)`],
      },
      {
        it: 'a config name',
        body: { local: { config: { 'A B': 'x' } } },
        want: [
          `Expecting ConfigVarName at ${U}.config.A B but instead got: "A B" (needs to start with a letter and may only contain alphanumeric characters plus '_' or ':')`,
        ],
      },
      {
        it: 'a config value that is no text',
        body: { local: { config: { A: true } } },
        want: [`Expecting string at ${U}.config.A but instead got: true`],
      },
      {
        it: 'an app key that is no number',
        body: local({ abc: app() }),
        want: [`Expecting NumericIdentifier at ${U}.apps.abc.0.id but instead got: "abc" ${identifier}`],
      },
      {
        it: 'an app that is null',
        body: local({ 1: null }),
        want: [`Expecting TargetApp at ${U}.apps.1 but instead got: null`],
      },
      {
        it: 'an app without a name',
        body: local({ 1: app({ name: undefined }) }),
        want: [`Expecting string at ${U}.apps.1.0.name but instead got: undefined`],
      },
      {
        it: 'a commit that is a number',
        body: local({ 1: app({ commit: 5 }) }),
        want: [`Expecting string at ${U}.apps.1.0.commit but instead got: 5`],
      },
      {
        it: 'a service that is null',
        body: local({ 1: app({ services: { 1: null } }) }),
        want: [`Expecting TargetService at ${at}.services.1 but instead got: null`],
      },
      {
        it: 'a service without a name',
        body: withService({ serviceName: undefined }),
        want: [`Expecting string at ${at}.services.1.serviceName but instead got: undefined`],
      },
      {
        it: 'a service key that is no number',
        body: local({ 1: app({ services: { x: service() } }) }),
        want: [`Expecting NumericIdentifier at ${main}.0.id but instead got: "x" ${identifier}`],
      },
      {
        it: 'two services of one name',
        body: local({ 1: app({ services: { 1: service(), 2: service() } }) }),
        want: [`Expecting one service at ${main} but instead got: two of that name`],
      },
      {
        it: 'all that is wrong at once',
        body: local(
          { 1: app({ name: 1, services: { 1: service({ image: 5, labels: { 'a b': 'x' } }) } }) },
          { name: 5 },
        ),
        want: [
          `Expecting string at ${U}.name but instead got: 5`,
          `Expecting string at ${U}.apps.1.0.name but instead got: 1`,
          `Expecting string at ${main}.0.image but instead got: 5`,
          `Expecting LabelName at ${main}.0.labels.a b but instead got: "a b" (only printable ASCII without spaces, quotes and backticks is allowed)`,
        ],
      },
    ];
    for (const { it: title, body, want } of cases) {
      it(title, () => {
        const result = read(body);
        assert.deepEqual(result, { ok: false, message: ['Invalid target state.', ...want].join('\n') });
      });
    }

    it('contracts of the wrong form', () => {
      const body = withService({ contract: { requires: [{ or: [{ type: 'sw.os' }, { type: 'foo' }] }] } });
      assert.deepEqual(read(body), {
        ok: false,
        message:
          'The contract for service main failed validation, with error: foo is not a valid contract requirement type',
      });
    });

    it('v3 for another device', () => {
      const message = `Expected target state for local device with uuid '${U}'.`;
      assert.deepEqual(read({ ['f'.repeat(32)]: { name: 'x', config: {}, apps: {} } }), { ok: false, message });
    });

    it('what our own documents refuse, with its path', () => {
      const result = read(withService({ ports: ['nonsense'], stop_grace_period: 'abc' }));
      assert.ok(!result.ok);
      assert.match(result.message, /^Invalid target state\.\nApp 1, spec\.services\.main\./);
      assert.match(result.message, /ports\[0\]/);
      assert.match(result.message, /stop_grace_period/);
    });
  });

  it('names the first fifty mistakes of very many, and counts the others', () => {
    const environment = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`${at}`, 1]));
    const result = read(withService({ environment }));
    assert(!result.ok);
    const lines = result.message.split('\n');
    assert.equal(lines.length, 52);
    assert.match(lines[1] ?? '', /^Expecting EnvVarName at .*\.environment\.0 but instead got: "0"/);
    assert.equal(lines.at(-1), 'and 9950 more');
  });

  it('warns of the first fifty fields of very many that it leaves out', () => {
    const unknown = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`x_${at}`, 1]));
    const { warnings } = taken(withService(unknown));
    assert.equal(warnings.length, 51);
  });

  it('shows the beginning of a value, however large it is', () => {
    const result = read(withService({ image: [...Array(5000).keys()] }));
    assert(!result.ok);
    assert.match(result.message, /\.image but instead got: \[0,1,2,.{190,200}…$/m);
  });

  it('answers anything at all without an exception', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (value, inner) => {
        for (const body of [
          value,
          { local: value },
          local(value),
          local({ 1: value }),
          local({ 1: app({ services: { 1: value } }) }),
          withService({ volumes: value, networks: inner, healthcheck: value, ports: inner }),
          local({ 1: app({ volumes: { v: value }, networks: { n: inner } }) }),
          { [U]: value },
        ]) {
          const result = read(body);
          assert.equal(typeof result.ok, 'boolean');
        }
      }),
      { numRuns: 300 },
    );
  });
});

const metadata = (name: string, origin: Origin): Metadata => ({
  name,
  origin,
  uid: name,
  generation: 1,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  finalizers: [],
});

/** What a store would hold after a target state was accepted. */
function storeOf(body: unknown) {
  const target = taken(body);
  const apps = (target.apps ?? []).map(
    (one): App => ({ ...one, metadata: metadata(one.metadata.name, 'local'), requests: {} }),
  );
  const host = deviceDocument(target.name, target.config);
  const hostConfig: HostConfig | undefined = host && { ...host, metadata: metadata('device', 'local'), requests: {} };
  return {
    get: (() => hostConfig) as never,
    list: (() => apps) as never,
  };
}

describe('renderTargetState', () => {
  const device = { uuid: U, localMode: true };

  it('shows a device without a target state', () => {
    const state = renderTargetState({ get: () => undefined, list: () => [] }, device) as {
      local: { config: Record<string, string> };
    };
    assert.deepEqual(
      { ...state, local: { ...state.local, config: undefined } },
      { local: { name: 'local', config: undefined, apps: {} }, dependent: { apps: [], devices: [] } },
    );
    assert.equal(state.local.config.HOST_FIREWALL_MODE, '');
    assert.equal(state.local.config.SUPERVISOR_LOCAL_MODE, 'true');
    assert.equal(Object.keys(state.local.config).length, 18);
  });

  it('shows stored values before defaults, and apps in the form that can be posted', () => {
    const state = renderTargetState(storeOf(documented), device) as {
      local: { name: string; config: Record<string, string>; apps: Record<string, unknown> };
    };
    assert.equal(state.local.name, 'Home');
    assert.deepEqual(Object.keys(state.local.config).slice(0, 3), [
      'HOST_CONFIG_gpu_mem',
      'SUPERVISOR_LOCAL_MODE',
      'SUPERVISOR_POLL_INTERVAL',
    ]);
    assert.equal(state.local.config.HOST_FIREWALL_MODE, 'off');
    assert.deepEqual(state.local.apps['1'], {
      name: 'localapp',
      commit: 'localcommit',
      releaseId: 1,
      services: {
        1: {
          serviceName: 'one',
          serviceId: 1,
          imageId: 1,
          image: 'local_image_one:latest',
          running: true,
          environment: {},
          labels: {},
        },
        2: {
          serviceName: 'two',
          serviceId: 2,
          imageId: 2,
          image: 'local_image_two:latest',
          running: true,
          environment: {},
          labels: {},
        },
      },
      volumes: {},
      networks: {},
    });
  });

  it('is read back as the same apps, name and configuration', () => {
    const name = fc.stringMatching(/^[a-z][a-zA-Z0-9_.-]{0,8}$/);
    const text = fc.string({ maxLength: 8 });
    const variables = fc.dictionary(fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,6}$/), text, { maxKeys: 3 });
    const labels = fc.dictionary(
      fc.stringMatching(/^[!#-&(-_a-~]{1,8}$/).filter((key) => key !== '__proto__'),
      text,
      { maxKeys: 3 },
    );
    const fields = fc.record(
      {
        command: fc.oneof(text, fc.array(text, { maxLength: 3 })),
        restart: fc.constantFrom('no', 'always', 'on-failure', 'unless-stopped'),
        memLimit: fc.oneof(fc.nat(), fc.constantFrom('64m', '1Gb', 'huge')),
        cpus: fc.constantFrom(0.5, '1.5', 'x'),
        ports: fc.array(fc.constantFrom('80', 81, '8080:80', '127.0.0.1:53:53/udp', { target: 9 }), { maxLength: 2 }),
        volumes: fc.array(
          fc.constantFrom('v:/v', '/etc:/x', '/anon', { type: 'tmpfs', target: '/t', tmpfs: { size: 5 } }),
          { maxLength: 3 },
        ),
        networks: fc.constantFrom(['n'], { n: null }, { n: { aliases: ['x'] } }),
        healthcheck: fc.constantFrom({ test: 'true', startPeriod: '5s' }, { disable: true }),
        running: fc.boolean(),
        user: fc.constantFrom(0, 'nobody', ''),
        tty: fc.boolean(),
        networkMode: fc.constantFrom('host', 'service:x', 'container:x'),
      },
      { requiredKeys: [] },
    );
    const one = fc.record({
      imageId: fc.nat(),
      image: fc.constantFrom('busybox', 'a/b:1'),
      environment: variables,
      labels,
      more: fields,
    });
    const services = fc
      .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 99 }), name, one), { selector: ([, key]) => key, maxLength: 4 })
      .map((list) =>
        Object.fromEntries(
          list.map(([, serviceName, { more, ...rest }], index) => [index + 1, { serviceName, ...rest, ...more }]),
        ),
      );
    const member = fc.constantFrom({}, { labels: { a: 'b' } }, { driver: 'local', driver_opts: { o: '1' } });
    const anApp = fc.record({
      name: fc.stringMatching(/^[ -~]{1,10}$/),
      commit: fc.constantFrom('abc', undefined),
      releaseId: fc.nat(),
      services,
      volumes: fc.dictionary(name, member, { maxKeys: 2 }),
      networks: fc.dictionary(
        name,
        fc.constantFrom({}, { internal: true, ipam: { config: [{ subnet: '10.0.0.0/24' }] } }),
        { maxKeys: 2 },
      ),
    });
    const apps = fc.dictionary(fc.integer({ min: 1, max: 1e6 }).map(String), anApp, { maxKeys: 3 });
    let compared = 0;
    fc.assert(
      fc.property(
        apps,
        fc.dictionary(fc.constantFrom('HOST_CONFIG_a', 'SUPERVISOR_DELTA'), text, { maxKeys: 2 }),
        (targets, config) => {
          const first = read({ local: { name: 'Home', config, apps: targets } });
          if (!first.ok) return; // our own documents are stricter than a Supervisor
          compared += 1;
          const shown = renderTargetState(storeOf({ local: { name: 'Home', config, apps: targets } }), device);
          const second = taken(shown);
          assert.deepEqual(second.apps, first.apps);
          assert.equal(second.name, first.name);
          assert.deepEqual({ ...second.config, ...first.config }, second.config);
          const again = renderTargetState(storeOf(shown), device);
          assert.deepEqual(again, shown);
        },
      ),
      { numRuns: 300 },
    );
    assert.ok(compared > 150, `only ${compared} of 300 were accepted`);
  });
});

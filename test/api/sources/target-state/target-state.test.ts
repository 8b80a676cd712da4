import assert from 'node:assert/strict';
import fc from 'fast-check';
import { app, DEVICE_UUID, documented, fieldsOf, local, read, service, taken, withService } from './a-target-state.js';

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

  it('throws for no value whose members are called as methods are', () => {
    const odd = { toString: [] };
    for (const fields of [
      { labels: [odd] },
      { environment: [odd] },
      { security_opt: [odd] },
      { extra_hosts: { host: odd } },
      { depends_on: { one: { condition: odd } } },
    ])
      assert.doesNotThrow(() => read(withService(fields)), JSON.stringify(fields));
    assert.doesNotThrow(() => read(local({}, { config: { HOST_CONFIG_gpu_mem: odd } })));
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
      [DEVICE_UUID]: {
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

  it('takes a thousand apps and no more, and two thousand services of one and no more', () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`${at + 1}`, { name: `a${at}` }]));
    assert.equal(taken(local(many(1_000))).apps?.length, 1_000);
    const refused = read(local(many(1_001)));
    assert.match(refused.ok ? '' : refused.message, /Expecting at most 1000 apps but instead got: 1001$/);
    const services = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [at, service({ serviceName: `s${at}` })]));
    const withServices = (count: number) => read(local({ 1: app({ services: services(count) }) }));
    assert.ok(withServices(2_000).ok);
    const crowd = withServices(2_001);
    assert.match(crowd.ok ? '' : crowd.message, /Too many: 2001 services, networks and volumes, at most 2000/);
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
          { [DEVICE_UUID]: value },
        ]) {
          const result = read(body);
          assert.equal(typeof result.ok, 'boolean');
        }
      }),
      { numRuns: 300 },
    );
  });
});

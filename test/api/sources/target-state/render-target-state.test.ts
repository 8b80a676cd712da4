import assert from 'node:assert/strict';
import fc from 'fast-check';
import { renderTargetState } from '../../../../api/sources/target-state/render-target-state.js';
import { deviceDocument } from '../../../../api/sources/target-state/target-state.js';
import type { App, HostConfig, Metadata, Origin } from '../../../../crds/model/kinds.js';
import { DEVICE_UUID, documented, read, taken } from './a-target-state.js';

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
  const device = { uuid: DEVICE_UUID, localMode: true };

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

import assert from 'node:assert/strict';
import { app, DEVICE_UUID, local, read, service, withService } from './a-target-state.js';

describe('parseTargetState', () => {
  describe('refuses', () => {
    const at = `${DEVICE_UUID}.apps.1.0.releases.localcommit`;
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
        want: [`Expecting DeviceName at ${DEVICE_UUID}.name but instead got: "a\\nb" (must not contain newline chars)`],
      },
      {
        it: 'a config name',
        body: { local: { config: { 'A B': 'x' } } },
        want: [
          `Expecting ConfigVarName at ${DEVICE_UUID}.config.A B but instead got: "A B" (needs to start with a letter and may only contain alphanumeric characters plus '_' or ':')`,
        ],
      },
      {
        it: 'a config value that is no text',
        body: { local: { config: { A: true } } },
        want: [`Expecting string at ${DEVICE_UUID}.config.A but instead got: true`],
      },
      {
        it: 'an app key that is no number',
        body: local({ abc: app() }),
        want: [`Expecting NumericIdentifier at ${DEVICE_UUID}.apps.abc.0.id but instead got: "abc" ${identifier}`],
      },
      {
        it: 'an app that is null',
        body: local({ 1: null }),
        want: [`Expecting TargetApp at ${DEVICE_UUID}.apps.1 but instead got: null`],
      },
      {
        it: 'an app without a name',
        body: local({ 1: app({ name: undefined }) }),
        want: [`Expecting string at ${DEVICE_UUID}.apps.1.0.name but instead got: undefined`],
      },
      {
        it: 'a commit that is a number',
        body: local({ 1: app({ commit: 5 }) }),
        want: [`Expecting string at ${DEVICE_UUID}.apps.1.0.commit but instead got: 5`],
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
          `Expecting string at ${DEVICE_UUID}.name but instead got: 5`,
          `Expecting string at ${DEVICE_UUID}.apps.1.0.name but instead got: 1`,
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
      const message = `Expected target state for local device with uuid '${DEVICE_UUID}'.`;
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
});

import { aServer } from '../a-server.js';
import { failed, JSON_TYPE, type Row, recorded, TEXT, wordsFor } from './rows.js';

const TARGET = '/v2/local/target-state';
const service = { serviceName: 'main', imageId: 1, image: 'a:latest', environment: {}, labels: {}, running: true };
const app = {
  name: 'localapp',
  commit: 'localcommit',
  releaseId: '1',
  services: { 1: service },
  volumes: {},
  networks: {},
};
const target = (apps: object, rest: object = {}): object => ({ local: { name: 'Home', config: {}, apps, ...rest } });
const withService = (change: object): object => target({ 1: { ...app, services: { 1: { ...service, ...change } } } });
const without = (name: keyof typeof service): object => withService({ [name]: undefined });
const invalid = (...lines: readonly string[]): Row['want'] => [
  400,
  JSON_TYPE,
  failed(['Invalid target state.', ...lines].join('\n')),
];
const ok: Row['want'] = [200, JSON_TYPE, '{"status":"success","message":"OK"}'];
const U = 'f'.repeat(32);
const SERVICE = `${U}.apps.1.0.releases.localcommit.services.main.0`;

/** Every setting with its default, in the order of the recording. */
const config = (localMode: boolean, firewall: string): string =>
  `{"SUPERVISOR_POLL_INTERVAL":"900000","SUPERVISOR_INSTANT_UPDATE_TRIGGER":"true","SUPERVISOR_LOCAL_MODE":"${localMode}","SUPERVISOR_CONNECTIVITY_CHECK":"true","SUPERVISOR_LOG_CONTROL":"true","SUPERVISOR_API_REQUEST_TIMEOUT":"59000","SUPERVISOR_DELTA":"false","SUPERVISOR_DELTA_REQUEST_TIMEOUT":"59000","SUPERVISOR_DELTA_APPLY_TIMEOUT":"0","SUPERVISOR_DELTA_RETRY_COUNT":"30","SUPERVISOR_DELTA_RETRY_INTERVAL":"10000","SUPERVISOR_DELTA_VERSION":"2","SUPERVISOR_OVERRIDE_LOCK":"false","SUPERVISOR_PERSISTENT_LOGGING":"false","HOST_FIREWALL_MODE":"${firewall}","HOST_DISCOVERABILITY":"true","SUPERVISOR_HARDWARE_METRICS":"true","SUPERVISOR_VPN_CONTROL":"true"}`;
const shows = (name: string, settings: string, apps: string): Row['want'] => [
  200,
  JSON_TYPE,
  `{"status":"success","state":{"local":{"name":"${name}","config":${settings},"apps":${apps}},"dependent":{"apps":[],"devices":[]}}}`,
];

recorded('recorded: the target state in local mode', () => aServer({ localMode: true }), [
  { ask: `GET ${TARGET}`, by: 'nobody', want: shows('local', config(true, ''), '{}') },
  { ask: `POST ${TARGET}`, by: 'nobody', body: target({ 1: app }), want: ok },
  {
    ask: `GET ${TARGET}`,
    by: 'nobody',
    want: shows(
      'Home',
      config(true, 'off'),
      '{"1":{"name":"localapp","commit":"localcommit","releaseId":1,"services":{"1":{"serviceName":"main","serviceId":1,"imageId":1,"image":"a:latest","running":true,"environment":{},"labels":{}}},"volumes":{},"networks":{}}}',
    ),
  },
  { ask: `POST ${TARGET}`, body: '{', want: [503, JSON_TYPE, failed(wordsFor('{'))] },
  {
    ask: `POST ${TARGET}`,
    body: without('environment'),
    want: invalid(`Expecting { [K in EnvVarName]: string } at ${SERVICE}.environment but instead got: undefined`),
  },
  {
    ask: `POST ${TARGET}`,
    body: withService({ environment: { 'A B': 'x' } }),
    want: invalid(
      `Expecting EnvVarName at ${SERVICE}.environment.A B but instead got: "A B" (needs to start with a letter and may only contain alphanumeric characters plus '_')`,
    ),
  },
  {
    ask: `POST ${TARGET}`,
    body: withService({ environment: { A: 1 } }),
    want: invalid(`Expecting string at ${SERVICE}.environment.A but instead got: 1`),
  },
  {
    ask: `POST ${TARGET}`,
    body: without('imageId'),
    want: invalid(
      `Expecting number at ${SERVICE}.image_id.0 but instead got: undefined`,
      `Expecting string at ${SERVICE}.image_id.1 but instead got: undefined`,
    ),
  },
  {
    ask: `POST ${TARGET}`,
    body: target({ 1: { ...app, releaseId: 'x' } }),
    want: invalid(
      `Expecting NumericIdentifier at ${U}.apps.1.0.releases.localcommit.id but instead got: "x" (must be be an positive integer)`,
    ),
  },
  {
    ask: `POST ${TARGET}`,
    body: withService({ running: 'yes' }),
    want: invalid(
      `Expecting boolean at ${U}.apps.1.0.releases.localcommit.services.main.1.running but instead got: "yes"`,
    ),
  },
  {
    ask: `POST ${TARGET}`,
    body: target({ 1: { ...app, volumes: { 'da ta': {} } } }),
    want: invalid(
      `Expecting LabelName at ${U}.apps.1.0.releases.localcommit.volumes.da ta but instead got: "da ta" (only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed)`,
    ),
  },
  {
    ask: `POST ${TARGET}`,
    body: target({ 1: { ...app, volumes: { data: null } } }),
    want: invalid(
      `Expecting Volume at ${U}.apps.1.0.releases.localcommit.volumes.data but instead got: null (Expected value to be an object of type Volume, got: null)`,
    ),
  },
  {
    ask: `POST ${TARGET}`,
    body: target({}, { name: 'a\nb' }),
    want: invalid(`Expecting DeviceName at ${U}.name but instead got: "a\\nb" (must not contain newline chars)`),
  },
  {
    ask: `POST ${TARGET}`,
    body: target({}, { config: { 'A B': 'x' } }),
    want: invalid(
      `Expecting ConfigVarName at ${U}.config.A B but instead got: "A B" (needs to start with a letter and may only contain alphanumeric characters plus '_' or ':')`,
    ),
  },
  {
    ask: `POST ${TARGET}`,
    body: withService({ contract: { type: 'sw.container', requires: [{ type: 'foo' }] } }),
    want: [
      400,
      JSON_TYPE,
      failed(
        'The contract for service main failed validation, with error: foo is not a valid contract requirement type',
      ),
    ],
  },
  // Deliberate: an empty body must not empty a device.
  { ask: `POST ${TARGET}`, body: {}, want: invalid('Expecting object at local but instead got: undefined') },
]);

recorded('recorded: the target state outside local mode', () => aServer(), [
  { ask: `POST ${TARGET}`, by: 'nobody', body: '{', want: [401, TEXT, 'Unauthorized'] },
  {
    ask: `POST ${TARGET}`,
    body: {},
    want: [400, JSON_TYPE, failed('Target state can only set when device is in local mode')],
  },
  { ask: `GET ${TARGET}`, by: 'app 2', want: shows('local', config(false, ''), '{}') },
  {
    ask: 'GET /v2/local/device-info',
    want: [200, JSON_TYPE, '{"status":"success","info":{"arch":"amd64","deviceType":"generic-amd64"}}'],
  },
]);

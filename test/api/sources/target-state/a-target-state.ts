import assert from 'node:assert/strict';
import type { Parse } from '../../../../api/sources/documents.js';
import { parseTargetState } from '../../../../api/sources/target-state/target-state.js';
import { parseDocument } from '../../../../crds/schema/parse.js';

/** UUID of the device that reads. */
export const DEVICE_UUID = '0123456789abcdef0123456789abcdef';
const parse: Parse = parseDocument;
export const read = (body: unknown) => parseTargetState(body, { deviceUuid: DEVICE_UUID, parse });
export const service = (more: object = {}) => ({
  serviceName: 'main',
  imageId: 1,
  image: 'a:latest',
  environment: {},
  labels: {},
  ...more,
});
export const app = (more: object = {}) => ({
  name: 'localapp',
  commit: 'localcommit',
  releaseId: '1',
  services: { 1: service() },
  volumes: {},
  networks: {},
  ...more,
});
export const local = (apps: unknown, more: object = {}) => ({ local: { apps, ...more } });
export const withService = (more: object) => local({ 1: app({ services: { 1: service(more) } }) });

/** What was read of a body that must be good. */
export const taken = (body: unknown) => {
  const result = read(body);
  assert.ok(result.ok, result.ok ? '' : result.message);
  return result;
};
/** The Compose fields that are left of a service with these, and the warnings. */
export const fieldsOf = (more: object) => {
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

/** The example of the Supervisor's documentation. */
export const documented = local(
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

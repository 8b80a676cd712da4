import type { SeenImage } from '../../../controllers/engine/engine.js';
import type { DeviceFacts } from '../../../controllers/host/facts/facts.js';
import type { ContainerContext } from '../../../controllers/service/container/container-options.js';
import type { Identity } from '../../../controllers/service/spec/identity.js';
import type { ServiceSpec } from '../../../crds/model/types.js';

/** The context in which the vectors were observed. */
export const identity: Identity = {
  appId: 1207,
  appUuid: '5f1c0e9a',
  appName: 'greenhouse',
  serviceId: 88,
  serviceName: 'sensor',
  imageId: 4410,
  releaseId: 970,
  commit: 'b7e2d4',
};

export const facts: DeviceFacts = {
  uuid: '0123456789abcdef0123456789abcdef',
  deviceType: 'generic-amd64',
  arch: 'amd64',
  osVersion: 'balenaOS 6.0.13',
  boardRevision: undefined,
  hasModules: true,
  hasFirmware: true,
  engineSocket: '/run/engine.sock',
  apiPort: 48484,
  hostname: () => 'shed',
};

export const containerContext: ContainerContext = {
  identity,
  image: undefined,
  facts,
  deviceName: 'shed',
  lockDirectory: '/tmp/balena-supervisor/services/1207/sensor',
  api: { key: 'SK', host: '10.114.104.1', port: 48484 },
  cloud: { key: 'DK', url: 'https://api.example.net' },
  siblingContainers: new Map(),
};

export const aServiceSpec = (fields: Readonly<Record<string, unknown>> = {}): ServiceSpec => ({
  app: 'greenhouse',
  serviceName: 'sensor',
  image: 'registry.example.net/v2/aa11:latest',
  ...fields,
});

export const anImage = (id: string, config: SeenImage['config'] = {}, ...tags: string[]): SeenImage => ({
  id,
  tags,
  digests: [],
  config,
});

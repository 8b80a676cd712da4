import { INTEGER_TEXT } from '../transport/coercion.js';
import { boolean, integer, type JsonSchema, listOf, mapOf, object, oneOf, orNull, ref, text } from './operation.js';

/** A number as the Supervisor accepts it in a body or a path: requests are checked with the same pattern. */
export const NUMBER: JsonSchema = {
  description: 'A whole number, or its text: 12, "12", "12.0".',
  anyOf: [{ type: 'integer' }, { type: 'string', pattern: INTEGER_TEXT }],
};
const NUMBER_IN_PATH: JsonSchema = { type: 'string', pattern: INTEGER_TEXT };
export const APP_ID = { name: 'appId', in: 'path', required: true, schema: NUMBER_IN_PATH } as const;

/** True for true, 1, "1", "true", "on"; false for everything else, never an error. */
export const FLAG: JsonSchema = {
  description: 'True for true, 1, "1", "true", "on" in any case. Everything else is false.',
  examples: [true, 'on', 1],
};
/** An object whose further fields are ignored. */
const fields = (some: Readonly<Record<string, JsonSchema>>, ...required: readonly string[]): JsonSchema => ({
  type: 'object',
  properties: some,
  ...(required.length > 0 ? { required } : {}),
});

const success = { status: { const: 'success' } };
const percentage = { type: ['number', 'null'], minimum: 0, maximum: 100 };
const word = { type: 'string', description: 'Running, Installed, Downloading, …: what the container or image is at.' };
const proxyFields = { type: 'object', additionalProperties: { type: ['string', 'number', 'array'] } };
const environment = mapOf(text);

/** Answers of the compatible API, by name. */
export const COMPATIBLE_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Failed: object({ status: { const: 'failed' }, message: text }),
  Success: object({ ...success, message: { const: 'OK' } }, 'message'),
  Data: object({ Data: { const: 'OK' }, Error: { const: '' } }),
  DataError: object({ Data: { const: '' }, Error: text }),
  Force: fields({ force: FLAG }),
  Update: fields({ force: FLAG, cancel: FLAG }),
  AppCommand: fields({ appId: NUMBER, force: FLAG }, 'appId'),
  ServiceCommand: {
    ...fields({ serviceName: { type: 'string', minLength: 1 }, imageId: NUMBER, force: FLAG }),
    description: 'One of serviceName and imageId is needed.',
  },
  Device: object(
    {
      api_port: integer,
      ip_address: text,
      os_version: text,
      mac_address: text,
      supervisor_version: text,
      update_pending: boolean,
      update_failed: boolean,
      update_downloaded: boolean,
      commit: text,
      status: text,
      download_progress: percentage,
    },
    ...['ip_address', 'os_version', 'mac_address', 'commit', 'status', 'download_progress'],
  ),
  SingleApp: object(
    { appId: integer, commit: text, containerId: text, env: environment, imageId: text, releaseId: integer },
    ...['commit', 'releaseId'],
  ),
  ContainerId: object({ containerId: text }, 'containerId'),
  HostSettings: object({ network: object({ hostname: text, proxy: proxyFields }, 'proxy') }),
  HostSettingsPatch: fields(
    {
      network: {
        type: 'object',
        properties: {
          hostname: { ...orNull('string'), description: 'Empty or null: the default name.' },
          proxy: {
            type: ['object', 'null'],
            description: 'Merged over the present fields; {} or null is no proxy.',
            properties: {
              noProxy: { type: ['array', 'null'], items: text },
              dns: { type: ['string', 'boolean', 'null'], description: 'address:port, true for 8.8.8.8:53, or false.' },
            },
          },
        },
      },
      force: FLAG,
    },
    'network',
  ),
  ApplicationsState: mapOf(
    object({
      appId: integer,
      appUuid: text,
      commit: orNull('string'),
      updateStatus: oneOf('rejected', 'aborted', 'downloading', 'downloaded', 'applying changes', 'done'),
      services: mapOf(object({ status: word, image: text, downloadProgress: percentage, releaseId: integer })),
    }),
  ),
  ApplicationState: object(
    {
      commit: text,
      local: mapOf(
        object({
          services: mapOf(object({ status: word, releaseId: integer, download_progress: percentage }, 'releaseId')),
        }),
      ),
      dependent: object({}),
    },
    'commit',
  ),
  DeviceStatus: object(
    {
      ...success,
      appState: oneOf('applied', 'applying'),
      overallDownloadProgress: percentage,
      containers: listOf(
        object({
          status: word,
          serviceName: text,
          appId: integer,
          imageId: integer,
          serviceId: integer,
          containerId: text,
          createdAt: { type: 'string', format: 'date-time' },
        }),
      ),
      images: listOf(
        object(
          {
            name: text,
            appId: integer,
            serviceName: text,
            imageId: integer,
            dockerImageId: text,
            status: word,
            downloadProgress: percentage,
          },
          ...['dockerImageId', 'downloadProgress'],
        ),
      ),
      release: text,
    },
    'release',
  ),
  Version: object({ ...success, version: text, supercargo: text }),
  ContainerIds: {
    anyOf: [object({ ...success, services: mapOf(text) }), object({ ...success, containerId: text })],
  },
  DeviceName: object({ ...success, deviceName: text }),
  Tags: object({ ...success, tags: listOf(object({ id: integer, name: text, value: text })) }),
  TagsPatch: { ...mapOf(text), description: 'Names without white space. Tags that are not named stay.' },
  Vpn: object({ ...success, vpn: object({ enabled: boolean, connected: boolean }) }),
  DeviceInfo: object({ ...success, info: object({ arch: text, deviceType: text }) }),
  JournalQuery: fields({
    all: FLAG,
    follow: FLAG,
    unit: text,
    containerId: text,
    count: NUMBER,
    since: text,
    until: text,
    format: text,
  }),
  TargetState: object({ ...success, state: ref('Target') }),
  Target: fields({ local: fields({ name: text, config: mapOf(text), apps: mapOf(ref('TargetApp')) }), dependent: {} }),
  TargetApp: fields(
    {
      name: { type: 'string', maxLength: 255 },
      commit: { type: 'string', maxLength: 255 },
      releaseId: NUMBER,
      services: mapOf(
        fields(
          {
            serviceName: text,
            imageId: NUMBER,
            image: { type: 'string', maxLength: 255 },
            environment: { type: 'object' },
            labels: { type: 'object' },
            running: boolean,
            contract: { type: 'object' },
          },
          ...['serviceName', 'imageId', 'image', 'environment', 'labels'],
        ),
      ),
      volumes: { type: ['object', 'null'] },
      networks: { type: ['object', 'null'] },
    },
    'name',
  ),
  TargetPost: {
    ...fields({ local: { type: 'object' }, force: {} }),
    description: 'A target state of version 2, {"local": Target.local}; one of version 3 is taken, too.',
  },
  LogLine: {
    description: 'One line of the stream.',
    anyOf: [
      object(
        { message: text, isSystem: { const: true }, isStdErr: boolean, timestamp: integer },
        'isStdErr',
        'timestamp',
      ),
      object({ serviceName: text, message: text, isStdErr: boolean, timestamp: integer, serviceId: integer }),
    ],
  },
};

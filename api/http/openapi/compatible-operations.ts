import { APP_NOT_FOUND, SVC_NOT_FOUND, TARGET_SVC_NOT_FOUND, V2_PARAMS } from '../supervisor/legacy-lookups.js';
import { APP_ID, FLAG, NUMBER } from './compatible-schemas.js';
import {
  type Answer,
  jsonAnswer,
  type Operation,
  type Operations,
  type Parameter,
  phraseAnswer,
  ref,
  text,
  textAnswer,
} from './operation.js';

const DEVICE = ['Device'];
const APPS = ['Applications'];
const LOCAL = ['Local mode'];

const LOCKED = jsonAnswer('The application holds the update lock; nothing was changed.', ref('Failed'));
const FAILED = jsonAnswer('It could not be done, or the body could not be read.', ref('Failed'));
const NOT_YOURS = jsonAnswer('The key belongs to another app.', ref('Failed'));
const OK = textAnswer('Done.', 'OK');
const query = (name: string, schema: Parameter['schema'], description?: string): Parameter => ({
  name,
  in: 'query',
  schema,
  ...(description === undefined ? {} : { description }),
});
const stream = (description: string, schema: Parameter['schema']): Answer => ({
  description,
  content: { 'application/octet-stream': { schema } },
});

const wholeApp = (summary: string, done: Answer, missing: string): Operation => ({
  summary,
  tags: APPS,
  body: ref('AppCommand'),
  bodyRequired: true,
  answers: { 200: done, 400: textAnswer('The appId is missing.', missing), 401: NOT_YOURS, 423: LOCKED, 503: FAILED },
});

const wholeAppV2 = (summary: string): Operation => ({
  summary,
  tags: APPS,
  parameters: [APP_ID],
  body: ref('Force'),
  answers: {
    200: OK,
    400: jsonAnswer('The appId is no number.', ref('Failed')),
    401: NOT_YOURS,
    423: LOCKED,
    503: FAILED,
  },
});

const ofService = (summary: string): Operation => ({
  summary,
  tags: APPS,
  parameters: [APP_ID],
  body: ref('ServiceCommand'),
  bodyRequired: true,
  answers: {
    200: OK,
    400: {
      description: 'A parameter is missing, or no number.',
      content: {
        'application/json': { schema: ref('Failed') },
        'text/html': { schema: { type: 'string', const: V2_PARAMS } },
      },
    },
    401: NOT_YOURS,
    404: textAnswer('There is no such app or service.', APP_NOT_FOUND, SVC_NOT_FOUND, TARGET_SVC_NOT_FOUND),
    423: LOCKED,
    503: FAILED,
  },
});

const ofOnlyContainer = (summary: string): Operation => ({
  summary,
  tags: APPS,
  parameters: [APP_ID],
  body: ref('Force'),
  answers: {
    200: jsonAnswer('Its container.', ref('ContainerId')),
    400: textAnswer(
      'The appId is no number, or there is not exactly one container.',
      ...['Invalid app id', V2_PARAMS, APP_NOT_FOUND],
    ),
    401: textAnswer('The key belongs to another app.', 'Unauthorized'),
    404: textAnswer('The release has no such service.', TARGET_SVC_NOT_FOUND),
    423: LOCKED,
    503: FAILED,
  },
});

const power = (summary: string): Operation => ({
  summary,
  tags: DEVICE,
  body: ref('Force'),
  answers: {
    202: jsonAnswer('It ends a second later.', ref('Data')),
    423: jsonAnswer('An update lock, or an update of the host OS.', ref('DataError')),
    500: jsonAnswer('It is not allowed, or could not be done.', ref('DataError')),
  },
});

const read = (summary: string, tags: readonly string[], schema: string, parameters: readonly Parameter[] = []) => ({
  summary,
  tags,
  ...(parameters.length > 0 ? { parameters } : {}),
  answers: { 200: jsonAnswer('As it is now.', ref(schema)), 503: FAILED },
});

const cleanup: Operation = {
  summary: 'Removes volumes that an app no longer declares and that nobody mounts',
  tags: APPS,
  answers: { 200: jsonAnswer('They are gone.', ref('Success')), 423: LOCKED, 503: FAILED },
};
const logs: Operation = {
  summary: 'Lines of containers and agent, NDJSON, live',
  tags: LOCAL,
  answers: { 200: stream('One object a line, without a media type.', ref('LogLine')) },
};
const JOURNAL_FIELDS: readonly (readonly [string, Parameter['schema']])[] = [
  ['all', FLAG],
  ['follow', FLAG],
  ['count', NUMBER],
  ...(['unit', 'containerId', 'since', 'until', 'format'] as const).map((name) => [name, text] as const),
];
const journal: Operation = {
  summary: "The host's journal, as journalctl prints it",
  tags: DEVICE,
  parameters: JOURNAL_FIELDS.map(([name, schema]) => query(name, schema)),
  answers: {
    200: stream('Text, without a media type.', text),
    400: jsonAnswer('A filter that cannot be understood.', ref('Failed')),
    503: FAILED,
  },
};

/** Operations of the compatible API. */
export const COMPATIBLE_OPERATIONS: Operations = {
  'GET /ping': { summary: 'Whether somebody answers', tags: DEVICE, open: true, answers: { 200: OK } },
  'GET /v1/healthy': {
    summary: 'Whether the agent is well',
    tags: DEVICE,
    open: true,
    answers: { 200: phraseAnswer('It is.', 'OK'), 500: textAnswer('The log says why.', 'Unhealthy') },
  },
  'POST /v1/blink': {
    summary: 'Blinks the LED for 15 s',
    tags: DEVICE,
    answers: { 200: phraseAnswer('It blinks.', 'OK') },
  },
  'POST /v1/regenerate-api-key': {
    summary: 'A new key for the one that asks; the old one is dead at once',
    tags: DEVICE,
    answers: { 200: textAnswer('The new key.'), 503: FAILED },
  },
  'POST /v1/update': {
    summary: 'Reads every source now',
    tags: DEVICE,
    body: ref('Update'),
    answers: {
      202: phraseAnswer('Instant updates are off; nothing is done.', 'Accepted'),
      204: { description: 'Under way.' },
      503: FAILED,
    },
  },
  'POST /v1/reboot': power('Reboots the device'),
  'POST /v1/shutdown': power('Shuts the device down'),
  'POST /v1/restart': wholeApp('Recreates every container of an app; volumes stay', OK, 'Missing app id'),
  'POST /v1/purge': wholeApp(
    'The same, and empties every volume of the app',
    jsonAnswer('Done.', ref('Data')),
    'Invalid or missing appId',
  ),
  'GET /v1/device': read('Addresses, versions, state of the first app', DEVICE, 'Device'),
  'GET /v1/device/host-config': read('Host name and proxy', DEVICE, 'HostSettings'),
  'PATCH /v1/device/host-config': {
    summary: 'Changes host name and proxy',
    tags: DEVICE,
    body: ref('HostSettingsPatch'),
    bodyRequired: true,
    answers: {
      200: OK,
      400: textAnswer('What is wrong, and where.'),
      409: textAnswer('Another origin declares it.'),
      423: textAnswer('The application holds the update lock.'),
      503: {
        description: 'It could not be done, or the body could not be read.',
        content: { 'text/html': { schema: text }, 'application/json': { schema: ref('Failed') } },
      },
    },
  },
  'GET /v1/apps/{appId}': {
    summary: 'An app of one container',
    tags: APPS,
    parameters: [APP_ID],
    answers: {
      200: jsonAnswer('As it is now.', ref('SingleApp')),
      400: textAnswer(
        'The appId is no number, or there is not exactly one container.',
        ...['Missing app id', 'App not found', 'Some v1 endpoints are only allowed on single-container apps'],
      ),
      401: NOT_YOURS,
      503: FAILED,
    },
  },
  'POST /v1/apps/{appId}/stop': ofOnlyContainer('Stops an app of one container'),
  'POST /v1/apps/{appId}/start': ofOnlyContainer('Starts an app of one container'),
  'GET /v2/applications/state': read('Apps, services, download progress', APPS, 'ApplicationsState'),
  'GET /v2/applications/{appId}/state': {
    summary: 'What of one app is on the device',
    tags: APPS,
    parameters: [APP_ID],
    answers: {
      200: jsonAnswer('As it is now.', ref('ApplicationState')),
      400: jsonAnswer('The appId is no number.', ref('Failed')),
      409: jsonAnswer('Nothing of that app is here, or the key belongs to another.', ref('Failed')),
      503: FAILED,
    },
  },
  'POST /v2/applications/{appId}/restart-service': ofService('Recreates the container of a service'),
  'POST /v2/applications/{appId}/stop-service': ofService('Stops a service'),
  'POST /v2/applications/{appId}/start-service': ofService('Starts a service; needs no lock'),
  'POST /v2/applications/{appId}/restart': wholeAppV2('Recreates every container of an app; volumes stay'),
  'POST /v2/applications/{appId}/purge': wholeAppV2('The same, and empties every volume of the app'),
  'GET /v2/state/status': read('Containers, images, applying or applied', DEVICE, 'DeviceStatus'),
  'GET /v2/version': read('The Supervisor version that is spoken, and our own', DEVICE, 'Version'),
  'GET /v2/containerId': read('Service name to container id', DEVICE, 'ContainerIds', [
    query('serviceName', text, 'Only this one. Counts before `service`.'),
    query('service', text, 'Only this one.'),
  ]),
  'GET /v2/device/name': read("The device's name", DEVICE, 'DeviceName'),
  'GET /v2/device/tags': read('Tags', DEVICE, 'Tags'),
  'PATCH /v2/device/tags': {
    summary: 'Adds and changes tags',
    tags: DEVICE,
    body: ref('TagsPatch'),
    answers: {
      202: jsonAnswer('They are kept.', ref('Success')),
      400: jsonAnswer('They are no tags.', ref('Failed')),
      500: jsonAnswer('They could not be kept.', ref('Failed')),
      503: FAILED,
    },
  },
  'GET /v2/device/vpn': read("The host's OpenVPN: wanted, connected", DEVICE, 'Vpn'),
  'GET /v2/cleanup-volumes': cleanup,
  'POST /v2/cleanup-volumes': cleanup,
  'GET /v2/journal-logs': journal,
  'POST /v2/journal-logs': { ...journal, body: ref('JournalQuery') },
  'GET /v2/local/target-state': read('The target state, in the form in which it can be posted', LOCAL, 'TargetState'),
  'POST /v2/local/target-state': {
    summary: 'Takes a target state, whole or not at all',
    tags: LOCAL,
    body: ref('TargetPost'),
    bodyRequired: true,
    answers: {
      200: jsonAnswer('It is on disk, and will be made true.', ref('Success')),
      400: jsonAnswer('Every problem of it.', ref('Failed')),
      401: jsonAnswer('The key belongs to an app.', ref('Failed')),
      503: FAILED,
    },
  },
  'GET /v2/local/device-info': read('Architecture and device type', LOCAL, 'DeviceInfo'),
  'POST /v2/local/device-info': read('Architecture and device type', LOCAL, 'DeviceInfo'),
  'GET /v2/local/logs': logs,
  'POST /v2/local/logs': logs,
};

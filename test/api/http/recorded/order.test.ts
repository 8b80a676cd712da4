import type { Refusal } from '../../../../crds/model/requests.js';
import { aDevice } from '../a-device.js';
import { aServer } from '../a-server.js';
import { failed, HTML, JSON_TYPE, type Row, recorded, TEXT, wordsFor } from './rows.js';

const APP_NOT_FOUND =
  "App not found: an app needs to be installed for this endpoint to work.\n\tIf you've recently moved this device from another app,\n\tplease push an app and wait for it to be installed first.";
const V2_PARAMS =
  'serviceName or imageId parameters were not provided or the app is multi-container. Use the v2 service action endpoints.';
const locked: Refusal = { reason: 'Locked', message: 'Lockfile exists for { appId: 1, service: web }' };
const busy: Refusal = { reason: 'Locked', message: 'Locks for app 1 are being held by another supervisor operation' };

const unauthorized: Row['want'] = [401, TEXT, 'Unauthorized'];
const badJson: Row['want'] = [503, JSON_TYPE, failed(wordsFor('{'))];
const notInState = (appId: number): Row['want'] => [
  503,
  JSON_TYPE,
  failed(`Application with ID ${appId} is not in the current state`),
];

/** Whole apps by version 1: the id is in the body, so the body is the first check behind the key. */
const wholeV1 = (path: string, missing: string): Row[] => [
  { ask: `POST ${path}`, by: 'nobody', body: '{', want: unauthorized },
  { ask: `POST ${path}`, by: 'app 2', body: '{', want: badJson },
  { ask: `POST ${path}`, by: 'app 2', body: { appId: 'x' }, refusal: locked, want: [400, HTML, missing] },
  { ask: `POST ${path}`, by: 'app 2', body: { appId: 9000 }, want: [401, JSON_TYPE, failed('Unauthorized')] },
  { ask: `POST ${path}`, body: { appId: 9000 }, refusal: locked, want: notInState(9000) },
  { ask: `POST ${path}`, body: { appId: 1 }, refusal: locked, want: [423, JSON_TYPE, failed(locked.message)] },
  { ask: `POST ${path}`, body: { appId: 1 }, refusal: busy, want: [423, JSON_TYPE, failed(busy.message)] },
];

const wholeV2 = (verb: string): Row[] => [
  { ask: `POST /v2/applications/x/${verb}`, by: 'nobody', body: '{', want: unauthorized },
  { ask: `POST /v2/applications/x/${verb}`, body: '{', want: badJson },
  { ask: `POST /v2/applications/x/${verb}`, by: 'app 2', want: [400, JSON_TYPE, failed('Missing app id')] },
  { ask: `POST /v2/applications/0/${verb}`, by: 'app 2', want: [400, JSON_TYPE, failed('Missing app id')] },
  { ask: `POST /v2/applications/9000/${verb}`, by: 'app 2', want: [401, JSON_TYPE, failed('Unauthorized')] },
  { ask: `POST /v2/applications/9000/${verb}`, refusal: locked, want: notInState(9000) },
  { ask: `POST /v2/applications/1/${verb}`, refusal: locked, want: [423, JSON_TYPE, failed(locked.message)] },
];

const serviceV2 = (verb: string): Row[] => {
  const path = (appId: number | string): string => `POST /v2/applications/${appId}/${verb}-service`;
  return [
    { ask: path('x'), by: 'nobody', body: '{', want: unauthorized },
    { ask: path('x'), body: '{', want: badJson },
    { ask: path('x'), by: 'app 2', body: {}, want: [400, JSON_TYPE, failed('Invalid app id')] },
    { ask: path(0), by: 'app 2', body: {}, want: [400, JSON_TYPE, failed('Invalid app id')] },
    { ask: path(9000), by: 'app 2', body: {}, want: [401, JSON_TYPE, failed('Unauthorized')] },
    { ask: path(9000), body: {}, want: [400, HTML, V2_PARAMS] },
    { ask: path(9000), body: { imageId: 1 }, refusal: locked, want: [404, HTML, APP_NOT_FOUND] },
    {
      ask: path(1),
      body: { serviceName: 'nope' },
      refusal: locked,
      want: [404, HTML, 'Service not found, a container must exist for this endpoint to work'],
    },
    {
      ask: path(3),
      body: { serviceName: 'old' },
      refusal: locked,
      want: [404, HTML, 'Service does not exist in target release'],
    },
    {
      ask: path(1),
      body: { serviceName: 'web' },
      refusal: locked,
      want: [423, JSON_TYPE, failed(locked.message)],
    },
  ];
};

const serviceV1 = (verb: string): Row[] => {
  const path = (appId: number | string): string => `POST /v1/apps/${appId}/${verb}`;
  return [
    { ask: path('x'), by: 'nobody', body: '{', want: unauthorized },
    { ask: path('x'), body: '{', want: badJson },
    { ask: path('x'), by: 'app 2', want: [400, HTML, 'Invalid app id'] },
    { ask: path(9000), by: 'app 2', want: [401, HTML, 'Unauthorized'] },
    { ask: path(9000), refusal: locked, want: [400, HTML, APP_NOT_FOUND] },
    { ask: path(1), refusal: locked, want: [400, HTML, V2_PARAMS] },
    { ask: path(3), refusal: locked, want: [404, HTML, 'Service does not exist in target release'] },
  ];
};

recorded('recorded: what is checked first', async () => {
  const bench = await aServer();
  await aDevice(
    bench.store,
    { appId: 1, name: 'one', services: ['web', 'db'] },
    { appId: 2, name: 'two', services: ['main'] },
    { appId: 3, name: 'three', services: ['old'], gone: ['old'] },
  );
  return bench;
}, [
  ...wholeV1('/v1/restart', 'Missing app id'),
  ...wholeV1('/v1/purge', 'Invalid or missing appId'),
  ...['restart', 'purge'].flatMap(wholeV2),
  ...['restart', 'stop', 'start'].flatMap(serviceV2),
  ...['stop', 'start'].flatMap(serviceV1),
  { ask: 'GET /v1/apps/x', by: 'app 2', want: [400, HTML, 'Missing app id'] },
  { ask: 'GET /v1/apps/9000', by: 'app 2', want: [401, JSON_TYPE, failed('Application is not available')] },
  { ask: 'GET /v1/apps/9000', want: [400, HTML, 'App not found'] },
  {
    ask: 'GET /v1/apps/1',
    want: [400, HTML, 'Some v1 endpoints are only allowed on single-container apps'],
  },
  { ask: 'GET /v2/applications/x/state', by: 'app 2', want: [400, JSON_TYPE, failed('Invalid application ID: x')] },
  {
    ask: 'GET /v2/applications/1/state',
    by: 'app 2',
    want: [409, JSON_TYPE, failed('Application ID does not exist: 1')],
  },
]);

const failure = 'connect ECONNREFUSED /var/run/docker.sock';
recorded('recorded: the engine cannot be reached', async () => {
  const bench = await aServer({ engineFailure: () => failure });
  await aDevice(bench.store, { appId: 1, name: 'one', services: ['web'] });
  return bench;
}, [
  { ask: 'POST /v1/restart', body: { appId: 1 }, want: [503, JSON_TYPE, failed(failure)] },
  { ask: 'POST /v1/purge', body: { appId: 1 }, want: [503, JSON_TYPE, failed(failure)] },
  { ask: 'POST /v1/apps/1/stop', want: [503, JSON_TYPE, failed(failure)] },
  { ask: 'POST /v2/applications/1/start-service', body: { imageId: 11 }, want: [503, JSON_TYPE, failed(failure)] },
  { ask: 'GET /v2/cleanup-volumes', want: [503, JSON_TYPE, failed(failure)] },
  {
    ask: 'GET /v2/applications/1/state',
    want: [
      200,
      JSON_TYPE,
      '{"commit":"c1","local":{"1":{"services":{"11":{"status":"Running","releaseId":1,"download_progress":null}}}},"dependent":{}}',
    ],
  },
]);

import { API_VERSION } from '../../../../crds/model/kinds.js';
import { aHost } from '../a-host.js';
import { aServer, declare } from '../a-server.js';
import { DIGEST, downloading, running } from './documents.js';
import { failed, HTML, JSON_TYPE, type Row, recorded, TEXT } from './rows.js';

const json = (body: string): Row['want'] => [200, JSON_TYPE, body];

recorded('recorded: an app that downloads, and one without a release', async () => {
  const bench = await aServer();
  await downloading(bench.store);
  return bench;
}, [
  {
    ask: 'GET /v2/applications/state',
    want: json(
      `{"fleetone":{"appId":1,"appUuid":"aaaa","commit":"c1","updateStatus":"downloading","services":{"main":{"status":"Downloading","image":"registry/a@${DIGEST}","downloadProgress":35,"releaseId":11}}},"norelease":{"appId":3,"appUuid":"cccc","commit":null,"updateStatus":"done","services":{}}}`,
    ),
  },
  {
    ask: 'GET /v2/applications/1/state',
    want: json(
      '{"local":{"1":{"services":{"5":{"status":"Downloading","releaseId":11,"download_progress":35}}}},"dependent":{}}',
    ),
  },
  {
    ask: 'GET /v2/state/status',
    want: json(
      `{"status":"success","appState":"applying","overallDownloadProgress":35,"containers":[],"images":[{"name":"registry/a@${DIGEST}","appId":1,"serviceName":"main","imageId":5,"status":"Downloading","downloadProgress":35}]}`,
    ),
  },
  { ask: 'GET /v2/applications/state', by: 'app 2', want: json('{}') },
  {
    ask: 'GET /v2/state/status',
    by: 'app 2',
    want: json('{"status":"success","appState":"applying","overallDownloadProgress":null,"containers":[],"images":[]}'),
  },
  { ask: 'GET /v2/containerId', want: json('{"status":"success","services":{}}') },
]);

recorded('recorded: an app that runs', async () => {
  const bench = await aServer({ host: aHost({ vpn: async () => ({ enabled: true, connected: false }) }) });
  await running(bench.store, 2, '2d1545');
  await declare(bench.store, 'local', {
    apiVersion: API_VERSION,
    kind: 'HostConfig',
    metadata: { name: 'device' },
    spec: { name: 'Home' },
  });
  return bench;
}, [
  {
    ask: 'GET /v2/applications/state',
    want: json(
      '{"app2":{"appId":2,"appUuid":"2","commit":"c2","updateStatus":"done","services":{"main":{"status":"Running","image":"alpine:latest","downloadProgress":null,"releaseId":22}}}}',
    ),
  },
  {
    ask: 'GET /v2/applications/2/state',
    want: json(
      '{"commit":"c2","local":{"2":{"services":{"2":{"status":"Running","releaseId":22,"download_progress":null}}}},"dependent":{}}',
    ),
  },
  {
    ask: 'GET /v2/applications/123invalid/state',
    want: [400, JSON_TYPE, failed('Invalid application ID: 123invalid')],
  },
  { ask: 'GET /v2/applications/0/state', want: [400, JSON_TYPE, failed('Invalid application ID: 0')] },
  { ask: 'GET /v2/applications/9000/state', want: [409, JSON_TYPE, failed('Application ID does not exist: 9000')] },
  {
    ask: 'GET /v2/state/status',
    want: json(
      '{"status":"success","appState":"applied","overallDownloadProgress":null,"containers":[{"status":"Running","serviceName":"main","appId":2,"imageId":2,"serviceId":202,"containerId":"2d1545","createdAt":"2026-01-02T03:04:05.678Z"}],"images":[{"name":"alpine:latest","appId":2,"serviceName":"main","imageId":2,"dockerImageId":"sha256:958f41","status":"Downloaded","downloadProgress":null}],"release":"c2"}',
    ),
  },
  { ask: 'GET /v2/version', want: json('{"status":"success","version":"19.0.5","supercargo":"0.1.0"}') },
  { ask: 'GET /v2/containerId', want: json('{"status":"success","services":{"main":"2d1545"}}') },
  { ask: 'GET /v2/containerId?serviceName=main', want: json('{"status":"success","containerId":"2d1545"}') },
  { ask: 'GET /v2/containerId?service=main', want: json('{"status":"success","containerId":"2d1545"}') },
  { ask: 'GET /v2/containerId?serviceName=', want: [503, JSON_TYPE, failed('Could not find service with that name')] },
  { ask: 'GET /v2/device/name', want: json('{"status":"success","deviceName":"Home"}') },
  { ask: 'GET /v2/device/tags', want: json('{"status":"success","tags":[]}') },
  {
    ask: 'PATCH /v2/device/tags',
    body: { DeviceLocation: 'warehouse #3' },
    want: [202, JSON_TYPE, '{"status":"success"}'],
  },
  { ask: 'PATCH /v2/device/tags', body: '[]', want: [202, JSON_TYPE, '{"status":"success"}'] },
  {
    ask: 'GET /v2/device/tags',
    want: json('{"status":"success","tags":[{"id":1,"name":"DeviceLocation","value":"warehouse #3"}]}'),
  },
  {
    ask: 'PATCH /v2/device/tags',
    body: { a: 1 },
    want: [400, JSON_TYPE, failed('Invalid tags body, must be an object like `{[tagKey: string]: string}`')],
  },
  {
    ask: 'PATCH /v2/device/tags',
    body: { 'a b': 'x' },
    want: [400, JSON_TYPE, failed('Tag keys cannot contain whitespace')],
  },
  { ask: 'GET /v2/device/vpn', want: json('{"status":"success","vpn":{"enabled":true,"connected":false}}') },
  { ask: 'GET /v2/cleanup-volumes', want: json('{"status":"success"}') },
  { ask: 'GET /v2/cleanup-volumes', by: 'nobody', want: [401, TEXT, 'Unauthorized'] },
  ...['restart', 'purge'].map((verb): Row => ({ ask: `POST /v2/applications/2/${verb}`, want: [200, HTML, 'OK'] })),
  ...['restart', 'stop', 'start'].flatMap((verb): Row[] => [
    { ask: `POST /v2/applications/2/${verb}-service`, body: { serviceName: 'main' }, want: [200, HTML, 'OK'] },
    { ask: `POST /v2/applications/2/${verb}-service`, body: { imageId: '2' }, want: [200, HTML, 'OK'] },
  ]),
]);

const noDisk = {
  list: () => [],
  merge: () => Promise.reject(new Error('ENOSPC: no space left on device')),
};
recorded('recorded: tags that cannot be kept', () => aServer({ tags: noDisk }), [
  { ask: 'PATCH /v2/device/tags', body: { a: 'b' }, want: [500, JSON_TYPE, failed('ENOSPC: no space left on device')] },
]);

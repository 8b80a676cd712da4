import type { HostNetworkView, HostPorts } from '../../../../api/http/supervisor/host-ports.js';
import type { Refusal } from '../../../../crds/model/requests.js';
import { aHost } from '../a-host.js';
import { aServer, GLOBAL_KEY } from '../a-server.js';
import { running } from './documents.js';
import { failed, HTML, JSON_TYPE, type Row, recorded, TEXT, wordsFor } from './rows.js';

const FRESH = '0123456789abcdef0123456789abcdef';
const CONTAINER = '97352f'.padEnd(64, '0');
/** Recorded as `Expected property name or '}' in JSON at position 1 (line 1 column 2)`; each version of V8 has its own words. */
const ENGINES_WORDS = wordsFor('{');
const locked: Refusal = { reason: 'Locked', message: 'Lockfile exists for { appId: 2, service: main }' };

const device = {
  arch: 'armv7hf',
  deviceType: 'raspberrypi3',
  identity: () => ({
    apiPort: 48484,
    osVersion: 'balenaOS 5.1.20',
    interfaces: { ip: ['192.0.2.2', 'fd00::2'], mac: ['02:FC:00:00:00:01', '6E:6A:27:88:75:95'] },
  }),
};
const keys = {
  scopeOf: (key: string) => (key === GLOBAL_KEY ? ({ type: 'global' } as const) : undefined),
  regenerate: async () => FRESH,
};
const onHost = (change: Partial<HostPorts>) => () => aServer({ host: aHost(change) });

recorded('recorded: a device of one app', async () => {
  const bench = await aServer({ device, keys });
  await running(bench.store, 2, CONTAINER);
  return bench;
}, [
  { ask: 'GET /ping', by: 'nobody', want: [200, HTML, 'OK'] },
  { ask: 'GET /v1/healthy', by: 'nobody', want: [200, TEXT, 'OK'] },
  {
    ask: 'GET /v1/device',
    want: [
      200,
      JSON_TYPE,
      '{"api_port":48484,"ip_address":"192.0.2.2 fd00::2","os_version":"balenaOS 5.1.20","mac_address":"02:FC:00:00:00:01 6E:6A:27:88:75:95","supervisor_version":"19.0.5","update_pending":false,"update_failed":false,"update_downloaded":false,"commit":"c2","status":"Idle","download_progress":null}',
    ],
  },
  {
    ask: 'GET /v1/apps/2',
    want: [
      200,
      JSON_TYPE,
      `{"appId":2,"commit":"c2","containerId":"${CONTAINER}","env":{"FOO":"bar","BALENA_APP_ID":"2"},"imageId":"sha256:958f41","releaseId":22}`,
    ],
  },
  { ask: 'POST /v1/blink', want: [200, TEXT, 'OK'] },
  { ask: 'POST /v1/blink', by: 'nobody', want: [401, TEXT, 'Unauthorized'] },
  { ask: 'POST /v1/regenerate-api-key', want: [200, HTML, FRESH] },
  { ask: 'POST /v1/update', body: { force: true }, want: [204, '', ''] },
  {
    ask: 'POST /v1/update',
    body: '{',
    want: [503, JSON_TYPE, failed(ENGINES_WORDS)],
  },
  { ask: 'POST /v1/reboot', want: [202, JSON_TYPE, '{"Data":"OK","Error":""}'] },
  { ask: 'POST /v1/shutdown', body: '', want: [202, JSON_TYPE, '{"Data":"OK","Error":""}'] },
  { ask: 'POST /v1/restart', body: { appId: 2 }, want: [200, HTML, 'OK'] },
  { ask: 'POST /v1/purge', body: { appId: 2 }, want: [200, JSON_TYPE, '{"Data":"OK","Error":""}'] },
  { ask: 'POST /v1/apps/2/stop', want: [200, JSON_TYPE, `{"containerId":"${CONTAINER}"}`] },
  { ask: 'POST /v1/apps/2/stop', refusal: locked, want: [423, JSON_TYPE, failed(locked.message)] },
  { ask: 'POST /v1/apps/2/start', want: [200, JSON_TYPE, `{"containerId":"${CONTAINER}"}`] },
]);

recorded('recorded: a device that is not well', () => aServer({ checks: () => [{ name: 'loop', ok: false }] }), [
  { ask: 'GET /v1/healthy', by: 'nobody', want: [500, HTML, 'Unhealthy'] },
]);

const noInstantUpdates = { instant: () => false, rereadSources: async () => undefined };
recorded('recorded: no instant updates', () => aServer({ updates: noInstantUpdates }), [
  { ask: 'POST /v1/update', want: [202, TEXT, 'Accepted'] },
  { ask: 'POST /v1/update', body: { cancel: true }, want: [202, TEXT, 'Accepted'] },
  { ask: 'POST /v1/update', body: { force: true }, want: [204, '', ''] },
]);

recorded('recorded: a device without keys', () => aServer({ localMode: true }), [
  { ask: 'POST /v1/regenerate-api-key', by: 'nobody', want: [503, JSON_TYPE, failed('')] },
]);

const left = (is: 'locked' | 'refused', message: string): readonly [() => ReturnType<typeof aServer>, Row['want']] => [
  onHost({ requestPower: async () => ({ is, message }) }),
  [is === 'locked' ? 423 : 500, JSON_TYPE, `{"Data":"","Error":"${message}"}`],
];
for (const [open, want] of [
  left('locked', 'Lockfile exists for { appId: 1, service: main }'),
  left('locked', 'Waiting for Host OS update to finish'),
  left('refused', 'connect ENOENT /run/dbus/system_bus_socket'),
]) {
  recorded(`recorded: ${want[2]}`, open, [
    { ask: 'POST /v1/reboot', want },
    { ask: 'POST /v1/shutdown', want },
  ]);
}

const proxy = {
  type: 'http-connect',
  ip: 'myproxy.example.com',
  port: 8123,
  login: 'username',
  password: 'password',
  dns: '8.8.8.8:53',
  noProxy: ['152.10.30.4', '253.1.1.0/16'],
} as const;
const shows = (network: HostNetworkView) => onHost({ network: async () => network });
recorded('recorded: a host with a proxy', shows({ hostname: '27b0fdc', proxy }), [
  {
    ask: 'GET /v1/device/host-config',
    want: [
      200,
      JSON_TYPE,
      '{"network":{"hostname":"27b0fdc","proxy":{"type":"http-connect","ip":"myproxy.example.com","port":8123,"login":"username","password":"password","dns":"8.8.8.8:53","noProxy":["152.10.30.4","253.1.1.0/16"]}}}',
    ],
  },
]);
recorded('recorded: a host with a proxy that is not valid', shows({ hostname: '27b0fdc', proxy: {} }), [
  { ask: 'GET /v1/device/host-config', want: [200, JSON_TYPE, '{"network":{"hostname":"27b0fdc","proxy":{}}}'] },
]);

const PATCH = 'PATCH /v1/device/host-config';
const invalid = (...lines: readonly string[]): Row['want'] => [
  400,
  HTML,
  ['Could not parse host config input to a valid format:', ...lines].join('\n'),
];
const hostLocked = 'Lockfile exists for { appId: 1, service: main }';
recorded('recorded: a host under a lock', onHost({ underLocks: async () => ({ is: 'locked', message: hostLocked }) }), [
  { ask: 'GET /v1/device/host-config', want: [200, JSON_TYPE, '{"network":{"hostname":"mydevice"}}'] },
  { ask: PATCH, body: { network: {} }, want: [200, HTML, 'OK'] },
  { ask: PATCH, want: invalid('Expecting Partial<...> at network but instead got: undefined') },
  { ask: PATCH, body: { network: 'x' }, want: invalid('Expecting Partial<...> at network but instead got: "x"') },
  {
    ask: PATCH,
    body: { network: { hostname: 5 } },
    want: invalid('Expecting string at network.hostname but instead got: 5'),
  },
  {
    ask: PATCH,
    body: { network: { proxy: { type: 'socks5', ip: 'a', port: 1, dns: 'junk' } } },
    want: invalid(
      'Expecting one of:',
      '    AddressString',
      '    boolean',
      'at network.proxy.1.dns but instead got: "junk"',
    ),
  },
  { ask: PATCH, body: { network: { hostname: 'x' } }, want: [423, HTML, hostLocked] },
  { ask: PATCH, by: 'nobody', body: '{', want: [401, TEXT, 'Unauthorized'] },
]);

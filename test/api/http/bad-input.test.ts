import assert from 'node:assert/strict';
import { APP_NOT_FOUND, SVC_NOT_FOUND, V2_PARAMS } from '../../../api/http/supervisor/legacy-lookups.js';
import { anApp, aServer, type Bench, declare, report, withKey } from './a-server.js';

const failed = (message: string): string => JSON.stringify({ status: 'failed', message });
const HUGE = 'x'.repeat(100_000);

/** What no number is: wrong type, missing, empty, huge, unicode, encoded twice. */
const NO_NUMBERS: readonly unknown[] = [
  undefined,
  null,
  '',
  ' ',
  'abc',
  '1e3',
  '0x1',
  '1.5',
  '٣',
  true,
  {},
  [],
  [1, 2],
  HUGE,
];
/** What a number is that no app has; also one too large to be one. */
const STRANGERS: readonly unknown[] = [9, '9', '9.0', -1, [9], '9'.repeat(400)];

interface Ask {
  readonly method?: 'GET' | 'POST' | 'PATCH';
  readonly url: string;
  readonly body?: unknown;
  readonly code: number;
  readonly want: string | RegExp;
}

/** In a path there is only text, and what is missing is another path. */
const inPath = (value: unknown): boolean => typeof value === 'string' && value !== '' && value.length < 10_000;
const encoded = (value: unknown): string => encodeURIComponent(String(value));

/** Of a body: the id is no number; it is one, but of nobody. */
const bodyIds = (url: string, missing: string, more: object = {}): readonly Ask[] => [
  ...NO_NUMBERS.map((appId) => ({ url, body: { ...more, appId }, code: 400, want: missing })),
  ...STRANGERS.map((appId) => ({
    url,
    body: { ...more, appId },
    code: 503,
    want: /^\{"status":"failed","message":"Application with ID /,
  })),
];

/** The same of a path. Version 2 knows no app 0. */
const pathIds = (
  { method, url, body }: Pick<Ask, 'method' | 'url' | 'body'>,
  [badCode, bad]: readonly [number, (text: string) => string],
  [strangeCode, strange]: readonly [number, string | RegExp],
  zeros: readonly string[] = ['0', '00', '0.0'],
): readonly Ask[] => {
  const of = (text: unknown) => ({ ...(method ? { method } : {}), url: url.replace('ID', encoded(text)), body });
  return [
    ...[...NO_NUMBERS.filter(inPath), ...zeros, '1/2', '1\0'].map((one) => ({
      ...of(one),
      code: badCode,
      want: bad(String(one)),
    })),
    ...STRANGERS.filter(inPath).map((one) => ({ ...of(one), code: strangeCode, want: strange })),
  ];
};

const V1_TEXT = (text: string) => [400, () => text] as const;
const V2_TEXT = (text: string) => [400, () => failed(text)] as const;
const UNKNOWN: readonly [number, RegExp] = [
  503,
  /^\{"status":"failed","message":"Application with ID .* is not in the current state"\}$/,
];
const web = { serviceName: 'web' };

const NAMES: readonly unknown[] = [undefined, null, '', 'null', 'undefined', 5, true, {}, []];
const service = (body: object, code: number, want: string): Ask => ({
  url: '/v2/applications/1/stop-service',
  body,
  code,
  want,
});

const CASES: readonly Ask[] = [
  ...bodyIds('/v1/restart', 'Missing app id'),
  ...bodyIds('/v1/purge', 'Invalid or missing appId', { force: true }),
  ...pathIds({ method: 'GET', url: '/v1/apps/ID' }, V1_TEXT('Missing app id'), [400, 'App not found'], []),
  ...pathIds({ url: '/v1/apps/ID/stop' }, V1_TEXT('Invalid app id'), [400, APP_NOT_FOUND], []),
  ...pathIds({ url: '/v1/apps/ID/start' }, V1_TEXT('Invalid app id'), [400, APP_NOT_FOUND], []),
  ...pathIds(
    { method: 'GET', url: '/v2/applications/ID/state' },
    [400, (text) => failed(`Invalid application ID: ${text}`)],
    [409, /^\{"status":"failed","message":"Application ID does not exist: /],
  ),
  ...['restart', 'purge'].flatMap((verb) =>
    pathIds({ url: `/v2/applications/ID/${verb}` }, V2_TEXT('Missing app id'), UNKNOWN),
  ),
  ...['restart', 'stop', 'start'].flatMap((verb) =>
    pathIds({ url: `/v2/applications/ID/${verb}-service`, body: web }, V2_TEXT('Invalid app id'), [404, APP_NOT_FOUND]),
  ),
  ...NAMES.map((serviceName) => service({ serviceName }, 400, V2_PARAMS)),
  ...NO_NUMBERS.map((imageId) => service({ imageId }, 400, V2_PARAMS)),
  ...['wbe', 'WEB', 'web ', HUGE, '💥', '__proto__', 'we%62'].map((serviceName) =>
    service({ serviceName }, 404, SVC_NOT_FOUND),
  ),
  ...STRANGERS.map((imageId) => service({ imageId }, 404, SVC_NOT_FOUND)),
  ...['', HUGE, '💥', 'WEB', '__proto__'].map((name) => ({
    method: 'GET' as const,
    url: `/v2/containerId?serviceName=${encoded(name).slice(0, 8_000)}`,
    code: 503,
    want: failed('Could not find service with that name'),
  })),
  ...[[5], null, 'x', { a: 5 }, { a: null }, { a: {} }].map((body) => ({
    method: 'PATCH' as const,
    url: '/v2/device/tags',
    body,
    code: typeof body === 'object' && body !== null ? 400 : 503,
    want: /Invalid tags body|is not valid JSON/,
  })),
  ...['a b', '\t', 'ü\u00a0'].map((name) => ({
    method: 'PATCH' as const,
    url: '/v2/device/tags',
    body: { [name]: 'x' },
    code: 400,
    want: failed('Tag keys cannot contain whitespace'),
  })),
  ...[undefined, null, 5, 'x', []].map((network) => ({
    method: 'PATCH' as const,
    url: '/v1/device/host-config',
    body: { network },
    code: 400,
    want: /^Could not parse host config input to a valid format:\nExpecting Partial<...> at network but instead got: /,
  })),
  ...[5, true, {}, []].map((hostname) => ({
    method: 'PATCH' as const,
    url: '/v1/device/host-config',
    body: { network: { hostname } },
    code: 400,
    want: /\nExpecting string at network.hostname but instead got: /,
  })),
  ...[5, 'x', []].map((proxy) => ({
    method: 'PATCH' as const,
    url: '/v1/device/host-config',
    body: { network: { proxy } },
    code: 400,
    want: /\nExpecting \{ \[K in string\]: any \} at network.proxy.0 but instead got: /,
  })),
  ...[{ local: 5 }, { local: [] }, { local: { apps: { abc: {} } } }, { local: { apps: { 1: null } } }, {}, []].map(
    (body) => ({
      url: '/v2/local/target-state',
      body,
      code: 400,
      want: /^\{"status":"failed","message":"/,
    }),
  ),
  ...[{ unit: {} }, { since: [] }, { format: true }, { containerId: 'a\0b' }].map((body) => ({
    url: '/v2/journal-logs',
    body,
    code: 400,
    want: /^\{"status":"failed","message":"\w+ must be a text"\}$/,
  })),
];

describe('bad input', () => {
  let bench: Bench;
  before(async () => {
    bench = await aServer({ localMode: true, commandDeadlineMs: 1 });
    const { store } = bench;
    const services = { web: { image: 'busybox' }, db: { image: 'busybox' } };
    await declare(store, 'files', anApp('hello', { appId: 1, services }));
    const serviceOf = (name: string) =>
      ({
        apiVersion: 'supercargo.io/v1',
        kind: 'Service',
        metadata: { name: `hello.${name}` },
        spec: { app: 'hello', serviceName: name, image: 'busybox:latest' },
      }) as const;
    await declare(store, 'App/hello', serviceOf('web'), serviceOf('db'));
    for (const name of ['web', 'db']) {
      const container = { id: name, name, createdAt: '2026-01-02T03:04:05.678Z', image: 'sha256:1' };
      report(store, 'Service', `hello.${name}`, { state: 'running', container });
    }
  });
  after(() => bench.close());

  for (const { method = 'POST', url, body, code, want } of CASES) {
    const shown = JSON.stringify(body)?.slice(0, 60) ?? '';
    it(`${method} ${url.slice(0, 60)} ${shown}: ${code}, and nothing changed`, async () => {
      const before = bench.store.resourceVersion;
      const headers = { ...withKey, host: 'localhost', 'content-type': 'application/json' };
      const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
      const answer = await bench.server.inject({ method, url, headers, ...payload });
      assert.equal(answer.statusCode, code, answer.payload.slice(0, 300));
      if (typeof want === 'string') assert.equal(answer.payload, want);
      else assert.match(answer.payload, want);
      assert.equal(bench.store.resourceVersion, before);
    });
  }
});

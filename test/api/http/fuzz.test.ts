import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pino } from 'pino';
import { OPERATIONS } from '../../../api/http/openapi/document.js';
import { cpuStopwatch } from '../../setup/cpu-time.js';
import { anApp, aServer, type Bench, declare, GLOBAL_KEY, withKey } from './a-server.js';

/** Answers that last for as long as the client stays: they have their own tests, on sockets. */
const LASTING = /\/(?:logs|log)$/;
const KEYS = Object.keys(OPERATIONS).filter((key) => !LASTING.test(key));
const RUNS = Number(process.env.SUPERCARGO_FUZZ_RUNS ?? 400);

const word = fc.oneof(
  fc.constantFrom('1', '2', '0', '-1', '12.0', '9'.repeat(400), 'hello', 'web', '', 'null', 'undefined', '__proto__'),
  fc.constantFrom('constructor', '..', '../../etc/passwd', '%', '%E0%A4%A', '%00', 'a/b', ' ', '\u0000', '٣', '💥'),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 3_000 }),
);
/** Encoded as a client would, or not at all. */
const part = fc.oneof(
  word.map((text) => encodeURIComponent(text.replace(/\p{Surrogate}/gu, '?'))),
  fc.constantFrom('%', '%E0%A4%A', '%00', '%2e%2e', '*', '{name}', '1', 'hello'),
);
const FIELDS = ['appId', 'force', 'serviceName', 'imageId', 'cancel', 'network', 'local', 'apps', 'name', 'spec'];
const MORE = ['metadata', 'preconditions', 'watch', 'follow', 'timeoutSeconds', 'labelSelector', 'fieldSelector'];
const field = fc.constantFrom(...FIELDS, ...MORE, 'hostname', 'proxy', 'config', 'unit', 'count', 'dryRun', 'kind');
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), word, tie('list'), tie('map')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  map: fc.dictionary(fc.oneof(field, word), tie('value'), { maxKeys: 5 }),
}));
const query = fc.array(fc.tuple(field, part), { maxLength: 3 }).map((pairs) =>
  pairs
    // A watch lasts, too.
    .filter(([name]) => name !== 'watch' && name !== 'follow')
    .map(([name, text]) => `${name}=${text}`)
    .join('&'),
);
const types = fc.constantFrom(
  ...['application/json', 'application/json; charset=foo', 'application/x-www-form-urlencoded', 'text/plain', ';'],
);
const asked = fc.record({
  key: fc.constantFrom(...KEYS),
  parts: fc.array(part, { minLength: 2, maxLength: 2 }),
  extra: fc.option(part, { freq: 8 }),
  query,
  type: types,
  body: fc.oneof(
    value.map((one) => JSON.stringify(one)),
    fc.string({ unit: 'binary', maxLength: 200 }),
    query,
  ),
  encoding: fc.option(fc.constantFrom('gzip', 'identity', 'foo'), { freq: 10 }),
  headers: fc.constantFrom({}, withKey, withKey, withKey, { authorization: 'Bearer app2key' }, { host: 'evil' }),
});

describe('whatever is sent', () => {
  let bench: Bench;
  let lines: { readonly level: number; readonly path?: string }[];
  beforeEach(async () => {
    lines = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    bench = await aServer({ log, localMode: true, commandDeadlineMs: 1 });
    const services = { web: { image: 'busybox' } };
    await declare(bench.store, 'files', anApp('hello', { appId: 1, services }), anApp('other', { appId: 2, services }));
  });
  afterEach(() => bench.close());

  it(`is answered as described, in time, and a 500 never without a line in the log (${RUNS} requests)`, async () => {
    await fc.assert(
      fc.asyncProperty(asked, async ({ key, parts, extra, query: search, type, body, encoding, headers }) => {
        const [method = 'GET', template = ''] = key.split(' ');
        const left = [...parts];
        const path = template.replace(/\{\w+\}/g, () => left.shift() ?? '');
        const url = `${path}${extra === null ? '' : `/${extra}`}?${search}`;
        const before = lines.length;
        const usedMs = cpuStopwatch();
        const sent = { host: 'localhost', 'content-type': type, ...headers };
        const { statusCode, payload } = await bench.server.inject({
          method,
          url,
          headers: encoding === null ? sent : { ...sent, 'content-encoding': encoding },
          ...(method === 'GET' ? {} : { payload: body }),
        });
        const tookMs = usedMs();
        assert.ok(tookMs < 2_000, `${method} ${url}: ${tookMs} ms`);
        if (statusCode === 500) {
          const reported = lines.slice(before).some((line) => line.path !== undefined && url.startsWith(line.path));
          assert.ok(reported, `${method} ${url}: 500 without a line in the log: ${payload}`);
        }
        assert.ok(!payload.includes(GLOBAL_KEY), 'no key in an answer');
      }),
      { seed: 20261125, numRuns: RUNS, interruptAfterTimeLimit: 250_000, markInterruptAsFailure: true },
    );
    assert.equal((await bench.server.inject('/ping')).payload, 'OK');
    assert.equal(JSON.stringify(lines).includes(GLOBAL_KEY), false);
  }).timeout(300_000);
});

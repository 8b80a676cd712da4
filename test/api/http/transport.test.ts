import assert from 'node:assert/strict';
import { aServer, type Bench, withKey } from './a-server.js';

const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT = 'text/plain; charset=utf-8';
const HTML = 'text/html; charset=utf-8';
const asJson = { ...withKey, 'content-type': 'application/json' };

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
interface Case {
  readonly it: string;
  readonly method?: Method;
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly payload?: string;
  readonly code: number;
  readonly type?: string;
  readonly body?: string | RegExp;
}

describe('the HTTP transport', () => {
  let bench: Bench;
  before(async () => {
    bench = await aServer();
  });
  after(() => bench.close());

  const version = '{"status":"success","version":"19.0.5","supercargo":"0.1.0"}';
  const cases: readonly Case[] = [
    { it: 'answers a ping without a key', url: '/ping', code: 200, type: HTML, body: 'OK' },
    { it: 'ignores a wrong key of a ping', url: '/ping?apikey=wrong', code: 200, type: HTML, body: 'OK' },
    { it: 'says that it is healthy', url: '/v1/healthy', code: 200, type: TEXT, body: 'OK' },
    { it: 'answers HEAD where there is GET', method: 'HEAD', url: '/ping', code: 200, type: HTML, body: '' },
    { it: 'wants a key', url: '/v2/version', code: 401, type: TEXT, body: 'Unauthorized' },
    { it: 'refuses a wrong key', url: '/v2/version?apikey=x', code: 401, type: TEXT, body: 'Unauthorized' },
    {
      it: 'takes a key in the query',
      url: '/v2/version?apikey=aaaabbbbccccdddd',
      code: 200,
      type: JSON_TYPE,
      body: version,
    },
    {
      it: 'takes a key in the header',
      url: '/v2/version',
      headers: withKey,
      code: 200,
      type: JSON_TYPE,
      body: version,
    },
    { it: 'takes an ApiKey', url: '/v2/version', headers: { authorization: 'apikey aaaabbbbccccdddd' }, code: 200 },
    { it: 'ignores X-API-Key', url: '/v2/version', headers: { 'x-api-key': 'aaaabbbbccccdddd' }, code: 401 },
    { it: 'ignores case and one slash at the end', url: '/V2/Version/', headers: withKey, code: 200, body: version },
    {
      it: 'ignores cookies that are none',
      url: '/v2/version',
      headers: { ...withKey, cookie: '=;;\u0001' },
      code: 200,
    },
    { it: 'ignores unknown query keys', url: '/v2/version?x=1&x=2', headers: withKey, code: 200 },
    { it: 'hides unknown paths from strangers', url: '/v3/nope', code: 401, type: TEXT, body: 'Unauthorized' },
    {
      it: 'answers unknown paths as Express does, without the query',
      url: '/v3/nope?apikey=aaaabbbbccccdddd',
      code: 404,
      type: HTML,
      body: '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n<body>\n<pre>Cannot GET /v3/nope</pre>\n</body>\n</html>\n',
    },
    {
      it: 'answers wrong methods in the same way',
      method: 'POST',
      url: '/v2/version',
      headers: withKey,
      code: 404,
      body: /Cannot POST \/v2\/version/,
    },
    { it: 'escapes the path', url: '/a<b>', headers: withKey, code: 404, body: /Cannot GET \/a&lt;b&gt;/ },
    {
      it: 'tells the methods of a path',
      method: 'OPTIONS',
      url: '/v2/version',
      headers: withKey,
      code: 200,
      type: HTML,
      body: 'GET,HEAD',
    },
    {
      it: 'tells all methods',
      method: 'OPTIONS',
      url: '/v2/local/target-state',
      headers: withKey,
      code: 200,
      body: 'GET,HEAD,POST',
    },
    { it: 'knows no methods of an unknown path', method: 'OPTIONS', url: '/v2/nope', headers: withKey, code: 404 },
    { it: 'wants a key for OPTIONS', method: 'OPTIONS', url: '/v2/version', code: 401 },
    {
      it: 'reads bodies before it looks for the path',
      method: 'POST',
      url: '/v2/nope',
      headers: asJson,
      payload: '{x',
      code: 503,
      type: JSON_TYPE,
      body: /^\{"status":"failed","message":"Expected property name or '}' in JSON at position 1[^"]*"}$/,
    },
    { it: 'reads bodies of a ping by POST', method: 'POST', url: '/ping', headers: asJson, payload: '{x', code: 503 },
    { it: 'reads bodies of GET', url: '/v2/version', headers: asJson, payload: '{x', code: 503 },
    {
      it: 'wants a key before it reads bodies',
      method: 'POST',
      url: '/v2/nope',
      headers: { 'content-type': 'application/json' },
      payload: '{x',
      code: 401,
    },
    {
      it: 'does not read the body of a ping',
      url: '/ping',
      headers: { 'content-type': 'application/json' },
      payload: '{x',
      code: 200,
      body: 'OK',
    },
    {
      it: 'refuses a path that cannot be decoded',
      url: '/v2/applications/%E0%A4%A/state',
      headers: withKey,
      code: 503,
      body: `{"status":"failed","message":"Failed to decode param '%E0%A4%A'"}`,
    },
    { it: 'wants a key for such a path too', url: '/v2/applications/%E0%A4%A/state', code: 401, body: 'Unauthorized' },
    {
      it: 'refuses more than 10 MB',
      method: 'POST',
      url: '/v2/local/target-state',
      headers: asJson,
      payload: `{"a":"${'x'.repeat(10 * 1024 * 1024)}"}`,
      code: 503,
      body: '{"status":"failed","message":"request entity too large"}',
    },
    {
      it: 'answers Statuses to strangers of the resource API',
      url: '/apis/supercargo.io/v1/apps',
      code: 401,
      type: JSON_TYPE,
      body: /"reason":"Unauthorized"/,
    },
  ];
  for (const { it: sentence, method = 'GET', url, headers, payload, code, type, body } of cases) {
    it(sentence, async () => {
      const answer = await bench.server.inject({
        method,
        url,
        ...(headers ? { headers } : {}),
        ...(payload ? { payload } : {}),
      });
      assert.equal(answer.statusCode, code, answer.payload);
      if (type !== undefined) assert.equal(answer.headers['content-type'], type);
      if (typeof body === 'string') assert.equal(answer.payload, body);
      else if (body) assert.match(answer.payload, body);
      assert.equal(answer.headers['cache-control'], undefined);
    });
  }

  it('protects the page of an unknown path as Express does', async () => {
    const { headers } = await bench.server.inject({ url: '/nope', headers: withKey });
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['content-security-policy'], "default-src 'none'");
  });

  it('answers 304 to a client that has it already', async () => {
    const first = await bench.server.inject({ url: '/v2/applications/state', headers: withKey });
    const etag = String(first.headers.etag);
    assert.match(etag, /^W\/"2-/);
    const again = await bench.server.inject({
      url: '/v2/applications/state',
      headers: { ...withKey, 'if-none-match': etag },
    });
    assert.deepEqual([again.statusCode, again.payload], [304, '']);
  });

  it('answers 503 in the generic form when a handler fails', async () => {
    const target = {
      render: () => {
        throw new Error('the disk is gone');
      },
      accept: async () => ({ ok: true as const }),
    };
    const broken = await aServer({ target });
    const { statusCode, payload } = await broken.server.inject({ url: '/v2/local/target-state', headers: withKey });
    assert.deepEqual([statusCode, payload], [503, '{"status":"failed","message":"the disk is gone"}']);
    await broken.close();
  });

  it('answers 403 to a page without a key in local mode, and not to curl', async () => {
    const local = await aServer({ localMode: true });
    const ask = (headers: Record<string, string>) =>
      local.server.inject({ url: '/v2/version', headers: { host: 'localhost', ...headers } });
    assert.equal((await ask({})).statusCode, 200);
    const page = await ask({ origin: 'https://evil.example' });
    assert.deepEqual([page.statusCode, page.headers['content-type']], [403, TEXT]);
    assert.match(page.payload, /evil\.example/);
    await local.close();
  });
});

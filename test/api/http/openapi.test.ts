import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import { OPERATIONS } from '../../../api/http/openapi/document.js';
import { APP_2_KEY, aServer, type Bench } from './a-server.js';
import { deviation, fits } from './conformance.js';
import { RECORDED, RECORDED_LINES } from './recorded.js';

describe('/openapi.json', () => {
  let bench: Bench;
  before(async () => {
    bench = await aServer({ secrets: { read: async () => 'secret' } });
  });
  after(() => bench.close());

  const ask = async () => {
    const headers = { authorization: `Bearer ${APP_2_KEY}` };
    return JSON.parse((await bench.server.inject({ url: '/openapi.json', headers })).payload);
  };

  it('is a valid OpenAPI 3.1 document, for every key', async () => {
    const { valid, errors } = await new Validator().validate(await ask());
    assert.equal(valid, true, JSON.stringify(errors, undefined, 2));
  });

  it('describes every route, and no other', async () => {
    const routed = bench.server.routes.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(Object.keys(OPERATIONS).sort(), routed.sort());
    const { paths } = await ask();
    const described = Object.entries<object>(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    assert.deepEqual(described.sort(), routed.sort());
  });

  for (const [operation, code, body] of RECORDED) {
    it(`describes what was recorded of ${operation}: ${code}`, () => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const types = typeof body === 'string' ? ['text/html', 'text/plain'] : ['application/json'];
      const found = types.map((mediaType) => deviation(operation, { code, mediaType, text }));
      assert.ok(found.includes(undefined), found.join('\n'));
      if (typeof body === 'string' || operation.endsWith('-key')) return;
      const more = { ...body, surprise: 1 };
      const loose = operation === 'GET /v2/local/target-state'; // its own form is checked when it is posted
      const isDescribed = deviation(operation, { code, mediaType: 'application/json', text: JSON.stringify(more) });
      if (!loose) assert.notEqual(isDescribed, undefined, 'says what may be in it');
    });
  }

  it('describes the recorded lines of the log stream, and no others', () => {
    for (const line of RECORDED_LINES) assert.equal(fits('LogLine', line), undefined);
    assert.notEqual(fits('LogLine', { message: 'x' }), undefined);
  });

  it('names each operation and each parameter of a path once, and refers to nothing that is missing', async () => {
    const document = await ask();
    const operations = Object.entries<
      Record<string, { operationId: string; parameters?: { name: string; in: string }[] }>
    >(document.paths);
    const ids = operations.flatMap(([, item]) => Object.values(item).map(({ operationId }) => operationId));
    assert.equal(new Set(ids).size, ids.length);
    for (const [path, item] of operations) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const [method, { parameters = [] }] of Object.entries(item)) {
        const named = parameters.filter((one) => one.in === 'path').map(({ name }) => name);
        assert.deepEqual(named, wanted, `${method} ${path}`);
      }
    }
    const text = JSON.stringify(document);
    const refs = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name ?? ''));
    const known = Object.keys(document.components.schemas);
    assert.deepEqual([...refs].sort(), known.filter((name) => refs.has(name)).sort());
    assert.deepEqual(
      known.filter((name) => !refs.has(name)),
      [],
      'schemas that nobody uses',
    );
  });
});

import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { BodyError, HeldBytes, readBody, YamlText } from '../../../../api/http/transport/body.js';

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';

/** A request as far as bodies go. */
function aRequest(body: string | Buffer, headers: Record<string, string>) {
  const bytes = Buffer.from(body);
  return Object.assign(Readable.from([bytes]), { headers: { 'content-length': String(bytes.length), ...headers } });
}

describe('readBody', () => {
  const good: readonly [what: string, type: string, body: string, want: unknown][] = [
    ['an object', JSON_TYPE, '{"a":1}', { a: 1 }],
    ['a list', JSON_TYPE, '[1]', [1]],
    ['blanks before it', JSON_TYPE, ' \n{"a":1}', { a: 1 }],
    ['a charset', `${JSON_TYPE}; charset=UTF-8`, '{"a":"é"}', { a: 'é' }],
    ['an upper-case type', 'Application/JSON', '{"a":1}', { a: 1 }],
    ['nothing with a JSON type', JSON_TYPE, '', {}],
    ['a form', FORM, 'appId=1&force=true', { appId: '1', force: 'true' }],
    ['a form with brackets', FORM, 'network[hostname]=x', { network: { hostname: 'x' } }],
    ['plain text', 'text/plain', '{"a":1}', {}],
    ['no type', '', '{"a":1}', {}],
    ['a type that is none', ';;;', '{"a":1}', {}],
  ];
  for (const [what, type, body, want] of good) {
    it(`reads ${what}`, async () => assert.deepEqual(await readBody(aRequest(body, { 'content-type': type })), want));
  }

  it('leaves YAML to those that take it', async () => {
    const yaml = (limitBytes?: number) =>
      readBody(aRequest('a: 1', { 'content-type': 'application/yaml' }), { takesYaml: true, limitBytes });
    assert.deepEqual(await yaml(), new YamlText('a: 1'));
    await assert.rejects(yaml(3), (error: BodyError) => error.statusCode === 413);
    assert.deepEqual(await readBody(aRequest('a: 1', { 'content-type': 'application/yaml' })), {});
  });

  it('reads a compressed body', async () => {
    const request = aRequest(gzipSync('{"a":1}'), { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' });
    assert.deepEqual(await readBody(request), { a: 1 });
  });

  const bad: readonly [what: string, headers: Record<string, string>, body: string, want: RegExp][] = [
    ['malformed JSON', { 'content-type': JSON_TYPE }, '{x', /^Expected property name or '}' in JSON at position 1/],
    [
      'brackets without end',
      { 'content-type': JSON_TYPE },
      '['.repeat(1e5) + ']'.repeat(1e5),
      /^The JSON is nested too/,
    ],
    ['a list of millions', { 'content-type': JSON_TYPE }, `[${'1,'.repeat(5e6)}1]`, /^The JSON holds too many values/],
    ['a cut object', { 'content-type': JSON_TYPE }, '{"a":', /^Unexpected end of JSON input$/],
    ['a bare string', { 'content-type': JSON_TYPE }, '"x"', /^Unexpected token '"'/],
    ['null', { 'content-type': JSON_TYPE }, 'null', /^Unexpected token 'n'/],
    ['blanks only', { 'content-type': JSON_TYPE }, '  ', /^Unexpected end of JSON input$/],
    ['an unknown charset', { 'content-type': `${JSON_TYPE}; charset=foo` }, '{}', /^unsupported charset "FOO"$/],
    [
      'an unknown encoding',
      { 'content-type': JSON_TYPE, 'content-encoding': 'foo' },
      '{}',
      /^unsupported content encoding "foo"$/,
    ],
    ['what is not gzip', { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' }, '{}', /^incorrect header check$/],
    ['too many parameters', { 'content-type': FORM }, 'a=1&'.repeat(1001), /^too many parameters$/],
    ['too much', { 'content-type': JSON_TYPE }, `{"a":"${'x'.repeat(200)}"}`, /^request entity too large$/],
  ];
  for (const [what, headers, body, want] of bad) {
    it(`refuses ${what}`, async () => {
      const limit = what === 'too much' ? { limitBytes: 100 } : {};
      await assert.rejects(readBody(aRequest(body, headers), limit), (error) => {
        assert(error instanceof BodyError);
        assert.match(error.message, want);
        return true;
      });
    });
  }

  it('holds only so many bytes of all bodies that are on their way, and lets go of each that ended', async () => {
    const held = new HeldBytes(1000);
    const slow = new PassThrough();
    const headers = { 'content-type': JSON_TYPE, 'transfer-encoding': 'chunked' };
    const first = readBody(Object.assign(slow, { headers }), { held });
    slow.write(`{"a":"${'x'.repeat(700)}`);
    await nextTurn();
    assert.equal(held.count, 706);
    const second = aRequest(`{"a":"${'x'.repeat(400)}"}`, { 'content-type': JSON_TYPE });
    await assert.rejects(readBody(second, { held }), /too many bodies are being sent/);
    slow.end('"}');
    await first;
    assert.equal(held.count, 0);
    const broken = new PassThrough();
    const third = readBody(Object.assign(broken, { headers }), { held });
    broken.write('{');
    broken.destroy(new Error('aborted'));
    await assert.rejects(third, /aborted/);
    assert.equal(held.count, 0);
  });

  it('refuses a small body that is large when unpacked', async () => {
    const request = aRequest(gzipSync(`{"a":"${'x'.repeat(100_000)}"}`), {
      'content-type': JSON_TYPE,
      'content-encoding': 'gzip',
    });
    await assert.rejects(readBody(request, { limitBytes: 1000 }), /request entity too large/);
  });
});

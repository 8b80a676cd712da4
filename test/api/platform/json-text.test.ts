import assert from 'node:assert/strict';
import { parseJsonWithin, parsePrivateJson, TooMuchJson } from '../../../api/platform/json-text.js';

describe('parseJsonWithin', () => {
  const limits = { depth: 3, values: 5 };

  const taken: readonly string[] = [
    '[1,2,3,4,5]',
    '[[[1]]]',
    '{"a":{"b":{"c":1}}}',
    '"[[[[,,,,,,,,"',
    '["\\"[[[[,,,,,,,"]',
    '["\\\\",[[1]]]',
    '7',
  ];
  for (const text of taken) {
    it(`reads ${text}`, () => assert.deepEqual(parseJsonWithin(text, limits), JSON.parse(text)));
  }

  const refused: readonly [text: string, want: RegExp][] = [
    ['[1,2,3,4,5,6]', /^The JSON holds too many values: at most 5$/],
    ['[[],[],[]]', /too many values/],
    ['[[[[1]]]]', /^The JSON is nested too deeply: at most 3 levels$/],
    ['[[[[', /nested too deeply/],
    ['["\\\\",[[[1]]]]', /nested too deeply/],
  ];
  for (const [text, want] of refused) {
    it(`refuses ${text} without parsing it`, () =>
      assert.throws(
        () => parseJsonWithin(text, limits),
        (error) => error instanceof TooMuchJson && want.test(error.message),
      ));
  }

  for (const text of ['', '"', '"\\', '["a\\"', '[1', ']', '{"a":1,}']) {
    it(`leaves the words about ${JSON.stringify(text)} to the engine`, () =>
      assert.throws(() => parseJsonWithin(text, limits), SyntaxError));
  }
});

describe('parsePrivateJson', () => {
  it('reads JSON', () => assert.deepEqual(parsePrivateJson('{"key":"hush"}'), { key: 'hush' }));

  for (const text of [
    '',
    'hush',
    '{"key":"hush"',
    '{"key":"hush" "hush"}',
    '{"key":"hu\nsh"}',
    '["in JSON at position 1"',
  ]) {
    it(`says nothing of what is in ${JSON.stringify(text)}`, () =>
      assert.throws(
        () => parsePrivateJson(text),
        (error) => error instanceof SyntaxError && /^it is not JSON(?: \(at character \d+\))?$/.test(error.message),
      ));
  }

  it('says where', () =>
    assert.throws(() => parsePrivateJson('{"a":1 2}'), /^SyntaxError: it is not JSON \(at character 8\)$/));
});

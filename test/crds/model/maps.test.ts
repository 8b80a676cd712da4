import assert from 'node:assert/strict';
import { isMap, parseMap, stringOf } from '../../../crds/model/maps.js';

describe('isMap', () => {
  for (const value of [{}, { a: 1 }, Object.create(null)])
    it(`takes ${JSON.stringify(value)}`, () => assert.ok(isMap(value)));
  for (const value of [null, undefined, [], [{}], 'a', 1, true]) {
    it(`refuses ${JSON.stringify(value)}`, () => assert.equal(isMap(value), false));
  }
});

describe('parseMap', () => {
  it('reads the map of a JSON text', () => assert.deepEqual(parseMap('{"a": [1]}'), { a: [1] }));
  for (const text of ['', '{', 'null', '[]', '"a"', '1']) {
    it(`finds none in ${JSON.stringify(text)}`, () => assert.equal(parseMap(text), undefined));
  }
});

describe('stringOf', () => {
  const cases: readonly (readonly [unknown, string])[] = [
    ['a', 'a'],
    [1.5, '1.5'],
    [null, 'null'],
    [[1, 2], '1,2'],
    [{}, '[object Object]'],
    [{ toString: [] }, '[object Object]'],
    [[{ toString: 1 }], '[object Object]'],
    [Object.create(null), '[object Object]'],
  ];
  for (const [value, text] of cases) it(`gives ${text}`, () => assert.equal(stringOf(value), text));
});

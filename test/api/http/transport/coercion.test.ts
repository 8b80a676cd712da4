import assert from 'node:assert/strict';
import { booleanOf, integerOf } from '../../../../api/http/transport/coercion.js';

describe('integerOf', () => {
  const cases: readonly [unknown, number | undefined][] = [
    [12, 12],
    ['12', 12],
    ['12.0', 12],
    ['12.', 12],
    ['-3', -3],
    ['0', 0],
    [[990], 990],
    ['12.5', undefined],
    ['123invalid', undefined],
    ['', undefined],
    [undefined, undefined],
    [null, undefined],
    [[1, 2], undefined],
    [true, undefined],
    [{ toString: [] }, undefined],
    [[{ toString: [] }], undefined],
  ];
  for (const [value, want] of cases) {
    it(`reads ${JSON.stringify(value)} as ${want}`, () => assert.equal(integerOf(value), want));
  }
});

describe('booleanOf', () => {
  for (const value of [true, 1, '1', 'true', 'TRUE', 'on', 'On']) {
    it(`takes ${JSON.stringify(value)} for true`, () => assert.equal(booleanOf(value), true));
  }
  for (const value of [false, 0, 2, 'yes', '', null, undefined, {}, [true]]) {
    it(`takes ${JSON.stringify(value)} for false`, () => assert.equal(booleanOf(value), false));
  }
});

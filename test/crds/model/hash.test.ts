import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonical, canonicalHash } from '../../../crds/model/hash.js';

describe('canonical', () => {
  const cases: [name: string, value: unknown, want: string | undefined][] = [
    [
      'sorts keys at every depth',
      { b: { d: 1, c: 2 }, a: [{ y: 1, x: 2 }] },
      '{"a":[{"x":2,"y":1}],"b":{"c":2,"d":1}}',
    ],
    ['keeps the order of lists', [3, 1, 2], '[3,1,2]'],
    ['leaves undefined out', { a: undefined, b: null }, '{"b":null}'],
    ['sorts by code unit, whatever the locale', { ä: 1, z: 2, Z: 3 }, '{"Z":3,"z":2,"ä":1}'],
    ['keeps a key that is called like the prototype', JSON.parse('{"__proto__":1,"a":2}'), '{"__proto__":1,"a":2}'],
    ['tells text from numbers', { a: '1' }, '{"a":"1"}'],
    ['takes scalars', 'x', '"x"'],
  ];
  for (const [name, value, want] of cases) it(name, () => assert.equal(canonical(value), want));

  it('is the same for equal values however they were built', () => {
    const shuffled = (value: object): object => Object.fromEntries(Object.entries(value).reverse());
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        assert.equal(canonical(shuffled(value)), canonical(value));
        assert.deepEqual(JSON.parse(canonical(value)), JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('canonicalHash', () => {
  it('is the SHA-256 of the canonical text', () => {
    assert.equal(canonicalHash({}), '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
    assert.equal(canonicalHash({ b: 1, a: 2 }), canonicalHash({ a: 2, b: 1 }));
    assert.notEqual(canonicalHash({ a: 1 }), canonicalHash({ a: '1' }));
  });

  it('has a value for nothing', () => assert.match(canonicalHash(undefined), /^[0-9a-f]{64}$/));
});

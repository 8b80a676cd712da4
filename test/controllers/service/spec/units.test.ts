import assert from 'node:assert/strict';
import fc from 'fast-check';
import { splitCommandLine } from '../../../../crds/model/command-line.js';
import { composeDurationMs } from '../../../../crds/model/duration.js';
import { parseBytes } from '../../../../crds/model/units.js';
import { SCHEMAS } from '../../../../crds/schema/schemas.js';

describe('parseBytes', () => {
  const cases: readonly [unknown, number | undefined][] = [
    ['96m', 100_663_296],
    ['1Gb', 1_073_741_824],
    ['12', 12],
    ['5B', 5],
    ['2KB', 2048],
    [33_554_432, 33_554_432],
    [0, 0],
    ['1.5g', undefined],
    ['huge', undefined],
    ['1t', undefined],
    ['1 m', undefined],
    ['1KiB', undefined],
    ['', undefined],
    [1.5, undefined],
    [-1, undefined],
    ['9999999999h', undefined],
    [1e300, undefined],
    [true, undefined],
  ];
  for (const [text, want] of cases)
    it(`reads ${JSON.stringify(text)} as ${want}`, () => assert.equal(parseBytes(text), want));
});

describe('composeDurationMs', () => {
  const cases: readonly [unknown, number | undefined][] = [
    ['2m5s', 125_000],
    ['750ms', 750],
    ['1m30s', 90_000],
    ['1 h 5 m', 3_900_000],
    ['1500us', 1],
    ['1500µs', 1],
    ['0s', 0],
    ['0', 0],
    ['1500μs', 1],
    ['5.s', 5000],
    ['1.001s', 1001],
    ['1m30', 60_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['1w', 604_800_000],
    [30, 30],
    [0, 0],
    ['90', undefined],
    ['abc', undefined],
    ['', undefined],
    ['1e3s', undefined],
    ['5S', undefined],
    ['5s!', undefined],
    ['5sec', undefined],
    [-1, undefined],
    [true, undefined],
  ];
  for (const [text, want] of cases)
    it(`reads ${JSON.stringify(text)} as ${want}`, () => assert.equal(composeDurationMs(text), want));
});

describe('what is taken as a duration', () => {
  const { pattern } = SCHEMAS.Service.spec.properties?.stop_grace_period ?? {};

  it('is one', () => {
    assert.ok(pattern);
    fc.assert(
      fc.property(fc.stringMatching(new RegExp(pattern), { maxLength: 40 }), (given) => {
        const text = given.replace(/\d{4,}/g, (digits) => digits.slice(0, 3)); // more is refused for its size
        assert.notEqual(composeDurationMs(text), undefined);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('splitCommandLine', () => {
  const cases: readonly [string, readonly string[] | undefined][] = [
    ['', []],
    ['  ', []],
    ['a  b\tc', ['a', 'b', 'c']],
    [`'a b' "c d"`, ['a b', 'c d']],
    [`a''b ""`, ['ab', '']],
    ['a\\ b', ['a b']],
    [`"a\\"b" 'a\\b'`, ['a"b', 'a\\b']],
    ['"\\n \\$X"', ['\\n $X']],
    [`$X \${Y} $(z)`, ['$X', `\${Y}`, '$(z)']],
    ['a && b | c > d', ['a', '&&', 'b', '|', 'c', '>', 'd']],
    ['x #y', ['x', '#y']],
    ['http://h/?a=1&b=2', ['http://h/?a=1&b=2']],
    ['end\\', ['end\\']],
    [`it's`, undefined],
    ['"open', undefined],
  ];
  for (const [line, want] of cases)
    it(`splits ${JSON.stringify(line)}`, () => assert.deepEqual(splitCommandLine(line), want));
});

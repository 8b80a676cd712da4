import assert from 'node:assert/strict';
import { parseDotenv } from '../../../api/sources/dotenv.js';
import { cpuStopwatch } from '../../setup/cpu-time.js';

const OUTER = new Map([
  ['A', 'first'],
  ['E', ''],
]);
const read = (text: string) => {
  const { variables, problems } = parseDotenv(text, (name) => OUTER.get(name));
  return {
    variables: Object.fromEntries(variables),
    problems: problems.map(({ line, message }) => `${line}: ${message}`),
  };
};

describe('a file of variables', () => {
  // What Compose makes of an env_file (compose-go 2.4.8, with A=first and E= around it).
  const cases: readonly [name: string, text: string, want: Readonly<Record<string, string>>][] = [
    ['a plain value', 'X=1', { X: '1' }],
    ['white space around name and value', '  X =  a b  ', { X: 'a b' }],
    ['double quotes', 'X="a b"', { X: 'a b' }],
    ['single quotes, in which a dollar sign is one', "X='a $A b'", { X: 'a $A b' }],
    ['a comment', 'X=a # c', { X: 'a' }],
    ['a number sign in a value', 'X=a#c', { X: 'a#c' }],
    ['a number sign in quotes', 'X="a # c" # d', { X: 'a # c' }],
    ['escapes', 'X="a\\nb\\tc\\"d\\\\e"', { X: 'a\nb\tc"d\\e' }],
    ['no escapes without quotes', 'X=a\\nb', { X: 'a\\nb' }],
    ['a value over several lines', 'X="l1\nl2"\nY=1', { X: 'l1\nl2', Y: '1' }],
    ['a value over several lines in single quotes', "X='l1\nl2'\nY=1", { X: 'l1\nl2', Y: '1' }],
    ['export', 'export X=1', { X: '1' }],
    ['a colon', 'X: 1', { X: '1' }],
    ['a colon and quotes', 'X: "a b"', { X: 'a b' }],
    ['an empty value', 'X=', { X: '' }],
    ['an empty value with a comment', 'X= # c', { X: '' }],
    ['two dollar signs', 'X=$$A', { X: '$A' }],
    ['an escaped dollar sign', 'X="\\$A"', { X: '$A' }],
    ['a reference', 'X=${A}-$A', { X: 'first-first' }],
    ['a default in a default', 'X=${N:-${A}}', { X: 'first' }],
    ['a default for what is empty', 'X=${E:-d}${E-d}', { X: 'd' }],
    ['a replacement', 'X=${A:+r}${N+r}${E:+r}${E+e}', { X: 're' }],
    ['a value that is needed and there', 'X=${A:?must}', { X: 'first' }],
    ['JSON', 'X={"a":1}', { X: '{"a":1}' }],
    ['equals signs', 'X=a=b=', { X: 'a=b=' }],
    ['line ends of Windows', 'X=1\r\nY=2\r\n', { X: '1', Y: '2' }],
    ['a byte order mark', '\uFEFFX=1', { X: '1' }],
    ['a dash in a name', 'X-Y=1', { 'X-Y': '1' }],
    ['a dot in a name', 'X.Y=1', { 'X.Y': '1' }],
    ['a digit before a name', '1X=1', { '1X': '1' }],
    ['nothing but a comment', '# X=1\n\n', {}],
    ['a name twice', 'X=1\nX=2', { X: '2' }],
    ['an earlier line', 'Y=1\nX=$Y', { Y: '1', X: '1' }],
    ['a single quote in double quotes', 'X="it\'s"', { X: "it's" }],
    ['an address', 'X=postgres://u:p@h:5432/d?sslmode=disable', { X: 'postgres://u:p@h:5432/d?sslmode=disable' }],
    ['white space in and behind quotes', 'X="a " ', { X: 'a ' }],
    ['a dollar sign before what is no name', 'X=5$ $5', { X: '5$ $5' }],
    ['what was filled in as it is', "Y='$A'\nX=$Y", { Y: '$A', X: '$A' }],
  ];
  for (const [name, text, variables] of cases) {
    it(`may hold ${name}`, () => assert.deepEqual(read(text), { variables, problems: [] }));
  }

  // Compose refuses the first three, and guesses at the others.
  const refused: readonly [name: string, text: string, problem: RegExp][] = [
    ['a name with a space', 'A=1\nX Y=1', /^2: expected NAME=value/],
    ['a quote without an end', 'hush="a\nhush=1', /^1: a quoted value has no end$/],
    [
      'a value that is needed and missing',
      'X=${hush:?hush}',
      /^1: a reference to a variable that is not set before this line; write \$\$/,
    ],
    ['a line without a value', 'X', /^1: expected NAME=value/],
    [
      'a value over several lines without quotes',
      'K=-----BEGIN-----\nhush\n',
      /^2: expected NAME=value; .* into quotes$/,
    ],
    [
      'a reference to a later line',
      'X=pa$hush.x9\nhush=1',
      /^1: a reference to a variable that is not set before this line; write \$\$/,
    ],
    ['text behind a quote', 'hush="a"hush', /^1: there is text behind a closing quote$/],
    ['a reference without an end', 'X=${A', /^1: a reference \$\{… has no end/],
    ['a reference to nothing', 'X=${hush hush}', /^1: a reference \$\{…\} names no variable/],
    ['a zero byte', 'hush="a\0hush"', /^1: a value has a zero byte/],
  ];
  for (const [name, text, problem] of refused) {
    it(`may not hold ${name}, which is said without any of its text`, () => {
      const { problems } = read(text);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? '', problem);
      assert.doesNotMatch(problems[0] ?? '', /hush/);
    });
  }

  it('is not read on behind fifty problems', () => {
    assert.equal(read('?\n'.repeat(1000)).problems.length, 50);
    assert.equal(read(`X=${'$NOBODY'.repeat(1000)}`).problems.length, 50);
  });

  it('may not make more than a MiB out of values of values', () => {
    const { problems } = read(`A=${'x'.repeat(1000)}\n${`A=${'$A'.repeat(10)}\n`.repeat(1000)}`);
    assert.deepEqual(problems, ['4: its references stand for more than 1 MiB of text']);
  });

  it('takes little time, whatever is in it', () => {
    const usedMs = cpuStopwatch();
    for (const unit of ['${A:-', 'X="\n', '$A', '${', 'X=${A}\n', '"', "X='\n"]) {
      read(`X=${unit.repeat(Math.floor(200_000 / unit.length))}`);
    }
    assert.ok(usedMs() < 5_000, `${usedMs()} ms`);
  });
});

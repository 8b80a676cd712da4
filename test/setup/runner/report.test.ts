import assert from 'node:assert/strict';
import { compactLines, finalReport, specLines } from './report.js';
import type { FileResult, TestResult } from './results.js';

const test = (title: string, state: TestResult['state'], ms: number, error?: string): TestResult => ({
  file: 'test/a.test.ts',
  path: ['a', 'b', title],
  state,
  ms,
  ...(error === undefined ? {} : { error }),
});

const file = (tests: readonly TestResult[], output = ''): FileResult => ({
  file: 'test/a.test.ts',
  ms: 1500,
  tests,
  output,
});

describe('what a test run prints', () => {
  it('is one line for a file that passes', () => {
    assert.deepEqual(compactLines(file([test('works', 'passed', 3), test('waits', 'skipped', 0)], 'noise\n')), [
      '✔ test/a.test.ts (2 tests, 1 skipped, 1500 ms)',
    ]);
  });

  it('is the failures in full and the end of the output for another', () => {
    assert.deepEqual(compactLines(file([test('breaks', 'failed', 3, 'Error: no\n  at x')], 'noise\n')), [
      '✖ test/a.test.ts (1 failed of 1, 1500 ms)',
      '',
      '  ✖ a › b › breaks',
      '      Error: no',
      '        at x',
      '',
      '  It printed last:',
      '  | noise',
      '',
    ]);
  });

  it('is every test below its titles for an end-to-end file', () => {
    const other: TestResult = { ...test('ends', 'skipped', 0), path: ['a', 'ends'] };
    assert.deepEqual(specLines(file([test('one', 'passed', 3), test('two', 'passed', 2500), other])), [
      'test/a.test.ts (1.5 s)',
      '  a',
      '    b',
      '      ✔ one',
      '      ✔ two (2.5 s)',
      '    - ends',
    ]);
  });

  it('ends with times, every failure and the counts', () => {
    const tests = [test('slow', 'passed', 3000), test('breaks', 'failed', 3, 'Error: no\n  at x')];
    assert.deepEqual(finalReport([{ name: 'unit', ms: 1600, files: [file(tests)] }]), [
      'Time: unit 1.6 s',
      'Slowest files:',
      '     1.5 s  test/a.test.ts',
      'Slowest tests:',
      '     3.0 s  test/a.test.ts: a › b › slow',
      '     0.0 s  test/a.test.ts: a › b › breaks',
      '',
      'Failing tests (1):',
      '1) unit: test/a.test.ts',
      '   a › b › breaks',
      '     Error: no',
      '       at x',
      '',
      '1 passed, 1 failed, 0 skipped',
    ]);
  });

  it('shows at most twelve lines of an error, and fewer the more there are', () => {
    const long = Array.from({ length: 40 }, (_, line) => `line ${line}`).join('\n');
    const linesOf = (count: number): number =>
      finalReport([
        { name: 'unit', ms: 1, files: [file(Array.from({ length: count }, () => test('breaks', 'failed', 0, long)))] },
      ]).filter((line) => line.includes('line ')).length;
    assert.deepEqual([1, 5, 15, 50, 200].map(linesOf), [12, 60, 120, 50, 200]);
  });
});

import assert from 'node:assert/strict';
import { failedFiles, withSecondRun } from './again.js';
import { finalReport } from './report.js';
import type { FileResult, TestResult } from './results.js';

const test = (title: string, state: TestResult['state'], error?: string): TestResult => ({
  file: 'a',
  path: ['it', title],
  state,
  ms: 1,
  ...(error === undefined ? {} : { error }),
});
const result = (file: string, ...tests: readonly TestResult[]): FileResult => ({ file, ms: 1000, tests, output: '' });

describe('the second run of a file that failed', () => {
  it('is for so many files, or for none', () => {
    const results = [
      result('a', test('x', 'failed')),
      result('b', test('x', 'passed')),
      result('c', test('x', 'failed')),
    ];
    assert.deepEqual(failedFiles(results, 2), ['a', 'c']);
    assert.deepEqual(failedFiles(results, 1), []);
  });

  it('counts, and what failed before is told', () => {
    const first = [
      result('a', test('x', 'failed', 'Error: late'), test('y', 'passed')),
      result('b', test('z', 'passed')),
    ];
    const both = withSecondRun(first, [result('a', test('x', 'passed'), test('y', 'failed', 'Error: other'))]);
    assert.deepEqual(
      both.map(({ file, ms, tests }) => [file, ms, ...tests.map(({ state, failedBefore }) => [state, failedBefore])]),
      [
        ['a', 2000, ['passed', 'Error: late'], ['failed', undefined]],
        ['b', 1000, ['passed', undefined]],
      ],
    );
    assert.deepEqual(finalReport([{ name: 'e2e', ms: 1, files: both }]).slice(-11), [
      'Failing tests (1):',
      '1) e2e: a',
      '   it › y',
      '     Error: other',
      '',
      'Passed only when they were run again, alone (1):',
      '1) a',
      '   it › x',
      '     Error: late',
      '',
      '2 passed, 1 failed, 0 skipped',
    ]);
  });

  it('tells of a hook that failed before', () => {
    const hook = test('"before all" hook', 'failed', 'Error: no engine');
    const [both] = withSecondRun([result('a', hook)], [result('a', test('x', 'passed'), test('y', 'passed'))]);
    assert.deepEqual(
      both?.tests.map(({ failedBefore }) => failedBefore),
      ['["it","\\"before all\\" hook"]: Error: no engine', undefined],
    );
  });
});

import type { FileResult, SuiteResult, TestResult } from './results.js';

/** Lines that the list of failures may take altogether: whoever keeps only the end of a long output shall see them all. */
const FAILURE_LINES = 150;
const LINES_EACH = 12;
const SLOWEST = 15;

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Pure. */
function countTests(tests: readonly TestResult[]): Counts {
  const count = (state: TestResult['state']): number => tests.filter((one) => one.state === state).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const indent = (text: string, by: string): string[] => text.split('\n').map((line) => `${by}${line}`);
const title = ({ path }: TestResult): string => path.join(' › ');

/** One line for a file whose tests have passed; for another the failures in full and what it printed. Pure. */
export function compactLines({ file, ms, tests, output }: FileResult): readonly string[] {
  const { failed, skipped } = countTests(tests);
  const words = [`${tests.length} tests`, ...(skipped > 0 ? [`${skipped} skipped`] : []), `${ms} ms`];
  if (failed === 0) return [`✔ ${file} (${words.join(', ')})`];
  return [
    `✖ ${file} (${[`${failed} failed of ${tests.length}`, ...words.slice(1)].join(', ')})`,
    ...failuresOf(tests),
    ...printed(output),
  ];
}

/** Every test of a file on a line of its own, below its titles. Pure. */
export function specLines({ file, ms, tests, output }: FileResult): readonly string[] {
  const lines = [`${file} (${seconds(ms)})`];
  let above: readonly string[] = [];
  const marks = { passed: '✔', failed: '✖', skipped: '-' };
  for (const { path, state, ms: took } of tests) {
    const suites = path.slice(0, -1);
    const same = suites.findIndex((name, index) => above[index] !== name);
    for (const [index, name] of suites.entries()) {
      if (same >= 0 && index >= same) lines.push(`${'  '.repeat(index + 1)}${name}`);
    }
    above = suites;
    lines.push(
      `${'  '.repeat(suites.length + 1)}${marks[state]} ${path.at(-1)}${took >= 1000 ? ` (${seconds(took)})` : ''}`,
    );
  }
  const { failed } = countTests(tests);
  return failed === 0 ? lines : [...lines, ...failuresOf(tests), ...printed(output)];
}

function failuresOf(tests: readonly TestResult[]): readonly string[] {
  return tests
    .filter((one) => one.state === 'failed')
    .flatMap((one) => ['', `  ✖ ${title(one)}`, ...indent(one.error ?? '', '      ')]);
}

function printed(output: string): readonly string[] {
  const lines = output.trim().split('\n').slice(-40);
  return lines.join('') === '' ? [''] : ['', '  It printed last:', ...lines.map((line) => `  | ${line}`), ''];
}

/** The end of a run: where the time went, then every failing test, then one line over all. Pure. */
export function finalReport(suites: readonly SuiteResult[]): readonly string[] {
  const files = suites.flatMap((suite) => suite.files);
  const tests = files.flatMap((file) => file.tests);
  const failures = suites.flatMap((suite) =>
    suite.files
      .flatMap((file) => file.tests)
      .filter((one) => one.state === 'failed')
      .map((test) => ({ suite: suite.name, test })),
  );
  const again = tests.flatMap(({ failedBefore, ...one }) =>
    failedBefore === undefined ? [] : [{ failedBefore, one }],
  );
  const { passed, failed, skipped } = countTests(tests);
  const slowest = <T extends { readonly ms: number }>(of: readonly T[]): readonly T[] =>
    [...of].sort((a, b) => b.ms - a.ms).slice(0, SLOWEST);
  const each = Math.max(1, Math.min(LINES_EACH, Math.floor(FAILURE_LINES / Math.max(1, failures.length)) - 2));
  return [
    `Time: ${suites.map(({ name, ms }) => `${name} ${seconds(ms)}`).join(', ')}`,
    'Slowest files:',
    ...slowest(files).map(({ file, ms }) => `  ${seconds(ms).padStart(8)}  ${file}`),
    'Slowest tests:',
    ...slowest(tests).map((one) => `  ${seconds(one.ms).padStart(8)}  ${one.file}: ${title(one)}`),
    ...(failures.length === 0 ? [] : ['', `Failing tests (${failures.length}):`]),
    ...failures.flatMap(({ suite, test }, index) => [
      `${index + 1}) ${suite}: ${test.file}`,
      `   ${title(test)}`,
      ...indent(test.error ?? '', '     ').slice(0, each),
    ]),
    ...(again.length === 0 ? [] : ['', `Passed only when they were run again, alone (${again.length}):`]),
    ...again.flatMap(({ failedBefore, one }, index) => [
      `${index + 1}) ${one.file}`,
      `   ${title(one)}`,
      ...indent(failedBefore, '     ').slice(0, LINES_EACH),
    ]),
    '',
    `${passed} passed, ${failed} failed, ${skipped} skipped`,
  ];
}

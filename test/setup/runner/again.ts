import type { FileResult, TestResult } from './results.js';

/** Returns the files in which a test failed; none when there are more than `limit` of them. Pure. */
export function failedFiles(results: readonly FileResult[], limit: number): readonly string[] {
  const failed = results.filter(({ tests }) => tests.some(({ state }) => state === 'failed')).map(({ file }) => file);
  return failed.length > limit ? [] : failed;
}

/**
 * Puts the second run of a file in the place of its first. A test that passed now keeps what it failed with before, and
 * so does the first test of the file where a failure has no test in the second run (a hook, a process that ended). Pure.
 */
export function withSecondRun(first: readonly FileResult[], second: readonly FileResult[]): readonly FileResult[] {
  return first.map((before) => {
    const now = second.find(({ file }) => file === before.file);
    return now ? { ...now, ms: before.ms + now.ms, tests: rememberFailures(before.tests, now.tests) } : before;
  });
}

function rememberFailures(before: readonly TestResult[], now: readonly TestResult[]): readonly TestResult[] {
  const key = ({ path }: TestResult): string => JSON.stringify(path);
  const errors = new Map(
    before.filter(({ state }) => state === 'failed').map((one) => [key(one), one.error ?? ''] as const),
  );
  const known = new Set(now.map(key));
  const homeless = [...errors].filter(([path]) => !known.has(path)).map(([path, error]) => `${path}: ${error}`);
  return now.map((one, index) => {
    const all = [errors.get(key(one)), ...(index === 0 ? homeless : [])].filter((error) => error !== undefined);
    return one.state === 'passed' && all.length > 0 ? { ...one, failedBefore: all.join('\n') } : one;
  });
}

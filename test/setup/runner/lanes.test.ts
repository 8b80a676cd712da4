import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInLanes } from './lanes.js';
import type { FileResult } from './results.js';

const sample = (name: string): string => relative('.', fileURLToPath(new URL(`./samples/${name}.ts`, import.meta.url)));

const run = (files: readonly string[], fileLimitMs: number): Promise<readonly FileResult[]> =>
  runInLanes(files, { lanes: [{}], timeoutMs: 20_000, fileLimitMs, done: () => undefined });

describe('runInLanes', function () {
  this.timeout(300_000); // starts processes

  it('tells what each test came to, and goes on after a process that ended or hung', async () => {
    const files = ['mixed', 'ends', 'does-not-load', 'mixed'].map(sample);
    const results = await run(files, 60_000);
    const shown = results.map(({ file, tests }) => [
      file.replace(/.*\//, ''),
      ...tests.map(({ path, state }) => `${path.join(' › ')}: ${state}`),
    ]);
    const mixed = [
      'mixed.ts',
      'a sample › passes: passed',
      'a sample › fails: failed',
      'a sample › is skipped: skipped',
      'a sample › with a hook that fails › "before all" hook for "does not run": failed',
    ];
    assert.deepEqual(shown, [
      mixed,
      ['ends.ts', 'a sample ends its process: failed'],
      ['does-not-load.ts', '(loading the file): failed'],
      mixed,
    ]);
    const error = (file: number, test: number): string => results[file]?.tests[test]?.error ?? '';
    assert.match(
      error(0, 1),
      /^Error: what was done\n.*\(?test\/setup\/runner\/samples\/mixed\.ts:6.*\ncaused by Error: why it failed/,
    );
    assert.match(error(1, 0), /ended with exit code 3. It was at: a sample ends its process\nlast words$/);
    assert.match(error(2, 0), /not today/);
  });

  it('kills a process whose file does not end', async () => {
    const [hung, next] = await run(['hangs', 'mixed'].map(sample), 10_000);
    assert.match(
      hung?.tests[0]?.error ?? '',
      /was killed: the file took longer than 10000 ms. It was at: a sample hangs/,
    );
    assert.equal(next?.tests.length, 4);
  });

  it('gives each file to one lane, and to none that leaves it to the others', async () => {
    const files = [sample('mixed'), sample('does-not-load')];
    const lanes = [{ without: /mixed/ }, { without: /does-not-load/, env: { LANE: 'two' } }];
    const results = await runInLanes(files, { lanes, timeoutMs: 20_000, fileLimitMs: 60_000, done: () => undefined });
    assert.deepEqual(results.map(({ file }) => file).sort(), [...files].sort());
  });
});

/**
 * `npm run crash-matrix [-- --only memory,engine] [--scenario PATTERN] [--points N] [--quick]`: kills the agent before and after every call
 * and write, loses replies, fails calls, and looks whether it comes to the same end. All points of every scenario on the
 * in-memory engine; `--points` of each moment and kind of change on a real one (the engine of
 * `SUPERCARGO_TEST_DOCKER_HOST`, else a private one). Prints tables; exit code 1 when a point came to another end.
 */
import { parseArgs } from 'node:util';
import { renderColumns } from '../../setup/columns.js';
import { useEngine } from '../../setup/docker.js';
import { FAULTS } from '../fault-plan.js';
import { SCENARIOS } from '../scenarios.js';
import { Matrix } from './engine.js';
import { tryPoints } from './memory.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'memory,engine' },
    scenario: { type: 'string', default: '' },
    points: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
  },
});
const parts = values.only.split(',');
const print = (text: string): void => console.error(`  ${text}`);
const failures: Error[] = [];

if (parts.includes('memory')) {
  const rows: string[][] = [];
  const chosen = new RegExp(values.scenario);
  for (const scenario of SCENARIOS.filter((one) => chosen.test(one.it))) {
    const outcome = await tryPoints(scenario, values.quick ? 6 : undefined);
    const points = Object.values(outcome.tried).reduce((sum, count) => sum + count, 0);
    print(`${scenario.it}: ${points} points, ${outcome.failures.length} came to another end`);
    failures.push(...outcome.failures.map(({ error }) => new Error(scenario.it, { cause: error })));
    rows.push([
      scenario.it,
      String(outcome.steps),
      ...FAULTS.map((fault) => String(outcome.tried[fault] ?? 0)),
      String(outcome.failures.length),
      String(outcome.downMs),
      String(outcome.worstDownMs),
    ]);
  }
  console.log('\nIn memory: every call to the engine, the disk and the lock files (times on a clock of the test)');
  console.log(renderColumns(['scenario', 'steps', ...FAULTS, 'other end', 'down ms', 'worst, less restart'], rows));
}

if (parts.includes('engine')) {
  const engine = await useEngine();
  const matrix = await Matrix.open(engine, print);
  try {
    const outcomes = await matrix.run(Number(values.points), new RegExp(values.scenario));
    failures.push(...outcomes.flatMap((outcome) => outcome.failures));
    const rows = outcomes.map(({ name, calls, writes, tried, failures: others, ...times }) => [
      name,
      ...[calls, writes, tried.before, tried.after, tried.write, others.length].map(String),
      ...[times.quietMs, times.medianMs, times.worstMs, times.downMs, times.worstDownMs].map((ms) => ms.toFixed(0)),
    ]);
    const head = [
      'change',
      'calls',
      'writes',
      'before',
      'after',
      'write',
      'other end',
      'done ms',
      'median',
      'worst',
      'down ms',
      'worst, less restart',
    ];
    console.log('\nReal engine: the agent killed before a call, after it, and after a write');
    console.log(renderColumns(head, rows));
  } finally {
    await matrix.close();
    await engine.close();
  }
}

for (const failure of failures) console.error(failure);
console.log(
  `\n${failures.length === 0 ? 'Every point came to the same end' : `${failures.length} points came to another end`}.`,
);
process.exitCode = failures.length === 0 ? 0 : 1;

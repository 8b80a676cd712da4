/**
 * `npm test`: lint, types, bundle, unit tests, then the end-to-end tests on real engines. Arguments choose suites, and
 * test files by the beginning of their path. Ends with where the time went, every failing test, and one line over all:
 * `N passed, N failed, N skipped`.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../api/platform/run-program.js';
import { Limiter } from '../../api/platform/turns.js';
import { staticBusybox } from '../../controllers/engine/local/busybox.js';
import { stopPrivateEngine } from '../../controllers/engine/local/private-engine.js';
import { needFaketime, needPrograms } from './programs.js';
import { failedFiles, withSecondRun } from './runner/again.js';
import { type Lane, runInLanes } from './runner/lanes.js';
import { compactLines, finalReport, specLines } from './runner/report.js';
import { errorText, type FileResult, type SuiteResult } from './runner/results.js';

/** Guards against a test that never ends; how fast something must be is said where it is tested. */
const UNIT_LIMITS = { timeoutMs: 120_000, fileLimitMs: 10 * 60_000 };
const E2E_LIMITS = { timeoutMs: 240_000, fileLimitMs: 15 * 60_000 };

const args = process.argv.slice(2);
const wantedFiles = args.filter((word) => word.includes('/'));
const started = Date.now();
const say = (text: string): void => console.log(`\n=== ${text} (${Math.round((Date.now() - started) / 1000)} s)`);
const print = (lines: readonly string[]): void => console.log(lines.join('\n'));

/** A check that passes or fails as a whole: its output is shown only in the latter case. */
async function check(title: string, ...[command = '', ...args]: readonly string[]): Promise<FileResult> {
  const begun = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', resolve);
  });
  const ms = Math.round(performance.now() - begun);
  const state = code === 0 ? 'passed' : 'failed';
  const error = [`${[command, ...args].join(' ')} ended with ${code}`, ...output.trim().split('\n')].join('\n');
  const file = title;
  const result: FileResult = {
    file,
    ms,
    output,
    tests: [{ file, path: [title], state, ms, ...(code === 0 ? {} : { error }) }],
  };
  print(compactLines(result));
  return result;
}

async function unitTests(): Promise<readonly FileResult[]> {
  await needPrograms('git', 'gpg', 'ssh-keygen', 'sshd');
  const files = testFiles((file) => !file.startsWith('test/e2e/'), LONG_UNIT_TESTS);
  const done = (result: FileResult): void => print(compactLines(result));
  const atOnce = Math.max(1, Math.min(4, availableParallelism()));
  const limiter = new Limiter(atOnce);
  const alone = (file: string) => limiter.run(() => runInLanes([file], { ...UNIT_LIMITS, lanes: [{}], done }));
  const timed = (await Promise.all(files.filter(isTimed).map(alone))).flat();
  const lanes = Array.from({ length: atOnce }, () => ({}));
  const others = files.filter((file) => !isTimed(file));
  return [...timed, ...(await runInLanes(others, { ...UNIT_LIMITS, lanes, done }))];
}

/**
 * Whether a file measures what something costs: it has a process of its own, and beside it run at most as many others as
 * there are processors. It counts processor time, by the speed that the processor has at that moment.
 */
const isTimed = (file: string): boolean => file.startsWith('test/worst-input');

/** Every end-to-end test, on the engine that `SUPERCARGO_TEST_DOCKER_HOST` names or on engines of our own. */
async function endToEnd(): Promise<readonly FileResult[]> {
  const files = testFiles((file) => file.startsWith('test/e2e/'), LONG_E2E_TESTS);
  const folder = await mkdtemp(join(tmpdir(), 'supercargo-test-'));
  try {
    const lanes = process.env.SUPERCARGO_TEST_DOCKER_HOST === undefined ? await engineLanes(folder) : [{}];
    const options = { ...E2E_LIMITS, done: (result: FileResult) => print(specLines(result)) };
    const results = await runInLanes(files, { ...options, lanes });
    const again = failedFiles(results, MAX_AGAIN);
    if (again.length === 0) return results;
    say(`run again, alone: ${again.join(', ')}`);
    return withSecondRun(results, await runInLanes(again, { ...options, lanes: lanes.slice(0, 1) }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function engineLanes(folder: string): Promise<readonly Lane[]> {
  await needPrograms('git', 'curl', 'ip', 'iptables', 'dockerd', 'docker-registry');
  await needFaketime();
  const busybox = await staticBusybox(process.env, (text) => console.log(`    ${text}`));
  if (busybox === undefined) throw new Error('No static busybox to make images from');
  const program = join(folder, 'busybox');
  await writeFile(program, busybox, { mode: 0o755 });
  const engine = (name: string): Lane => {
    const data = join(folder, name);
    return {
      env: { SUPERCARGO_LANE_ENGINE: data, SUPERCARGO_TEST_BUSYBOX: program },
      clean: () => stopPrivateEngine(data),
    };
  };
  // Agents of two engines would quarrel about ports and about the bridge that services reach them by: so a network each.
  const isolated = (name: string): Lane => ({
    ...engine(name),
    env: { ...engine(name).env, SUPERCARGO_LANE_NETWORK: '1' },
    through: OWN_NETWORK,
    without: NEEDS_THE_NETWORK,
  });
  const [command = '', ...rest] = OWN_NETWORK;
  const { ok } = await runCommand(command, [...rest, 'true'], { env: process.env });
  return ok ? [engine('one'), isolated('two')] : [engine('one')];
}

/**
 * Failing end-to-end files that are run a second time, alone: a real engine on a machine that others use, too, may take
 * longer than any patience. The report names such tests with their first failure. More than these are no accident.
 */
const MAX_AGAIN = 2;

const OWN_NETWORK = ['unshare', '--net'];
/** Downloads the busybox of Debian for the image to begin with. */
const NEEDS_THE_NETWORK = /(?:documents|manifests|private-engine)\.test/;

/** What takes longest begins first, so that nothing is left alone at the end. */
const LONG_UNIT_TESTS: readonly string[] = [
  'test/simulation/crashes.test.ts',
  'test/simulation/random-simulations.test.ts',
  'test/api/cli/transcripts.test.ts',
  'test/api/sources/git/git-origin.test.ts',
  'test/controllers/host-config/clock.test.ts',
  'test/controllers/commands/commands.test.ts',
  'test/simulation/rehearsals.test.ts',
  'test/simulation/restarts.test.ts',
  'test/api/cli/commands/approve.test.ts',
  'test/simulation/punctuality.test.ts',
  'test/controllers/app/rollout/rollback.test.ts',
];
/** Before all others those that only the first lane takes: left for the end, the second one would have nothing to do. */
const LONG_E2E_TESTS: readonly string[] = [
  'test/e2e/private-engine.test.ts',
  'test/e2e/manifests.test.ts',
  'test/e2e/documents.test.ts',
  'test/e2e/rollback.test.ts',
  'test/e2e/engine.conformance.test.ts',
  'test/e2e/commands.test.ts',
  'test/e2e/agent-process.test.ts',
  'test/e2e/engine-restart.test.ts',
  'test/e2e/shared-namespaces.test.ts',
  'test/e2e/clock.test.ts',
  'test/e2e/load.test.ts',
  'test/e2e/strategies.test.ts',
  'test/e2e/networks-and-volumes.test.ts',
  'test/e2e/service-fields.test.ts',
];

function testFiles(isWanted: (file: string) => boolean, longestFirst: readonly string[]): readonly string[] {
  const place = (file: string): number => {
    const index = longestFirst.indexOf(file);
    return index < 0 ? longestFirst.length : index;
  };
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((name) => `test/${name}`)
    .filter((file) => file.endsWith('.test.ts') && isWanted(file))
    .filter((file) => wantedFiles.length === 0 || wantedFiles.some((part) => file.startsWith(part)))
    .sort((one, other) => place(one) - place(other) || one.localeCompare(other));
}

/** What can be run, in order; `npm test` runs all of it. */
const SUITES: Readonly<Record<string, () => Promise<readonly FileResult[]>>> = {
  lint: async () => [await check('lint, format and imports', 'npm', 'run', '--silent', 'lint')],
  types: async () => [await check('types', 'npm', 'run', '--silent', 'typecheck')],
  bundle: async () => [await check('bundle', 'npm', 'run', '--silent', 'build')],
  unit: unitTests,
  e2e: endToEnd,
};

const wanted = args.filter((word) => !word.includes('/'));
const unknown = wanted.filter((name) => !Object.hasOwn(SUITES, name));
if (unknown.length > 0)
  throw new Error(`There is no suite ${unknown.join(', ')}; there are ${Object.keys(SUITES).join(', ')}`);

const suites: SuiteResult[] = [];
for (const [name, run] of Object.entries(SUITES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  say(name);
  const begun = performance.now();
  const files = await run().catch((error: unknown): FileResult[] => {
    const tests = [{ file: name, path: ['(setting it up)'], state: 'failed' as const, ms: 0, error: errorText(error) }];
    return [{ file: name, ms: 0, output: '', tests }];
  });
  suites.push({ name, ms: Math.round(performance.now() - begun), files });
}
say('done');
print(finalReport(suites));
process.exitCode = suites.some(({ files }) => files.some(({ tests }) => tests.some(({ state }) => state === 'failed')))
  ? 1
  : 0;

/**
 * `npm test`: lint, types, unit tests, then the end-to-end tests on a real engine. Arguments choose suites. Ends with one line over all:
 * `N passed, N failed, N skipped`.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEngine, stopPrivateEngine } from '../../controllers/engine/local/private-engine.js';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const started = Date.now();
const say = (text: string): void => console.log(`\n=== ${text} (${Math.round((Date.now() - started) / 1000)} s)`);

/** Runs a command with its output shown; resolves with what it printed and how it ended. */
function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      process.stdout.write(chunk);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, text }));
  });
}

/** A check that passes or fails as a whole. */
async function check(title: string, command: string, ...args: string[]): Promise<Counts> {
  say(title);
  const { code } = await run(command, args);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

async function mocha(title: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Counts> {
  say(title);
  const { code, text } = await run('npx', ['mocha', ...args], env);
  const count = (word: string): number => Number(new RegExp(`^\\s*(\\d+) ${word}`, 'm').exec(text)?.[1] ?? 0);
  const failed = count('failing');
  return { passed: count('passing'), failed: code !== 0 && failed === 0 ? 1 : failed, skipped: count('pending') };
}

async function endToEnd(): Promise<Counts> {
  say('an engine for the end-to-end tests');
  const folder = await mkdtemp(join(tmpdir(), 'supercargo-test-'));
  try {
    const given = process.env.SUPERCARGO_TEST_DOCKER_HOST;
    const dockerHost =
      given ?? (await findEngine({ mode: 'private', dataFolder: folder, env: process.env, say })).dockerHost;
    return await mocha('end-to-end tests', ['--timeout', '120000', '--slow', '5000', 'test/e2e/**/*.test.ts'], {
      SUPERCARGO_TEST_DOCKER_HOST: dockerHost,
    });
  } finally {
    await stopPrivateEngine(folder);
    await rm(folder, { recursive: true, force: true });
  }
}

/** What can be run, in order; `npm test` runs all of it. */
const SUITES = {
  lint: () => check('lint, format and imports', 'npm', 'run', '--silent', 'lint'),
  types: () => check('types', 'npm', 'run', '--silent', 'typecheck'),
  bundle: () => check('bundle', 'npm', 'run', '--silent', 'build'),
  unit: () => mocha('unit tests', ['test/{crds,api,controllers,simulation}/**/*.test.ts', 'test/*.test.ts']),
  e2e: endToEnd,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(SUITES, name));
if (unknown.length > 0)
  throw new Error(`There is no suite ${unknown.join(', ')}; there are ${Object.keys(SUITES).join(', ')}`);

const results: Counts[] = [];
for (const [name, suite] of Object.entries(SUITES)) {
  if (wanted.length === 0 || wanted.includes(name)) results.push(await suite());
}
const total = results.reduce((sum, one) => ({
  passed: sum.passed + one.passed,
  failed: sum.failed + one.failed,
  skipped: sum.skipped + one.skipped,
}));
say('done');
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;

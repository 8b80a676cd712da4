/**
 * One process that runs test files, one after the other, as its parent asks. With `SUPERCARGO_LANE_ENGINE` it first starts
 * an engine of its own in that folder for all of its tests; with `SUPERCARGO_LANE_NETWORK` its network is a fresh one.
 */
import { resolve } from 'node:path';
import Mocha from 'mocha';
import { runCommand } from '../../../api/platform/run-program.js';
import { findEngine, stopPrivateEngine } from '../../../controllers/engine/local/private-engine.js';
import { errorText, type LaneMessage, type LaneRequest, type TestResult } from './results.js';

const { SUPERCARGO_LANE_ENGINE: engineFolder, SUPERCARGO_LANE_NETWORK: hasOwnNetwork } = process.env;
delete process.env.SUPERCARGO_LANE_ENGINE;
delete process.env.SUPERCARGO_LANE_NETWORK;

/** Nobody to tell is a parent that has gone: then there is nothing to go on for. */
const tell = (message: LaneMessage): void => void process.send?.(message);

async function prepare(): Promise<void> {
  const { env } = process;
  if (hasOwnNetwork) {
    const { ok, output } = await runCommand('ip', ['link', 'set', 'lo', 'up'], { env });
    if (!ok) throw new Error(`The network of a lane of its own has no loopback: ${output}`);
  }
  if (engineFolder === undefined) return;
  const found = await findEngine({ mode: 'private', dataFolder: engineFolder, env, print: console.log });
  env.SUPERCARGO_TEST_DOCKER_HOST = found.dockerHost;
}

async function runFile({ file, timeoutMs }: LaneRequest): Promise<void> {
  const started = performance.now();
  const tests: TestResult[] = [];
  const take = (
    one: Mocha.Runnable,
    state: TestResult['state'],
    error?: unknown,
    ms = Math.round(one.duration ?? 0),
  ): void => {
    tests.push({ file, path: one.titlePath(), state, ms, ...(error === undefined ? {} : { error: errorText(error) }) });
  };
  // The base of all reporters prints nothing by itself: the parent does.
  const mocha = new Mocha({ timeout: timeoutMs, forbidOnly: true, ui: 'bdd', reporter: Mocha.reporters.Base });
  mocha.addFile(resolve(file));
  try {
    await mocha.loadFilesAsync();
    await new Promise<void>((done) => {
      const runner = mocha.run(() => done());
      runner.on('test', (test) => tell({ is: 'begun', title: test.fullTitle() }));
      runner.on('hook', (hook) => tell({ is: 'begun', title: hook.fullTitle() }));
      runner.on('pass', (test) => take(test, 'passed'));
      runner.on('pending', (test) => take(test, 'skipped', undefined, 0));
      runner.on('fail', (test, error: unknown) => take(test, 'failed', error));
    });
  } catch (error) {
    tests.push({ file, path: ['(loading the file)'], state: 'failed', ms: 0, error: errorText(error) });
  }
  mocha.dispose();
  tell({ is: 'done', ms: Math.round(performance.now() - started), tests });
}

process.on('message', (request: LaneRequest) => void runFile(request));
process.once('disconnect', () => {
  const ended = engineFolder === undefined ? Promise.resolve() : stopPrivateEngine(engineFolder);
  void ended.finally(() => process.exit());
});
await prepare();
tell({ is: 'ready' });

import { messageWithCauses } from '../../api/platform/errors.js';
import { endProcess } from './end-process.js';
import { startAgent } from './main.js';
import { jsonReporter, terminalReporter } from './reporter.js';
import { readSettings, SettingsError, USAGE } from './settings.js';
import { AGENT_VERSION } from './version.js';

/** Longest time that stopping may take, ms: less than systemd, and our own unit, allow. */
const STOP_MS = 25_000;
/** How long the last file calls have once everything is stopped, ms. */
const PATIENCE_MS = 2000;

/** Runs the process: reads flags, starts the agent, handles signals. SIGINT and SIGTERM drain and leave the containers running. */
async function run(): Promise<void> {
  const args = process.argv.slice(2);
  const settings = readSettings(args[0] === 'agent' ? args.slice(1) : args, process.env, process.cwd());
  if (settings === 'help') return console.log(USAGE);
  if (settings === 'version') return console.log(AGENT_VERSION);
  const reporter = process.stdout.isTTY
    ? await terminalReporter(settings.logLevel, process.stdout)
    : jsonReporter(settings.logLevel);

  const shutdown = new AbortController();
  let stopping = false;
  const shutDown = (signal: string): void => {
    if (stopping) {
      endProcess(130); // the second signal ends it at once
      return;
    }
    stopping = true;
    reporter.print(`${signal}: stopping; containers keep running`);
    shutdown.abort(new Error(signal));
    setTimeout(() => {
      reporter.log.error(`Not stopped within ${STOP_MS / 1000} s: ending at once; containers keep running`);
      endProcess(1);
    }, STOP_MS).unref();
  };
  process.on('SIGINT', () => shutDown('SIGINT'));
  process.on('SIGTERM', () => shutDown('SIGTERM'));
  process.on('uncaughtException', (error) => {
    // Nothing is known about our own state any more; starting again is safe at any point.
    reporter.log.fatal({ err: error }, 'A defect: an error that nobody caught');
    endProcess(1);
  });

  const agent = await startAgent(settings, reporter, shutdown.signal);
  if (!shutdown.signal.aborted) {
    await new Promise((resolve) => shutdown.signal.addEventListener('abort', resolve, { once: true }));
  }
  await agent.stop();
  endProcess(0, PATIENCE_MS);
}

run().catch((error: unknown) => {
  const text = messageWithCauses(error);
  console.error(error instanceof SettingsError ? text : `supercargo cannot start: ${text}`);
  endProcess(1, PATIENCE_MS);
});

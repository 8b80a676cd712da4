import { CommanderError } from 'commander';
import { CommandError, EXIT } from './failure.js';
import { processIo } from './format/io.js';
import { defineProgram } from './program.js';

const SHOWS_CURSOR = '\u001b[?25h';

/** Runs one command line and sets the exit code. A failure is one sentence, and what to do next. */
async function run(): Promise<void> {
  // A reader that has enough (`| head`) is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed),
  );
  process.on('SIGINT', () => {
    if (process.stderr.isTTY) process.stderr.write(SHOWS_CURSOR);
    process.exit(EXIT.interrupted);
  });
  try {
    await defineProgram().parseAsync();
  } catch (error) {
    process.exitCode = printError(error);
  }
  process.exit(); // kept connections would delay the exit
}

function printError(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage; // commander has printed it
  const isColored = process.stderr.isTTY && !process.env.NO_COLOR && !process.argv.includes('--no-color');
  const io = processIo({ color: isColored === true });
  const style = (text: string): string => (isColored ? io.style('red', text) : text);
  if (!(error instanceof CommandError)) {
    io.err(`${style('error:')} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return EXIT.failed;
  }
  if (process.argv.includes('--json')) {
    io.err(
      JSON.stringify({
        error: error.message,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        exit: error.exit,
      }),
    );
    return error.exit;
  }
  io.err(`${style('error:')} ${error.message}`);
  if (error.hint !== undefined) io.err(error.hint);
  return error.exit;
}

void run();

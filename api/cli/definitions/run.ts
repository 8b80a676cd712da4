import type { Command } from 'commander';
import { type GlobalOptions, openSession, type Session } from '../client/session.js';

/**
 * Returns an action that loads the command's own code only when it is called. A number that it returns is the exit
 * code. It gets the options of the program too.
 */
export function action<Options>(
  run: (session: Session, args: readonly string[], options: Options & GlobalOptions) => Promise<unknown>,
) {
  return async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command;
    const options = command.optsWithGlobals<Options & GlobalOptions>();
    const code = await run(openSession(options), command.args, options);
    if (typeof code === 'number') process.exitCode = code;
  };
}

/** Collects repeated options: `-f a -f b`. */
export const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

/** Adds the options of every command that waits. */
export const waiting = (command: Command, timeout = '5m'): Command =>
  command
    .option('--no-wait', 'return when the agent has it on disk')
    .option('--timeout <duration>', 'longest wait, such as 90s or 10m', timeout);

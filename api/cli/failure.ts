/** Exit codes; docs/reference/cli.md explains them. */
export const EXIT = {
  done: 0,
  /** Refused by the agent, or carried out and failed. */
  failed: 1,
  /** `diff`: something differs. `plan`: something would be done. */
  differs: 2,
  /** Not reached in time; the agent goes on. */
  late: 3,
  unreachable: 4,
  /** The key is missing, wrong, or that of one app. */
  denied: 5,
  usage: 64,
  interrupted: 130,
} as const;

/** Ends the command: one sentence for people, what to do next, and the exit code. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exit: number;
  readonly hint: string | undefined;

  constructor(
    message: string,
    { exit = EXIT.failed, hint, ...options }: ErrorOptions & { exit?: number; hint?: string } = {},
  ) {
    super(message, options);
    this.exit = exit;
    this.hint = hint;
  }
}

/** Returns the error for an invalid command line. */
export const usageError = (message: string, hint?: string): CommandError =>
  new CommandError(message, { exit: EXIT.usage, ...(hint === undefined ? {} : { hint }) });

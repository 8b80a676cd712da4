/** What the command ends with; docs/reference/cli.md explains them. */
export const EXIT = {
  done: 0,
  /** Refused by the agent, or done and failed. */
  failed: 1,
  /** `diff`: not as accepted. */
  differs: 2,
  /** It did not become true in time; the agent goes on. */
  late: 3,
  unreachable: 4,
  /** The key is missing, wrong, or that of one app. */
  denied: 5,
  usage: 64,
  interrupted: 130,
} as const;

/** Ends the command: one sentence for people, what to do next, and how it exits. */
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

/** The command line makes no sense. */
export const usageError = (message: string, hint?: string): CommandError =>
  new CommandError(message, { exit: EXIT.usage, ...(hint === undefined ? {} : { hint }) });

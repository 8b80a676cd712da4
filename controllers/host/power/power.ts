import { timeoutSignal } from '../../../api/platform/time-limit.js';
import type { Run } from '../units.js';

/** Ends the operating system. */
export interface Power {
  /** Returns why this agent cannot; undefined when it can. Called before anything is promised. */
  obstacle(verb: PowerVerb): string | undefined;
  /** Rejects when the system refuses. */
  end(verb: PowerVerb): Promise<void>;
}

export type PowerVerb = 'reboot' | 'shutdown';

const LOGIN_METHOD = { reboot: 'Reboot', shutdown: 'PowerOff' } as const;
const SYSTEMCTL = { reboot: 'reboot', shutdown: 'poweroff' } as const;
const WORDS = { reboot: 'reboot', shutdown: 'shut down' } as const;
const VARIABLE = { reboot: 'SUPERCARGO_REBOOT_COMMAND', shutdown: 'SUPERCARGO_SHUTDOWN_COMMAND' } as const;
const PROGRAM_MS = 20_000;

export interface HostPowerOptions {
  /** Commands that are run instead of login1. */
  readonly commands: Readonly<Record<PowerVerb, readonly string[] | undefined>>;
  /**
   * Whether login1 may be asked. Off by default: an agent on a developer's machine, in a test or in a fuzz run must not
   * be able to end it, whatever is asked of its API.
   */
  readonly allowed: boolean;
  /** Tells whether the host runs systemd. */
  hasSystemd(): boolean;
  readonly run: Run;
}

/** Ends the operating system by a configured command, else by login1, first over D-Bus, then with systemctl. */
export function hostPower({ commands, allowed, hasSystemd, run }: HostPowerOptions): Power {
  const attempt = (program: string, ...args: readonly string[]) =>
    run(program, args, { signal: timeoutSignal(PROGRAM_MS) });
  const obstacle = (verb: PowerVerb): string | undefined => {
    if (commands[verb]) return undefined;
    const wayOut = `or give a command in ${VARIABLE[verb]}`;
    if (!allowed) return `This agent may not ${WORDS[verb]} the device: start it with SUPERCARGO_POWER=on, ${wayOut}`;
    return hasSystemd()
      ? undefined
      : `This host has no systemd to ${WORDS[verb]} it: start the agent with one, ${wayOut}`;
  };
  return {
    obstacle,
    async end(verb) {
      const refusal = obstacle(verb);
      if (refusal !== undefined) throw new Error(refusal);
      const [program, ...args] = commands[verb] ?? [];
      if (program !== undefined) {
        const result = await attempt(program, ...args);
        if (!result.ok) throw new Error(`${program} failed: ${result.output.trim()}`);
        return;
      }
      const login = ['org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager'];
      const byBus = await attempt('busctl', 'call', ...login, LOGIN_METHOD[verb], 'b', 'false');
      if (byBus.ok) return;
      const bySystemctl = await attempt('systemctl', SYSTEMCTL[verb]);
      if (bySystemctl.ok) return;
      throw new Error(
        `Could not ${WORDS[verb]}: ${[byBus, bySystemctl].map(({ output }) => output.trim()).join('; ')}`,
      );
    },
  };
}

/** Splits a command into words at blanks; quotes keep blanks. No shell is involved. Pure; throws for an open quote. */
export function commandWords(text: string | undefined): readonly string[] | undefined {
  const words: string[] = [];
  const rest = (text ?? '').replace(
    /\s*("([^"]*)"|'([^']*)'|[^\s"']+)/gy,
    (_, word: string, double?: string, single?: string) => {
      words.push(double ?? single ?? word);
      return '';
    },
  );
  if (rest.trim() !== '') throw new Error(`A quote is not closed: ${rest.trim()}`);
  return words.length === 0 ? undefined : words;
}

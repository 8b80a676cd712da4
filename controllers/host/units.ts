import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { timeoutSignal } from '../../api/platform/time-limit.js';

/** Runs a program to its end, without a shell. A failure is returned as a value, also when the program does not exist. */
export type Run = (
  program: string,
  args: readonly string[],
  options: { readonly signal?: AbortSignal | undefined; readonly input?: string },
) => Promise<{ readonly ok: boolean; readonly stdout: string; readonly output: string }>;

export interface Unit {
  /** systemd's ActiveState: `active`, `inactive`, `failed`, … */
  readonly activeState: string;
  /** Units with which it is restarted. */
  readonly partOf: readonly string[];
}

/** The host's systemd. Every call may be repeated. */
export interface Units {
  /** False on a host without systemd: there are no units, and nothing is ever run. */
  readonly present: boolean;
  /** Returns undefined when no such unit is loaded. */
  find(unit: string): Promise<Unit | undefined>;
  /** Queues a restart; resolves when it is queued. */
  restart(unit: string): Promise<void>;
  /** Queues a start or a stop, until the next boot: nothing is enabled or disabled. */
  switch(unit: string, verb: 'start' | 'stop'): Promise<void>;
  /** Sets the host name of the running system, and `/etc/hostname`. */
  setHostname(name: string): Promise<void>;
}

/** How long a program may take, ms: a bus that hangs must not hold up a pass forever. */
const PROGRAM_MS = 20_000;

/** Calls systemd's own programs. A host root without a running systemd has no units. */
export function systemdUnits({ hostRoot, run }: { readonly hostRoot: string; readonly run: Run }): Units {
  const isPresent = (): boolean => existsSync(join(hostRoot, 'run/systemd/system')); // sd_booted(3)
  async function ask(program: string, ...args: readonly string[]): Promise<string> {
    if (!isPresent()) throw new Error('This host has no systemd');
    const result = await run(program, args, { signal: timeoutSignal(PROGRAM_MS) });
    if (!result.ok) throw new Error(`${program} ${args[0]}: ${result.output.trim() || 'failed'}`);
    return result.stdout;
  }
  return {
    get present() {
      return isPresent();
    },
    async find(unit) {
      if (!isPresent()) return undefined;
      const shown = parseProperties(
        await ask('systemctl', 'show', '--property=LoadState,ActiveState,PartOf', '--', unit),
      );
      if (shown.LoadState !== 'loaded') return undefined;
      const partOf = (shown.PartOf ?? '').split(' ').filter((name) => name !== '');
      return { activeState: shown.ActiveState ?? 'unknown', partOf };
    },
    async restart(unit) {
      await ask('systemctl', 'restart', '--no-block', '--', unit);
    },
    async switch(unit, verb) {
      await ask('systemctl', verb, '--no-block', '--', unit);
    },
    async setHostname(name) {
      await ask('hostnamectl', 'set-hostname', '--', name);
    },
  };
}

/** Reads `Name=value` lines, as `systemctl show` prints them. Pure. */
export function parseProperties(text: string): Readonly<Partial<Record<string, string>>> {
  const lines = text.split('\n').filter((line) => line.includes('='));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

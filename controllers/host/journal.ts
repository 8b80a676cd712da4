import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { withoutSecrets } from '../../api/platform/programs.js';
import type { JournalQuery } from '../../crds/model/journal.js';

/** A journal that is being read. */
export interface JournalReading {
  readonly output: Readable;
  /** Ends the program at once. */
  stop(): void;
}

export interface JournalOptions {
  readonly hostRoot: string;
  readonly program?: string;
  readonly log: { readonly warn: (details: object, message: string) => void };
}

/** How much of journalctl's error output is kept, bytes. */
const COMPLAINT_LIMIT = 2_000;

/** Opens the host's journal. Rejects when there is no journalctl; its error output goes to the log. */
export async function openJournal(query: JournalQuery, options: JournalOptions): Promise<JournalReading> {
  const { hostRoot, program = 'journalctl', log } = options;
  const child = spawn(program, journalArguments(query, hostRoot), {
    env: withoutSecrets(process.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (complaint.length < COMPLAINT_LIMIT) complaint += text;
  });
  try {
    await once(child, 'spawn');
  } catch (cause) {
    throw new Error(`The journal cannot be read: ${program} could not be started`, { cause });
  }
  child.once('close', (code) => {
    if (code) log.warn({ code, complaint: complaint.trim() }, `${program} did not end well`);
  });
  child.on('error', (error) => log.warn({ err: error }, `${program} failed`));
  const stop = (): void => {
    child.kill('SIGKILL');
    child.stdout.destroy();
  };
  return { output: child.stdout, stop };
}

/** Returns the arguments of journalctl. Every value is joined to its option, so that none can be taken for another option. Pure. */
export function journalArguments(query: JournalQuery, hostRoot: string): readonly string[] {
  const { all, follow, unit, containerId, count, since, until, format } = query;
  const valued = { unit, identifier: containerId, lines: count, since, until, output: format ?? 'short' };
  return [
    '--no-pager',
    ...(hostRoot === '/' ? [] : [`--root=${hostRoot}`]),
    ...(all ? ['--all'] : []),
    ...(follow ? ['--follow'] : []),
    ...Object.entries(valued).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
  ];
}

import { durationSeconds } from '../../../crds/model/duration.js';
import type { Session } from '../client/session.js';
import { CommandError, usageError } from '../failure.js';
import type { Style } from '../format/io.js';
import { objectPath, partOf } from '../kind-words.js';

export interface LogOptions {
  readonly follow?: boolean;
  readonly since?: string;
  readonly tail?: string;
  readonly timestamps?: boolean;
  readonly raw?: boolean;
  readonly run?: string;
}

interface LogLine {
  readonly service: string;
  readonly message: string;
  readonly timestamp: string;
}

const COLORS: readonly Style[] = ['cyan', 'yellow', 'green', 'magenta', 'blue'];

/** Runs `supercargo logs`: shows what an app's containers have printed; each line names its container when there are several. */
export async function logs(session: Session, word: string, options: LogOptions): Promise<void> {
  const { io, json } = session;
  const { app, service } = partOf(word);
  if (options.run !== undefined && service === undefined)
    throw usageError('A run is of one service', `supercargo logs --run ${options.run} ${app}/SERVICE`);
  const path =
    service === undefined
      ? objectPath({ kind: 'App', name: app })
      : objectPath({ kind: 'Service', name: `${app}.${service}` });
  const client = await session.client();
  const colors = new Map<string, Style>();
  const prefix = (name: string): string => {
    if (service !== undefined) return '';
    const style = colors.get(name) ?? COLORS[colors.size % COLORS.length] ?? 'cyan';
    colors.set(name, style);
    return `${io.style(style, name)} | `;
  };
  const url = `${path}/log?${queryOf(options, session.now())}`;
  for await (const line of client.lines<LogLine | { readonly error: { readonly message: string } }>(
    url,
    new AbortController().signal,
  )) {
    if ('error' in line)
      throw new CommandError(line.error.message, { hint: 'What has been printed before is not lost; ask again.' });
    if (json) io.out(JSON.stringify(line));
    else
      (options.raw ? io.raw : io.out)(
        `${prefix(line.service)}${options.timestamps ? `${line.timestamp} ` : ''}${line.message}`,
      );
  }
}

/** Returns the query of a log. Pure; throws for an invalid time or number. */
export function queryOf({ follow, since, tail, run }: LogOptions, nowMs: number): string {
  const query = new URLSearchParams();
  if (follow) query.set('follow', 'true');
  if (since !== undefined) {
    const seconds = durationSeconds(since);
    const at = seconds === undefined ? Date.parse(since) : nowMs - seconds * 1000;
    if (Number.isNaN(at))
      throw usageError(`--since "${since}" is no time`, 'Expected 10m, 1h30m or 2026-01-02T03:04:05Z');
    query.set('sinceTime', new Date(at).toISOString());
  }
  if (tail !== undefined) {
    if (!/^\d+$/.test(tail)) throw usageError(`--tail "${tail}" is no number of lines`);
    query.set('tailLines', tail);
  }
  if (run !== undefined) query.set('run', run);
  return query.toString();
}

import { setTimeout as pause } from 'node:timers/promises';
import { durationSeconds } from '../../../crds/model/duration.js';
import type { ServiceStats } from '../../../crds/model/stats.js';
import type { Client } from '../client/client.js';
import type { Session } from '../client/session.js';
import { usageError } from '../failure.js';
import { tableLines } from '../format/table.js';
import { bytesText } from '../format/words.js';
import { GROUP_PATH } from '../kind-words.js';

/** Node waits for some 25 days at most, and for longer not at all. */
const LONGEST_S = 86_400;

export interface TopOptions {
  readonly watch?: boolean;
  readonly interval: string;
}

/** Runs `supercargo top`: shows what each service uses; processor time is that between two looks. */
export async function top(session: Session, options: TopOptions): Promise<void> {
  const seconds = durationSeconds(options.interval);
  if (seconds === undefined || seconds <= 0 || seconds > LONGEST_S)
    throw usageError(
      `--interval "${options.interval}" is no duration of up to a day`,
      'Expected 1s, 5m, or 0.5 for 500 ms',
    );
  const client = await session.client();
  let before = await statsOf(client);
  for (;;) {
    await pause(seconds * 1000);
    const after = await statsOf(client);
    show(session, before, after, options.watch ?? false);
    if (!options.watch) return;
    before = after;
  }
}

/** Moves to the top left, then clears everything below. */
const CLEAR_SCREEN = '\u001b[H\u001b[2J';

const statsOf = async (client: Client): Promise<readonly ServiceStats[]> =>
  (await client.ask<{ items: readonly ServiceStats[] }>('GET', `${GROUP_PATH}/stats`)).items;

function show(
  { io, json }: Session,
  before: readonly ServiceStats[],
  after: readonly ServiceStats[],
  isWatched: boolean,
): void {
  const rows = after.map((one) => ({
    ...one,
    cpuPercent: cpuPercent(
      before.find((b) => b.app === one.app && b.service === one.service),
      one,
    ),
  }));
  if (json) {
    for (const row of rows) io.out(JSON.stringify(row));
    return;
  }
  if (rows.length === 0) {
    io.err('Nothing runs');
    return;
  }
  const fresh = isWatched && io.isTerminal ? CLEAR_SCREEN : '';
  const heads = [`${fresh}SERVICE`, 'CPU', 'MEMORY', 'LIMIT', 'NET IN', 'NET OUT', 'READ', 'WRITTEN', 'PIDS'].map(
    (head) => io.style('bold', head),
  );
  io.out(
    ...tableLines(
      heads,
      [...rows]
        .sort((a, b) => (b.cpuPercent ?? 0) - (a.cpuPercent ?? 0))
        .map((row) => [
          `${row.app}/${row.service}`,
          row.cpuPercent === undefined ? '-' : `${row.cpuPercent.toFixed(1)} %`,
          bytesText(row.memoryBytes),
          bytesText(row.memoryLimitBytes),
          ...[row.receivedBytes, row.sentBytes, row.readBytes, row.writtenBytes].map(bytesText),
          String(row.processes),
        ]),
    ),
  );
}

/** Returns the load of one processor; undefined without an earlier look at the same run. Pure. */
export function cpuPercent(before: ServiceStats | undefined, after: ServiceStats): number | undefined {
  const elapsedMs = before ? Date.parse(after.at) - Date.parse(before.at) : 0;
  if (!before || elapsedMs <= 0 || after.cpuNs < before.cpuNs) return undefined;
  return Math.round(((after.cpuNs - before.cpuNs) / (elapsedMs * 1e6)) * 1000) / 10;
}

/**
 * Many clients at once, each asking again as soon as it has its answer: most of them read, a few command. As a process,
 * `mixed-load.ts PORT CLIENTS SECONDS APP_ID`, it prints its figures, so that a benchmark measures the agent and not itself.
 */
import { fileURLToPath } from 'node:url';
import { median, percentile } from '../bench/measure.js';
import { RawClient } from './raw-client.js';

export interface MixedFigures {
  readonly requests: number;
  readonly perSecond: number;
  readonly readMedianMs: number;
  readonly readP99Ms: number;
  readonly readMostMs: number;
  /** Answers that nobody documents, each kind once, as `GET /v2/state/status 500`. */
  readonly errors: readonly string[];
  readonly errorCount: number;
  /** How commands ended: how many by status. */
  readonly commands: Readonly<Record<string, number>>;
}

interface Ask {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly body?: object;
  /** Statuses that the API documents for it. */
  readonly fine: readonly number[];
}

const read = (path: string): Ask => ({ method: 'GET', path, fine: [200] });
/** 404: the service has no container at this moment of its roll-out. 423: the lock is held. 503: something took its place. */
const COMMANDED = [200, 404, 423, 503];

/** What readers ask, one after the other. */
export const readPaths = (appId: number): readonly string[] => [
  '/v2/applications/state',
  '/v2/state/status',
  `/v2/applications/${appId}/state`,
  '/v1/device',
  '/v2/containerId',
  '/v2/local/target-state',
  '/ping',
  '/v1/healthy',
  '/apis/supercargo.io/v1/apps',
  '/apis/supercargo.io/v1/services',
];

/** What the client of that number asks, in turn. Of forty, one commands and one writes. */
function turnsOf(client: number, appId: number): readonly Ask[] {
  const service = { serviceName: `s${(client % 5) + 1}` };
  const command = (verb: string): Ask => ({
    method: 'POST',
    path: `/v2/applications/${appId}/${verb}-service`,
    body: service,
    fine: COMMANDED,
  });
  if (client % 40 === 0) return [command('restart'), command('stop'), command('start')];
  if (client % 40 === 1) {
    return [
      { method: 'PATCH', path: '/v2/device/tags', body: { [`client${client}`]: 'here' }, fine: [202] },
      { method: 'POST', path: '/v1/update', fine: [204] },
    ];
  }
  return readPaths(appId).map(read);
}

/**
 * Runs the clients for so long; resolves when the last answer is there. A time is what a client waits, from the moment it
 * wants something to the last byte of the answer: also in the queue of connections that nobody has accepted yet.
 */
export async function mixedLoad(port: number, clients: number, seconds: number, appId: number): Promise<MixedFigures> {
  const untilMs = performance.now() + seconds * 1000;
  const readMs: number[] = [];
  const errors = new Set<string>();
  const commands: Record<string, number> = {};
  let requests = 0;
  let errorCount = 0;

  const one = async (client: number): Promise<void> => {
    const asker = new RawClient(port);
    const turns = turnsOf(client, appId);
    for (let turn = client; performance.now() < untilMs; turn += 1) {
      const ask = turns[turn % turns.length];
      if (!ask) break;
      const sentMs = performance.now();
      const status = await asker.ask(ask.method, ask.path, ask.body);
      requests += 1;
      if (ask.method === 'GET') readMs.push(performance.now() - sentMs);
      if (ask.fine === COMMANDED) commands[status] = (commands[status] ?? 0) + 1;
      if (ask.fine.some((code) => code === status)) continue;
      errorCount += 1;
      errors.add(`${ask.method} ${ask.path} ${status}`);
    }
    asker.close();
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => one(client)));
  return {
    requests,
    perSecond: requests / seconds,
    readMedianMs: median(readMs),
    readP99Ms: percentile(readMs, 0.99),
    readMostMs: percentile(readMs, 1),
    errors: [...errors],
    errorCount,
    commands,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [port = 0, clients = 0, seconds = 0, appId = 0] = process.argv.slice(2).map(Number);
  console.log(JSON.stringify(await mixedLoad(port, clients, seconds, appId)));
}

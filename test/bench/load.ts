/**
 * A process that asks `GET /v2/applications/state` over some connections as fast as the answers come, and prints what it
 * saw: `load.ts PORT CONNECTIONS SECONDS`.
 */
import { RawClient } from '../setup/raw-client.js';
import { median, percentile } from './measure.js';

export interface LoadFigures {
  readonly perSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

const WARM_UP_MS = 1_500;

/** One connection: the next request when the answer is complete. */
async function ask(port: number, fromMs: number, untilMs: number, timesMs: number[]): Promise<void> {
  const client = new RawClient(port);
  for (let sentMs = performance.now(); sentMs < untilMs; sentMs = performance.now()) {
    const status = await client.ask('GET', '/v2/applications/state');
    if (status !== 200) throw new Error(`Unexpected answer: ${status}`);
    if (sentMs >= fromMs) timesMs.push(performance.now() - sentMs);
  }
  client.close();
}

const [port = 0, connections = 8, seconds = 5] = process.argv.slice(2).map(Number);
const timesMs: number[] = [];
const fromMs = performance.now() + WARM_UP_MS;
const untilMs = fromMs + seconds * 1000;
await Promise.all(Array.from({ length: connections }, () => ask(port, fromMs, untilMs, timesMs)));
const figures: LoadFigures = {
  perSecond: timesMs.length / seconds,
  medianMs: median(timesMs),
  p99Ms: percentile(timesMs, 0.99),
};
console.log(JSON.stringify(figures));

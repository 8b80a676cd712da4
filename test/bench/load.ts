/**
 * A process that asks `GET /v2/applications/state` over some connections as fast as the answers come, and prints what it
 * saw: `load.ts PORT CONNECTIONS SECONDS`. Reads no more of an answer than it must, to leave the machine to the agent.
 */
import { connect } from 'node:net';
import { median, percentile } from './measure.js';

export interface LoadFigures {
  readonly perSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

const WARM_UP_MS = 1_500;
const REQUEST = 'GET /v2/applications/state HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';

/** One connection: the next request when the answer is complete. */
function ask(port: number, fromMs: number, untilMs: number, timesMs: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let sentMs = 0;
    let received: Buffer = Buffer.alloc(0);
    const send = (): void => {
      sentMs = performance.now();
      received = Buffer.alloc(0);
      if (sentMs < untilMs) socket.write(REQUEST);
      else socket.destroy();
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      try {
        if (received.length < lengthOf(received)) return;
      } catch (error) {
        reject(error);
        socket.destroy();
        return;
      }
      if (sentMs >= fromMs) timesMs.push(performance.now() - sentMs);
      send();
    });
  });
}

/** Bytes of the whole answer, once its headers are there; throws unless it is a 200 with a length. */
function lengthOf(received: Buffer): number {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return Number.POSITIVE_INFINITY;
  const head = received.subarray(0, end).toString('latin1');
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  if (!head.startsWith('HTTP/1.1 200') || length === undefined) throw new Error(`Unexpected answer: ${head}`);
  return end + 4 + Number(length);
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

import { setTimeout as sleep } from 'node:timers/promises';
import type { CountingProxy } from '../../setup/counting-proxy.js';
import type { AgentProcess } from '../agent-process.js';
import { type Bench, type RowGroup, settle, withCountedAgent } from '../bench.js';
import type { Row } from '../measure.js';
import { requestNote } from '../request-note.js';

const COUNT = 20;
/** The agent looks at everything again when the clock shows a multiple of this; the measurement keeps out of its way. */
const RELIST_MS = 5 * 60_000;

/** Nothing happens, and nothing is done. */
export const settledRows: RowGroup = (bench) =>
  withCountedAgent(bench, async (agent, proxy) => {
    const spanMs = bench.quick ? 20_000 : 60_000;
    await settle(agent, COUNT, 12_000); // idle connections have been closed by then
    return watchSettled(bench, agent, proxy, { what: String(COUNT), spanMs, cpuSeconds: 0.1 });
  });

/** What an agent at rest does in that time, between two relists. */
export async function watchSettled(
  bench: Bench,
  agent: AgentProcess,
  proxy: CountingProxy,
  { what, spanMs, cpuSeconds: limit }: { readonly what: string; readonly spanMs: number; readonly cpuSeconds: number },
): Promise<Row[]> {
  const untilRelistMs = RELIST_MS - (Date.now() % RELIST_MS);
  if (untilRelistMs < spanMs + 2_000) {
    bench.print(`settled: ${Math.round(untilRelistMs / 1000)} s until the relist is over`);
    await sleep(untilRelistMs + 5_000);
  }
  bench.print(`settled: ${spanMs / 1000} s`);
  const before = await agent.figures();
  proxy.reset();
  await sleep(spanMs);
  const { cpuSeconds } = await agent.figures();
  return [
    {
      figure: `settled (${what}): requests`,
      measured: proxy.requests.length,
      unit: 'requests',
      target: { atMost: 0 },
      note: `${spanMs / 1000} s between two relists${proxy.requests.length === 0 ? '' : `: ${requestNote(proxy.requests)}`}`,
    },
    {
      figure: `settled (${what}): CPU`,
      measured: ((cpuSeconds - before.cpuSeconds) * 60_000) / spanMs,
      unit: 's/min',
      target: { atMost: limit },
    },
  ];
}

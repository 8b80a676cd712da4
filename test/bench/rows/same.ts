import { setTimeout as sleep } from 'node:timers/promises';
import { writtenBetween } from '../agent-process.js';
import { type RowGroup, settle, withCountedAgent } from '../bench.js';
import { median } from '../measure.js';
import { requestNote } from '../request-note.js';

const COUNT = 20;
/** Status is written late; whatever this request causes has happened by then. */
const AFTERMATH_MS = 2_000;

/** The same target posted again: nothing may happen, soon. */
export const sameRows: RowGroup = (bench) =>
  withCountedAgent(bench, async (agent, proxy) => {
    await settle(agent, COUNT, 5_000);
    const appliedMs: number[] = [];
    const requests = [];
    const written: string[] = [];
    let bytes = 0;
    for (let round = 0; round < (bench.quick ? 3 : 7); round += 1) {
      bench.print(`same target: round ${round + 1}`);
      const before = await agent.disk();
      const { writtenBytes } = await agent.figures();
      proxy.reset();
      const startedMs = performance.now();
      await agent.post(COUNT);
      await agent.applied();
      appliedMs.push(performance.now() - startedMs);
      await sleep(AFTERMATH_MS);
      requests.push(...proxy.requests);
      written.push(...writtenBetween(before, await agent.disk()));
      bytes += (await agent.figures()).writtenBytes - writtenBytes;
    }
    const each = `of ${appliedMs.length} posts together`;
    return [
      {
        figure: `same target (${COUNT}): requests`,
        measured: requests.length,
        unit: 'requests',
        target: { atMost: 0 },
        note: requests.length === 0 ? each : `${each}: ${requestNote(requests)}`,
      },
      {
        figure: `same target (${COUNT}): disk writes`,
        measured: written.length,
        unit: 'writes',
        target: { atMost: 0 },
        note: `${each}; ${bytes} bytes by the process, its log included${written.length === 0 ? '' : `: ${[...new Set(written)].slice(0, 5).join(', ')}`}`,
      },
      {
        figure: `same target (${COUNT}): applied`,
        measured: median(appliedMs),
        unit: 'ms',
        target: { atMost: 15 },
        samples: { appliedMs },
      },
    ];
  });

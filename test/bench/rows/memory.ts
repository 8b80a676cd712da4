import { type RowGroup, settle, withAgent } from '../bench.js';
import type { Row } from '../measure.js';

const SIZES = [
  { count: 20, residentMiB: 82 },
  { count: 50, residentMiB: 92 },
];
const PEAK_MIB = 110;

/** Resident memory after the services came up in this very process, and the most it took on the way. */
export const memoryRows: RowGroup = async (bench) => {
  const rows: Row[] = [];
  for (const { count, residentMiB } of SIZES) {
    bench.print(`memory: ${count} services`);
    const figures = await withAgent(bench, async (agent) => {
      await settle(agent, count, 10_000);
      return agent.figures();
    });
    rows.push(
      { figure: `memory (${count})`, measured: figures.residentMiB, unit: 'MiB', target: { atMost: residentMiB } },
      { figure: `memory (${count}): peak`, measured: figures.peakMiB, unit: 'MiB', target: { atMost: PEAK_MIB } },
    );
  }
  return rows;
};

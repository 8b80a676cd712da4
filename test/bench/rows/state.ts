import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RowGroup, settle, withAgent } from '../bench.js';
import type { LoadFigures } from '../load.js';

const COUNT = 20;
const CONNECTIONS = 8;
const LOAD = fileURLToPath(new URL('../load.ts', import.meta.url));

/** `GET /v2/applications/state` as fast as eight clients can ask. */
export const stateRows: RowGroup = (bench) =>
  withAgent(bench, async (agent) => {
    await settle(agent, COUNT);
    bench.print('state: load');
    const args = [agent.port, CONNECTIONS, bench.quick ? 3 : 8].map(String);
    const { stdout } = await promisify(execFile)(process.execPath, ['--import=tsx', LOAD, ...args]);
    const { perSecond, p99Ms, medianMs } = JSON.parse(stdout) as LoadFigures;
    return [
      {
        figure: 'GET /v2/applications/state',
        measured: perSecond,
        unit: 'requests/s',
        target: { atLeast: 4_000 },
        note: `${COUNT} services, ${CONNECTIONS} connections, median ${medianMs.toFixed(2)} ms`,
      },
      { figure: 'GET /v2/applications/state: p99', measured: p99Ms, unit: 'ms', target: { atMost: 10 } },
    ];
  });

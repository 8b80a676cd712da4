import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { MixedFigures } from '../../setup/mixed-load.js';
import { type RowGroup, settle, withAgent } from '../bench.js';
import { APP_ID, serviceName } from '../target.js';

const COUNT = 20;
const CLIENTS = 200;
const LOAD = fileURLToPath(new URL('../../setup/mixed-load.ts', import.meta.url));
/** Garbage is collected when there is need; that long after the load there was. */
const REST_MS = 15_000;
const MORE_MIB = 15;

/** Two hundred clients of mixed endpoints, while an app of twenty services rolls out again and again. */
export const mixedRows: RowGroup = (bench) =>
  withAgent(bench, async (agent) => {
    await settle(agent, COUNT);
    const seconds = bench.quick ? 5 : 30;
    bench.say(`mixed: ${CLIENTS} clients for ${seconds} s`);
    const before = await agent.figures();
    const args = [agent.port, CLIENTS, seconds, APP_ID].map(String);
    const load = promisify(execFile)(process.execPath, ['--import=tsx', LOAD, ...args]);
    const over = { is: false };
    const ended = load.finally(() => {
      over.is = true;
    });
    let rollouts = 0;
    while (!over.is) {
      rollouts += 1;
      const word = `hello ${rollouts}`;
      await agent.post(
        COUNT,
        Object.fromEntries(Array.from({ length: COUNT }, (_, index) => [serviceName(index + 1), word])),
      );
      await Promise.race([agent.applied(120_000), ended]);
    }
    const { stdout } = await ended;
    const figures = JSON.parse(stdout) as MixedFigures;
    await agent.post(COUNT);
    await agent.applied(120_000);
    await sleep(REST_MS);
    const after = await agent.figures();
    const note = `${figures.requests} requests, ${rollouts} roll-outs; commands ${JSON.stringify(figures.commands)}`;
    return [
      {
        figure: 'mixed load: answers that are not documented',
        measured: figures.errorCount,
        unit: 'requests',
        target: { atMost: 0 },
        note: [note, ...figures.errors].join('; '),
      },
      {
        figure: 'mixed load: p99 of reads',
        measured: figures.readP99Ms,
        unit: 'ms',
        target: { atMost: 50 },
        note: `${CLIENTS} clients without pause, median ${figures.readMedianMs.toFixed(1)} ms, longest ${figures.readMostMs.toFixed(0)} ms`,
      },
      { figure: 'mixed load: rate', measured: figures.perSecond, unit: 'requests/s' },
      {
        figure: 'mixed load: memory afterwards',
        measured: after.residentMiB,
        unit: 'MiB',
        target: { atMost: before.residentMiB + MORE_MIB },
        note: `${before.residentMiB.toFixed(1)} MiB before, at most ${after.peakMiB.toFixed(1)}`,
      },
    ];
  });

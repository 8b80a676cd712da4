import { setTimeout as sleep } from 'node:timers/promises';
import { type RowGroup, withCountedAgent } from '../bench.js';
import { manyApps } from '../target.js';
import { watchSettled } from './settled.js';

const APPS = 100;
const SERVICES = 2;
const LIMIT_MS = 900_000;
const RESIDENT_MIB = 130;

/** Many apps, each with a network: they come up, and then nothing happens. */
export const scaleRows: RowGroup = (bench) =>
  withCountedAgent(bench, async (agent, proxy) => {
    const what = `${APPS} x ${SERVICES}`;
    bench.print(`scale: ${what}`);
    const from = await agent.figures();
    const postedMs = await agent.postState(manyApps(APPS, SERVICES));
    const appliedMs = (await agent.applied(LIMIT_MS)) - postedMs;
    const requests = proxy.requests.length;
    const { cpuSeconds } = await agent.figures();
    await sleep(12_000); // idle connections have been closed by then
    const settled = await watchSettled(bench, agent, proxy, {
      what,
      spanMs: bench.quick ? 20_000 : 60_000,
      cpuSeconds: 0.2,
    });
    const { residentMiB, peakMiB } = await agent.figures();
    await agent.postState(manyApps(0, 0));
    await agent.applied(LIMIT_MS);
    return [
      { figure: `empty -> ${what} applied`, measured: appliedMs, unit: 'ms' },
      { figure: `empty -> ${what}: CPU of the agent`, measured: cpuSeconds - from.cpuSeconds, unit: 's' },
      { figure: `empty -> ${what}: requests`, measured: requests, unit: 'requests', floor: APPS * (1 + 2 * SERVICES) },
      ...settled,
      { figure: `memory (${what})`, measured: residentMiB, unit: 'MiB', target: { atMost: RESIDENT_MIB } },
      { figure: `memory (${what}): peak`, measured: peakMiB, unit: 'MiB' },
    ];
  });

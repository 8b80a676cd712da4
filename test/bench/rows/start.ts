import type { AgentProcess } from '../agent-process.js';
import { type Bench, empty, type RowGroup, settle, withAgent, withFrozen } from '../bench.js';
import { lastOf } from '../event-watch.js';
import { floorStart, recordRecipe, removeFloor } from '../floor.js';
import { median, type Row } from '../measure.js';
import { APP_ID } from '../target.js';

export interface StartSize {
  readonly count: number;
  /** So often the agent and the floor take turns. */
  readonly pairs: number;
  readonly timesFloor?: number;
}

/** The best of these is the floor. */
const CONCURRENCIES = [2, 4, 8];

/** Empty → N services running, next to the same containers made by hand. */
export const startRows =
  (size: StartSize): RowGroup =>
  (bench) =>
    withAgent(bench, async (agent) => {
      await settle(agent, 1); // warm
      await empty(bench, agent);
      return measureSize(bench, agent, size);
    });

async function measureSize(bench: Bench, agent: AgentProcess, { count, pairs, timesFloor }: StartSize): Promise<Row[]> {
  const { docker, events, quick } = bench;
  const concurrencies = count === 1 ? [1] : CONCURRENCIES;
  const floors = new Map(concurrencies.map((concurrency) => [concurrency, [] as number[]]));
  const running: number[] = [];
  const applied: number[] = [];
  for (let pair = 0; pair < (quick ? 1 : pairs); pair += 1) {
    bench.print(`start: ${count} services, pair ${pair + 1}`);
    events.reset();
    const postedMs = await agent.post(count);
    const started = await events.seen(
      count,
      ({ action, attributes }) => action === 'start' && attributes['io.balena.app-id'] === String(APP_ID),
    );
    running.push(lastOf(started) - postedMs);
    applied.push((await agent.applied()) - postedMs);
    const recipe = await recordRecipe(docker);
    await empty(bench, agent);
    await withFrozen(agent, async () => {
      for (const [concurrency, times] of floors) {
        times.push(await floorStart(docker, events, recipe, concurrency));
        await removeFloor(docker);
      }
    });
  }
  const [best = 1, floor = Number.NaN] =
    [...floors].map(([concurrency, times]) => [concurrency, median(times)]).sort(([, a = 0], [, b = 0]) => a - b)[0] ??
    [];
  const samples = {
    running,
    applied,
    ...Object.fromEntries([...floors].map(([concurrency, times]) => [`floor at ${concurrency} at once`, times])),
  };
  const target = timesFloor === undefined ? {} : { target: { timesFloor } };
  const figure = `empty -> ${count} running`;
  return [
    { figure, measured: median(running), unit: 'ms', floor, ...target, note: `floor: ${best} at once`, samples },
    { figure: `empty -> ${count} applied`, measured: median(applied), unit: 'ms', floor },
  ];
}

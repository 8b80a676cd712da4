import { setTimeout as sleep } from 'node:timers/promises';
import { UPDATE_STRATEGIES, type UpdateStrategy } from '../../../crds/model/update-strategy.js';
import type { AgentProcess } from '../agent-process.js';
import { type Bench, type RowGroup, settle, withAgent, withFrozen } from '../bench.js';
import { floorReplace, floorStart, recordRecipe } from '../floor.js';
import { median, type Row } from '../measure.js';
import { APP_ID, serviceName, targetState } from '../target.js';

const COUNT = 3;
const CHANGED = serviceName(2);

/**
 * For how long a service has no container, by strategy: from the end of the old one to the start of the new one, as the
 * engine tells. The image is local, so what kills first has nothing to download.
 */
export const strategyRows: RowGroup = (bench) =>
  withAgent(bench, async (agent) => {
    await settle(agent, COUNT);
    const floor = await floorDowntimes(bench, agent);
    const rows: Row[] = [];
    for (const strategy of UPDATE_STRATEGIES) {
      bench.print(`strategies: ${strategy}`);
      const samples = await downtimes(bench, agent, strategy);
      const isGapless = strategy === 'hand-over' || strategy === 'rolling';
      rows.push({
        figure: `update by ${strategy}: downtime`,
        measured: median(samples),
        unit: 'ms',
        ...(isGapless ? { target: { atMost: 0 } } : { floor: median(floor), target: { timesFloor: 1.3 } }),
        samples: isGapless ? { samples } : { samples, floor },
      });
    }
    return rows;
  });

async function downtimes(bench: Bench, agent: AgentProcess, strategy: UpdateStrategy): Promise<readonly number[]> {
  const labels = {
    'io.supercargo.update.strategy': strategy,
    'io.balena.update.handover-timeout': '1000',
  };
  // To change the strategy is an update of its own.
  await agent.postState(targetState(COUNT, { [CHANGED]: 'before' }, { [CHANGED]: labels }));
  await agent.applied();
  const found: number[] = [];
  for (let round = 0; round < (bench.quick ? 1 : 3); round += 1) {
    await sleep(500);
    bench.events.reset();
    await agent.postState(targetState(COUNT, { [CHANGED]: `${strategy} ${round}` }, { [CHANGED]: labels }));
    const [died] = await bench.events.seen(1, isOfChanged('die'));
    const [started] = await bench.events.seen(1, isOfChanged('start'));
    found.push(Math.max(0, (started?.atMs ?? 0) - (died?.atMs ?? 0)));
    await agent.applied();
  }
  return found;
}

const isOfChanged =
  (action: string) =>
  (event: { readonly action: string; readonly attributes: Readonly<Record<string, string>> }): boolean =>
    event.action === action &&
    event.attributes['io.balena.app-id'] === String(APP_ID) &&
    event.attributes['io.balena.service-name'] === CHANGED;

/** Stop, remove, create, start by raw calls: what lies between the end and the start. */
async function floorDowntimes(bench: Bench, agent: AgentProcess): Promise<readonly number[]> {
  const { docker, events } = bench;
  const recipe = await recordRecipe(docker);
  const [one] = recipe.containers;
  if (one === undefined) throw new Error('The agent has made no container');
  await withFrozen(agent, () => floorStart(docker, events, { ...recipe, containers: [one] }, 1));
  const found: number[] = [];
  for (let round = 0; round < (bench.quick ? 1 : 3); round += 1) {
    await sleep(500);
    await withFrozen(agent, () => floorReplace(docker, events, one));
    const [died] = await events.seen(1, ({ action, name }) => action === 'die' && name === one.name);
    const [started] = await events.seen(1, ({ action, name }) => action === 'start' && name === one.name);
    found.push((started?.atMs ?? 0) - (died?.atMs ?? 0));
  }
  return found;
}

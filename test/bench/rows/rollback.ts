import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentProcess } from '../agent-process.js';
import { type Bench, type RowGroup, withAgent, withFrozen } from '../bench.js';
import type { ContainerEvent } from '../event-watch.js';
import { floorReplace, floorStart, recordRecipe } from '../floor.js';
import { median } from '../measure.js';
import { APP_ID, serviceName, targetState } from '../target.js';

const COUNT = 3;
const BAD = serviceName(2);
const LABELS = { [BAD]: { 'io.supercargo.rollout.on-failure': 'rollback' } };

/**
 * How long the way back takes: from the end of the container that condemns its release to the start of the one before, as
 * the engine tells. The service of the bad release exits with 1 and is not restarted, so it is bad at once.
 */
export const rollbackRows: RowGroup = (bench) =>
  withAgent(bench, async (agent) => {
    await agent.postState(targetState(COUNT, {}, LABELS));
    await agent.applied();
    await sleep(2_000);
    const floor = await floorTimes(bench, agent);
    const samples: number[] = [];
    for (let round = 0; round < (bench.quick ? 1 : 5); round += 1) {
      bench.print(`rollback: round ${round + 1}`);
      samples.push(await wayBack(bench, agent, round));
    }
    return [
      {
        figure: `rollback of 1 of ${COUNT}: fault to running`,
        measured: median(samples),
        unit: 'ms',
        floor: median(floor),
        target: { timesFloor: 1.3 },
        samples: { samples, floor },
      },
    ];
  });

async function wayBack({ events }: Bench, agent: AgentProcess, round: number): Promise<number> {
  events.reset();
  await agent.postState(failing(targetState(COUNT, { [BAD]: `bad ${round}` }, LABELS)));
  const [died] = await events.seen(1, (event) => isOfBad(event, 'die') && event.attributes.exitCode === '1');
  const diedMs = died?.atMs ?? Number.NaN;
  const [started] = await events.seen(1, (event) => isOfBad(event, 'start') && event.atMs > diedMs);
  await agent.applied();
  await sleep(2_000); // the one that runs again is to be good before the next one is posted
  return (started?.atMs ?? Number.NaN) - diedMs;
}

interface State {
  readonly local: { readonly apps: Readonly<Record<string, { readonly services: Readonly<Record<string, Named>> }>> };
}
interface Named {
  readonly serviceName: string;
}

/** The same target state, in which that service ends at once. */
function failing(state: object): object {
  const copy = structuredClone(state) as State;
  const services = Object.values(copy.local.apps).flatMap((app) => Object.values(app.services));
  for (const service of services) {
    if (service.serviceName === BAD) Object.assign(service, { command: ['false'], restart: 'no' });
  }
  return copy;
}

const isOfBad = ({ action, attributes }: ContainerEvent, wanted: string): boolean =>
  action === wanted &&
  attributes['io.balena.app-id'] === String(APP_ID) &&
  attributes['io.balena.service-name'] === BAD;

/** Stop, remove, create, start by raw calls. */
async function floorTimes({ docker, events, quick }: Bench, agent: AgentProcess): Promise<readonly number[]> {
  const recipe = await recordRecipe(docker);
  const [one] = recipe.containers;
  if (one === undefined) throw new Error('The agent has made no container');
  await withFrozen(agent, () => floorStart(docker, events, { ...recipe, containers: [one] }, 1));
  const found: number[] = [];
  for (let round = 0; round < (quick ? 1 : 5); round += 1) {
    await sleep(500);
    found.push(await withFrozen(agent, () => floorReplace(docker, events, one)));
  }
  return found;
}

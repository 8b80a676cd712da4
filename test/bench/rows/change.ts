import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentProcess } from '../agent-process.js';
import { agentOn, type Bench, type RowGroup, settle, withCountedAgent, withFrozen } from '../bench.js';
import { listContainers } from '../docker-api.js';
import { lastOf } from '../event-watch.js';
import { floorReplace, floorStart, recordRecipe } from '../floor.js';
import { median } from '../measure.js';
import { requestNote } from '../request-note.js';
import { AGENT_LABEL, APP_ID, serviceName } from '../target.js';

const CHANGED = serviceName(7);

export interface ChangeSize {
  readonly count: number;
  readonly timesFloor: number;
}

/** One service of so many gets another environment. */
export const changeRows =
  (size: ChangeSize): RowGroup =>
  (bench) =>
    withCountedAgent(bench, async (counted, proxy, folder) => {
      const { count, timesFloor } = size;
      await settle(counted, count, 4_000);
      bench.print('change: counting requests');
      const before = await others(bench);
      proxy.reset();
      await counted.post(count, { [CHANGED]: 'counted' });
      await counted.applied();
      await sleep(2_000);
      const requests = [...proxy.requests];
      await counted.stop();
      const times = await agentOn(folder, `unix://${bench.socketPath}`, (agent) => timeChanges(bench, agent, count));
      const touched = [...before].filter((id) => !times.others.has(id)).length;
      const figure = `1 of ${count} changed`;
      const floor = median(times.floor);
      return [
        {
          figure: `${figure}: running`,
          measured: median(times.running),
          unit: 'ms',
          floor,
          target: { timesFloor },
          samples: times.samples,
        },
        { figure: `${figure}: applied`, measured: median(times.applied), unit: 'ms', floor },
        {
          figure: `${figure}: requests`,
          measured: requests.length,
          unit: 'requests',
          floor: 4,
          target: { atMost: 8 },
          note: requestNote(requests),
        },
        { figure: `${figure}: others touched`, measured: touched, unit: 'containers', target: { atMost: 0 } },
      ];
    });

/** Ids of the containers that are not to change. */
async function others({ docker }: Bench): Promise<ReadonlySet<string>> {
  const all = await listContainers(docker, { label: [AGENT_LABEL] });
  return new Set(all.filter(({ Labels }) => Labels['io.balena.service-name'] !== CHANGED).map(({ Id }) => Id));
}

/** Without a proxy in between, in turns with the floor: one more container, on a network of its own. */
async function timeChanges(bench: Bench, agent: AgentProcess, count: number) {
  const { docker, events, quick } = bench;
  const running: number[] = [];
  const applied: number[] = [];
  const floor: number[] = [];
  await agent.applied();
  const recipe = await recordRecipe(docker);
  const [one] = recipe.containers;
  if (one === undefined) throw new Error('The agent has made no container');
  await withFrozen(agent, () => floorStart(docker, events, { ...recipe, containers: [one] }, 1));
  for (let pair = 0; pair < (quick ? 2 : 5); pair += 1) {
    bench.print(`change: pair ${pair + 1}`);
    await sleep(1_000);
    events.reset();
    const postedMs = await agent.post(count, { [CHANGED]: `value ${pair}` });
    const started = await events.seen(
      1,
      ({ action, attributes }) =>
        action === 'start' &&
        attributes['io.balena.app-id'] === String(APP_ID) &&
        attributes['io.balena.service-name'] === CHANGED,
    );
    running.push(lastOf(started) - postedMs);
    applied.push((await agent.applied()) - postedMs);
    await sleep(1_000);
    floor.push(await withFrozen(agent, () => floorReplace(docker, events, one)));
  }
  return { running, applied, floor, samples: { running, applied, floor }, others: await others(bench) };
}

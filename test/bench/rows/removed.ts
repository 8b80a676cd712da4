import { setTimeout as sleep } from 'node:timers/promises';
import { type RowGroup, settle, withAgent, withFrozen } from '../bench.js';
import { listContainers } from '../docker-api.js';
import { lastOf } from '../event-watch.js';
import { floorRecreate, floorStart, recordRecipe } from '../floor.js';
import { median } from '../measure.js';
import { AGENT_LABEL, APP_ID, serviceName } from '../target.js';

const COUNT = 20;

/** One of twenty containers is removed by hand: from the moment it is gone until it runs again. */
export const removedRows: RowGroup = (bench) =>
  withAgent(bench, async (agent) => {
    const { docker, events, quick } = bench;
    await settle(agent, COUNT, 3_000);
    const recipe = await recordRecipe(docker);
    const [one] = recipe.containers;
    if (one === undefined) throw new Error('The agent has made no container');
    await withFrozen(agent, () => floorStart(docker, events, { ...recipe, containers: [one] }, 1));
    const running: number[] = [];
    const floor: number[] = [];
    for (let pair = 0; pair < (quick ? 2 : 5); pair += 1) {
      bench.print(`removed by hand: pair ${pair + 1}`);
      const name = serviceName(pair + 1);
      const [container] = await listContainers(docker, { label: [AGENT_LABEL, `io.balena.service-name=${name}`] });
      if (container === undefined) throw new Error(`No container of ${name}`);
      events.reset();
      await docker.call('DELETE', `/containers/${container.Id}?force=1`);
      const [gone] = await events.seen(1, ({ action, id }) => action === 'destroy' && id === container.Id);
      const back = await events.seen(
        1,
        ({ action, attributes }) =>
          action === 'start' &&
          attributes['io.balena.app-id'] === String(APP_ID) &&
          attributes['io.balena.service-name'] === name,
      );
      running.push(lastOf(back) - (gone?.atMs ?? Number.NaN));
      await sleep(1_500);
      floor.push(await withFrozen(agent, () => floorRecreate(docker, events, one)));
      await sleep(500);
    }
    return [
      {
        figure: '1 removed by hand: running again',
        measured: median(running),
        unit: 'ms',
        floor: median(floor),
        target: { timesFloor: 1.2 },
        samples: { running, floor },
      },
    ];
  });

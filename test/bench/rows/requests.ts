import { empty, type RowGroup, settle, withCountedAgent } from '../bench.js';
import { requestNote } from '../request-note.js';

const COUNT = 20;

/** Docker requests of empty → 20 services, everything until it is at rest included. */
export const requestRows: RowGroup = (bench) =>
  withCountedAgent(bench, async (agent, proxy) => {
    bench.print(`requests: empty to ${COUNT} services`);
    await settle(agent, 1);
    await empty(bench, agent);
    proxy.reset();
    await settle(agent, COUNT);
    return [
      {
        figure: `Docker requests for ${COUNT}`,
        measured: proxy.requests.length,
        unit: 'requests',
        target: { atMost: 4 * COUNT + 10 },
        floor: 1 + 2 * COUNT,
        note: requestNote(proxy.requests),
      },
    ];
  });

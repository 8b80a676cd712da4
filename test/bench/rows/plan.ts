import { setTimeout as sleep } from 'node:timers/promises';
import { isMap } from '../../../crds/model/maps.js';
import type { Plan } from '../../../crds/model/plan.js';
import { writtenBetween } from '../agent-process.js';
import { type RowGroup, settle, withCountedAgent } from '../bench.js';
import { median } from '../measure.js';
import { requestNote } from '../request-note.js';

const COUNT = 200;
const AFTERMATH_MS = 2_000;

/** A plan of one change among many services: soon, and nothing happens on the engine and on the disk. */
export const planRows: RowGroup = (bench) =>
  withCountedAgent(bench, async (agent, proxy) => {
    await settle(agent, COUNT, 5_000);
    const { items } = (await agent.ask('GET', '/apis/supercargo.io/v1/apps')) as { readonly items: readonly object[] };
    const documents = items.map(withOneChange);
    const plan = () => agent.ask('POST', '/apis/supercargo.io/v1/plan', { documents }) as Promise<Plan>;
    await plan();
    await sleep(AFTERMATH_MS);
    const before = await agent.disk();
    const from = await agent.figures();
    proxy.reset();
    const tookMs: number[] = [];
    let actions = 0;
    for (let round = 0; round < (bench.quick ? 3 : 9); round += 1) {
      bench.print(`plan: round ${round + 1}`);
      const startedMs = performance.now();
      actions = (await plan()).actions.length;
      tookMs.push(performance.now() - startedMs);
    }
    await sleep(AFTERMATH_MS);
    const written = writtenBetween(before, await agent.disk());
    const { residentMiB } = await agent.figures();
    const what = `plan of one change (${COUNT})`;
    return [
      {
        figure: what,
        measured: median(tookMs),
        unit: 'ms',
        target: { atMost: 300 },
        note: `${actions} actions`,
        samples: { tookMs },
      },
      {
        figure: `${what}: requests`,
        measured: proxy.requests.length,
        unit: 'requests',
        target: { atMost: 0 },
        note: requestNote(proxy.requests),
      },
      { figure: `${what}: disk writes`, measured: written.length, unit: 'writes', target: { atMost: 0 } },
      { figure: `${what}: memory kept`, measured: residentMiB - from.residentMiB, unit: 'MiB' },
    ];
  });

/** The document as it was declared, with one more variable in its first service. */
function withOneChange(document: object): object {
  const { kind, metadata, spec } = { kind: 'App', metadata: {}, spec: {}, ...document };
  const services = { services: {}, ...spec }.services;
  const [first, ...rest] = Object.entries(services);
  if (!first || !isMap(first[1])) return { apiVersion: 'supercargo.io/v1', kind, metadata, spec };
  const environment = { ...(isMap(first[1].environment) ? first[1].environment : {}), PLANNED: '1' };
  const changed = Object.fromEntries([[first[0], { ...first[1], environment }], ...rest]);
  const { name } = { name: '', ...metadata };
  return { apiVersion: 'supercargo.io/v1', kind, metadata: { name }, spec: { ...spec, services: changed } };
}

/**
 * `npm run bench [-- --only start,state] [--quick]`: what the agent's bundle takes on a real engine next to the floor,
 * the same containers made by raw Engine API calls in the same run. Prints a table, writes `.bench/<date>.json`. The
 * engine is the one of `SUPERCARGO_TEST_DOCKER_HOST`, else a private one that ends with the run.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { errorMessage } from '../../api/platform/errors.js';
import { useEngine } from '../setup/docker.js';
import { type RowGroup, sweep } from './bench.js';
import { dockerApi } from './docker-api.js';
import { watchEvents } from './event-watch.js';
import { isMet, type Row } from './measure.js';
import { changeRows } from './rows/change.js';
import { composeRows } from './rows/compose.js';
import { memoryRows } from './rows/memory.js';
import { mixedRows } from './rows/mixed.js';
import { pingRows } from './rows/ping.js';
import { planRows } from './rows/plan.js';
import { removedRows } from './rows/removed.js';
import { requestRows } from './rows/requests.js';
import { rollbackRows } from './rows/rollback.js';
import { sameRows } from './rows/same.js';
import { scaleRows } from './rows/scale.js';
import { settledRows } from './rows/settled.js';
import { startRows } from './rows/start.js';
import { stateRows } from './rows/state.js';
import { strategyRows } from './rows/strategies.js';
import { renderTable, summary } from './table.js';
import { IMAGE } from './target.js';

const GROUPS: Readonly<Record<string, readonly RowGroup[]>> = {
  start: [
    startRows({ count: 1, pairs: 5, timesFloor: 1.15 }),
    startRows({ count: 5, pairs: 3 }),
    startRows({ count: 20, pairs: 3, timesFloor: 1.1 }),
    startRows({ count: 50, pairs: 2, timesFloor: 1.1 }),
  ],
  requests: [requestRows],
  same: [sameRows],
  change: [changeRows({ count: 20, timesFloor: 1.2 })],
  strategies: [strategyRows],
  rollback: [rollbackRows],
  removed: [removedRows],
  settled: [settledRows],
  memory: [memoryRows],
  compose: [composeRows],
  ping: [pingRows],
  state: [stateRows],
  scale: [scaleRows],
  'one-of-200': [changeRows({ count: 200, timesFloor: 1.3 })],
  plan: [planRows],
  mixed: [mixedRows],
};

const { values } = parseArgs({ options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } } });
const chosen = values.only?.split(',') ?? Object.keys(GROUPS);
const unknown = chosen.filter((name) => GROUPS[name] === undefined);
if (unknown.length > 0) {
  console.error(`No rows called ${unknown.join(', ')}; there are ${Object.keys(GROUPS).join(', ')}`);
  process.exit(2);
}

const print = (text: string): void => console.error(`  ${text}`);
const started = new Date();
const rows: Row[] = [];
const failures: string[] = [];
const loadBefore = loadavg()[0] ?? 0;
const engine = await useEngine();
try {
  const docker = dockerApi(engine.socketPath);
  const events = await watchEvents(engine.socketPath);
  process.once('SIGINT', () => {
    void sweep(docker)
      .finally(() => engine.close())
      .finally(() => process.exit(130));
  });
  await sweep(docker);
  await engine.makeImage(IMAGE, { cmd: ['sleep', '1000000'] });
  for (const name of chosen) {
    for (const group of GROUPS[name] ?? []) {
      try {
        rows.push(...(await group({ socketPath: engine.socketPath, docker, events, quick: values.quick, print })));
      } catch (error) {
        failures.push(`${name}: ${errorMessage(error)}`);
      }
    }
  }
  await docker.call('DELETE', `/images/${IMAGE}`, undefined, 404);
  events.close();
  docker.close();
} finally {
  await engine.close();
}

console.log(`\n${renderTable(rows)}\n`);
console.log(`${cpus().length} processors, load ${loadBefore.toFixed(1)} at the start. ${summary(rows)}.`);
for (const failure of failures) console.error(`Not measured: ${failure}`);

const folder = '.bench';
const file = `${folder}/${started.toISOString().replaceAll(':', '-').slice(0, 19)}.json`;
await mkdir(folder, { recursive: true });
const report = {
  startedAt: started.toISOString(),
  node: process.version,
  processors: cpus().length,
  loadBefore,
  quick: values.quick,
  rows: rows.map((row) => ({ ...row, met: isMet(row) })),
  failures,
};
await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
console.log(`Written to ${file}`);
process.exitCode = failures.length === 0 ? 0 : 1;

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type MixedFigures, readPaths } from '../../setup/mixed-load.js';
import type { AgentProcess } from '../agent-process.js';
import { type Bench, type RowGroup, settle, withAgent, withFrozen } from '../bench.js';
import { atMost } from '../docker-api.js';
import { floorReplace, floorStart, recordRecipe } from '../floor.js';
import { httpClient } from '../http-client.js';
import { APP_ID, serviceName } from '../target.js';

const COUNT = 20;
const CLIENTS = 200;
const LOAD = fileURLToPath(new URL('../../setup/mixed-load.ts', import.meta.url));
const PLAIN = fileURLToPath(new URL('../plain-server.ts', import.meta.url));
/** As many services as the agent replaces at once. */
const AT_ONCE = 8;
/** Garbage is collected when there is need; that long after the load there was. */
const REST_MS = 15_000;
const MORE_MIB = 15;

/** Two hundred clients of mixed endpoints, while an app of twenty services rolls out again and again. */
export const mixedRows: RowGroup = (bench) =>
  withAgent(bench, async (agent, folder) => {
    await settle(agent, COUNT);
    const before = await agent.figures();
    bench.print(`mixed: ${CLIENTS} clients of the agent`);
    const figures = await load(bench, agent.port, (round) => rollOut(agent, round));
    await agent.post(COUNT);
    await agent.applied(120_000);
    await sleep(REST_MS);
    const after = await agent.figures();
    bench.print(`mixed: ${CLIENTS} clients of a plain server`);
    const floor = await floorLoad(bench, agent, join(folder, 'answers.json'));
    const note = `${figures.requests} requests, ${figures.rounds} roll-outs; commands ${JSON.stringify(figures.commands)}`;
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
        floor: floor.readP99Ms,
        target: { atMost: 50 },
        note: `longest ${figures.readMostMs.toFixed(0)} ms, of the floor ${floor.readMostMs.toFixed(0)} ms`,
      },
      { figure: 'mixed load: median of reads', measured: figures.readMedianMs, unit: 'ms', floor: floor.readMedianMs },
      {
        figure: 'mixed load: rate',
        measured: figures.perSecond,
        unit: 'requests/s',
        floor: floor.perSecond,
        note: `${floor.rounds} roll-outs beside the floor`,
      },
      {
        figure: 'mixed load: memory afterwards',
        measured: after.residentMiB,
        unit: 'MiB',
        target: { atMost: before.residentMiB + MORE_MIB },
        note: `${before.residentMiB.toFixed(1)} MiB before, at most ${after.peakMiB.toFixed(1)}`,
      },
    ];
  });

interface Loaded extends MixedFigures {
  /** Roll-outs that were begun meanwhile. */
  readonly rounds: number;
}

/** The clients at work on that port, and `act` again and again beside them. */
async function load({ quick }: Bench, port: number, act: (round: number) => Promise<unknown>): Promise<Loaded> {
  const args = [port, CLIENTS, quick ? 5 : 30, APP_ID].map(String);
  const over = { is: false };
  const ended = promisify(execFile)(process.execPath, ['--import=tsx', LOAD, ...args]).finally(() => {
    over.is = true;
  });
  let rounds = 0;
  let round: Promise<unknown> = Promise.resolve();
  while (!over.is) {
    rounds += 1;
    round = act(rounds);
    await Promise.race([round, ended]);
  }
  await round; // what it has begun must not go on behind the next measurement
  return { ...(JSON.parse((await ended).stdout) as MixedFigures), rounds };
}

async function rollOut(agent: AgentProcess, round: number): Promise<void> {
  const greetings = Array.from({ length: COUNT }, (_, index) => [serviceName(index + 1), `hello ${round}`]);
  await agent.post(COUNT, Object.fromEntries(greetings));
  await agent.applied(120_000);
}

/** The same clients get what the agent answered them, from a server that only sends it, while raw calls replace containers. */
async function floorLoad(bench: Bench, agent: AgentProcess, file: string): Promise<Loaded> {
  const { docker, events } = bench;
  const client = httpClient({ port: agent.port });
  const answers: Record<string, string> = {};
  for (const path of readPaths(APP_ID)) answers[path] = (await client.ask('GET', path)).text;
  client.close();
  await writeFile(file, JSON.stringify(answers));
  const recipe = await recordRecipe(docker);
  return withFrozen(agent, async () => {
    await floorStart(docker, events, recipe, AT_ONCE);
    const server = spawn(process.execPath, ['--import=tsx', PLAIN, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [port] = (await once(createInterface(server.stdout), 'line')) as [string];
      return await load(bench, Number(port), () =>
        atMost(
          AT_ONCE,
          recipe.containers.map((one) => () => floorReplace(docker, events, one)),
        ),
      );
    } finally {
      server.kill();
    }
  });
}

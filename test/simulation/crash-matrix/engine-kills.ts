/**
 * `npm run engine-kills [-- --rounds N] [--seed NUMBER]`: kills a real engine (with live-restore) and the agent while four
 * services roll out, at another moment each time, starts both again, and looks whether everything is as declared within
 * 30 s: every service once, by the containers of the engine and by the processes of the machine. Prints a table; exit
 * code 1 when a round came to another end.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { engineFolders } from '../../../controllers/engine/local/engine-folders.js';
import { findEngine, stopPrivateEngine } from '../../../controllers/engine/local/private-engine.js';
import type { AppSpec } from '../../../crds/model/types.js';
import { renderColumns } from '../../setup/columns.js';
import { useEngineAt } from '../../setup/docker.js';
import { Scene } from '../../setup/scene.js';
import { SeededRandom } from '../seeded-random.js';

const SERVICES = ['one', 'two', 'three', 'four'];
const NAME = 'kills';
const LIMIT_MS = 30_000;
/** A roll-out of four takes about so long. */
const LATEST_KILL_MS = 3_000;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
  },
});
const print = (text: string): void => console.error(`  ${text}`);
const folder = await mkdtemp(join(tmpdir(), 'supercargo-kills-'));
const startEngine = async (): Promise<string> =>
  (await findEngine({ mode: 'private', dataFolder: folder, env: process.env, print: () => undefined })).dockerHost;

/** Kills the daemon, not its containers; resolves when it is gone. */
async function killEngine(): Promise<void> {
  const pid = Number(await readFile(engineFolders(folder).pidFile, 'utf8'));
  process.kill(pid, 'SIGKILL');
  const stat = (): Promise<string> => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  for (let now = await stat(); now !== '' && !/\) Z /.test(now); now = await stat()) await pause(10);
}

/** Seconds that a container sleeps: no other process of the machine has them in its command line. */
const mark = (round: number, service: string): string => `${700_000_000 + round * 10 + SERVICES.indexOf(service)}`;

/** Processes of the machine that a round's containers have, by service. */
async function processes(rounds: number): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return commands
    .filter((command) => command.startsWith('sleep\0'))
    .flatMap((command) => {
      const found = Number(command.split('\0')[1]) - 700_000_000;
      const [round, at] = [Math.floor(found / 10), found % 10];
      return round >= 0 && round <= rounds ? [`${SERVICES[at]} of round ${round}`] : [];
    })
    .sort();
}

const spec = (scene: Scene, appId: number, round: number): AppSpec => ({
  appId,
  release: { commit: `r${round}`, id: round + 1 },
  services: Object.fromEntries(
    SERVICES.map((service) => [service, scene.service({ command: ['sleep', mark(round, service)] })]),
  ),
});

async function settled(scene: Scene, appId: number, round: number): Promise<void> {
  const patience = { withinMs: LIMIT_MS, everyMs: 100 };
  await scene.untilReady(NAME, patience);
  await scene.untilRunning(appId, SERVICES, patience);
  await scene.until(
    'every service has one process',
    () => processes(round),
    (seen) =>
      seen.join() ===
      SERVICES.map((service) => `${service} of round ${round}`)
        .sort()
        .join(),
    patience,
  );
}

const random = new SeededRandom(Number(values.seed));
const rows: string[][] = [];
let failures = 0;
const scene = await Scene.open({ docker: useEngineAt(await startEngine()) });
try {
  const appId = scene.appId();
  await scene.put(NAME, spec(scene, appId, 0));
  await settled(scene, appId, 0);
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    const killAtMs = random.below(LATEST_KILL_MS);
    await scene.put(NAME, spec(scene, appId, round));
    await pause(killAtMs);
    await killEngine();
    await scene.agent.kill();
    const downAtMs = performance.now();
    await startEngine();
    const engineMs = performance.now() - downAtMs;
    await scene.agent.start();
    const from = performance.now();
    const problem = await settled(scene, appId, round).then(
      () => undefined,
      (error: unknown) => error,
    );
    const tookMs = performance.now() - from;
    const left = scene.agent.lines.filter(({ msg }) =>
      /already exists|already in use/.test(JSON.stringify(msg)),
    ).length;
    rows.push([
      String(round),
      ...[killAtMs, engineMs, tookMs].map((ms) => ms.toFixed(0)),
      String(left),
      problem ? 'no' : 'yes',
    ]);
    print(rows.at(-1)?.join('  ') ?? '');
    if (problem) {
      failures += 1;
      console.error(problem);
      await scene.untilReady(NAME, { withinMs: 120_000 }).catch((error: unknown) => console.error(error));
    }
  }
  assert.equal(rows.length, Number(values.rounds));
} finally {
  await scene.close().catch((error: unknown) => console.error(error));
  await stopPrivateEngine(folder);
  await rm(folder, { recursive: true, force: true });
}
console.log(`\nSeed ${values.seed}`);
console.log(
  renderColumns(['round', 'killed after ms', 'engine back ms', 'settled ms', 'conflicts so far', 'as declared'], rows),
);
console.log(`\n${failures === 0 ? 'Every round came to the declared end' : `${failures} rounds did not`}.`);
process.exitCode = failures === 0 ? 0 : 1;

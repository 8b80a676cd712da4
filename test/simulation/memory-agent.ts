import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openKeys } from '../../api/device-state/key-file.js';
import { openSecretFiles } from '../../api/device-state/secret-files.js';
import { systemClock } from '../../api/platform/clock.js';
import { gitOrigins } from '../../api/sources/git/git-origin.js';
import { localOrigin } from '../../api/sources/target-state/local.js';
import { openStore } from '../../api/store/document-store.js';
import type { Store } from '../../api/store/store.js';
import { DevicePlanner } from '../../controllers/agent/rehearsal/planner.js';
import { type Informer, startInformer } from '../../controllers/engine/cache/informer.js';
import { PullQueue } from '../../controllers/engine/images/pull-queue.js';
import { MemoryEngine } from '../../controllers/engine/simulated/memory-engine.js';
import { gitSourceController } from '../../controllers/git-source/controller.js';
import { applicationLock, openUpdateLocks } from '../../controllers/host/locks/lock-files.js';
import { Loop } from '../../controllers/runtime/loop.js';
import { serviceStats, shownEnvironment } from '../../controllers/service/output/container-readings.js';
import { serviceLogs } from '../../controllers/service/output/service-logs.js';
import { orphanedVolumes } from '../../controllers/volume/orphans.js';
import { parseDocument } from '../../crds/schema/parse.js';
import { aServer } from '../api/http/a-server.js';
import { deviceContext, deviceLoops, facts } from './device-loops.js';

const silent = pino({ level: process.env.SUPERCARGO_TEST_LOG ?? 'silent' });

/** An agent in this process: real store, controllers and HTTP on a port of 127.0.0.1, real time; only the engine is in memory. */
export interface MemoryAgent {
  readonly engine: MemoryEngine;
  readonly store: Store;
  readonly cache: Informer;
  readonly planner: DevicePlanner;
  /** `http://127.0.0.1:…` */
  readonly host: string;
  /** Stands for the host's file system. */
  readonly hostRoot: string;
  /** Where the locks of applications are, as they see them. */
  readonly lockRoot: string;
  close(): Promise<void>;
}

/** `localMode` is on unless said otherwise: no key is needed. `looksAfterGit`: with the GitSource controller, over the system's git. */
export async function startMemoryAgent({ localMode = true, looksAfterGit = false } = {}): Promise<MemoryAgent> {
  const folder = mkdtempSync(join(tmpdir(), 'memory-agent-'));
  const now = Date.now;
  const log = silent;
  const engine = new MemoryEngine({ now });
  const store = await openStore({ folder, now, log, statusDelayMs: 20 });
  const keys = await openKeys({ folder, globalKey: undefined, now, log });
  const wanted = () => [...store.list('Image'), ...store.list('Service')].map(({ spec }) => spec.image);
  const cache = startInformer({ engine, log, clock: systemClock, wanted, sameClock: true });
  const pulls = new PullQueue({ engine, cache, log });
  const locks = openUpdateLocks({ lockRoot: '/locks', hostRoot: folder, log, now });
  const parts = { folder, store, engine, cache, pulls, locks, keys, clock: systemClock };
  // What clients wait for is not time.
  const context = { ...deviceContext(parts), minReadySeconds: 0 };
  const loops = [...deviceLoops(parts, context)];
  const planner = new DevicePlanner({
    ...{ context, cache, clock: systemClock },
    lockedBy: (appId) => applicationLock({ lockRoot: '/locks', hostRoot: folder }, appId),
    describe: async () => ({ layers: [1_000, 24], diffIds: [] }),
  });
  if (looksAfterGit) loops.push(gitLoop(folder, store));
  const bench = await aServer({
    store,
    localMode,
    now,
    containers: {
      logs: (choice, ending) => serviceLogs({ store, engine, clock: systemClock }, choice, ending),
      stats: (ending) => serviceStats({ store, engine }, ending),
      environment: (id) => shownEnvironment(cache.containers(), id),
    },
    target: localOrigin({
      store,
      device: { uuid: facts.uuid, localMode },
      parse: parseDocument,
      log,
    }),
    planner: { plan: (declare, signal) => planner.plan(declare, signal), failure: () => cache.syncError },
    volumes: orphanedVolumes({ store, cache, engine, logs: { system: () => undefined } }),
    device: {
      uuid: facts.uuid,
      arch: facts.arch,
      deviceType: facts.deviceType,
      identity: () => ({ apiPort: 48484, osVersion: facts.osVersion, interfaces: { ip: ['192.0.2.2'], mac: [] } }),
      usage: async () => ({
        uptimeSeconds: 100_000,
        agentUptimeSeconds: 60,
        processors: 4,
        loadAverage: [0.5, 0.25, 0.1],
        memory: { totalBytes: 4 * 1024 ** 3, availableBytes: 3 * 1024 ** 3 },
        disks: [{ path: '/var/lib/supercargo', totalBytes: 32 * 1024 ** 3, availableBytes: 8 * 1024 ** 3 }],
      }),
    },
  });
  await bench.server.start();
  await cache.start();
  for (const loop of loops) loop.start();
  return {
    engine,
    store,
    cache,
    planner,
    host: `http://${bench.server.addresses[0]}`,
    hostRoot: folder,
    lockRoot: join(folder, 'locks'),
    async close() {
      await bench.close();
      await Promise.all(loops.map((loop) => loop.stop()));
      await pulls.stop();
      await cache.stop();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function gitLoop(folder: string, store: Store): Loop {
  const { uuid, deviceType, arch } = facts;
  const repositories = gitOrigins({
    store,
    secrets: openSecretFiles({ dataFolder: folder }),
    dataFolder: folder,
    parse: parseDocument,
    device: () => ({ name: 'device', uuid, type: deviceType, arch, tags: {} }),
    env: process.env,
    log: silent,
    now: Date.now,
  });
  const device = () => ({ name: 'device', uuid, deviceType, arch, version: '0.1.0' });
  const of = { store, clock: systemClock, random: () => 0 };
  return new Loop(gitSourceController({ ...of, repositories, device }), { ...of, log: silent });
}

import { pino } from 'pino';
import type { Keys } from '../../api/device-state/keys.js';
import { LogStream } from '../../api/device-state/logs.js';
import type { Clock } from '../../api/platform/clock.js';
import type { Store } from '../../api/store/store.js';
import { CONTROLLERS } from '../../controllers/agent/controllers.js';
import type { Informer } from '../../controllers/engine/cache/informer.js';
import type { Engine } from '../../controllers/engine/engine.js';
import type { Archives } from '../../controllers/engine/images/archives.js';
import type { PullQueue } from '../../controllers/engine/images/pull-queue.js';
import { capabilitiesOf } from '../../controllers/host/facts/capabilities.js';
import type { DeviceFacts } from '../../controllers/host/facts/facts.js';
import { openHandovers } from '../../controllers/host/locks/handovers.js';
import type { UpdateLocks } from '../../controllers/host/locks/update-locks.js';
import type { ContainerProcesses } from '../../controllers/host/processes/container-processes.js';
import type { ApiReach } from '../../controllers/network/observe.js';
import { type HeldUp, type Loop, loopsOf } from '../../controllers/runtime/loop.js';
import { StopLedger } from '../../controllers/service/commands/stop-ledger.js';
import type { ServiceDeps } from '../../controllers/service/deps.js';

const silent = pino({ level: process.env.SUPERCARGO_TEST_LOG ?? 'silent' });

export const facts: DeviceFacts = {
  uuid: 'f'.repeat(32),
  deviceType: 'generic-amd64',
  arch: 'amd64',
  osVersion: 'Test OS 1',
  boardRevision: undefined,
  hasModules: false,
  hasFirmware: false,
  engineSocket: '/var/run/docker.sock',
  apiPort: 48484,
  hostname: () => 'device',
};
const traits = () => ({ logDriver: 'json-file', machine: 'x86_64', apiVersion: '1.41' });
const KERNEL = { name: 'Linux', release: '5.10.2' };
const apiAddress = () => ({ host: '10.114.104.1', port: 48484 });

export interface LoopParts {
  /** Stands for the host's file system. */
  readonly folder: string;
  readonly store: Store;
  readonly engine: Engine;
  readonly cache: Informer;
  readonly pulls: PullQueue;
  readonly archives?: Pick<Archives, 'holds'> | undefined;
  readonly locks: UpdateLocks;
  /** No process is found when not said. */
  readonly processes?: ContainerProcesses;
  /** Nobody can restart the engine when not said. */
  readonly restartEngine?: (why: string) => boolean;
  readonly portProxy?: ServiceDeps['portProxy'];
  readonly portHolder?: ServiceDeps['portHolder'];
  readonly keys: Keys;
  readonly clock: Clock;
  readonly logs?: LogStream;
  readonly apiReach?: ApiReach | undefined;
  readonly heldUp?: HeldUp;
  /** Images are collected at once when not said. */
  readonly imageGraceMs?: number;
  /** Always the same boot when not said. */
  readonly bootId?: string;
}

/** What the controllers that act on the engine are made with. */
export function deviceContext({
  folder,
  store,
  engine,
  cache,
  pulls,
  archives,
  locks,
  keys,
  clock,
  processes = { kill: async () => 0 },
  restartEngine,
  portProxy,
  portHolder,
  logs = new LogStream(),
  apiReach,
  imageGraceMs = 0,
  bootId = 'boot-1',
}: Omit<LoopParts, 'heldUp'>) {
  const handovers = openHandovers({ lockRoot: '/locks', hostRoot: folder });
  const offers = capabilitiesOf({ facts, supervisorVersion: '19.0.5', osRelease: '', kernel: KERNEL });
  return {
    ...{ store, engine, cache, pulls, archives, locks, handovers, processes, keys, logs, facts, offers, traits },
    ...{ apiAddress, apiReach, imageGraceMs, bootId, hostRoot: folder, log: silent, random: () => 0 },
    ...(restartEngine ? { restartEngine } : {}),
    ...{ portProxy, portHolder },
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    stopLedger: new StopLedger(),
  };
}

/** The loops of every controller that acts on the engine, the App's last; none is started. */
export function deviceLoops({ heldUp, ...parts }: LoopParts, context = deviceContext(parts)): readonly Loop[] {
  const { store, clock } = parts;
  const { HostConfig: _host, GitSource: _git, ...onEngine } = CONTROLLERS;
  const controllers = Object.values(onEngine).map((make) => make(context));
  return loopsOf(controllers, { store, clock, random: () => 0, log: silent, ...(heldUp ? { heldUp } : {}) });
}

import type { Logger } from 'pino';
import type { Keys } from '../../api/device-state/keys.js';
import type { LogStream } from '../../api/device-state/logs.js';
import type { Store } from '../../api/store/store.js';
import type { Engine, PublishedPort } from '../engine/engine.js';
import type { EngineCache } from '../engine/engine-cache.js';
import type { EngineTraits } from '../engine/engine-traits.js';
import type { PortProxy } from '../engine/local/port-proxy.js';
import type { DeviceFacts } from '../host/facts/facts.js';
import type { Handovers } from '../host/locks/handovers.js';
import type { UpdateLocks } from '../host/locks/update-locks.js';
import type { ContainerProcesses } from '../host/processes/container-processes.js';
import type { Ages } from '../runtime/ages.js';
import type { StopLedger } from './commands/stop-ledger.js';
import type { HeldPorts } from './container/held-ports.js';
import type { LifecycleLog } from './health/lifecycle-log.js';
import type { Timetables } from './jobs/timetables.js';
import type { CloudAccess } from './spec/features.js';
import type { FailedAttempts } from './steps/failed-attempts.js';
import type { Terminations } from './terminations.js';
import type { Refusals } from './update/refusals.js';

export interface ServiceDeps {
  readonly store: Store;
  readonly cache: EngineCache;
  readonly engine: Engine;
  readonly locks: UpdateLocks;
  readonly handovers: Handovers;
  readonly processes: ContainerProcesses;
  readonly keys: Keys;
  readonly logs: LogStream;
  readonly facts: DeviceFacts;
  readonly traits?: () => EngineTraits;
  /** Address at which containers reach our API unless the network `supervisor0` has another. */
  readonly apiAddress: () => { readonly host: string; readonly port: number };
  /** URL and key with which containers reach the cloud; undefined on a device without one. */
  readonly cloud?: () => CloudAccess | undefined;
  /** What was stopped through the API; a ledger of its own when absent. */
  readonly stopLedger?: StopLedger | undefined;
  /** Requests a restart of the engine's process, with the reason. Returns false when the process is not ours. */
  readonly restartEngine?: (why: string) => boolean;
  /** Returns the process of an engine of our own that listens at a port of the host; undefined when none does. */
  readonly portProxy?: ((at: Pick<PublishedPort, 'address' | 'port'>) => PortProxy | undefined) | undefined;
  /** Describes the process that listens at a port of the host, as in `nc (pid 77, uid 0)`; undefined when this machine does not tell. */
  readonly portHolder?: ((at: Pick<PublishedPort, 'address' | 'port'>) => string | undefined) | undefined;
  /** No run of a job begins, whatever is due or asked for: a rehearsal shows what a document does, not what comes with time. */
  readonly holdsRuns?: boolean;
  readonly log: Logger;
  /** Time of day, ms since the epoch; somebody may set it. */
  readonly now: () => number;
  /** ms since some moment of this process; never goes back. */
  readonly monotonic: () => number;
}

/** State that the controller keeps in memory. A crash loses nothing but waiting times, and stops. */
export interface Memory {
  readonly terminations: Terminations;
  readonly stopLedger: StopLedger;
  readonly lifecycle: LifecycleLog;
  readonly heldPorts: HeldPorts;
  readonly refusals: Refusals;
  readonly failures: FailedAttempts;
  readonly timetables: Timetables;
  /** Ages of containers while a service has two, and of runs. */
  readonly ages: Ages;
}

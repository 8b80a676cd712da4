import type { Logger } from 'pino';
import type { Keys } from '../../api/device-state/keys.js';
import type { LogStream } from '../../api/device-state/logs.js';
import type { Store } from '../../api/store/store.js';
import type { Engine } from '../engine/engine.js';
import type { EngineCache } from '../engine/engine-cache.js';
import type { EngineTraits } from '../engine/engine-traits.js';
import type { DeviceFacts } from '../host/facts/facts.js';
import type { Handovers } from '../host/locks/handovers.js';
import type { UpdateLocks } from '../host/locks/update-locks.js';
import type { ContainerProcesses } from '../host/processes/container-processes.js';
import type { Ages } from '../runtime/ages.js';
import type { StopLedger } from './commands/stop-ledger.js';
import type { HeldPorts } from './container/held-ports.js';
import type { LifecycleLog } from './health/lifecycle-log.js';
import type { CloudAccess } from './spec/features.js';
import type { Terminations } from './terminations.js';

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
  /** Where containers reach our API while `supervisor0` does not say otherwise. */
  readonly apiAddress: () => { readonly host: string; readonly port: number };
  /** Where containers reach the cloud, on a device that has one. */
  readonly cloud?: () => CloudAccess | undefined;
  /** Asks for another start of the engine's process, with why; false where that is not ours to start. */
  readonly restartEngine?: (why: string) => boolean;
  readonly log: Logger;
  /** ms since the epoch; somebody may set it. */
  readonly now: () => number;
  /** ms since some moment of this process; only goes on. */
  readonly monotonic: () => number;
}

/** What the controller remembers while the process lives; a crash loses nothing but the waiting, and the stops. */
export interface Memory {
  readonly terminations: Terminations;
  readonly stops: StopLedger;
  readonly lifecycle: LifecycleLog;
  readonly heldPorts: HeldPorts;
  /** Of containers, while there are two. */
  readonly ages: Ages;
}

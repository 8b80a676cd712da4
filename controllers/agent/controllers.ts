import type { Logger } from 'pino';
import type { Keys } from '../../api/device-state/keys.js';
import type { LogStream } from '../../api/device-state/logs.js';
import type { Store } from '../../api/store/store.js';
import type { Kind } from '../../crds/model/kinds.js';
import { appController } from '../app/controller.js';
import type { Engine } from '../engine/engine.js';
import type { EngineCache, Pulls } from '../engine/engine-cache.js';
import type { EngineTraits } from '../engine/engine-traits.js';
import type { Archives } from '../engine/images/archives.js';
import { gitSourceController } from '../git-source/controller.js';
import type { GitSourceDeps } from '../git-source/observe.js';
import type { Capability } from '../host/facts/capabilities.js';
import type { DeviceFacts } from '../host/facts/facts.js';
import type { Handovers } from '../host/locks/handovers.js';
import type { UpdateLocks } from '../host/locks/update-locks.js';
import type { ContainerProcesses } from '../host/processes/container-processes.js';
import { type HostConfigDeps, hostConfigController, type WatchHostFiles } from '../host-config/controller.js';
import { imageController } from '../image/controller.js';
import { networkController } from '../network/controller.js';
import type { ApiReach } from '../network/observe.js';
import { revisionController } from '../revision/controller.js';
import type { Controller } from '../runtime/controller.js';
import type { StopLedger } from '../service/commands/stop-ledger.js';
import { serviceController } from '../service/controller.js';
import type { ServiceDeps } from '../service/deps.js';
import { volumeController } from '../volume/controller.js';

/** Everything that controllers are created with. Each takes what it needs, and declares that as its own `Deps`. */
export interface ControllerContext {
  readonly store: Store;
  readonly engine: Engine;
  /** Cache of what the engine has. */
  readonly cache: EngineCache;
  readonly pulls: Pulls;
  readonly archives?: Pick<Archives, 'holds'> | undefined;
  readonly traits: () => EngineTraits;
  readonly locks: UpdateLocks;
  readonly handovers: Handovers;
  readonly processes: ContainerProcesses;
  /** What was stopped through the API. */
  readonly stopLedger?: StopLedger | undefined;
  /** Requests a restart of the engine's process, with the reason. Returns false when the process is not ours. */
  readonly restartEngine?: (why: string) => boolean;
  /** Returns the process of an engine of our own that listens at a port of the host. */
  readonly portProxy?: ServiceDeps['portProxy'];
  /** Describes the process that listens at a port of the host. */
  readonly portHolder?: ServiceDeps['portHolder'];
  readonly keys: Keys;
  readonly logs: LogStream;
  readonly facts: DeviceFacts;
  readonly offers: readonly Capability[];
  /** Path under which the host's root is mounted for the agent. */
  readonly hostRoot: string;
  readonly apiAddress: () => { readonly host: string; readonly port: number };
  readonly apiReach?: ApiReach | undefined;
  /** How long images are kept after the release that wanted them, ms. */
  readonly imageGraceMs: number;
  /** How long every service has to be well before a release is good, s; 10 when absent. */
  readonly minReadySeconds?: number;
  /** Identifies the present boot of the device. */
  readonly bootId: string;
  /** Lists containers of anybody, where `engine` knows only ours. */
  readonly foreign?: Pick<Engine, 'listLabelled' | 'listNamed'>;
  /** Tells whether an App's content is promoted whatever it waits for; none is when absent. */
  readonly goesAhead?: (app: string) => boolean;
  readonly hostConfig: HostConfigDeps;
  readonly watchHostFiles: WatchHostFiles;
  readonly gitSource: GitSourceDeps;
  /** The time of day, ms since the epoch. */
  readonly now: () => number;
  /** Time of a clock that is never set, ms. */
  readonly monotonic: () => number;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  readonly log: Logger;
}

/** The controller of every kind, one line each; a new kind does not compile without its line. */
export const CONTROLLERS = {
  App: appController,
  Image: imageController,
  Network: networkController,
  Volume: volumeController,
  Service: serviceController,
  HostConfig: ({ hostConfig, watchHostFiles }: ControllerContext) => hostConfigController(hostConfig, watchHostFiles),
  Revision: revisionController,
  GitSource: ({ gitSource }: ControllerContext) => gitSourceController(gitSource),
} satisfies Readonly<Record<Kind, (context: ControllerContext) => Controller>>;

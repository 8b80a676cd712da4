import type { Refusal } from '../../crds/model/requests.js';
import type { UpdateStrategy } from '../../crds/model/update-strategy.js';
import type { SeenContainer, UpdateOptions } from '../engine/engine.js';
import type { Plan } from '../runtime/outcome.js';
import type { Progress, StepResult } from '../runtime/reconciler.js';
import type { ActiveCommands } from './commands/commands.js';
import type { Tuning } from './container/drift.js';
import type { Joined, Lost, Shared } from './dependencies/namespaces.js';
import type { UpdateStep } from './update/record.js';
import type { UpdatePolicy } from './update/update-policy.js';

export type ServiceStep =
  /**
   * Stops the container, removes it, or both: started now, seen later. `locked`: only under the app's update lock.
   * `endpointOn`: a network on which the engine has kept an endpoint of that name, which goes too.
   */
  | {
      readonly do: 'terminate';
      readonly container: SeenContainer;
      readonly stop: boolean;
      readonly remove: boolean;
      readonly locked: boolean;
      readonly endpointOn?: string;
      readonly because: string;
      /** It makes room for another definition or image by this strategy, or has been succeeded. */
      readonly update?: UpdateTermination;
    }
  | { readonly do: 'rename'; readonly container: SeenContainer; readonly to: string; readonly because: string }
  | { readonly do: 'connect'; readonly container: SeenContainer; readonly network: string; readonly because: string }
  /** Connects it anew, under the names by which others find it. */
  | {
      readonly do: 'publishAliases';
      readonly container: SeenContainer;
      readonly network: string;
      readonly because: string;
      /** What told that it can take over. */
      readonly seen?: UpdateStep;
    }
  /** Gives limits and restart policy back while it runs. */
  | {
      readonly do: 'update';
      readonly container: SeenContainer;
      readonly change: UpdateOptions;
      readonly because: string;
    }
  | { readonly do: 'unpause'; readonly container: SeenContainer; readonly because: string }
  /** With all of its networks; and started, unless the document does not want it to run. */
  | {
      readonly do: 'create';
      readonly name: string;
      readonly start: boolean;
      readonly because: string;
      /** While another one of the service still runs; by `rolling` without the names by which others find it. */
      readonly surge?: SurgeStrategy;
    }
  | { readonly do: 'start'; readonly container: SeenContainer; readonly because: string }
  /** Stops it and starts it again: begun now, seen later. */
  | { readonly do: 'restart'; readonly container: SeenContainer; readonly because: string }
  /** Claims the update lock for the steps after it: there is no App that would. */
  | { readonly do: 'claim'; readonly because: string }
  /** Ends the pass with how a step in the background has failed. */
  | { readonly do: 'fail'; readonly because: string };

export type ServicePlan = Plan<ServiceStep>;

/** Commands that are not carried out. */
export interface Rejection {
  /** Ids, by the names under which the status acknowledges them. */
  readonly ids: Readonly<Record<string, string>>;
  readonly refusal: Refusal;
}

export interface ServiceResult extends StepResult {
  /** Ids of commands that were begun or done, by the names under which the status acknowledges them. */
  readonly acknowledged: Readonly<Record<string, string>>;
  readonly rejected: Rejection;
  /** How far the update under way has come. */
  readonly reached: UpdateStep;
  /** Which runs of other containers it lives in. */
  readonly joined: readonly Joined[];
}

/** How far a pass over a service has come when its status is written. */
export type ServiceProgress = Progress<ServicePlan, ServiceResult>;

export type SurgeStrategy = Extract<UpdateStrategy, 'hand-over' | 'rolling'>;
export type UpdateTermination =
  | { readonly is: 'first'; readonly strategy: UpdateStrategy }
  /** `seen`: what told that its successor has taken over. */
  | { readonly is: 'succeeded'; readonly strategy: SurgeStrategy; readonly seen: UpdateStep };

/** `removed`: it does not come back. */
export type Termination = 'stopped' | 'removed' | 'restarted';

/** A network or volume that the container needs, by its name on the engine. */
export interface ResourceDependency {
  readonly name: string;
  /** Why it cannot be used now; undefined when it can. */
  readonly notReady: string | undefined;
}
export interface NetworkDependency extends ResourceDependency {
  readonly id: string | undefined;
  /** Names by which others on it find the service. */
  readonly aliases: readonly string[];
}

/** The container that the document asks for, with what it depends on as that is now. */
export interface DesiredContainer {
  readonly containerName: string;
  /** Image reference in the document. */
  readonly reference: string;
  /** Undefined while it is not local. */
  readonly image: { readonly id: string; readonly specHash: string } | undefined;
  readonly running: boolean;
  readonly tuning: Tuning;
  readonly networks: readonly NetworkDependency[];
  readonly volumes: readonly ResourceDependency[];
  /** Siblings whose namespaces are shared, and their containers. */
  readonly shares: readonly Shared[];
  /** What the service still waits for, as in `db to be healthy`. */
  readonly unsatisfied: readonly string[];
  readonly updatePolicy: UpdatePolicy;
  /** The present boot, for a service that is only started with the next one after it was made. */
  readonly boot?: string | undefined;
  /** Images of the release are still missing, so that nothing of it starts by a strategy that kills first. */
  readonly staging: boolean;
}

/** A service as its plan needs it: what is asked for, what exists of it and of what it depends on. */
export interface ServiceState {
  /** Undefined: the document is deleted. */
  readonly desired: DesiredContainer | undefined;
  /** Newest first. */
  readonly containers: readonly SeenContainer[];
  /** Ids of containers that are being stopped, removed or started again. */
  readonly terminating: ReadonlyMap<string, Termination>;
  /** Containers in whose namespaces the newest one lives, and which have been started again since. */
  readonly lost: readonly Lost[];
  /** Networks on the engine that have to become empty, and why. */
  readonly closing: ReadonlyMap<string, 'recreated' | 'removed'>;
  readonly lockHeld: boolean;
  readonly commands: ActiveCommands;
  /** Services that depend on this one, are deleted as well and have not gone yet. */
  readonly dependents: readonly string[];
  readonly overlap: Overlap;
}

/** What is known of two containers of one service that run at once. */
export interface Overlap {
  /** The new one has said that it has taken over. */
  readonly signalled: boolean;
  /** ms since the new one was first started; undefined when that is not known. */
  readonly waitedMs: number | undefined;
  /** ms for which the new one has been running without a break. */
  readonly ranMs: number | undefined;
}

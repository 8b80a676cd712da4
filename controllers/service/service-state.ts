import type { JobRun } from '../../crds/model/jobs.js';
import type { Refusal } from '../../crds/model/requests.js';
import type { RestartBudget } from '../../crds/model/restart-budget.js';
import type { UpdateStrategy } from '../../crds/model/update-strategy.js';
import type { SeenContainer, UpdateOptions } from '../engine/engine.js';
import type { Plan } from '../runtime/outcome.js';
import type { Progress, StepResult } from '../runtime/reconciler.js';
import type { AdoptionFacts, AdoptionRecord } from './adoption/adoption-facts.js';
import type { ActiveCommands } from './commands/commands.js';
import type { Tuning } from './container/drift.js';
import type { Joined, Lost, Shared } from './dependencies/namespaces.js';
import type { Span } from './jobs/due.js';
import type { JobState } from './jobs/observe.js';
import type { Run } from './jobs/runs.js';
import type { UpdateStep } from './update/record.js';
import type { ReplacedRecord } from './update/replaced.js';
import type { UpdatePolicy } from './update/update-policy.js';

export type ServiceStep =
  /**
   * Stops the container, removes it, or both; starts now and ends in the background. `locked`: only under the app's
   * update lock. `endpointOn`: a network on which the engine has kept an endpoint of that name, which is removed as
   * well.
   */
  | {
      readonly do: 'terminate';
      readonly container: SeenContainer;
      readonly stop: boolean;
      readonly remove: boolean;
      readonly locked: boolean;
      readonly endpointOn?: string;
      readonly because: string;
      /** The update that this termination belongs to. */
      readonly update?: UpdateTermination;
      /** Image id of the container that was created to replace this one; its installation is logged after the removal. */
      readonly installed?: string;
      /** The container was created to replace another one and was never shown, or is a run that was over before; nothing is logged. */
      readonly withdrawn?: true;
      /** Id of the run of a job that ends with it. */
      readonly endsRun?: string;
    }
  | { readonly do: 'rename'; readonly container: SeenContainer; readonly to: string; readonly because: string }
  | { readonly do: 'connect'; readonly container: SeenContainer; readonly network: string; readonly because: string }
  /** Reconnects the container to a network with the aliases by which others find it. */
  | {
      readonly do: 'publishAliases';
      readonly container: SeenContainer;
      readonly network: string;
      readonly because: string;
      /** The event by which the container has taken over. */
      readonly seen?: UpdateStep;
    }
  /** Resets limits and restart policy of a running container. */
  | {
      readonly do: 'update';
      readonly container: SeenContainer;
      readonly change: UpdateOptions;
      readonly because: string;
    }
  | { readonly do: 'unpause'; readonly container: SeenContainer; readonly because: string }
  /** Creates a container with all of its networks, and starts it unless the document says otherwise. */
  | {
      readonly do: 'create';
      readonly name: string;
      readonly start: boolean;
      readonly because: string;
      /** Set while another container of the service still runs; with `rolling` the new one has no aliases at first. */
      readonly surge?: SurgeStrategy;
      /** The container that it replaces is stopped afterwards, so that what the engine refuses stops nothing. Not shown or logged until then. */
      readonly ahead?: true;
      readonly run?: RunBegin;
    }
  /** Starts the container, and renames it to `name` before that. */
  | {
      readonly do: 'start';
      readonly container: SeenContainer;
      readonly name?: string;
      readonly because: string;
      readonly run?: RunBegin;
    }
  /** Restarts the container; starts now and ends in the background. */
  | {
      readonly do: 'restart';
      readonly container: SeenContainer;
      readonly because: string;
      /** It counts against the budget of restarts of an unhealthy container. */
      readonly unhealthy?: true;
    }
  /**
   * Stops containers that are not ours, in the background, so that nothing starts them again, and notes how they were. The one
   * that has the name `name` gets another one.
   */
  | {
      readonly do: 'letGo';
      readonly containers: readonly SeenContainer[];
      readonly adoption: AdoptionFacts;
      readonly name: string;
      readonly because: string;
    }
  /** Removes those, but not their volumes: they are taken over. */
  | {
      readonly do: 'removeTheirs';
      readonly containers: readonly SeenContainer[];
      readonly adoption: AdoptionFacts;
      readonly because: string;
    }
  /** Decides that they come back. */
  | { readonly do: 'goBack'; readonly adoption: AdoptionFacts; readonly message: string; readonly because: string }
  /** Makes them as they were. */
  | { readonly do: 'giveBack'; readonly adoption: AdoptionFacts; readonly because: string }
  /** Claims the update lock for the steps after it, where there is no App that would. */
  | { readonly do: 'claim'; readonly because: string }
  /** Ends the pass with the error of a background step. */
  | { readonly do: 'fail'; readonly because: string }
  | JobStep;

/** Steps of a job that touch nothing on the engine. */
export type JobStep =
  /** Notes how a run has ended, and what it printed last if it failed. */
  | { readonly do: 'note'; readonly run: Run; readonly because: string }
  /** Notes that a run has ended whose container has gone. */
  | { readonly do: 'lose'; readonly run: JobRun; readonly because: string }
  /** Notes which times of the schedule are dealt with. `isMissed`: what `because` says becomes an event. */
  | {
      readonly do: 'follow';
      readonly followed: readonly Span[];
      readonly missed?: number;
      readonly isMissed?: true;
      /** Nothing of it was followed before. */
      readonly isNew?: true;
      readonly because: string;
    }
  /** Counts a run as missed whose time was followed before. */
  | { readonly do: 'miss'; readonly count: number; readonly because: string }
  /** Does not begin the run that somebody asks for. */
  | { readonly do: 'decline'; readonly because: string };

/** The run of a job that begins with a step. */
export interface RunBegin {
  readonly id: string;
  /** When it was due, ms since the epoch; undefined for one that somebody asks for. */
  readonly scheduledMs: number | undefined;
  /** What is followed of the schedule once it has begun, and how many times had passed before it. */
  readonly followed?: readonly Span[];
  readonly missed?: number;
}

/** What a step has come to of a job, for its status. */
export interface JobResult {
  readonly followed?: readonly Span[];
  /** How many more runs were missed. */
  readonly missed?: number;
  /** A run that has begun, has ended or could not begin. */
  readonly run?: JobRun;
}

export type ServicePlan = Plan<ServiceStep>;

/** Commands that are not carried out, and why. */
export interface Rejection {
  /** Ids, by the names under which the status acknowledges them. */
  readonly ids: Readonly<Record<string, string>>;
  readonly refusal: Refusal;
}

export interface ServiceResult extends StepResult {
  /** When the container was created that replaces another one, ms since the epoch. */
  readonly createdAheadAt: number;
  /** Why the container that was created is there instead of another one. */
  readonly replaced: ReplacedRecord;
  /** Ids of commands that were started or done, by the names under which the status acknowledges them. */
  readonly acknowledged: Readonly<Record<string, string>>;
  readonly rejected: Rejection;
  /** The latest step of the update under way. */
  readonly reached: UpdateStep;
  /** Provider runs that the container has joined. */
  readonly joined: readonly Joined[];
  /** How far it is with containers that are not ours. */
  readonly adoption: AdoptionRecord;
  readonly job: JobResult;
}

/** The stage of a pass at which a status is written. */
export type ServiceProgress = Progress<ServicePlan, ServiceResult>;

export type SurgeStrategy = Extract<UpdateStrategy, 'hand-over' | 'rolling'>;
export type UpdateTermination =
  | { readonly is: 'first'; readonly strategy: UpdateStrategy }
  /** `seen`: the event by which its successor has taken over. */
  | { readonly is: 'succeeded'; readonly strategy: SurgeStrategy; readonly seen: UpdateStep };

/** `removed`: the container does not come back. `withdrawn`: the same for one that was to replace another container. */
export type Termination = 'stopped' | 'removed' | 'restarted' | 'withdrawn';

/** A network or volume that the container needs, by its name on the engine. */
export interface ResourceDependency {
  readonly name: string;
  /** Why it cannot be used now; undefined when it can. */
  readonly notReady: string | undefined;
}
export interface NetworkDependency extends ResourceDependency {
  readonly id: string | undefined;
  /** It cannot be created while another network has its addresses. */
  readonly lacksSubnet?: boolean;
  /** It exists and is to stay, and nothing is known against it, but its controller is not done with it. */
  readonly isUnsettled?: boolean;
  /** It exists, but its controller has not looked at the present document yet, which may ask for another one. */
  readonly isUnseen?: boolean;
  /** Names by which other containers on it find the service. */
  readonly aliases: readonly string[];
}

/** The container that the document asks for, with the present state of its dependencies. */
export interface DesiredContainer {
  readonly containerName: string;
  /** A container of ours that belongs to another service has that name; it may want this one's in turn. */
  readonly isNameTaken?: boolean;
  /** Image reference as the document has it. */
  readonly reference: string;
  /** Undefined while the image is not local. */
  readonly image: { readonly id: string; readonly specHash: string } | undefined;
  /** Differs with the contents of files that it mounts; undefined: nobody looks after any. */
  readonly contents?: string | undefined;
  readonly running: boolean;
  readonly tuning: Tuning;
  readonly networks: readonly NetworkDependency[];
  readonly volumes: readonly ResourceDependency[];
  /** Siblings whose namespaces are shared, and their containers. */
  readonly shares: readonly Shared[];
  /** Dependencies that the service still waits for, as in `db to be healthy`. */
  readonly unsatisfied: readonly string[];
  readonly updatePolicy: UpdatePolicy;
  /** How often it is restarted when it is unhealthy; undefined: never. */
  readonly restartUnhealthy?: RestartBudget | undefined;
  /** Id of the present boot, for a service that is only started with the next boot after its container was created. */
  readonly boot?: string | undefined;
  /** Images of the release are still missing: services with a kill-first strategy do not start yet. */
  readonly staging: boolean;
}

/** The input of the plan: the desired container, the existing ones, and the state of their dependencies. */
export interface ServiceState {
  /** Undefined when the document is deleted. */
  readonly desired: DesiredContainer | undefined;
  /** Newest first. */
  readonly containers: readonly SeenContainer[];
  /** Ids of containers that are being stopped, removed or started again. */
  readonly terminating: ReadonlyMap<string, Termination>;
  /** Providers of the newest container that were started again since it joined them. */
  readonly lost: readonly Lost[];
  /** Networks on the engine that containers have to leave, and why. */
  readonly closing: ReadonlyMap<string, 'recreated' | 'removed'>;
  readonly lockHeld: boolean;
  readonly commands: ActiveCommands;
  /** Services that depend on this one, are deleted as well and have not gone yet. */
  readonly dependents: readonly string[];
  readonly overlap: Overlap;
  /** How often the newest container may still be restarted now because it is unhealthy; undefined: never. */
  readonly restartsLeft?: number | undefined;
  /** Undefined for a service without a schedule. */
  readonly job?: JobState | undefined;
  /** Error with which the container that is wanted now could not be created beside the old one; a `TerminalError` is not retried. */
  readonly refusal: Error | undefined;
}

/** State of an update during which two containers of one service run. */
export interface Overlap {
  /** The new container has signalled that it has taken over. */
  readonly signalled: boolean;
  /** ms since the new container was first started; undefined when unknown. */
  readonly waitedMs: number | undefined;
  /** ms for which the new container has been running without a break. */
  readonly ranMs: number | undefined;
}

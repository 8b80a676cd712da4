import { isActive } from '../../crds/model/active.js';
import type { App, Service } from '../../crds/model/kinds.js';
import type { SeenContainer } from '../engine/engine.js';
import type { Ages } from '../runtime/ages.js';
import type { AdoptionFacts } from './adoption/adoption-facts.js';
import { observeAdoption } from './adoption/observe-adoption.js';
import { activeCommandsOf, type PendingCommands, pendingCommandsOf } from './commands/commands.js';
import type { ContainerSpec } from './container/container-options.js';
import { shownOf } from './container/prepared.js';
import { lostProviders, providersOf } from './dependencies/namespaces.js';
import { closingNetworks } from './dependencies/networks-and-volumes.js';
import { containersOf, dependentsOf } from './dependencies/siblings.js';
import type { Memory, ServiceDeps } from './deps.js';
import { resolveService } from './desired-container.js';
import { restartsLeft } from './health/unhealthy-restarts.js';
import { observeJob } from './jobs/observe.js';
import type { Overlap, ServiceState } from './service-state.js';
import { type Identity, identityOf } from './spec/identity.js';
import { isOpen, timeOf } from './update/record.js';

/** Everything that a pass knows about one service. */
export interface ServiceObservation {
  readonly appId: number;
  readonly serviceName: string;
  /** Commands that are not acknowledged yet. */
  readonly pendingCommands: PendingCommands;
  /** True when its App, which claims the lock, exists. */
  readonly hasApp: boolean;
  /** Undefined when the App does not exist or there is a failure. */
  readonly state: ServiceState | undefined;
  /**
   * Builds the create options; throws while a sibling whose namespace is shared has no container. Undefined while there
   * is no image, and for a deleted document.
   */
  readonly containerSpec: (() => ContainerSpec) | undefined;
  /** Identifies everything that a new container would be created from. */
  readonly attempt: string;
  /** Containers that are not ours and that it takes over; undefined when there is nothing of that kind. */
  readonly adoption?: AdoptionFacts | undefined;
  /** Error of a background step that was not reported yet. */
  readonly failure: Error | undefined;
  /** Why the document cannot be resolved; an `InvalidSpecError` for values that cannot be understood. */
  readonly error?: unknown;
}

/** Observes one service. Errors are returned, not thrown, so that a status can still be written. */
export async function observeService(deps: ServiceDeps, memory: Memory, service: Service): Promise<ServiceObservation> {
  const app = deps.store.get('App', service.spec.app);
  const identity = identityOf(service, app);
  const containers = containersOf(deps, service);
  const failure = memory.terminations.failureOf(service.metadata.name);
  const base = {
    appId: identity?.appId ?? containers[0]?.appId ?? 0,
    serviceName: service.spec.serviceName,
    pendingCommands: pendingCommandsOf(service, app),
    hasApp: app !== undefined,
    failure,
    state: undefined,
    containerSpec: undefined,
    attempt: '',
  };
  if (failure || (!identity && isActive(service))) return base;
  let adoption: AdoptionFacts | undefined;
  try {
    const { ages, terminations } = memory;
    adoption = await observeAdoption(deps, ages, terminations.terminating, service, app, containers[0]);
    // Whatever the document says: ours goes.
    const wanted = adoption?.is === 'goingBack' ? undefined : identity;
    return {
      ...base,
      adoption,
      ...(await stateOf(deps, memory, service, { app, identity: wanted, containers, appId: base.appId })),
    };
  } catch (error) {
    return { ...base, adoption, error };
  }
}

async function stateOf(
  deps: ServiceDeps,
  { terminations, stopLedger, ages, refusals, timetables }: Memory,
  service: Service,
  {
    app,
    identity,
    containers,
    appId,
  }: {
    readonly app: App | undefined;
    readonly identity: Identity | undefined;
    readonly containers: readonly SeenContainer[];
    readonly appId: number;
  },
): Promise<Pick<ServiceObservation, 'state' | 'containerSpec' | 'attempt'>> {
  const isDeleted = !isActive(service);
  const job = observeJob(deps, { ages, timetables }, service, containers);
  const [newest] = shownOf(containers);
  const providers = newest ? providersOf(newest, deps.cache.containers()) : [];
  const { desired, containerSpec } = identity && !isDeleted ? await resolveService(deps, service, identity) : {};
  const commands = activeCommandsOf(service, app, stopLedger, desired?.image?.specHash, desired?.running ?? false);
  const attempt = [
    service.metadata.generation,
    desired?.image?.specHash,
    ...(desired?.shares.map(({ container }) => container?.id) ?? []),
    ...(desired?.networks.map(({ id }) => id) ?? []),
    ...commands.recreate.map(({ id }) => id),
  ].join(' ');
  return {
    attempt,
    state: {
      desired,
      containers,
      terminating: terminations.terminating,
      lost: newest ? lostProviders(newest, providers, service.status?.joined, deps.now()) : [],
      closing: closingNetworks(deps),
      lockHeld: deps.locks.isHeld(appId),
      commands,
      dependents: isDeleted ? dependentsOf(deps, service) : [],
      overlap: await overlapOf(deps, ages, service, appId, job ? [] : containers),
      job,
      restartsLeft:
        newest && desired?.restartUnhealthy
          ? restartsLeft(desired.restartUnhealthy, service.status?.unhealthyRestarts, newest, ages)
          : undefined,
      refusal: refusals.of(service.metadata.name, attempt),
    },
    containerSpec,
  };
}

/**
 * Returns how far the newer of two containers has come. Uses our own times where the status has them: a remote engine
 * may have another clock.
 */
async function overlapOf(
  { handovers }: ServiceDeps,
  ages: Ages,
  { status, spec }: Service,
  appId: number,
  [newer, older]: readonly SeenContainer[],
): Promise<Overlap> {
  if (!newer || !older) return { signalled: false, waitedMs: undefined, ranMs: undefined };
  const noted = isOpen(status?.update) ? timeOf(status.update, 'Started') : undefined;
  const notedMs = noted === undefined ? undefined : ages.since(`noted/${newer.id}`, noted);
  const ranMs =
    newer.startedAt === undefined ? undefined : ages.since(`started/${newer.id}`, Date.parse(newer.startedAt));
  return {
    signalled: await handovers.isComplete(appId, spec.serviceName),
    waitedMs: notedMs ?? ages.since(`created/${newer.id}`, Date.parse(newer.createdAt)),
    ranMs: ranMs === undefined || notedMs === undefined ? (ranMs ?? notedMs) : Math.min(ranMs, notedMs),
  };
}

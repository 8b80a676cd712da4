import type { Service } from '../../crds/model/kinds.js';
import type { SeenContainer } from '../engine/engine.js';
import type { Ages } from '../runtime/ages.js';
import { ordersOf } from './commands/commands.js';
import type { Blueprint } from './container/container-options.js';
import { lostProviders, providersOf } from './dependencies/namespaces.js';
import { closingNetworks } from './dependencies/networks-and-volumes.js';
import { containersOf, dependentsOf } from './dependencies/siblings.js';
import type { Memory, ServiceDeps } from './deps.js';
import { resolve } from './desired-container.js';
import type { Overlap, Situation } from './service-state.js';
import { identityOf } from './spec/identity.js';
import { isOpen, timeOf } from './update/record.js';

/** One service as a pass sees it. */
export interface Sight {
  readonly situation: Situation;
  readonly appId: number;
  readonly serviceName: string;
  /** Makes the create options; throws without a sibling's container where one is needed. Undefined while there is no image, and for a deleted document. */
  readonly blueprint: (() => Blueprint) | undefined;
}

/**
 * All that a pass needs to know. Undefined: the document needs an App that does not exist. Throws `InvalidSpecError` for
 * what cannot be understood.
 */
export async function observe(
  deps: ServiceDeps,
  { departures, stops, ages }: Memory,
  service: Service,
): Promise<Sight | undefined> {
  const { store, locks } = deps;
  const app = store.get('App', service.spec.app);
  const identity = identityOf(service, app);
  const deleted = service.metadata.deletionTimestamp !== undefined;
  if (!identity && !deleted) return undefined;
  const containers = containersOf(deps, service, identity);
  const appId = identity?.appId ?? containers[0]?.appId ?? 0;
  const [newest] = containers;
  const providers = newest ? providersOf(newest, deps.world.containers()) : [];
  const { wanted, blueprint } = identity && !deleted ? await resolve(deps, service, identity) : {};
  return {
    appId,
    serviceName: service.spec.serviceName,
    situation: {
      wanted,
      containers,
      leaving: departures.leaving,
      lost: newest ? lostProviders(newest, providers, service.status?.joined, deps.now()) : [],
      closing: closingNetworks(deps),
      lockHeld: locks.isHeld(appId),
      orders: ordersOf(service, app, stops, wanted?.image?.specHash, wanted?.running ?? false),
      dependents: deleted ? dependentsOf(deps, service) : [],
      overlap: await overlapOf(deps, ages, service, appId, containers),
    },
    blueprint,
  };
}

/**
 * How far the younger of two containers has come. Times are our own where the status has them: an engine elsewhere may
 * have another clock.
 */
async function overlapOf(
  { handovers }: ServiceDeps,
  ages: Ages,
  { status, spec }: Service,
  appId: number,
  [newer, older]: readonly SeenContainer[],
): Promise<Overlap> {
  if (!newer || !older) return { signalled: false, waitedMs: undefined, steadyMs: undefined };
  const noted = isOpen(status?.update) ? timeOf(status.update, 'Started') : undefined;
  const notedMs = noted === undefined ? undefined : ages.since(`noted/${newer.id}`, noted);
  const ranMs =
    newer.startedAt === undefined ? undefined : ages.since(`started/${newer.id}`, Date.parse(newer.startedAt));
  return {
    signalled: await handovers.isComplete(appId, spec.serviceName),
    waitedMs: notedMs ?? ages.since(`created/${newer.id}`, Date.parse(newer.createdAt)),
    steadyMs: ranMs === undefined || notedMs === undefined ? (ranMs ?? notedMs) : Math.min(ranMs, notedMs),
  };
}

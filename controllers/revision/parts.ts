import type { Store } from '../../api/store/store.js';
import { isActive } from '../../crds/model/active.js';
import { conditionOf, isObserved, isReady, isStalled } from '../../crds/model/conditions.js';
import { canonical } from '../../crds/model/hash.js';
import { type AnyResource, type Image, keyOf, type Service } from '../../crds/model/kinds.js';
import { hasFailed, hasFailedToSucceed, isUnhealthy, lacksOnHost } from '../../crds/model/readiness.js';
import type { Revision } from '../../crds/model/revisions.js';
import type { GatePart } from './gate.js';
import type { WatchTime } from './watch-time.js';

type Child = Image | Service;

/** What services had behind them when they were promoted, by their names in the App. */
interface Before {
  readonly restarts: NonNullable<Revision['status']>['restartsBefore'];
  /** Those that were not well, and have not been since. */
  readonly ill: readonly string[];
}

/** The App's own services, which are what was promoted last, and the images that they run. */
export function childrenOf(store: Pick<Store, 'owned'>, { spec }: Revision): readonly Child[] {
  const owner = keyOf('App', spec.app);
  const running = new Set(store.owned(owner, 'Service').map((one) => one.spec.image));
  return [
    ...store.owned(owner, 'Image').filter((one) => isActive(one) && running.has(one.spec.image)),
    ...store.owned(owner, 'Service'),
  ];
}

/**
 * How the services of what was promoted are, and their images. A network or volume counts by what it keeps from its
 * services: one whose changed definition is refused, so that nothing is lost, is no fault of the release that runs.
 */
export function partsOf(
  { spec }: Pick<Revision, 'spec'>,
  before: Before,
  children: readonly Child[],
  time: WatchTime,
): readonly GatePart[] {
  const parts = children.map(
    (one): GatePart =>
      one.kind === 'Service' ? servicePart(before, one, time) : { name: keyText(one), restarts: 0, ...troubleOf(one) },
  );
  const there = new Set(children.filter(isActive).map(keyText));
  const missing = spec.documents
    .filter(({ kind }) => kind === 'Service')
    .map(({ kind, name }) => `${kind}/${name}`)
    .filter((key) => !there.has(key));
  return [...parts, ...missing.map((name): GatePart => ({ name, restarts: 0, trouble: 'it is missing' }))];
}

const keyText = ({ kind, metadata }: Pick<AnyResource, 'kind' | 'metadata'>): string => `${kind}/${metadata.name}`;

/** What keeps a document from being as it is to be, and whether anything ends that. */
function troubleOf(one: Child): Pick<GatePart, 'fault' | 'trouble'> {
  if (!isActive(one)) return one.kind === 'Image' ? {} : { trouble: 'it is being removed' };
  if (isReady(one)) return {};
  const ready = isObserved(one) ? conditionOf(one, 'Ready') : undefined;
  if (!ready) return { trouble: 'not looked at yet' };
  const { reason, message } = ready;
  return { trouble: `${reason}: ${message}`, ...(isStalled(one) ? { fault: { reason, message } } : {}) };
}

function servicePart(before: Before, service: Service, time: WatchTime): GatePart {
  const { metadata, spec, status } = service;
  const { serviceName: name } = spec;
  if (before.ill.includes(name)) return { name, restarts: 0, isExcused: true };
  const found = troubleOf(service);
  const said = isObserved(service) ? conditionOf(service, 'Ready') : undefined;
  const condemns =
    said?.status === 'False' &&
    (isUnhealthy(service) || hasFailed(service) || hasFailedToSucceed(service) || lacksOnHost(service));
  const fault = found.fault ?? (condemns ? { reason: said.reason, message: said.message } : undefined);
  const isStarting = found.trouble === undefined && status?.state === 'running' && status.health === 'starting';
  const trouble = found.trouble ?? (isStarting ? 'its healthcheck has not said anything yet' : undefined);
  const { runningSince } = status ?? {};
  const ranMs = runningSince === undefined ? undefined : time.since(`ran/${metadata.uid}`, runningSince);
  return {
    name,
    restarts: restartsOf(before, service),
    ...(trouble === undefined ? {} : { trouble }),
    ...(fault === undefined ? {} : { fault }),
    ...(ranMs === undefined ? {} : { ranMs }),
    ...(spec.restart === 'no' && status?.state === 'running' ? { isToEnd: true } : {}),
  };
}

/** Restarts since the promotion: those of a container that was there before it are taken off. Pure. */
function restartsOf({ restarts: known }: Before, { metadata, spec, status }: Service): number {
  if (!isObserved({ metadata, status })) return 0;
  const before = known?.[spec.serviceName];
  const restarts = status?.restarts ?? 0;
  return before && before.container === status?.container?.id ? Math.max(0, restarts - before.restarts) : restarts;
}

/**
 * Services that were not well before the promotion and are in it as in the last good revision: going back would not mend
 * them. Pure.
 */
export function illBefore(
  { spec }: Revision,
  children: readonly Child[],
  good: Revision | undefined,
): readonly string[] {
  const promotedMs = Date.parse(spec.promotedAt);
  return children.flatMap((one) => {
    if (one.kind !== 'Service') return [];
    const ready = conditionOf(one, 'Ready');
    const wasIll = ready?.status === 'False' && Date.parse(ready.lastTransitionTime) < promotedMs;
    const name = one.metadata.name;
    return wasIll && good && isSameService(name, spec, good.spec) ? [one.spec.serviceName] : [];
  });
}

/** Of those services, the ones that have not been well since. Pure. */
export const stillIll = (names: readonly string[], children: readonly Child[]): readonly string[] =>
  names.filter((name) =>
    children.some((one) => one.kind === 'Service' && one.spec.serviceName === name && !isReady(one)),
  );

/** Whether two revisions have a service alike; every release has a number of its own. */
function isSameService(name: string, ...revisions: readonly Revision['spec'][]): boolean {
  const [one, other] = revisions.map(({ documents }) => {
    const { release: _number, ...spec } =
      documents.find((found) => found.kind === 'Service' && found.name === name)?.spec ?? {};
    return canonical(spec);
  });
  return one === other;
}

/** What containers had behind them when a promotion is first looked at. Pure. */
export function restartsBefore(children: readonly Child[]): Before['restarts'] {
  const found = children.flatMap((one) => {
    if (one.kind !== 'Service' || !one.status?.container || !one.status.restarts) return [];
    return [[one.spec.serviceName, { container: one.status.container.id, restarts: one.status.restarts }] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

import type { Store } from '../../api/store/store.js';
import { isActive } from '../../crds/model/active.js';
import { conditionOf, isObserved, isReady, isStalled } from '../../crds/model/conditions.js';
import { isJob } from '../../crds/model/jobs.js';
import { type AnyResource, type Image, keyOf, type Service } from '../../crds/model/kinds.js';
import { hasFailed, hasFailedToSucceed, isUnhealthy, lacksOnHost } from '../../crds/model/readiness.js';
import type { Revision } from '../../crds/model/revisions.js';
import { isToEnd } from '../../crds/model/to-end.js';
import type { GatePart } from './gate.js';
import type { WatchTime } from './watch-time.js';

type Child = Image | Service;

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
 * `ill`: services that were not well before the promotion, and have not been since.
 */
export function partsOf(
  { spec }: Pick<Revision, 'spec'>,
  ill: readonly string[],
  children: readonly Child[],
  time: WatchTime,
): readonly GatePart[] {
  const parts = children.map(
    (one): GatePart =>
      one.kind === 'Service'
        ? servicePart(spec, ill, one, time)
        : { name: keyText(one), restarts: 0, ...notReadyOf(one) },
  );
  const there = new Set(children.filter(isActive).map(keyText));
  const missing = spec.documents
    .filter(({ kind }) => kind === 'Service')
    .map(({ kind, name }) => `${kind}/${name}`)
    .filter((key) => !there.has(key));
  return [...parts, ...missing.map((name): GatePart => ({ name, restarts: 0, notReady: 'it is missing' }))];
}

const keyText = ({ kind, metadata }: Pick<AnyResource, 'kind' | 'metadata'>): string => `${kind}/${metadata.name}`;

/** What keeps a document from being as it is to be, and whether anything ends that. */
function notReadyOf(one: Child): Pick<GatePart, 'fault' | 'notReady'> {
  if (!isActive(one)) return one.kind === 'Image' ? {} : { notReady: 'it is being removed' };
  if (isReady(one)) return {};
  const ready = isObserved(one) ? conditionOf(one, 'Ready') : undefined;
  if (!ready) return { notReady: 'not looked at yet' };
  const { reason, message } = ready;
  return { notReady: `${reason}: ${message}`, ...(isStalled(one) ? { fault: { reason, message } } : {}) };
}

function servicePart(revision: Revision['spec'], ill: readonly string[], service: Service, time: WatchTime): GatePart {
  const { spec, status } = service;
  const { serviceName: name } = spec;
  if (ill.includes(name)) return { name, restarts: 0, isExcused: true };
  const found = waitsToRun(service) ? {} : notReadyOf(service);
  const ready = isObserved(service) ? conditionOf(service, 'Ready') : undefined;
  const condemns =
    ready?.status === 'False' &&
    (isUnhealthy(service) || hasFailed(service) || hasFailedToSucceed(service) || lacksOnHost(service));
  const fault = found.fault ?? (condemns ? { reason: ready.reason, message: ready.message } : undefined);
  const isStarting = found.notReady === undefined && status?.state === 'running' && status.health === 'starting';
  const notReady = found.notReady ?? (isStarting ? 'its healthcheck has not said anything yet' : undefined);
  const ranMs = ranMsOf(service, time);
  return {
    name,
    restarts: restartsOf(revision, service),
    ...(notReady === undefined ? {} : { notReady }),
    ...(fault === undefined ? {} : { fault }),
    ...(ranMs === undefined ? {} : { ranMs }),
    ...(isToEnd(service) ? { isToEnd: true } : {}),
  };
}

/**
 * Tells whether it is a job that is scheduled, and a run of it waits for other services: a release waits for no run, and those are
 * judged themselves.
 */
const waitsToRun = (service: Service): boolean =>
  isJob(service.spec) &&
  isActive(service) &&
  isObserved(service) &&
  conditionOf(service, 'Ready')?.reason === 'DependencyNotReady';

/** For how long its container has run, ms; undefined while it does not. */
function ranMsOf({ metadata, status }: Service, time: WatchTime): number | undefined {
  const { runningSince } = status ?? {};
  return runningSince === undefined ? undefined : time.since(`ran/${metadata.uid}`, runningSince);
}

/** A run of a container as its Service's status has it. */
export interface RecentRun {
  /** Id of the container. */
  readonly container: string;
  readonly startedAt: string;
  readonly restartCount: number;
}

/** The end of a run is known after this time at the latest, ms: an older run goes on. */
const LATEST_NEWS_MS = 10 * 60_000;

/** The runs of services that count which may have ended without our knowing yet. */
export function recentRuns(ill: readonly string[], children: readonly Child[], time: WatchTime): readonly RecentRun[] {
  return children.flatMap((one) => {
    if (one.kind !== 'Service' || ill.includes(one.spec.serviceName)) return [];
    const { container, runningSince } = one.status ?? {};
    if (!container || runningSince === undefined || (ranMsOf(one, time) ?? 0) > LATEST_NEWS_MS) return [];
    return [{ container: container.id, startedAt: runningSince, restartCount: container.restartCount ?? 0 }];
  });
}

/** Restarts since the promotion: those of a container that was there before it are taken off. Pure. */
function restartsOf({ servicesBefore }: Revision['spec'], { metadata, spec, status }: Service): number {
  if (!isObserved({ metadata, status })) return 0;
  const before = servicesBefore?.[spec.serviceName];
  const { restarts = 0, container } = status ?? {};
  if (before?.container === undefined || before.container !== container?.id) return restarts;
  return Math.max(0, restarts - (before.restarts ?? 0));
}

/** Services that were not well before the promotion, and that going back would not mend. Pure. */
export const illBefore = ({ servicesBefore = {} }: Revision['spec']): readonly string[] =>
  Object.entries(servicesBefore).flatMap(([name, { ill }]) => (ill ? [name] : []));

/** Of those services, the ones that have not been well since. Pure. */
export const stillIll = (names: readonly string[], children: readonly Child[]): readonly string[] =>
  names.filter((name) =>
    children.some((one) => one.kind === 'Service' && one.spec.serviceName === name && !isReady(one)),
  );

import { isActive } from '../../../crds/model/active.js';
import { COMPOSE_ONE_OFF, COMPOSE_PROJECT, COMPOSE_SERVICE } from '../../../crds/model/compose.js';
import { isJob } from '../../../crds/model/jobs.js';
import { type App, keyOf, type Service } from '../../../crds/model/kinds.js';
import type { Engine, SeenContainer } from '../../engine/engine.js';
import { SUPERVISED } from '../../engine/labels.js';
import type { Ages } from '../../runtime/ages.js';
import type { ServiceDeps } from '../deps.js';
import { namesWaitedFor } from '../spec/depends-on.js';
import { type AdoptionFacts, isOpen } from './adoption-facts.js';

/** Tells whether its App lets the service take over containers that are not ours, and it has not done so. Pure. */
export function isAdopting({ metadata, spec, status }: Service, app: App | undefined): boolean {
  const adoption = app?.status?.adoption;
  if (!app || !adoption || adoption.phase === 'TakenOver' || !isActive({ metadata })) return false;
  if (metadata.owner !== keyOf('App', app.metadata.name) || isJob(spec)) return false;
  if (adoption.service !== undefined && adoption.service !== spec.serviceName) return false;
  return status?.adoption?.id !== adoption.id || status.adoption.phase !== 'TakenOver';
}

/** Looks at the containers that the service takes over; undefined when there is nothing of that kind. Asks the engine only then. */
export async function observeAdoption(
  deps: Pick<ServiceDeps, 'store' | 'engine'>,
  ages: Ages,
  terminating: ReadonlyMap<string, unknown>,
  service: Service,
  app: App | undefined,
  current: SeenContainer | undefined,
): Promise<AdoptionFacts | undefined> {
  const record = service.status?.adoption;
  const isAsked = isAdopting(service, app);
  if (!isOpen(record) && !isAsked) return undefined;
  const open = isOpen(record) ? record : undefined;
  const listed = isAsked && app ? await listTheirs(deps.engine, service, app) : [];
  const ids = new Set([...(open?.containers ?? []).map(({ id }) => id), ...listed]);
  const found = await Promise.all([...ids].map((id) => deps.engine.inspectContainer(id, never())));
  const theirs = found.filter((one): one is SeenContainer => one !== undefined && one.labels[SUPERVISED] === undefined);
  const adoption = app?.status?.adoption;
  const isBack = record?.id === adoption?.id && record?.phase === 'GivenBack';
  const unbegun = isBack ? 'givenBack' : adoption?.phase === 'Failed' ? 'held' : 'pending';
  const { name } = service.metadata;
  const stoppedAt = Math.max(
    Date.parse(open?.at ?? '') || 0,
    ...theirs.flatMap(({ finishedAt }) => (finishedAt === undefined ? [] : Date.parse(finishedAt))),
  );
  const isRunning = current?.state === 'running' && current.startedAt !== undefined;
  return {
    id: open?.id ?? adoption?.id ?? '',
    is: open ? (open.phase === 'GoingBack' ? 'goingBack' : 'taking') : unbegun,
    message: record?.message,
    theirs,
    record: open,
    waitsFor: isAsked && app ? earlierServices(deps.store.list('Service'), service, app) : [],
    stopping: theirs.filter(({ id }) => terminating.has(id)).map(({ id }) => id),
    downMs: open && stoppedAt > 0 ? ages.since(`let-go/${name}`, stoppedAt) : 0,
    ranMs: isRunning ? ages.since(`taking-over/${current.id}`, Date.parse(current.startedAt ?? '')) : 0,
  };
}

/** The look belongs to the pass, which ends with it. */
const never = (): AbortSignal => new AbortController().signal;

/** Returns the ids of theirs: those that were named, or those of the service in the App's project. */
async function listTheirs(
  engine: Pick<Engine, 'listLabelled' | 'listNamed'>,
  { spec }: Service,
  app: App,
): Promise<readonly string[]> {
  const { containers } = app.status?.adoption ?? {};
  const listed = containers
    ? await engine.listNamed(containers, never())
    : (await engine.listLabelled(`${COMPOSE_PROJECT}=${app.metadata.name}`, never())).filter(
        ({ labels }) => labels[COMPOSE_SERVICE] === spec.serviceName && labels[COMPOSE_ONE_OFF] !== 'True',
      );
  return listed.filter(({ labels }) => labels[SUPERVISED] === undefined).map(({ id }) => id);
}

/**
 * Returns the services of the App whose turn is before that of this one and not over. The order is that of dependencies, then
 * of names: the same whoever asks. Pure.
 */
function earlierServices(all: readonly Service[], service: Service, app: App): readonly string[] {
  const { adoption } = app.status ?? {};
  if (adoption?.service !== undefined) return [];
  const own = all
    .filter((one) => one.metadata.owner === service.metadata.owner && isActive(one) && !isJob(one.spec))
    .sort((a, b) => (a.spec.serviceName < b.spec.serviceName ? -1 : 1));
  const order: Service[] = [];
  const seen = new Set<string>();
  const visit = (one: Service): void => {
    if (seen.has(one.spec.serviceName)) return;
    seen.add(one.spec.serviceName);
    for (const name of namesWaitedFor(one.spec)) {
      const other = own.find(({ spec }) => spec.serviceName === name);
      if (other) visit(other);
    }
    order.push(one);
  };
  for (const one of own) visit(one);
  const before = order.slice(
    0,
    order.findIndex(({ metadata }) => metadata.name === service.metadata.name),
  );
  return before
    .filter(({ status }) => status?.adoption?.id !== adoption?.id || status?.adoption?.phase !== 'TakenOver')
    .map(({ spec }) => spec.serviceName);
}

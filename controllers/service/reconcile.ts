import { messageWithCauses } from '../../api/platform/errors.js';
import { keyOf, type Service } from '../../crds/model/kinds.js';
import type { Refusal } from '../../crds/model/requests.js';
import { isSuspended, SUSPENDED, suspendedMessage } from '../../crds/model/suspend.js';
import { EngineError, type SeenContainer } from '../engine/engine.js';
import { type Outcome, type Plan, type Reconcile, TerminalError, TransientError, wait } from '../runtime/outcome.js';
import { waitForEngine } from '../runtime/reconciler.js';
import { conditionsBefore } from '../runtime/result-to-action.js';
import { ALIVE, type Asked, askedOf, dealtWith, idsOf, ordersOf } from './commands/commands.js';
import { joinedAnew, joinedBy, providersOf } from './dependencies/namespaces.js';
import { containersOf } from './dependencies/siblings.js';
import type { Memory, ServiceDeps } from './deps.js';
import { perform } from './execute.js';
import { unwellOf } from './health/unwell.js';
import { observe, type Sight } from './observe.js';
import { planService } from './plan.js';
import type { ServiceStep } from './service-state.js';
import { identityOf } from './spec/identity.js';
import { type Doing, type Said, serviceStatus } from './status.js';
import type { Departures } from './terminations.js';
import { isOpen, newRecord, timeOf, type UpdateRecord, type UpdateStep, withStep } from './update/record.js';
import { type Course, withCourse } from './update/update-policy.js';

/** What a pass is given, and what it tells of containers with. */
type Deps = ServiceDeps & Pick<Memory, 'lives' | 'ages'>;

/** One pass over one service: observe, plan the next step, take it, say what is. */
export const reconcileService =
  (given: ServiceDeps, memory: Memory): Reconcile =>
  async ({ name }, signal) => {
    const deps = { ...given, lives: memory.lives, ages: memory.ages };
    const { store, world } = deps;
    const { departures } = memory;
    const before = store.get('Service', name);
    if (!before) return { is: 'settled' };
    const containers = containersOf(deps, before, identityOf(before, store.get('App', before.spec.app)));
    const unheard = waitForEngine(
      world,
      containers.map(({ id }) => `container/${id}`),
    );
    if (unheard) return unheard;

    if (isSuspended(store.get('App', before.spec.app))) return suspend(deps, before);
    const service = await admit(deps, before);
    try {
      const failure = departures.takeFailure(name);
      if (failure) throw failure;
      takeInStop(deps, memory, service);
      const sight = await observe(deps, memory, service);
      if (!sight) return wait('AppMissing', `Waiting for App ${service.spec.app}, which this Service names`).outcome;
      const plan = await planWithLock(deps, service, sight);
      const outcome = await carryOut(deps, departures, { service, sight, plan }, signal);
      report(deps, service, { dealt: dealt(deps, service, sight), course: sight.situation.wanted?.course });
      if (outcome.is !== 'settled') return outcome;
      noteStep(deps, service, 'Complete');
      const end = await letGo(deps, service, sight);
      return end.is === 'settled' ? withHealth(deps, service, sight) : end;
    } catch (error) {
      refuseOrders(deps, memory, service, error);
      throw error;
    } finally {
      // A step that goes on in the background keeps its word until it has ended.
      report(deps, service, departures.isLeaving(name) ? { doing: 'Stopping' } : {});
    }
  };

/** Says what is, and refuses what is asked of it. A stop that was begun goes on: nothing calls it back. */
function suspend(deps: Deps, service: Service): Outcome {
  const { app } = service.spec;
  const { stops, starts, restart } = askedOf(service, deps.store.get('App', app));
  const own = [...stops, ...starts].filter(({ name }) => name === 'stop' || name === 'start');
  const ids = { ...idsOf(own), ...(restart ? { restart: restart.id } : {}) };
  const message = suspendedMessage(app);
  if (Object.keys(ids).length > 0) refuse(deps, service, ids, { reason: 'Failed', message });
  report(deps, service, {});
  return wait(SUSPENDED, message).outcome;
}

/**
 * Claims the lock for what was asked of this very service, so that whoever asked is told at once when the application
 * holds it. Then the request is over: it is not carried out later. Returns the document as it is afterwards.
 */
async function admit(deps: Deps, service: Service): Promise<Service> {
  const { store, locks, logs } = deps;
  const app = store.get('App', service.spec.app);
  const { stops, restart } = askedOf(service, app);
  const stop = stops.find(({ name }) => name === 'stop'); // one of the App has the lock already
  const appId = identityOf(service, app)?.appId;
  const asked = { ...(stop ? { stop } : {}), ...(restart ? { restart } : {}) };
  if (Object.keys(asked).length === 0 || appId === undefined || locks.isHeld(appId)) return service;

  logs.system('Taking update locks', { app: appId });
  const siblings = store.list('Service').filter(({ spec }) => spec.app === service.spec.app);
  const names = [...new Set(siblings.map(({ spec }) => spec.serviceName))].sort();
  const claim = await locks.claim(appId, names, { force: Object.values(asked).some(({ force }) => force === true) });
  if (claim.is === 'locked') {
    const message = `Lockfile exists for { appId: ${appId}, service: ${claim.service} }`;
    const ids = Object.fromEntries(Object.entries(asked).map(([name, { id }]) => [name, id]));
    refuse(deps, service, ids, { reason: 'Locked', message });
  }
  return store.get('Service', service.metadata.name) ?? service;
}

/** A stop that may be carried out is remembered, and ends when its container was started by somebody else. */
function takeInStop(deps: ServiceDeps, { departures, stops }: Memory, service: Service): void {
  const app = deps.store.get('App', service.spec.app);
  const [container] = containersOf(deps, service, identityOf(service, app));
  const [stop] = askedOf(service, app).stops;
  const { name } = service.metadata;
  if (stop) stops.begin(name, stop, container?.specHash);
  if (!departures.isLeaving(name)) stops.look(name, container !== undefined && ALIVE.includes(container.state));
}

/** What Docker refuses, and what cannot be understood, is told to whoever asked; other failures are tried again first. */
function refuseOrders(deps: Deps, { stops }: Memory, service: Service, error: unknown): void {
  const known = [EngineError, TerminalError, TransientError].some((one) => error instanceof one);
  if (!known) return;
  const current = deps.store.get('Service', service.metadata.name);
  if (!current) return;
  const app = deps.store.get('App', service.spec.app);
  const asked = askedOf(current, app);
  const { anew } = ordersOf(current, app, stops, undefined, true);
  const ids = idsOf([...asked.stops, ...asked.starts, ...anew]);
  if (Object.keys(ids).length > 0) refuse(deps, current, ids, { reason: 'Failed', message: messageWithCauses(error) });
}

function refuse(deps: Deps, service: Service, ids: Readonly<Record<string, string>>, refusal: Refusal): void {
  const names = Object.keys(ids);
  report(deps, service, {
    dealt: ids,
    refused: Object.fromEntries(names.map((name) => [name, refusal])),
  });
  deps.store.record(keyOf('Service', service.metadata.name), {
    type: 'Warning',
    reason: 'Refused',
    message: `Did not ${names.join(', ')}: ${refusal.message}`,
  });
}

/** Ids of requests that are done, as the world is now. */
function dealt(deps: ServiceDeps, service: Service, { situation }: Sight): Readonly<Record<string, string>> {
  const app = deps.store.get('App', service.spec.app);
  const [container] = containersOf(deps, service, identityOf(service, app));
  return dealtWith(askedOf(service, app), situation.orders, container, situation.wanted?.running ?? false);
}

async function carryOut(
  deps: Deps,
  departures: Departures,
  { service, sight, plan }: { readonly service: Service; readonly sight: Sight; readonly plan: Plan<ServiceStep> },
  signal: AbortSignal,
): Promise<Outcome> {
  const app = deps.store.get('App', service.spec.app);
  let { outcome } = plan;
  for (const step of plan.steps) {
    const { doing, reason } = WORDS[step.do];
    const lastAction = { reason, because: step.because, at: new Date(deps.now()).toISOString() };
    const update = recordAt(step);
    report(deps, service, { doing, lastAction, concluding: outcome, ...(update ? { update } : {}) });
    const note = (one: UpdateStep): void => noteStep(deps, service, one);
    if (step.do === 'introduce' && step.seen) note(step.seen);
    if (step.do === 'leave' && step.update) {
      if (step.update.is === 'succeeded') note(step.update.seen);
      note('Stopping');
    }
    const noteStart = (container: string, before: readonly SeenContainer[]): void =>
      noteJoined(deps, service, container, before);
    const other = await perform(deps, departures, { ...sight, service, note, noteStart }, step, signal);
    if (!other) report(deps, service, { doing, dealt: dealtBy(step, askedOf(service, app)) });
    outcome = other ?? outcome;
  }
  return outcome;
}

/** A step with which an update begins. */
function recordAt(step: ServiceStep): UpdateRecord | undefined {
  if (step.do === 'create' && step.beside) return newRecord(step.beside, step.because);
  if (step.do === 'leave' && step.update?.is === 'first') return newRecord(step.update.strategy, step.because);
  return undefined;
}

/** Writes a step of an update down, where one is under way. */
function noteStep(deps: Deps, service: Service, step: UpdateStep): void {
  const current = deps.store.get('Service', service.metadata.name);
  const record = current?.status?.update;
  if (!current || !isOpen(record)) return;
  const times = { at: deps.now(), stoppedForMs: stoppedForMs(deps, current) };
  report(deps, service, { update: withStep(record, step, times) });
}

/** How long ago an update under way stopped the old container, ms. Asked with every report: else it is forgotten. */
function stoppedForMs({ ages }: Deps, { metadata, status }: Service): number | undefined {
  const at = isOpen(status?.update) ? timeOf(status.update, 'Stopped') : undefined;
  return at === undefined ? undefined : ages.since(`stopped/${metadata.name}`, at);
}

/** Writes down which runs of its providers a container has joined, unless it is as it was before. */
function noteJoined(deps: Deps, service: Service, id: string, before: readonly SeenContainer[]): void {
  const now = deps.world.containers().find((one) => one.id === id);
  const then = before.find((one) => one.id === id);
  if (now?.startedAt === undefined || now.startedAt === then?.startedAt) return;
  const noted = deps.store.get('Service', service.metadata.name)?.status?.joined;
  const joined = joinedAnew(then, now.startedAt, providersOf(now, before), noted);
  if (joined.length > 0) report(deps, service, { joined });
}

/** What a step has begun or done of what was asked: a stop is answered when it begins, a start when it was done. Pure. */
function dealtBy(step: ServiceStep, { stops, starts }: Asked): Readonly<Record<string, string>> {
  if (step.do === 'leave' && step.stop && !step.remove) return idsOf(stops);
  return step.do === 'start' || (step.do === 'create' && step.start) ? idsOf(starts) : {};
}

const WORDS: Readonly<Record<ServiceStep['do'], { doing: Doing | undefined; reason: string }>> = {
  create: { doing: 'Installing', reason: 'Installing' },
  start: { doing: 'Starting', reason: 'Starting' },
  leave: { doing: 'Stopping', reason: 'Stopping' },
  restart: { doing: 'Stopping', reason: 'Restarting' },
  connect: { doing: undefined, reason: 'Connecting' },
  introduce: { doing: undefined, reason: 'Introducing' },
  rename: { doing: undefined, reason: 'Renaming' },
  update: { doing: undefined, reason: 'Updating' },
  unpause: { doing: undefined, reason: 'Unpausing' },
};

/** The App claims the lock of its app. Where there is no App (any more), nobody else would: then we do. */
async function planWithLock({ store, locks }: ServiceDeps, service: Service, sight: Sight): Promise<Plan<ServiceStep>> {
  const plan = planService(sight.situation);
  const needsLock = plan.outcome.is === 'waiting' && plan.outcome.reason === 'NeedsLock';
  if (!needsLock || store.get('App', service.spec.app)) return plan;
  const claim = await locks.claim(sight.appId, [sight.serviceName], { force: false });
  if (claim.is === 'locked')
    return wait('UpdatesLocked', `Service ${claim.service} holds the update lock: ${claim.path}`, 10_000);
  return planService({ ...sight.situation, lockHeld: true });
}

/** Gives back a lock that only we could have taken, then lets go of a document that is deleted. */
async function letGo({ store, locks }: ServiceDeps, service: Service, { appId }: Sight): Promise<Outcome> {
  if (!store.get('App', service.spec.app) && locks.isHeld(appId) && (await locks.release(appId)) === 'busy') {
    // The engine's word that the container is gone may come before the step under the lock has ended; that wakes us.
    return wait('Unlocking', 'Waiting for a step under the update lock to end', 1_000).outcome;
  }
  if (service.metadata.deletionTimestamp !== undefined) await store.release(service);
  return { is: 'settled' };
}

/** Nothing is left to do: whether what is to run is well. */
function withHealth({ store, lives }: Deps, { metadata }: Service, { situation }: Sight): Outcome {
  const { wanted, orders } = situation;
  const service = store.get('Service', metadata.name);
  const container = service && situation.containers[0];
  if (!service?.status || !container || !wanted?.running || orders.stop !== undefined) return { is: 'settled' };
  const ranMs = lives.ranMs(service, container);
  const unwell = unwellOf(service.status, container, { policy: wanted.tuning.RestartPolicy, ranMs });
  return { is: 'settled', ...(unwell ? { unwell } : {}) };
}

/** Writes what is seen now, and tells what its container has done meanwhile. */
function report(
  deps: Deps,
  { metadata, spec }: Service,
  said: Said & {
    /** What the pass will conclude if all goes well. */
    readonly concluding?: Outcome;
    readonly course?: Course | undefined;
  },
): void {
  const { store, lives } = deps;
  const current = store.get('Service', metadata.name);
  if (current?.metadata.uid !== metadata.uid) return;
  const identity = identityOf(current, store.get('App', spec.app));
  const containers = containersOf(deps, current, identity);
  const [container] = containers;
  const joined = container
    ? joinedBy(container, providersOf(container, deps.world.containers()), said.joined ?? current.status?.joined)
    : [];
  const looks = lives.look(current, containers);
  const runs = looks.map(({ facts }) => facts);
  const status = serviceStatus(current, containers, runs, { ...said, joined });
  const at = new Date(deps.now()).toISOString();
  const { generation } = metadata;
  let { conditions } = status;
  if (said.concluding) conditions = conditionsBefore(conditions, said.concluding, generation, at);
  if (said.course) conditions = withCourse(conditions, said.course, generation, at);
  store.setStatus(current, { ...status, ...(conditions?.length ? { conditions } : {}) });
  stoppedForMs(deps, store.get('Service', metadata.name) ?? current);
  for (const [index, look] of looks.entries()) {
    const one = containers[index];
    if (one) lives.tell(current, one, look, said.doing === 'Starting' && one === container);
  }
}

import type { Change } from '../../api/store/store.js';
import { isReady } from '../../crds/model/conditions.js';
import { normalizeReference } from '../../crds/model/image-reference.js';
import { isJob } from '../../crds/model/jobs.js';
import type { App, Network, Service } from '../../crds/model/kinds.js';
import { waitsForAdoption, waitsForApp } from '../../crds/model/readiness.js';
import { APP_COMMANDS, startedRequest } from '../../crds/model/requests.js';
import { isSuspended, saysSuspended } from '../../crds/model/suspend.js';
import type { EngineCache, EngineChange } from '../engine/engine-cache.js';
import { Ages } from '../runtime/ages.js';
import type { Controller } from '../runtime/controller.js';
import { type Outcome, wait } from '../runtime/outcome.js';
import { reconciler } from '../runtime/reconciler.js';
import { isAdopting } from './adoption/observe-adoption.js';
import { admitCommands } from './commands/admit.js';
import { StopLedger } from './commands/stop-ledger.js';
import { HeldPorts } from './container/held-ports.js';
import { containersOf } from './dependencies/siblings.js';
import type { Memory, ServiceDeps } from './deps.js';
import { executeServiceStep } from './execute.js';
import { LifecycleLog } from './health/lifecycle-log.js';
import { unwellOf } from './health/unwell.js';
import { Timetables } from './jobs/timetables.js';
import { observeService, type ServiceObservation } from './observe.js';
import { planService } from './plan.js';
import { namesWaitedFor } from './spec/depends-on.js';
import { identityOf } from './spec/identity.js';
import { announceService, serviceConditions, serviceStatus } from './status.js';
import { FailedAttempts } from './steps/failed-attempts.js';
import { Terminations } from './terminations.js';
import { Refusals } from './update/refusals.js';

/** Creates the controller of Services: one document, one container. */
export function serviceController(deps: ServiceDeps): Controller {
  const terminations = new Terminations();
  const stopLedger = deps.stopLedger ?? new StopLedger();
  const lifecycle = new LifecycleLog(deps, { terminations, stopLedger });
  const heldPorts = new HeldPorts(deps);
  const refusals = new Refusals(deps);
  const failures = new FailedAttempts();
  const timetables = new Timetables();
  const memory: Memory = {
    terminations,
    stopLedger,
    lifecycle,
    heldPorts,
    refusals,
    failures,
    ages: new Ages(deps),
    timetables,
  };
  return {
    kind: 'Service',
    workers: 8,
    reconcile: reconciler({
      kind: 'Service',
      store: deps.store,
      now: deps.now,
      cache: deps.cache,
      about: (service) => containersOf(deps, service).map(({ id }) => `container/${id}`),
      suspendedWith: ({ spec }) => spec.app,
      prepare: (service, _signal, report) => admitCommands(deps, memory, service, report),
      observe: (service) => observeService(deps, memory, service),
      plan: planService,
      execute: (service, step, observation, signal, report) =>
        executeServiceStep(deps, memory, service, step, observation, signal, report),
      status: (service, observation, progress) => serviceStatus(deps, memory, service, observation, progress),
      conditions: (service, observation, progress) => serviceConditions(deps, service, observation, progress),
      announce: (before, after, progress) => {
        if (progress.at === 'suspended') heldPorts.rest(before.metadata.name);
        announceService(deps, memory, { before, after }, progress);
      },
      adjustOutcome: async (service, observation, { outcome }) =>
        outcome.is === 'settled' ? settledOutcome(deps, memory, service, observation, outcome) : outcome,
    }),
    watches: (wake) => {
      const wakeWhere = (isAffected: (service: Service) => boolean): void => {
        for (const service of deps.store.list('Service')) if (isAffected(service)) wake(service.metadata.name);
      };
      const ends = [
        deps.store.watch((change) => {
          if (change.type === 'DELETED' && change.object.kind === 'Service')
            for (const memory of [stopLedger, lifecycle, heldPorts, refusals, failures, timetables])
              memory.forget(change.object.metadata.name);
          wakeWhere((service) => isAffectedByDocument(change, service));
        }),
        deps.cache.onChange((change) => {
          if (change.type === 'all') refusals.forgetAll();
          wakeWhere((service) => isAffectedByEngineChange(deps, change, service));
        }),
        terminations.onEnd(wake),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
  };
}

/** Ends a pass without work: releases a lock that no App would release, and reports a container that is not well. */
async function settledOutcome(
  { store, locks }: ServiceDeps,
  { lifecycle, heldPorts, failures }: Memory,
  { metadata, spec }: Service,
  { appId, state }: ServiceObservation,
  planned: Outcome,
): Promise<Outcome> {
  heldPorts.rest(metadata.name);
  failures.forget(metadata.name);
  if (!store.get('App', spec.app) && locks.isHeld(appId) && (await locks.release(appId)) === 'busy') {
    // The engine may report the container gone before the step under the lock has ended; its end wakes us.
    return wait('Unlocking', 'Waiting for a step under the update lock to end', 1_000).outcome;
  }
  if (state?.job) return planned;
  const service = store.get('Service', metadata.name);
  const container = state?.containers[0];
  const { desired, commands } = state ?? {};
  if (!service?.status || !container || !desired?.running || commands?.stop !== undefined) return { is: 'settled' };
  const ranMs = lifecycle.ranMs(service, container);
  const unwell = unwellOf(service.status, container, {
    ...{ policy: desired.tuning.RestartPolicy, ranMs },
    exhausted: state?.restartsLeft === 0 ? service.status.unhealthyRestarts?.count : undefined,
  });
  return { is: 'settled', ...(unwell ? { unwell } : {}) };
}

/** Tells whether a change of another document may give the service work. Pure. */
function isAffectedByDocument({ object, parts, type }: Change, service: Service): boolean {
  const { spec, metadata } = service;
  switch (object.kind) {
    case 'App': {
      if (object.metadata.name !== spec.app) return false;
      // The service may wait for the lock, for the rest of the release, or for a volume that a purge of the app
      // empties.
      const isStandalone = !metadata.origin.startsWith('App/');
      if (isSuspended(object) !== saysSuspended(service)) return true;
      if (type !== 'DELETED' && isCommanded(object, service)) return true;
      if (isAdopting(service, object) || waitsForAdoption(service)) return true;
      return waitsForApp(service) || (isStandalone && (type !== 'MODIFIED' || parts.includes('spec')));
    }
    case 'Service':
      return (
        object.metadata.name !== metadata.name &&
        object.spec.app === spec.app &&
        (namesWaitedFor(spec).includes(object.spec.serviceName) ||
          waitsForAdoption(service) ||
          (metadata.deletionTimestamp !== undefined && namesWaitedFor(object.spec).includes(spec.serviceName)))
      );
    case 'Network':
      if (object.spec.app !== undefined && object.spec.app !== spec.app && !sharesNetwork(service, object))
        return false;
      return object.status?.rebuilding === true || object.metadata.deletionTimestamp !== undefined || !isReady(service);
    case 'Volume':
      return object.spec.app === spec.app && !isReady(service);
    case 'Image':
      return object.spec.app === spec.app && object.spec.image === normalizeReference(spec.image) && !isReady(service);
    default:
      return false;
  }
}

/** Tells whether the service is on a network that another App makes. Pure. */
const sharesNetwork = ({ spec }: Service, network: Network): boolean =>
  Object.values(spec.networkNames ?? {}).includes(network.spec.networkName);

/** Tells whether the App has started a request that this service has not acknowledged yet. Pure. */
const isCommanded = (app: App, { status }: Service): boolean =>
  APP_COMMANDS.some((command) => {
    const request = startedRequest(app, command);
    return request !== undefined && status?.handled?.[`app.${command}`] !== request.id;
  });

/** Tells whether a change on the engine may give the service work. */
function isAffectedByEngineChange({ store, cache }: ServiceDeps, change: EngineChange, service: Service): boolean {
  const { spec, status } = service;
  switch (change.type) {
    case 'all':
      return true;
    case 'container': {
      if (change.id === status?.container?.id || status?.joined?.some(({ container }) => container === change.id))
        return true;
      if (change.serviceName !== spec.serviceName && !namesWaitedFor(spec).includes(change.serviceName ?? ''))
        return false;
      return change.appId === identityOf(service, store.get('App', spec.app))?.appId;
    }
    case 'network':
      return !isReady(service) || isAttached(cache, change.name, service);
    case 'volume':
      return !isReady(service);
    case 'image':
      return (
        !isReady(service) || isJob(spec) || cache.image(normalizeReference(spec.image))?.id !== status?.container?.image
      );
  }
}

const isAttached = (cache: EngineCache, network: string, { status }: Service): boolean =>
  cache.attachedTo(network).some(({ id }) => id === status?.container?.id);

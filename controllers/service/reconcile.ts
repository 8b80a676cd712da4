import type { Service } from '../../crds/kinds.js';
import type { ServiceStatus } from '../../crds/types.js';
import { conditionsBefore } from '../runtime/conclude.js';
import { type Outcome, type Plan, type Reconcile, wait } from '../runtime/outcome.js';
import type { Departures } from './departures.js';
import { identityOf } from './identity.js';
import { containersOf, observe, type ServiceDeps, type Sight } from './observe.js';
import { perform } from './perform.js';
import { planService, type ServiceStep } from './plan.js';
import { type Doing, serviceStatus } from './status.js';

/** One pass over one service: observe, plan the next step, take it, say what is. */
export const reconcileService =
  (deps: ServiceDeps, departures: Departures): Reconcile =>
  async ({ name }, signal) => {
    const { store, world } = deps;
    const service = store.get('Service', name);
    if (!service) return { is: 'settled' };
    if (!world.fresh) return wait('EngineUnreachable', world.trouble ?? 'The engine has not answered yet').outcome;

    try {
      const failure = departures.takeFailure(name);
      if (failure) throw failure;
      const sight = await observe(deps, departures, service);
      if (!sight) return wait('AppMissing', `Waiting for App ${service.spec.app}, which this Service names`).outcome;
      const plan = await planWithLock(deps, service, sight);
      const outcome = await carryOut(deps, departures, { service, sight, plan }, signal);
      if (outcome.is === 'settled') await letGo(deps, service, sight);
      return outcome;
    } finally {
      // A step that goes on in the background keeps its word until it has ended.
      report(deps, service, departures.isLeaving(name) ? { doing: 'Stopping' } : {});
    }
  };

async function carryOut(
  deps: ServiceDeps,
  departures: Departures,
  { service, sight, plan }: { readonly service: Service; readonly sight: Sight; readonly plan: Plan<ServiceStep> },
  signal: AbortSignal,
): Promise<Outcome> {
  let { outcome } = plan;
  for (const step of plan.steps) {
    const { doing, reason } = WORDS[step.do];
    const lastAction = { reason, because: step.because, at: new Date(deps.now()).toISOString() };
    report(deps, service, { doing, lastAction, concluding: outcome });
    outcome = (await perform(deps, departures, { ...sight, service }, step, signal)) ?? outcome;
  }
  return outcome;
}

const WORDS: Readonly<Record<ServiceStep['do'], { doing: Doing | undefined; reason: string }>> = {
  create: { doing: 'Installing', reason: 'Installing' },
  start: { doing: 'Starting', reason: 'Starting' },
  leave: { doing: 'Stopping', reason: 'Stopping' },
  connect: { doing: undefined, reason: 'Connecting' },
  rename: { doing: undefined, reason: 'Renaming' },
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

async function letGo({ store, locks }: ServiceDeps, service: Service, { appId }: Sight): Promise<void> {
  if (!store.get('App', service.spec.app) && locks.isHeld(appId)) await locks.release(appId);
  if (service.metadata.deletionTimestamp !== undefined) await store.release(service);
}

/** Writes what is seen now. */
function report(
  deps: ServiceDeps,
  { metadata, spec }: Service,
  said: {
    readonly doing?: Doing | undefined;
    readonly lastAction?: ServiceStatus['lastAction'];
    /** What the pass will conclude if all goes well. */
    readonly concluding?: Outcome;
  },
): void {
  const { store } = deps;
  const current = store.get('Service', metadata.name);
  if (current?.metadata.uid !== metadata.uid) return;
  const identity = identityOf(current, store.get('App', spec.app));
  const status = serviceStatus(current, containersOf(deps, current, identity)[0], said);
  const at = new Date(deps.now()).toISOString();
  const conditions = said.concluding && conditionsBefore(status.conditions, said.concluding, metadata.generation, at);
  store.setStatus(current, { ...status, ...(conditions?.length ? { conditions } : {}) });
}

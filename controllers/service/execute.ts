import type { Service } from '../../crds/model/kinds.js';
import type { SeenContainer } from '../engine/engine.js';
import { type Outcome, wait } from '../runtime/outcome.js';
import { type Asked, idsOf } from './commands/commands.js';
import { joinedAnew, providersOf } from './dependencies/namespaces.js';
import type { Memory, ServiceDeps } from './deps.js';
import type { ServiceObservation } from './observe.js';
import type { ServiceResult, ServiceStep } from './service-state.js';
import { install, start } from './steps/create.js';
import { connect, introduce, putRight, rename } from './steps/repair.js';
import { beginRestart } from './steps/restart.js';
import type { Subject } from './steps/step-context.js';
import { beginLeaving } from './steps/stop-and-remove.js';
import { isOpen } from './update/record.js';

type Report = (result: Partial<ServiceResult>) => void;

/** Carries out one step and shows the cache what came of it. What stops or restarts a container is begun, and goes on by itself. */
export async function executeServiceStep(
  deps: ServiceDeps,
  memory: Memory,
  service: Service,
  step: ServiceStep,
  observation: ServiceObservation,
  signal: AbortSignal,
  report: Report,
): Promise<Partial<ServiceResult>> {
  const { appId, serviceName, blueprint, asked } = observation;
  const reached: Subject['note'] = (one) => {
    if (isOpen(deps.store.get('Service', service.metadata.name)?.status?.update)) report({ reached: one });
  };
  const noteStart: Subject['noteStart'] = (container, before) => reportJoined(deps, service, container, before, report);
  const subject: Subject = { service, appId, serviceName, blueprint, note: reached, noteStart };
  const outcome = await carryOut(deps, memory, subject, step, signal);
  return outcome ? { outcome } : { acknowledged: acknowledgedBy(step, asked) };
}

/** Returns an outcome when it did not come to what was planned. */
async function carryOut(
  deps: ServiceDeps,
  { terminations }: Memory,
  subject: Subject,
  step: ServiceStep,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { world } = deps;
  switch (step.do) {
    case 'fail':
      throw terminations.takeFailure(subject.service.metadata.name);
    case 'claim':
      return claim(deps, subject);
    case 'leave':
      if (step.update?.is === 'succeeded') subject.note(step.update.seen);
      if (step.update) subject.note('Stopping');
      beginLeaving(deps, terminations, subject, step);
      return undefined;
    case 'restart':
      beginRestart(deps, terminations, subject, step);
      return undefined;
    case 'create':
      return world.quietly(step.name, () => install(deps, subject, step, signal));
    case 'start':
      return world.quietly(step.container.id, () => start(deps, subject, step, signal));
    case 'connect':
      return world.quietly(step.container.id, () => connect(deps, subject, step, signal));
    case 'introduce':
      if (step.seen) subject.note(step.seen);
      return world.quietly(step.container.id, () => introduce(deps, subject, step, signal));
    case 'rename':
      return world.quietly(step.container.id, () => rename(deps, subject, step, signal));
    case 'update':
    case 'unpause':
      return world.quietly(step.container.id, () => putRight(deps, subject, step, signal));
  }
}

async function claim({ locks }: ServiceDeps, { appId, serviceName }: Subject): Promise<Outcome | undefined> {
  const result = await locks.claim(appId, [serviceName], { force: false });
  if (result.is === 'held') return undefined;
  return wait('UpdatesLocked', `Service ${result.service} holds the update lock: ${result.path}`, 10_000).outcome;
}

/** What a step has begun or done of what was asked: a stop is answered when it begins, a start when it was done. Pure. */
function acknowledgedBy(step: ServiceStep, { stops, starts }: Asked): ServiceResult['acknowledged'] {
  if (step.do === 'leave' && step.stop && !step.remove) return idsOf(stops);
  return step.do === 'start' || (step.do === 'create' && step.start) ? idsOf(starts) : {};
}

/** Reports which runs of its providers a container has joined, unless it is as it was before. */
function reportJoined(
  { store, world }: ServiceDeps,
  { metadata }: Service,
  id: string,
  before: readonly SeenContainer[],
  report: Report,
): void {
  const now = world.containers().find((one) => one.id === id);
  const then = before.find((one) => one.id === id);
  if (now?.startedAt === undefined || now.startedAt === then?.startedAt) return;
  const noted = store.get('Service', metadata.name)?.status?.joined;
  const joined = joinedAnew(then, now.startedAt, providersOf(now, before), noted);
  if (joined.length > 0) report({ joined });
}

import { type Outcome, wait } from '../runtime/outcome.js';
import type { ServiceDeps } from './deps.js';
import type { ServiceStep } from './service-state.js';
import { install, start } from './steps/create.js';
import { refused } from './steps/failed-step.js';
import { connect, introduce } from './steps/repair.js';
import { beginRestart } from './steps/restart.js';
import { record, type StepOf, type Subject } from './steps/step-context.js';
import { beginLeaving } from './steps/stop-and-remove.js';
import type { Departures } from './terminations.js';

/** Carries out one step and shows the world what came of it; an outcome when that is not what was planned. */
export async function perform(
  deps: ServiceDeps,
  departures: Departures,
  subject: Subject,
  step: ServiceStep,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { world } = deps;
  switch (step.do) {
    case 'leave':
      beginLeaving(deps, departures, subject, step);
      return undefined;
    case 'restart':
      beginRestart(deps, departures, subject, step);
      return undefined;
    case 'create':
      return world.quietly(step.name, () => install(deps, subject, step, signal));
    case 'start':
      return world.quietly(step.container.id, () => start(deps, subject, step, signal));
    case 'connect':
      return world.quietly(step.container.id, () => connect(deps, subject, step, signal));
    case 'introduce':
      return world.quietly(step.container.id, () => introduce(deps, subject, step, signal));
    case 'rename':
      return world.quietly(step.container.id, () => rename(deps, subject, step, signal));
    case 'update':
    case 'unpause':
      return world.quietly(step.container.id, () => putRight(deps, subject, step, signal));
  }
}

async function rename(
  { world, engine, locks, store }: ServiceDeps,
  { service, appId }: Subject,
  { container, to, because }: StepOf<'rename'>,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const result = await locks
    .during(appId, () => engine.renameContainer(container.id, to, signal))
    .catch((error: unknown) => {
      throw refused(`Could not rename container ${container.name} to ${to}`, error);
    });
  if (result === undefined) {
    return wait('NeedsLock', `Needs the update lock of the app to rename the container: ${because}`).outcome;
  }
  if (result === 'name-taken') {
    throw new Error(
      `Could not rename container ${container.name}: the name ${to} is taken; remove or rename its holder`,
    );
  }
  await world.refreshContainer(container.id, signal);
  if (result === 'renamed')
    record(store, service, 'Renaming', `Renamed container ${container.name} to ${to}: ${because}`);
  return undefined;
}

/** What somebody changed of a running container, back as it was. */
async function putRight(
  { world, engine, store }: ServiceDeps,
  { service }: Subject,
  step: StepOf<'update' | 'unpause'>,
  signal: AbortSignal,
): Promise<undefined> {
  const { container, because } = step;
  const { id, name } = container;
  const what = step.do === 'update' ? 'change container' : 'unpause container';
  const result = await (step.do === 'update'
    ? engine.updateContainer(id, step.change, signal)
    : engine.unpauseContainer(id, signal)
  ).catch((error: unknown) => {
    throw refused(`Could not ${what} ${name}`, error);
  });
  await world.refreshContainer(id, signal);
  if (result === 'updated') record(store, service, 'Updating', `Changed container ${name} back: it ${because}`);
  if (result === 'unpaused') record(store, service, 'Unpausing', `Unpaused container ${name}: it ${because}`);
}

import { timeoutSignal } from '../../api/platform/time-limit.js';
import { isActive } from '../../crds/model/active.js';
import type { AnyDeclared, App } from '../../crds/model/kinds.js';
import type { EngineCache } from '../engine/engine-cache.js';
import { discard, finish, refuse } from './commands/command-steps.js';
import { event, warning } from './events.js';
import type { AppDeps, Memory } from './observe.js';
import type { AppFacts, AppStep } from './plan.js';
import { adopt, endAdoption } from './release/adoption-steps.js';
import { shareApiNetwork } from './release/api-network.js';
import { declaredAs, retainVolumes } from './release/children.js';
import { isAmong, propose, proposeChildren, without } from './release/declare.js';
import { renamedVolumes } from './release/renamed-volumes.js';
import { editedRevisions, withPromotion } from './rollout/history.js';
import { approve, decline, goBack, retry } from './rollout/steps.js';
import type { AppResult } from './status.js';
import { claim, unlock } from './update-lock.js';

/**
 * Takes one step: declares children, takes the update lock or gives it back, or acknowledges commands. `report` writes
 * the status at once. Throws for a failure: a `TerminalError` when a child's name belongs to somebody else.
 */
export async function executeAppStep(
  deps: AppDeps,
  memory: Memory,
  app: App,
  step: AppStep,
  facts: AppFacts,
  report: (result: Partial<AppResult>) => void,
): Promise<Partial<AppResult> | undefined> {
  const { desired, existing } = facts;
  const active = existing.filter(isActive);
  // The step declares the others again, and what runs among them.
  for (const { metadata } of editedRevisions(deps.store, app))
    warning(
      deps,
      app,
      'FileUnusable',
      `Revision ${metadata.name} was edited: it is not what its name is made of, and counts as removed`,
    );
  switch (step.do) {
    case 'stage': {
      const images = desired.filter((one) => one.kind === 'Image' && !facts.diskPressure.heldBack.has(one.spec.image));
      return propose(deps, app, step, [...images, ...without(active, images)]);
    }
    case 'promote': {
      for (const { service, requirement } of facts.skipped) {
        const message = `Left out the optional service ${service}: this device does not have ${requirement}`;
        deps.logs.system(message, { app: app.metadata.name });
        warning(deps, app, 'LeftOut', message);
      }
      for (const message of facts.rollout.back ? [] : renamedVolumes(app, active)) {
        deps.logs.system(message, { app: app.metadata.name });
        warning(deps, app, 'VolumeRenamed', message);
      }
      await shareApiNetwork(deps.store, deps.cache);
      const images = active.filter(({ kind }) => kind === 'Image');
      return propose(deps, app, step, [...desired, ...without(images, desired)], await promotionOf(deps, app, facts));
    }
    case 'advance': {
      const local = await findLocalImage(deps.cache, facts.diskPressure);
      if (local) return { outcome: { is: 'progressing', reason: 'Staging', message: `${local} is on the device` } };
      const first = desired.filter(({ kind, metadata }) => kind === 'Service' && step.services.includes(metadata.name));
      await flushWayBack(deps, facts.rollout);
      // An agent that dies from here on has to know that it was begun: the services come back with the rest of it.
      const promoting = { promoting: facts.content.name };
      report(promoting);
      await deps.store.flush();
      // Its Revision is written with the promotion: until then part of what runs is still that of the release before.
      return { ...promoting, ...(await propose(deps, app, step, [...first, ...without(active, first)])) };
    }
    case 'remember': {
      const { content, revisions: known } = facts;
      const revisions = withPromotion(deps, { app, content, revisions: known, existing, adopted: true });
      await proposeChildren(deps, app, active.map(declaredAs), revisions);
      return undefined;
    }
    case 'goBack':
      return goBack(deps, app, step, report);
    case 'retry':
      return retry(deps, app, facts, step);
    case 'note':
      report({});
      await deps.store.flush(); // a boot before that would be the one that does not count
      return undefined;
    case 'adopt':
      return adopt(deps, app, step, report);
    case 'endAdoption':
      return endAdoption(deps, app, step, report);
    case 'forgetAdoption':
      return { adoption: null };
    case 'approve':
      return approve(deps, app, step, report);
    case 'decline':
      return decline(deps, app, step);
    case 'drop':
    case 'prune':
      return propose(deps, app, step, active.filter((one) => !isAmong(step.images, one)).map(declaredAs));
    case 'keep': {
      const spareSince = new Date(deps.now()).toISOString();
      const kept = active.map((one) =>
        one.kind === 'Image' && isAmong(step.images, one) ? { ...one, spec: { ...one.spec, spareSince } } : one,
      );
      return propose(deps, app, step, kept.map(declaredAs));
    }
    case 'reclaim': {
      const volumes = retainVolumes(app, [], active);
      return propose(deps, app, step, [...volumes, ...without(active, volumes)]);
    }
    case 'remove': {
      const left = active.filter(({ kind }) => kind !== step.kind).map(declaredAs);
      return propose(deps, app, step, left, ...(step.kind === 'Revision' ? [[]] : []));
    }
    case 'claim':
      return claim(deps, memory, app, facts, step.because);
    case 'finish':
      return finish(deps, app, step.commands);
    case 'discard':
      return discard(deps, app, facts, step.volumes);
    case 'cleaned':
      return { acknowledged: { cleanup: step.id } };
    case 'unlock':
      return unlock(deps, memory, app);
    case 'refuse':
      return refuse(deps, app, facts, step.because);
    case 'commit':
      event(deps, app, 'Released', `Completed ${step.because}`);
      return { committed: true };
  }
}

/** The Revisions to declare with a promotion: in the same commit, so that no child is there without what it belongs to. */
async function promotionOf(
  deps: AppDeps,
  app: App,
  { content, revisions, existing, rollout }: AppFacts,
): Promise<readonly AnyDeclared[]> {
  await flushWayBack(deps, rollout);
  return withPromotion(deps, { app, content, revisions, existing, restored: rollout.back?.to });
}

/** A disk that refused what `goBack` decided is asked once more: without that on it, a crash would try the bad one again. */
const flushWayBack = async ({ store }: AppDeps, { back }: AppFacts['rollout']): Promise<void> =>
  back ? store.flush() : undefined;

/** Asks the engine for the missing images before anything stops for them. Returns the first one that is local after all. */
async function findLocalImage(
  cache: EngineCache,
  { earlyStops }: AppFacts['diskPressure'],
): Promise<string | undefined> {
  for (const { image } of earlyStops) if (await cache.refreshImage(image, timeoutSignal(LOOK_MS))) return image;
  return undefined;
}
const LOOK_MS = 30_000;

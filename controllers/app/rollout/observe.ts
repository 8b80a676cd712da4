import { isActive } from '../../../crds/model/active.js';
import type { AnyDeclared, AnyResource, App, Request, Service } from '../../../crds/model/kinds.js';
import type { NumberedRelease } from '../../../crds/model/release.js';
import { pendingRequest } from '../../../crds/model/requests.js';
import { isUndecided, lastGoodOf, latestOf, type Revision, servicesOfRevision } from '../../../crds/model/revisions.js';
import { lastRefusal, type OnFailure, onFailureOf, type Rollback } from '../../../crds/model/rollout.js';
import type { EngineCache } from '../../engine/engine-cache.js';
import { childrenOf, declaredAs, identityOf, sameSpec } from '../release/children.js';
import { type Content, contentOf } from './content.js';
import { lostImages, restore } from './restore.js';

/** Whether something else was declared and promoted: then it is refused no longer. What was only declared has shown nothing. Pure. */
export const isLifted = ({ from }: Rollback, declared: string, revisions: readonly Revision[]): boolean =>
  declared !== from && latestOf(revisions)?.metadata.name === declared;

/** The reason of a way back that somebody asked for. */
export const BY_HAND = 'ByHand';

/** The way back that an App is on, or has gone. */
interface WayBack {
  readonly rollback: Rollback;
  /** Undefined: somebody has removed it. Then everything stays as it is. */
  readonly to: Revision | undefined;
  /** References of images that are gone for good. */
  readonly lost: readonly string[];
}

/** Which release is to run, and what is known of it. */
export interface RolloutFacts {
  /** What the document asks for, whether it is promoted or not. */
  readonly declared: Content;
  /** The document's content is refused, and another one is to run. */
  readonly back: WayBack | undefined;
  /** What was found out about what was promoted last; undefined while that is not what is to run. */
  readonly verdict: 'open' | 'good' | { readonly revision: Revision } | undefined;
  /**
   * The document's content was found bad already, and so was what it said after that and until now: nothing has shown that it
   * would fare better. Undefined: that is not so.
   */
  readonly refusedBefore: Revision | undefined;
  /** What was promoted last is bad, and the document says something else by now. */
  readonly badMeanwhile: Revision | undefined;
  /** Where the App would go back to by itself; undefined: nowhere, or to where nothing would run. */
  readonly refuge: { readonly revision: Revision; readonly lost: readonly string[] } | undefined;
  readonly onFailure: OnFailure;
  /** Requests that are not acknowledged. */
  readonly retry: Request | undefined;
  readonly approve: Request | undefined;
  readonly byHand: ByHand | undefined;
}

/** Somebody asks for another revision. */
interface ByHand {
  readonly request: Request;
  readonly to: Revision | undefined;
  /** Why that cannot be. */
  readonly refusal: string | undefined;
}

/** The children that are to be there, with their content, and what leads to that choice. */
export interface Target {
  readonly children: readonly AnyDeclared[];
  readonly content: Content;
  readonly rollout: RolloutFacts;
}

/** Whether what was promoted is bad and another one is about to take its place. Pure. */
export const isTurning = ({ back, verdict, refusedBefore, refuge, onFailure }: RolloutFacts): boolean =>
  !back &&
  (typeof verdict === 'object' || refusedBefore !== undefined) &&
  onFailure === 'rollback' &&
  refuge !== undefined;

/**
 * Chooses what an App runs: what its document says, or, while that is refused, the revision that it goes back to. `waits`:
 * what the document says waits for its time, so that what was promoted last may be gone back from until then.
 */
export function observeTarget(
  cache: EngineCache,
  app: App,
  revisions: readonly Revision[],
  existing: readonly AnyResource[],
  standalone: readonly Service[],
  { waits = false } = {},
): Target {
  const declared = contentOf(app.metadata.name, childrenOf(app));
  const latest = latestOf(revisions);
  const rollback = lastRefusal(app.status);
  const isOnItsWay = waits && rollback?.from === latest?.metadata.name && rollback?.to !== latest?.metadata.name;
  const isBack = rollback !== undefined && (rollback.from === declared.name || isOnItsWay);
  const to = isBack ? revisions.find(({ metadata }) => metadata.name === rollback.to) : undefined;
  const restored = to && restore(cache, app, to, standalone);
  const content = to && restored ? { name: to.metadata.name, documents: restored.documents } : declared;
  const good = isBack ? undefined : lastGoodOf(revisions, declared.name);
  const rollout: RolloutFacts = {
    declared,
    back: isBack ? { rollback, to, lost: restored?.lost ?? [] } : undefined,
    verdict: verdictOf(revisions, content),
    badMeanwhile: latest && latest.metadata.name !== declared.name && isBad(latest) ? latest : undefined,
    refusedBefore: isBack ? undefined : refusedBefore(app, declared, revisions),
    // Where nothing runs it is no better.
    refuge:
      good && servicesOfRevision(good.spec).length > 0 ? { revision: good, lost: lostImages(cache, good) } : undefined,
    onFailure: onFailureOf(app),
    retry: pendingRequest(app, 'retry'),
    approve: pendingRequest(app, 'approve'),
    byHand: byHandOf(cache, app, revisions, { running: isBack ? rollback.to : declared.name, declared: declared.name }),
  };
  if (!isBack) return { children: childrenOf(app, standalone), content, rollout };
  const children =
    restored && restored.lost.length === 0
      ? [...restored.images, ...restored.documents, ...keptImages(cache, app, existing, restored.images)]
      : existing.filter(isActive).map(declaredAs);
  return { children, content, rollout };
}

/**
 * Images of the release that is refused stay as long as its document asks for them: somebody may want to try it again.
 * While one is missing of what is to run, its own may need their room.
 */
function keptImages(
  cache: EngineCache,
  app: App,
  existing: readonly AnyResource[],
  wanted: readonly AnyDeclared[],
): readonly AnyDeclared[] {
  if (wanted.some((one) => one.kind === 'Image' && !cache.image(one.spec.image))) return [];
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  const declared = new Set(childrenOf(app).flatMap((one) => (one.kind === 'Image' ? [one.spec.image] : [])));
  return existing.flatMap((one) => {
    if (one.kind !== 'Image' || !isActive(one) || names.has(one.metadata.name)) return [];
    return declared.has(one.spec.image) && cache.image(one.spec.image) ? [declaredAs(one)] : [];
  });
}

/** What was promoted last, for services that have made room for something else and are down. */
export interface Interrupted {
  /** Name of the Revision that they made room for. */
  readonly by: string;
  /** Its children, to be promoted again. */
  readonly target: Target;
  /** References of images that are gone for good. */
  readonly lost: readonly string[];
}

/**
 * Finds services that have made room for the images of something that is not promoted: their specs are neither those of
 * what was promoted last nor any that it is brought back with. Undefined when there are none. `rollout`: what the target
 * says besides its children.
 */
export function observeInterrupted(
  cache: EngineCache,
  app: App,
  revisions: readonly Revision[],
  existing: readonly AnyResource[],
  { standalone, rollout }: { readonly standalone: readonly Service[]; readonly rollout: RolloutFacts },
): Interrupted | undefined {
  const by = app.status?.promoting;
  const latest = latestOf(revisions);
  if (by === undefined || !latest) return undefined;
  const { documents, images, lost } = restore(cache, app, latest, standalone);
  const isDown = existing.some((one) => {
    if (one.kind !== 'Service' || !isActive(one)) return false;
    const { name } = one.metadata;
    const was = latest.spec.documents.find((each) => each.kind === 'Service' && each.name === name);
    const restored = documents.find((each) => each.kind === 'Service' && each.metadata.name === name);
    return was !== undefined && !sameSpec(one, was) && !(restored && sameSpec(one, restored));
  });
  if (!isDown) return undefined;
  const children = [...images, ...documents, ...keptImages(cache, app, existing, images)];
  return { by, lost, target: { children, content: { name: latest.metadata.name, documents }, rollout } };
}

/** What the status says is of what the document said before. */
function refusedBefore({ status }: App, declared: Content, revisions: readonly Revision[]): Revision | undefined {
  const refusal = lastRefusal(status);
  if (!refusal || refusal.reason === BY_HAND || isLifted(refusal, declared.name, revisions)) return undefined;
  const found = revisions.find(({ metadata }) => metadata.name === declared.name);
  return found && isBad(found) ? found : undefined;
}

const isBad = (one: Revision): boolean => !isUndecided(one) && one.status?.phase === 'Bad';

function verdictOf(revisions: readonly Revision[], content: Content): RolloutFacts['verdict'] {
  const latest = latestOf(revisions);
  if (latest?.metadata.name !== content.name) return undefined;
  if (isUndecided(latest)) return 'open';
  return isBad(latest) ? { revision: latest } : 'good';
}

function byHandOf(
  cache: EngineCache,
  app: App,
  revisions: readonly Revision[],
  { running, declared }: { readonly running: string; readonly declared: string },
): ByHand | undefined {
  const request = pendingRequest(app, 'rollback');
  if (!request) return undefined;
  const { to: wanted } = request;
  const to =
    wanted === undefined ? lastGoodOf(revisions, running) : revisions.find(({ metadata }) => metadata.name === wanted);
  const refuse = (refusal: string): ByHand => ({ request, to, refusal });
  const known = `\`supercargo history ${app.metadata.name}\` lists them`;
  if (!to) {
    return refuse(
      wanted === undefined
        ? 'There is no earlier revision that was good to go back to'
        : `App ${app.metadata.name} has no revision ${wanted}; ${known}`,
    );
  }
  if (to.metadata.name === running) return refuse(`Revision ${running} is what runs`);
  if (to.status?.phase === 'Bad') {
    return refuse(
      `Revision ${to.metadata.name} was bad (${to.status.message ?? 'nobody knows why'}); go back to another one, or try what is declared again with \`supercargo retry ${app.metadata.name}\``,
    );
  }
  // What is declared is promoted like any release: its images are downloaded.
  const lost = to.metadata.name === declared ? [] : lostImages(cache, to);
  if (lost.length > 0) return refuse(goneMessage(to, lost));
  return { request, to, refusal: undefined };
}

/** Why a revision cannot be made again. Pure. */
export const goneMessage = ({ metadata }: Revision, lost: readonly string[]): string =>
  `The image that revision ${metadata.name} ran as ${lost.join(', ')} is gone from the device, and no registry knows it; declare a release whose images can be had`;

/** The release that is to run: that of the document, or of the revision that the App goes back to. Pure. */
export const releaseToRun = (app: App, { back }: Pick<RolloutFacts, 'back'>): NumberedRelease | null =>
  back?.to ? releaseOfRevision(back.to) : identityOf(app).release;

/** Pure. */
export function releaseOfRevision({ spec: { release } }: Revision): NumberedRelease | null {
  return release ? { commit: release.commit, id: release.id } : null;
}

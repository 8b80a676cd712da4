import type { LogStream } from '../../api/device-state/logs.js';
import type { Store } from '../../api/store/store.js';
import { isActive } from '../../crds/model/active.js';
import { conditionOf, isReady } from '../../crds/model/conditions.js';
import { accessOfImage, missingPermission } from '../../crds/model/host-access.js';
import { imageKey } from '../../crds/model/image-reference.js';
import { type Issue, pathText } from '../../crds/model/issue.js';
import {
  type AnyDeclared,
  type AnyResource,
  type App,
  type Declared,
  type Key,
  keyOf,
  type Request,
} from '../../crds/model/kinds.js';
import { imageDocumentName } from '../../crds/model/names.js';
import { needsLock } from '../../crds/model/readiness.js';
import { APP_COMMANDS, pendingRequest } from '../../crds/model/requests.js';
import { latestOf, type Revision } from '../../crds/model/revisions.js';
import { applyOf, lastRefusal } from '../../crds/model/rollout.js';
import { isSuspended } from '../../crds/model/suspend.js';
import { cameAsTargetState } from '../../crds/model/target-state.js';
import { checkRelease } from '../../crds/schema/check-release.js';
import { standaloneNames, standaloneServices } from '../../crds/schema/standalone.js';
import type { Engine } from '../engine/engine.js';
import type { EngineCache } from '../engine/engine-cache.js';
import type { EngineTraits } from '../engine/engine-traits.js';
import { foreignImage } from '../engine/platform.js';
import type { Capability } from '../host/facts/capabilities.js';
import type { UpdateLocks } from '../host/locks/update-locks.js';
import type { Ages } from '../runtime/ages.js';
import { observeCommands } from './commands/commands.js';
import { observeDiskPressure } from './images/disk-pressure.js';
import { observeImageRetention } from './images/image-retention.js';
import type { AppFacts } from './plan.js';
import { identityOf, retainVolumes } from './release/children.js';
import { filterByContract } from './release/contracts.js';
import { differences } from './release/differences.js';
import { isVerifying, pinnedImages, revisionsOf } from './rollout/history.js';
import { type Interrupted, isTurning, observeInterrupted, observeTarget, type Target } from './rollout/observe.js';
import { decideWhen, type When } from './rollout/when.js';
import { windowAt } from './rollout/window.js';

export interface Observed {
  readonly store: Store;
  /** Read only: the App never acts on the engine. */
  readonly cache: EngineCache;
  readonly locks: UpdateLocks;
  /** Traits of the engine. Without them the platform of images is not checked. */
  readonly traits?: () => EngineTraits;
  /** Capabilities of this device that contracts may require. */
  readonly offers: readonly Capability[];
  /** The time of day, ms since the epoch. */
  readonly now: () => number;
  /** Time of a clock that is never set, ms. */
  readonly monotonic: () => number;
  /** How long images are kept after the release that wanted them, ms. */
  readonly imageGraceMs: number;
  /** Identifies the present boot of the device. */
  readonly bootId: string;
  /** Tells whether the App's content is promoted whatever it waits for: a rehearsal goes on behind the wait. */
  readonly goesAhead?: (app: string) => boolean;
}

/** What the controller of Apps is given. */
export interface AppDeps extends Observed {
  /** Looks for what is not ours; nothing else is done with it. */
  readonly engine: Pick<Engine, 'listLabelled' | 'listNamed'>;
  /** Asked instead: a rehearsal knows only what is ours. */
  readonly foreign?: Pick<Engine, 'listLabelled' | 'listNamed'>;
  readonly logs: LogStream;
}

/** State that the controller keeps in memory; all of it may be lost. */
export interface Memory {
  /** Numbers of Apps whose lock files of an earlier process have been removed. */
  readonly swept: Set<number>;
  /** Numbers of Apps whose lock is given back as soon as a step under it has ended; the log says so once. */
  readonly releasing: Set<number>;
  /**
   * By name: how often in a row the lock of an App was found taken for the same document and request, and when to look
   * again by the monotonic clock, ms.
   */
  readonly refusals: Map<string, { readonly of: string; readonly count: number; readonly dueMs: number }>;
  /** How long images have been kept that nothing uses any more. */
  readonly ages: Ages;
}

/** What a pass has observed of an App. */
export interface AppObservation extends AppFacts {
  /** The document that the pass decides on; its status is never about a later one. */
  readonly document: App;
}

/** Reads everything that a decision about an App depends on. */
export function observeApp(
  deps: Observed,
  { swept, ages }: Pick<Memory, 'swept' | 'ages'>,
  declared: App,
): AppObservation {
  const { store, cache, locks, offers, traits, now, imageGraceMs: graceMs } = deps;
  const { app, skipped, unsatisfied } = filterByContract(declared, declared.spec.release === null ? [] : offers);
  const { appId } = identityOf(app);
  const key = keyOf('App', app.metadata.name);
  const existing: readonly AnyResource[] = [
    ...store.owned(key, 'Image'),
    ...store.owned(key, 'Network'),
    ...store.owned(key, 'Volume'),
    ...store.owned(key, 'Service'),
  ];
  const standalone = standaloneServices(app.metadata.name, store.list('Service'));
  const revisions = revisionsOf(store, app);
  const wantedOf = (target: Target) => {
    const desired = retainVolumes(app, target.children, existing);
    const missing = missingImages(store, cache, desired);
    const references = missing.map(({ spec }) => spec.image);
    const diskPressure = observeDiskPressure(store, cache, { desired, existing, missing: references });
    const hasImages = missing.length === diskPressure.heldBack.size;
    return { target, desired, missing, diskPressure, hasImages };
  };
  const first = wantedOf(observeTarget(cache, app, revisions, existing, standalone));
  const interrupted = observeInterrupted(cache, app, revisions, existing, {
    standalone,
    rollout: first.target.rollout,
  });
  const decided = observeWhen(deps, app, { ...first, existing, revisions, interrupted });
  const back =
    decided.is === 'later' && lastRefusal(app.status)
      ? observeTarget(cache, app, revisions, existing, standalone, { waits: true })
      : undefined;
  // While it waits, what was promoted last is whole: nothing is down for a release that is not declared any more.
  const isCutOff = decided.is === 'later' && interrupted?.lost.length === 0;
  const meanwhile = back?.rollout.back ? back : isCutOff ? interrupted.target : undefined;
  const { target, desired, missing, diskPressure } = meanwhile ? wantedOf(meanwhile) : first;
  const { content, rollout } = target;
  const isBack = rollout.back !== undefined || meanwhile !== undefined;
  const when: When = isBack ? { is: 'now', next: decided.next } : decided;
  const issuesOf = (one: App): readonly Issue[] => [
    ...checkRelease(one, {
      services: [...standalone.map(({ spec }) => spec.serviceName), ...skipped.map(({ service }) => service)],
      networks: standaloneNames(one.metadata.name, store.list('Network')),
      volumes: standaloneNames(one.metadata.name, store.list('Volume')),
    }),
    ...foreignImages(one, cache, traits?.().machine),
    ...accessOfImages(one, cache),
  ];
  return {
    document: declared,
    existing,
    desired,
    content,
    revisions,
    rollout,
    // What was promoted before was found right then, and the document does not count while it is refused.
    issues: isBack ? [] : issuesOf(app),
    skipped,
    unsatisfied: isBack ? [] : unsatisfied,
    taken: takenNames(store, app, desired),
    missing: missing.map(({ spec }) => imageAndState(store, spec)),
    diskPressure,
    when,
    isInterrupted: interrupted !== undefined,
    imageRetention: observeImageRetention({
      ...{ app, existing, desired, store, cache, ages, graceMs },
      pinned: pinnedImages(cache, revisions),
      isVerifying: isVerifying(revisions) || isTurning(rollout),
      nowMs: now(),
    }),
    needLock: [...store.owned(key, 'Service'), ...standalone].filter(needsLock).map(({ spec }) => spec.serviceName),
    locked: locks.isHeld(appId),
    unswept: !swept.has(appId),
    pending: observeCommands(store, cache, app, revisions),
  };
}

interface WhenInput {
  readonly target: Target;
  readonly existing: readonly AnyResource[];
  readonly desired: readonly AnyDeclared[];
  readonly revisions: readonly Revision[];
  readonly hasImages: boolean;
  readonly interrupted: Interrupted | undefined;
}

/** Finds out whether the content of an App may be promoted now. */
function observeWhen(
  { now, bootId, goesAhead }: Observed,
  app: App,
  { target: { content, rollout }, existing, desired, revisions, hasImages, interrupted }: WhenInput,
): When {
  const { metadata, spec, status } = app;
  const apply = applyOf(spec);
  const isNew =
    apply !== 'now' &&
    !rollout.back &&
    latestOf(revisions)?.metadata.name !== content.name &&
    differences(existing, desired).some((one) => !one.startsWith('Image/'));
  const nowMs = now();
  return decideWhen({
    ...{ app: metadata.name, apply, isNew, hasImages, bootId, nowMs },
    window: isNew && apply === 'window' && spec.rollout?.window ? windowAt(spec.rollout.window, nowMs) : undefined,
    revision: content.name,
    isStarted: interrupted?.by === content.name,
    interrupts: existing.some(({ kind }) => kind === 'Service') && !interrupted?.lost.length,
    isSuspended: isSuspended(app),
    next: status?.next,
    goesAhead: goesAhead?.(metadata.name) ?? false,
  });
}

/** Returns an issue for each service whose local image is made for another machine, unless a container was made of it. */
function foreignImages(app: App, cache: EngineCache, machine: string | undefined): readonly Issue[] {
  const { appId, release } = identityOf(app);
  if (release === null) return [];
  return Object.entries(app.spec.services ?? {}).flatMap(([name, { image: reference, platform }]) => {
    const image = cache.image(reference);
    const isTried = !platform && image && cache.containersOf(appId, name).some((one) => one.image === image.id);
    if (!image || isTried) return [];
    const message = foreignImage(reference, image, { machine, platform });
    return message === undefined ? [] : [{ path: `spec.services.${name}.image`, message }];
  });
}

/**
 * Returns an issue for each path of the host that the labels of a local image mount without permission. The labels are
 * unknown before the image is local.
 */
function accessOfImages({ metadata, spec }: App, cache: EngineCache): readonly Issue[] {
  if (spec.release === null || spec.allowHostBinds === true || cameAsTargetState(metadata)) return [];
  return Object.entries(spec.services ?? {}).flatMap(([name, fields]) =>
    accessOfImage(fields, cache.image(fields.image)?.config.Labels ?? {}).map((one) => ({
      path: pathText(['spec', 'services', name, ...one.path]),
      message: missingPermission(one),
    })),
  );
}

function takenNames(store: Store, app: App, desired: readonly AnyDeclared[]): readonly Key[] {
  const mine = keyOf('App', app.metadata.name);
  return desired.flatMap(({ kind, metadata: { name } }) => {
    const there = store.get(kind, name);
    return there && there.metadata.origin !== mine && isActive(there) ? [keyOf(kind, name)] : [];
  });
}

/**
 * Returns the desired images that keep a release from being promoted. Their documents may be out of date, because an
 * image may have gone while no agent was running: each has to be in the synced cache as well.
 */
const missingImages = (
  store: Store,
  cache: EngineCache,
  desired: readonly AnyDeclared[],
): readonly Declared<'Image'>[] =>
  desired
    .filter((one) => one.kind === 'Image')
    .filter(({ spec }) => !cache.image(spec.image) || isBeingDeleted(store, spec.image));

function imageAndState(store: Store, { app, image }: Declared<'Image'>['spec']): string {
  const document = store.get('Image', imageDocumentName(app, image));
  const ready = document && conditionOf(document, 'Ready');
  return ready && !isReady(document) ? `${image} (${ready.message})` : image;
}

/** Tells whether an image is being deleted for another App. */
const isBeingDeleted = (store: Store, reference: string): boolean =>
  store
    .list('Image')
    .some(({ spec, status }) => status?.state === 'Deleting' && imageKey(spec.image) === imageKey(reference));

/** Returns every service that has or will have a container: the lock is claimed for all of them. */
export function servicesOfApp(store: Store, app: App): readonly string[] {
  const existing = store.list('Service').filter(({ spec }) => spec.app === app.metadata.name);
  const desired = identityOf(app).release === null || !isActive(app) ? [] : Object.keys(app.spec.services ?? {});
  return [...new Set([...existing.map(({ spec }) => spec.serviceName), ...desired])].sort();
}

/** Returns a pending request of the App or of one of its services that says `force`. */
export function forcingRequest(store: Store, app: App): Request | undefined {
  const ofApp =
    pendingRequest(app, 'force') ??
    APP_COMMANDS.map((command) => pendingRequest(app, command)).find((one) => one?.force === true);
  if (ofApp) return ofApp;
  return store
    .list('Service')
    .filter((one) => one.spec.app === app.metadata.name)
    .flatMap(({ requests, status }) =>
      Object.entries(requests).flatMap(([name, one]) =>
        one?.force && one.id !== status?.handled?.[name] ? [one] : [],
      ),
    )[0];
}

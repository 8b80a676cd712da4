import type { LogStream } from '../../api/device-state/logs.js';
import type { Store } from '../../api/store/store.js';
import { isActive } from '../../crds/model/active.js';
import { hostOf, imageKey, normalizeReference, registryName, repositoryOf } from '../../crds/model/image-reference.js';
import type { App, Image, Service } from '../../crds/model/kinds.js';
import { isSuspended, saysSuspended } from '../../crds/model/suspend.js';
import type { ServiceFields } from '../../crds/model/types.js';
import type { Engine } from '../engine/engine.js';
import type { EngineCache, PullOptions, Pulls } from '../engine/engine-cache.js';
import type { Archives } from '../engine/images/archives.js';
import { observeKeptNames } from './kept-names.js';
import { type ImageFacts, isReference } from './plan.js';
import type { Attempts } from './pull-failure.js';

export interface Observed {
  readonly store: Store;
  readonly cache: EngineCache;
  readonly pulls: Pulls;
  readonly archives?: Pick<Archives, 'holds'>;
  /** The time of day, ms since the epoch. */
  readonly now: () => number;
  /** Of a clock that is never set, ms. */
  readonly monotonic: () => number;
  /** 0 ≤ x < 1; 0 when absent. */
  readonly random?: () => number;
}

/** What the controller of Images is given. */
export interface ImageDeps extends Observed {
  readonly engine: Engine;
  readonly logs: LogStream;
}

/** Returns the release for which a tag is resolved once. For an App without a release every change is one. */
function releaseOf(store: Store, { spec }: Image): string {
  const app = store.get('App', spec.app);
  const release = app?.spec.release;
  return release ? `${release.commit}/${release.id}` : `generation ${app?.metadata.generation ?? 0}`;
}

/** Returns the options for a pull that the documents set. */
export function pullOptionsOf(store: Store, image: Image): PullOptions {
  const { spec, status } = image;
  const isResolved = status?.digest !== undefined && status.resolvedFor === releaseOf(store, image);
  const { registries = {} } = store.get('App', spec.app)?.spec ?? {};
  const { registry } = registryName(spec.image);
  const [, access] = Object.entries(registries).find(([host]) => hostOf(host) === registry) ?? [];
  const platform = platformOf(store, image);
  return {
    ...(access ? { secret: access.secret } : {}),
    ...(platform ? { platform } : {}),
    ...(isResolved ? { digest: status.digest } : {}),
  };
}

/** Returns the platform of the first service that sets one: an App that asks for two of the same image is not promoted. */
function platformOf(store: Store, { spec }: Image): string | undefined {
  const services = [
    ...Object.values(store.get('App', spec.app)?.spec.services ?? {}),
    ...store.list('Service').flatMap((one) => (one.spec.app === spec.app ? [one.spec] : [])),
  ];
  const asked = services.find(({ image, platform }) => platform && normalizeReference(image) === spec.image);
  return asked?.platform ?? undefined;
}

/** State that the controller keeps in memory. When it is lost, pulls are tried at once. */
export interface Memory {
  /** By name of the document. */
  readonly attempts: Map<string, Attempts>;
}

/** Inspects the image on the engine, once: the cache knows only the names of images at first. */
export async function lookOnce({ store, cache, pulls }: Observed, image: Image, signal: AbortSignal): Promise<void> {
  const { spec } = image;
  if (cache.image(spec.image) || pulls.state(spec.image).is !== 'none' || !isReference(spec.image)) return;
  // Nothing will be pulled, perhaps for months.
  if (saysSuspended(image) && isSuspended(store.get('App', spec.app))) return;
  await cache.refreshImage(spec.image, signal);
}

/** Reads everything that a decision about an image depends on. */
export function observeImage({ store, cache, pulls, ...deps }: Observed, memory: Memory, image: Image): ImageFacts {
  const { metadata, spec } = image;
  const seen = cache.image(spec.image);
  const app = store.get('App', spec.app);
  const pull = pulls.state(spec.image);
  const isMeant = (other: string): boolean => takesAlong(cache, spec.image, other);
  const mayCome = seen === undefined || pull.is !== 'none';
  return {
    seen,
    pull,
    of: purposeOf(image, app),
    attempts: memory.attempts.get(metadata.name),
    release: releaseOf(store, image),
    fromFile: deps.archives?.holds(spec.image) ?? false,
    suspendedBy: isSuspended(app) ? spec.app : undefined,
    wantedElsewhere: wantedBy(store, metadata.name, isMeant),
    awaitedElsewhere: mayCome && wantedBy(store, metadata.name, isMeant, { toCome: true }),
    usedBy: seen
      ? cache
          .containers()
          .filter((container) => container.image === seen.id)
          .map((container) => container.name)
      : [],
    nowMs: deps.monotonic(),
    timeMs: deps.now(),
    random: deps.random?.() ?? 0,
    keptNames: observeKeptNames(store, cache, image),
  };
}

/** Returns what a pull is for. Attempts count again from zero when it changes, and when an App is resumed. */
const purposeOf = ({ metadata }: Image, app: App | undefined): string =>
  [metadata.uid, metadata.generation, app?.metadata.generation ?? 0, app?.requests.resume?.id ?? ''].join('/');

/**
 * Tells whether another document needs the image: an Image, a Service (a standalone one has no Image), or an App that
 * names it and may not have declared it yet, unless that is refused. `toCome`: only documents that wait for a download,
 * which those of suspended Apps, retained images and `pull_policy: never` do not.
 */
function wantedBy(
  store: Store,
  name: string,
  isMeant: (reference: string) => boolean,
  { toCome = false } = {},
): boolean {
  const counts = (app: App | undefined): boolean => !toCome || !isSuspended(app);
  const asks = (one: Image | Service): boolean =>
    isActive(one) && isMeant(one.spec.image) && counts(store.get('App', one.spec.app));
  const keeps = ({ spec }: Image): boolean => toCome && (spec.spareSince !== undefined || spec.pull === false);
  const isPulled = ({ pull_policy }: Pick<ServiceFields, 'pull_policy'>): boolean => !toCome || pull_policy !== 'never';
  const runs = (app: App): boolean =>
    !isRefused(app) &&
    app.spec.release !== null &&
    Object.values(app.spec.services ?? {}).some((one) => isMeant(one.image) && isPulled(one));
  return (
    store.list('Image').some((one) => one.metadata.name !== name && asks(one) && !keeps(one)) ||
    store.list('Service').some((one) => asks(one) && isPulled(one.spec)) ||
    store.list('App').some((one) => isActive(one) && runs(one) && counts(one))
  );
}

/** Tells whether another revision is to run than what the App declares, of which it keeps what it wants. Pure. */
const isRefused = ({ metadata, status }: App): boolean =>
  status?.rollback !== undefined && status.observedGeneration === metadata.generation;

/**
 * Tells whether `other` would be lost with the reference: it is the same one, or a digest that Docker removes with the
 * last tag of its repository.
 */
function takesAlong(cache: EngineCache, reference: string, other: string): boolean {
  if (imageKey(other) === imageKey(reference)) return true;
  if (!other.includes('@') || repositoryOf(other) !== repositoryOf(reference)) return false;
  const digests = cache.image(reference)?.digests ?? [];
  return digests.some((digest) => imageKey(digest) === imageKey(other));
}

/** Returns other documents with the same reference, however it is written: pulls and tags are shared. */
export const sameImage = (store: Store, name: string, reference: string): readonly Image[] =>
  store
    .list('Image')
    .filter((other) => other.metadata.name !== name && imageKey(other.spec.image) === imageKey(reference));

import type { Store } from '../../../api/store/store.js';
import { isActive } from '../../../crds/model/active.js';
import type { AnyDeclared, AnyResource, App, Image } from '../../../crds/model/kinds.js';
import { lacksDisk } from '../../../crds/model/readiness.js';
import type { EngineCache } from '../../engine/engine-cache.js';
import type { Ages } from '../../runtime/ages.js';
import { exactImage } from '../release/children.js';

/** Names of the Image documents that the App has and does not want, by what happens to them. */
export interface ImageRetention {
  /** Wanted until now: retained for a while from now on, in case the release before is wanted again. */
  readonly unused: readonly string[];
  /** Retained for as long as they are to be, or not on the device anyway: deleted once the release is complete. */
  readonly expired: readonly string[];
  /** Needed neither by what runs nor by what is desired: deleted before images are downloaded. */
  readonly evictable: readonly string[];
  /** Retained, or pinned where nothing else is, while a download on this device lacks disk space: deleted at once. */
  readonly blocking: readonly string[];
}
export const NO_UNWANTED_IMAGES: ImageRetention = { unused: [], expired: [], evictable: [], blocking: [] };

export type ImageRetentionStep =
  /** Deletes these Image documents. */
  | { readonly do: 'prune'; readonly images: readonly string[]; readonly because: string }
  /** Marks these images as retained from now on. */
  | { readonly do: 'keep'; readonly images: readonly string[]; readonly because: string };

interface ImageRetentionInput {
  readonly app: App;
  readonly existing: readonly AnyResource[];
  readonly desired: readonly AnyDeclared[];
  readonly store: Store;
  readonly cache: EngineCache;
  readonly ages: Ages;
  /** References and ids of images that stay: what the App can go back to runs them. */
  readonly pinned: ReadonlySet<string>;
  /** Whether a release is still verified, so that nothing pinned goes even where a download lacks disk space. */
  readonly isVerifying: boolean;
  /** The time of day, ms since the epoch. */
  readonly nowMs: number;
  /** How long an image is kept after the release that wanted it. */
  readonly graceMs: number;
}

/** Finds the images that the App has and does not want, and what is to happen to each. */
export function observeImageRetention({
  app,
  existing,
  desired,
  store,
  cache,
  ages,
  pinned,
  isVerifying,
  nowMs,
  graceMs,
}: ImageRetentionInput): ImageRetention {
  const wanted = new Set(desired.flatMap(({ kind, metadata }) => (kind === 'Image' ? [metadata.name] : [])));
  const unwanted = existing
    .filter((one) => one.kind === 'Image')
    .filter((one) => isActive(one) && !wanted.has(one.metadata.name));
  if (unwanted.length === 0) return NO_UNWANTED_IMAGES;
  const isPinned = ({ spec }: Image): boolean =>
    pinned.has(spec.image) || pinned.has(cache.image(spec.image)?.id ?? spec.image);
  const others = unwanted.filter((image) => !isPinned(image));

  const isShortOfDisk = store.list('Image').some(lacksDisk);
  const isLocal = ({ spec, status }: Image): boolean => status?.state === 'Downloaded' || !!cache.image(spec.image);
  const retainedMs = (image: Image): number => ages.since(image.metadata.uid, retainedSinceMs(image));
  const isRetainedNow = (image: Image): boolean => isRetained(image) && !isFromFuture(image, nowMs);
  const isExpired = (image: Image): boolean =>
    graceMs === 0 || !isLocal(image) || (isRetainedNow(image) && retainedMs(image) >= graceMs);
  const isUnused = (image: Image): boolean => !isRetainedNow(image) && !isExpired(image);
  const running = new Set(existing.flatMap((one) => (one.kind === 'Service' && isActive(one) ? [one.spec.image] : [])));
  const completed = new Set<string | undefined>(Object.values(app.status?.images ?? {}));
  // The spec of a service under disk pressure names the next image already: the release before is known by its digests.
  const isOfRunning = (image: Image): boolean =>
    running.has(image.spec.image) || (!isRetained(image) && completed.has(exactImage(image)));
  const isBlocking = (image: Image): boolean => isRetained(image) && !running.has(image.spec.image);
  const isPinnedInVain = (image: Image): boolean => isPinned(image) && !isOfRunning(image);
  const retained = others.filter(isBlocking);
  // A device whose last release is bad, and whose disk is full, could never get a better one.
  const blocking = retained.length > 0 || isVerifying ? retained : unwanted.filter(isPinnedInVain);
  return {
    unused: namesOf(others.filter(isUnused)),
    expired: namesOf(others.filter(isExpired)),
    evictable: namesOf(others.filter((image) => !isOfRunning(image))),
    blocking: isShortOfDisk ? namesOf(blocking) : [],
  };
}

/** Tells whether an image is kept although no release wants it. Pure. */
export const isRetained = ({ spec }: Image): boolean => spec.spareSince !== undefined;

/** Since when an image is retained, ms since the epoch; NaN while it is not. */
const retainedSinceMs = ({ spec }: Image): number => Date.parse(String(spec.spareSince));

/** Tolerance for clocks that are only slewed, and for documents written in this very moment, ms. */
const SLACK_MS = 2_000;
/** Tells whether the time was written under another clock, because it is yet to come: the image is retained from now on instead. Pure. */
const isFromFuture = (image: Image, nowMs: number): boolean => retainedSinceMs(image) > nowMs + SLACK_MS;

const namesOf = (images: readonly Image[]): readonly string[] => images.map(({ metadata }) => metadata.name);

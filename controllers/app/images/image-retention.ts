import type { Store } from '../../../api/store/store.js';
import { isActive } from '../../../crds/model/active.js';
import type { AnyDeclared, AnyResource, App, Image } from '../../../crds/model/kinds.js';
import { lacksDisk } from '../../../crds/model/readiness.js';
import type { World } from '../../engine/world.js';
import type { Ages } from '../../runtime/ages.js';
import { exactImage } from '../release/release-images.js';

/** Image documents that the App has and does not want: names, by what is to become of them. */
export interface Spare {
  /** Wanted until now; kept for a while from now on, should the release before be wanted again. */
  readonly fresh: readonly string[];
  /** Kept for as long as they are to be, or not on the device anyway. */
  readonly over: readonly string[];
  /** Neither what runs nor what is wanted next needs them: in the way of a download. */
  readonly obsolete: readonly string[];
  /** Kept, while a download on this device finds no room. */
  readonly inTheWay: readonly string[];
}
export const NO_SPARE: Spare = { fresh: [], over: [], obsolete: [], inTheWay: [] };

export type SpareStep =
  /** Let go of these images. */
  | { readonly do: 'prune'; readonly images: readonly string[]; readonly because: string }
  /** Keep these images for a while, though nothing uses them. */
  | { readonly do: 'keep'; readonly images: readonly string[]; readonly because: string };

interface SpareInput {
  readonly app: App;
  readonly existing: readonly AnyResource[];
  readonly desired: readonly AnyDeclared[];
  readonly store: Store;
  readonly world: World;
  readonly ages: Ages;
  /** The time of day, ms since the epoch. */
  readonly nowMs: number;
  /** How long an image is kept after the release that wanted it. */
  readonly graceMs: number;
}

/** Sorts the images that the App has and does not want. */
export function observeSpare({ app, existing, desired, store, world, ages, nowMs, graceMs }: SpareInput): Spare {
  const wanted = new Set(desired.flatMap(({ kind, metadata }) => (kind === 'Image' ? [metadata.name] : [])));
  const spare = existing
    .filter((one) => one.kind === 'Image')
    .filter((one) => isActive(one) && !wanted.has(one.metadata.name));
  if (spare.length === 0) return NO_SPARE;

  const isShortOfDisk = store.list('Image').some(lacksDisk);
  const isThere = ({ spec, status }: Image): boolean => status?.state === 'Downloaded' || !!world.image(spec.image);
  const keptMs = ({ metadata, spec }: Image): number => ages.since(metadata.uid, Date.parse(spec.spareSince ?? ''));
  const isOver = (image: Image): boolean =>
    graceMs === 0 || !isThere(image) || (isKept(image) && !isFromFuture(image, nowMs) && keptMs(image) >= graceMs);
  const isFresh = (image: Image): boolean => (!isKept(image) || isFromFuture(image, nowMs)) && !isOver(image);
  const runs = new Set(existing.flatMap((one) => (one.kind === 'Service' && isActive(one) ? [one.spec.image] : [])));
  const completed = new Set(Object.values(app.status?.images ?? {}));
  // A service that makes room for its next image is told of that one first: the release before is then known by its digests.
  const isOfRunning = (image: Image): boolean =>
    runs.has(image.spec.image) || (!isKept(image) && completed.has(exactImage(image) ?? ''));
  return {
    fresh: namesOf(spare.filter(isFresh)),
    over: namesOf(spare.filter(isOver)),
    obsolete: namesOf(spare.filter((one) => !isOfRunning(one))),
    inTheWay: isShortOfDisk ? namesOf(spare.filter((one) => isKept(one) && !runs.has(one.spec.image))) : [],
  };
}

export const isKept = ({ spec }: Image): boolean => spec.spareSince !== undefined;

/** Clocks that are only slewed, and documents written in this very moment, ms. */
const SLACK_MS = 2_000;
/** A time that is yet to come was written under another clock: the image is kept anew, from now on. Pure. */
const isFromFuture = ({ spec }: Image, nowMs: number): boolean => Date.parse(spec.spareSince ?? '') > nowMs + SLACK_MS;

const namesOf = (images: readonly Image[]): readonly string[] => images.map(({ metadata }) => metadata.name);

import type { Store } from '../../../api/store/store.js';
import { isActive } from '../../../crds/model/active.js';
import { type AnyDeclared, type AnyResource, keyOf, type Service } from '../../../crds/model/kinds.js';
import { isInUse } from '../../../crds/model/readiness.js';
import type { ReasonOf } from '../../../crds/model/reasons.js';
import { labelsOf } from '../../../crds/model/references.js';
import { askedStrategy, killsFirst, type UpdateStrategy } from '../../../crds/model/update-strategy.js';
import type { EngineCache } from '../../engine/engine-cache.js';
import { IMAGE } from '../../engine/labels.js';
import { act, type Plan, wait } from '../../runtime/outcome.js';
import { sameSpec } from '../release/children.js';

/** A service whose update strategy stops the old container before the new image is downloaded. */
interface EarlyStop {
  /** Name of its document. */
  readonly document: string;
  /** The reference that is missing. */
  readonly image: string;
  readonly strategy: UpdateStrategy;
  /** A container of another image still exists. */
  readonly hasOldContainer: boolean;
  /** Its document already has the spec of the release. */
  readonly specApplied: boolean;
}

/** What has to be removed from the disk before missing images are downloaded. */
export interface DiskPressure {
  readonly earlyStops: readonly EarlyStop[];
  /** References that are not declared yet. */
  readonly heldBack: ReadonlySet<string>;
  /** Documents of old images that only `delete-then-download` services have used, and that can go by now. */
  readonly oldImages: readonly { readonly document: string; readonly image: string; readonly isGoing: boolean }[];
  /** Other images are missing too: they are downloaded first. */
  readonly othersMissing: boolean;
}
export const NO_DISK_PRESSURE: DiskPressure = {
  earlyStops: [],
  heldBack: new Set(),
  oldImages: [],
  othersMissing: false,
};

export type DiskPressureStep =
  /** Applies the release's spec to these services, and only to these. */
  | { readonly do: 'advance'; readonly services: readonly string[]; readonly because: string }
  /** Deletes these Image documents. */
  | { readonly do: 'drop'; readonly images: readonly string[]; readonly because: string };
type Claim = { readonly do: 'claim'; readonly because: string };
type Steps = Plan<DiskPressureStep | Claim, ReasonOf<'App'>>;

/**
 * Plans the next step towards images that need space on the disk. Everything else of the release has been downloaded by
 * then, so a service that stops early is down no longer than its own download takes. Returns undefined when the images
 * can be downloaded. Pure. (docs/design/rollout.md §2.1.)
 */
export function planDiskPressure(
  { earlyStops, oldImages, othersMissing }: DiskPressure,
  locked: boolean,
): Steps | undefined {
  if (othersMissing) return undefined;
  const running = earlyStops.filter(({ hasOldContainer }) => hasOldContainer);
  const outdated = running.filter(({ specApplied }) => !specApplied);
  if (outdated.length > 0) {
    const because = outdated.map(({ strategy, image }) => `${strategy} of ${image}`).join(', ');
    const claim: readonly Claim[] = locked ? [] : [{ do: 'claim', because }];
    return act<DiskPressureStep | Claim, ReasonOf<'App'>>('MakingRoom', ...claim, {
      do: 'advance',
      services: outdated.map(({ document }) => document),
      because,
    });
  }
  if (running.length > 0) {
    const names = running.map(({ document }) => `Service/${document}`).join(', ');
    return wait('MakingRoom', `Waiting for ${names} to stop before images are downloaded`);
  }
  const next = oldImages.filter(({ isGoing }) => !isGoing);
  if (next.length > 0) {
    const because = `delete-then-download: ${next.map(({ image }) => image).join(', ')} ${next.length === 1 ? 'goes' : 'go'} first`;
    return act('MakingRoom', { do: 'drop', images: next.map(({ document }) => document), because });
  }
  if (oldImages.length === 0) return undefined;
  return wait('MakingRoom', `Waiting for ${oldImages.map(({ image }) => image).join(', ')} to go first`);
}

/** Finds which services have to stop, and which images have to go, before which missing images are downloaded. */
export function observeDiskPressure(
  store: Store,
  cache: EngineCache,
  { desired, existing, missing }: DiskPressureInput,
): DiskPressure {
  if (missing.length === 0) return NO_DISK_PRESSURE;
  const services = desired.filter((one) => one.kind === 'Service');
  const earlyStops = services.flatMap(({ metadata, spec }): readonly EarlyStop[] => {
    const asked = askedStrategy(spec.updateStrategy, labelsOf(spec.labels));
    // Nothing stops for an image that nobody downloads.
    if (spec.pull_policy === 'never') return [];
    if (asked.is === 'unknown' || !killsFirst(asked.strategy) || !missing.includes(spec.image)) return [];
    const existingService = store.get('Service', metadata.name);
    return [
      {
        document: metadata.name,
        image: spec.image,
        strategy: asked.strategy,
        hasOldContainer: hasOldContainer(cache, spec),
        specApplied: existingService !== undefined && isActive(existingService) && sameSpec(existingService, { spec }),
      },
    ];
  });
  const isOnlyForEarlyStops = (reference: string): boolean =>
    services
      .filter(({ spec }) => spec.image === reference)
      .every(({ metadata }) => earlyStops.some(({ document }) => document === metadata.name));
  const forEarlyStops = missing.filter(
    (reference) => earlyStops.some(({ image }) => image === reference) && isOnlyForEarlyStops(reference),
  );
  const oldImages = removableImages(earlyStops, { desired, existing });
  const heldBack = forEarlyStops.filter((reference) =>
    earlyStops.some(
      ({ image, strategy, hasOldContainer: isRunning }) =>
        image === reference && (isRunning || (oldImages.length > 0 && strategy === 'delete-then-download')),
    ),
  );
  return {
    earlyStops,
    heldBack: new Set(heldBack),
    oldImages,
    othersMissing: missing.some((reference) => !forEarlyStops.includes(reference)),
  };
}

interface DiskPressureInput {
  readonly desired: readonly AnyDeclared[];
  readonly existing: readonly AnyResource[];
  /** References. */
  readonly missing: readonly string[];
}

const hasOldContainer = (cache: EngineCache, { appId = 0, serviceName, image }: Service['spec']): boolean =>
  cache.containersOf(appId, serviceName).some(({ labels }) => labels[IMAGE] !== image);

/** Old images of `delete-then-download` services that have stopped, but for one that somebody else's container keeps. */
function removableImages(
  earlyStops: readonly EarlyStop[],
  { desired, existing }: Omit<DiskPressureInput, 'missing'>,
): DiskPressure['oldImages'] {
  const stopped = earlyStops.filter((one) => one.strategy === 'delete-then-download' && !one.hasOldContainer);
  const users = new Set(
    desired.flatMap((one) =>
      one.kind === 'Service' && stopped.some(({ document }) => document === one.metadata.name)
        ? [one.spec.serviceName]
        : [],
    ),
  );
  const wanted = new Set(desired.map(({ kind, metadata }) => keyOf(kind, metadata.name)));
  return existing.flatMap((one) => {
    if (one.kind !== 'Image' || wanted.has(keyOf('Image', one.metadata.name))) return [];
    if (!one.spec.services.every((name) => users.has(name))) return [];
    if (!isActive(one) && isInUse(one)) return [];
    return [{ document: one.metadata.name, image: one.spec.image, isGoing: !isActive(one) }];
  });
}

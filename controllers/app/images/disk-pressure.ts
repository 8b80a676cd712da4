import type { Store } from '../../../api/store/store.js';
import { isActive } from '../../../crds/model/active.js';
import { type AnyDeclared, type AnyResource, keyOf, type Service } from '../../../crds/model/kinds.js';
import { isInUse } from '../../../crds/model/readiness.js';
import type { ReasonOf } from '../../../crds/model/reasons.js';
import { labelsOf } from '../../../crds/model/references.js';
import { askedStrategy, killsFirst, type UpdateStrategy } from '../../../crds/model/update-strategy.js';
import { IMAGE } from '../../engine/labels.js';
import type { World } from '../../engine/world.js';
import { act, type Plan, wait } from '../../runtime/outcome.js';
import { sameSpec } from '../release/children.js';

/** A service whose container goes before its new image comes. */
interface Early {
  readonly document: string;
  readonly image: string;
  readonly strategy: UpdateStrategy;
  /** A container of another image is still there. */
  readonly stands: boolean;
  /** Its document says what the release wants of it. */
  readonly told: boolean;
}

/** What has to go before missing images are downloaded. */
export interface Room {
  readonly early: readonly Early[];
  /** References that are not to be declared yet. */
  readonly held: ReadonlySet<string>;
  /** Documents of old images that only `delete-then-download` services have used, and that could go by now. */
  readonly spent: readonly { readonly document: string; readonly image: string; readonly isGoing: boolean }[];
  /** Missing images that nobody has to make room for. */
  readonly others: boolean;
}
export const NO_ROOM_NEEDED: Room = { early: [], held: new Set(), spent: [], others: false };

export type RoomStep =
  /** Tells these services, and only these, what the release wants of them. */
  | { readonly do: 'advance'; readonly services: readonly string[]; readonly because: string }
  /** Lets go of these Image documents. */
  | { readonly do: 'drop'; readonly images: readonly string[]; readonly because: string };

/**
 * The next step towards images that need room. Everything else of the release is on the device by then, so that whoever
 * stops early is down no longer than its own download takes. Undefined when nothing is in the way. Pure.
 * (docs/design/rollout.md §2.1.)
 */
export function planRoom({ early, spent, others }: Room, locked: boolean): Steps | undefined {
  if (others) return undefined;
  const standing = early.filter(({ stands }) => stands);
  const untold = standing.filter(({ told }) => !told);
  if (untold.length > 0) {
    const because = untold.map(({ strategy, image }) => `${strategy} of ${image}`).join(', ');
    const claim: readonly Claim[] = locked ? [] : [{ do: 'claim', because }];
    return act<RoomStep | Claim, ReasonOf<'App'>>('MakingRoom', ...claim, {
      do: 'advance',
      services: untold.map(({ document }) => document),
      because,
    });
  }
  if (standing.length > 0) {
    const names = standing.map(({ document }) => `Service/${document}`).join(', ');
    return wait('MakingRoom', `Waiting for ${names} to stop before images are downloaded`);
  }
  const next = spent.filter(({ isGoing }) => !isGoing);
  if (next.length > 0) {
    const because = `delete-then-download: ${next.map(({ image }) => image).join(', ')} goes first`;
    return act('MakingRoom', { do: 'drop', images: next.map(({ document }) => document), because });
  }
  if (spent.length === 0) return undefined;
  return wait('MakingRoom', `Waiting for ${spent.map(({ image }) => image).join(', ')} to go first`);
}
type Claim = { readonly do: 'claim'; readonly because: string };
type Steps = Plan<RoomStep | Claim, ReasonOf<'App'>>;

/** Who has to make room for which of the missing images. */
export function observeRoom(store: Store, world: World, { desired, existing, missing }: RoomInput): Room {
  if (missing.length === 0) return NO_ROOM_NEEDED;
  const services = desired.filter((one) => one.kind === 'Service');
  const early = services.flatMap(({ metadata, spec }): readonly Early[] => {
    const asked = askedStrategy(spec.updateStrategy, labelsOf(spec.labels));
    if (asked.is === 'unknown' || !killsFirst(asked.strategy) || !missing.includes(spec.image)) return [];
    const there = store.get('Service', metadata.name);
    return [
      {
        document: metadata.name,
        image: spec.image,
        strategy: asked.strategy,
        stands: stands(world, spec),
        told: there !== undefined && isActive(there) && sameSpec(there, { spec }),
      },
    ];
  });
  const isEarly = (reference: string): boolean =>
    services
      .filter(({ spec }) => spec.image === reference)
      .every((one) => early.some((e) => e.document === one.metadata.name));
  const forEarly = missing.filter((one) => early.some(({ image }) => image === one) && isEarly(one));
  const spent = spentImages(early, { desired, existing });
  const held = forEarly.filter(
    (one) =>
      early.some(({ image, stands }) => image === one && stands) ||
      (spent.length > 0 && early.some(({ image, strategy }) => image === one && strategy === 'delete-then-download')),
  );
  return { early, held: new Set(held), spent, others: missing.some((one) => !forEarly.includes(one)) };
}

interface RoomInput {
  readonly desired: readonly AnyDeclared[];
  readonly existing: readonly AnyResource[];
  /** References. */
  readonly missing: readonly string[];
}

const stands = (world: World, { appId = 0, serviceName, image }: Service['spec']): boolean =>
  world.containersOf(appId, serviceName).some(({ labels }) => labels[IMAGE] !== image);

/** An image that a container of somebody else keeps is not waited for. */
function spentImages(early: readonly Early[], { desired, existing }: Omit<RoomInput, 'missing'>): Room['spent'] {
  const deleting = early.filter(({ strategy, stands }) => strategy === 'delete-then-download' && !stands);
  const mine = new Set(
    desired.flatMap((one) =>
      one.kind === 'Service' && deleting.some(({ document }) => document === one.metadata.name)
        ? [one.spec.serviceName]
        : [],
    ),
  );
  const wanted = new Set(desired.map(({ kind, metadata }) => keyOf(kind, metadata.name)));
  return existing.flatMap((one) => {
    if (one.kind !== 'Image' || wanted.has(keyOf('Image', one.metadata.name))) return [];
    if (!one.spec.services.every((name) => mine.has(name))) return [];
    if (!isActive(one) && isInUse(one)) return [];
    return [{ document: one.metadata.name, image: one.spec.image, isGoing: !isActive(one) }];
  });
}

import type { Image } from '../../crds/kinds.js';
import type { SeenImage } from '../docker/engine.js';
import type { Pulls } from '../docker/world.js';
import { act, InvalidSpecError, type Plan, settled, wait } from '../runtime/outcome.js';

export type ImageStep =
  | { readonly do: 'pull'; readonly because: string }
  /** Forget how the last pull ended. */
  | { readonly do: 'forget' }
  /** Stop a pull that nobody wants any more. */
  | { readonly do: 'cancel'; readonly because: string }
  | { readonly do: 'remove'; readonly because: string };

export interface ImageFacts {
  /** Undefined: not local. */
  readonly seen: SeenImage | undefined;
  readonly pull: ReturnType<Pulls['state']>;
  /** Another document that is to stay wants the same reference. */
  readonly wantedElsewhere: boolean;
  /** Names of our containers that were made from it. */
  readonly usedBy: readonly string[];
}

/** A plan, and the failure to report once its steps are done. */
export type ImagePlan = Plan<ImageStep> & { readonly failure?: Error };

/** What to do about one image, given what is local. Throws for a reference that cannot be one. Pure. */
export function planImage(image: Image, facts: ImageFacts): ImagePlan {
  return image.metadata.deletionTimestamp === undefined ? planWanted(image, facts) : planUnwanted(image, facts);
}

function planWanted({ spec, status }: Image, { seen, pull }: ImageFacts): ImagePlan {
  if (seen) {
    if (pull.is === 'failed') return act('Downloaded', { do: 'forget' }); // it came another way
    // Until the pull has said how it ended it is not known whether the image is ours to collect.
    if (pull.is === 'running' && status?.state === 'Downloading')
      return wait('Downloading', `Downloading ${spec.image}`);
    return settled();
  }
  if (!isReference(spec.image)) {
    throw new InvalidSpecError([{ path: 'spec.image', message: `${spec.image} is not an image reference` }]);
  }
  switch (pull.is) {
    case 'running':
      return wait('Downloading', `Downloading ${spec.image}`);
    case 'failed':
      return { ...settled(), steps: [{ do: 'forget' }], failure: pullFailure(spec.image, pull.error) };
    case 'none':
      if (isId(spec.image)) {
        const message = `Image ${spec.image} is not on the device and an id cannot be downloaded: load or build it here, or name a reference`;
        return { ...settled(), failure: new Error(message) };
      }
      return { ...wait('Downloading', `Downloading ${spec.image}`), steps: [{ do: 'pull', because: 'not local' }] };
  }
}

function planUnwanted({ spec, status }: Image, { seen, pull, wantedElsewhere, usedBy }: ImageFacts): ImagePlan {
  if (wantedElsewhere) return settled();
  if (pull.is === 'running') return act('Cancelling', { do: 'cancel', because: 'no longer wanted' });
  if (pull.is === 'failed') return act('Cancelling', { do: 'forget' });
  if (!seen || status?.pulled !== true) return settled();
  // Only the last name is what a container holds on to; any other can be taken off.
  const names = seen.tags.length + (spec.image.includes('@') ? seen.digests.length : 0);
  if (usedBy.length > 0 && names <= 1) {
    return wait('InUse', `Waiting for ${[...usedBy].sort().join(', ')} to let go of the image ${spec.image}`);
  }
  return act('Deleting', { do: 'remove', because: 'no longer wanted' });
}

/** A registry may be down or the image pushed later, so this is tried again; the sentence says what to look at meanwhile. */
function pullFailure(reference: string, cause: Error): Error {
  const hint = /manifest unknown|not found|does not exist/i.test(cause.message)
    ? ': check the name and the tag, and that the image was pushed'
    : /unauthorized|authentication required|denied|no basic auth/i.test(cause.message)
      ? ': check the name, and the access to its registry'
      : '';
  return new Error(`Could not download image ${reference}${hint}`, { cause });
}

const ID = /^sha256:[0-9a-f]{64}$/;
const isId = (reference: string): boolean => ID.test(reference);

const DOMAIN = String.raw`(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]+)?`;
const PART = String.raw`[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*`;
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}';
const REFERENCE = new RegExp(`^(?:${DOMAIN}/)?${PART}(?:/${PART})*(?::${TAG})?(?:@${DIGEST})?$`);

/** Docker's grammar (distribution/reference): anything else fails on every registry. Pure. */
export const isReference = (text: string): boolean => text.length <= 512 && (isId(text) || REFERENCE.test(text));

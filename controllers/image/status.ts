import type { Store } from '../../api/store/store.js';
import { shownTime } from '../../crds/model/due.js';
import { digestOf } from '../../crds/model/image-reference.js';
import type { Image } from '../../crds/model/kinds.js';
import type { ImageStatus } from '../../crds/model/types.js';
import type { SeenImage } from '../engine/engine.js';
import type { Plan } from '../runtime/outcome.js';
import type { Progress, StepResult } from '../runtime/reconciler.js';
import { sameImage } from './observe.js';
import type { ImageFacts, ImageStep } from './plan.js';
import type { Attempts } from './pull-failure.js';

export interface ImageResult extends StepResult {
  /** How the pull had ended that the pass has forgotten. */
  readonly ended: ImageFacts['pull'];
}

/** Returns the facts that outlive a failed pull. */
const kept = ({ status }: Image): ImageStatus => ({
  ...(status?.pulled ? { pulled: true } : {}),
  ...(status?.digest === undefined ? {} : { digest: status.digest }),
  ...(status?.resolvedFor === undefined ? {} : { resolvedFor: status.resolvedFor }),
});

/** Returns what the reference resolves to, and since which release; nothing for an image that no registry knows. */
function resolved({ spec, status }: Image, seen: SeenImage, release: string): ImageStatus {
  const digest = digestOf(seen, spec.image, status?.digest);
  return digest === undefined || spec.image.includes('@') ? {} : { digest, resolvedFor: release };
}

/** Returns the pulls that failed in a row; `waiting`: the next one has not begun. */
const failing = (
  { status }: Image,
  { nowMs, timeMs }: ImageFacts,
  attempts: Attempts | undefined,
  waiting: boolean,
): ImageStatus =>
  attempts === undefined
    ? {}
    : {
        failures: attempts.failures,
        lastError: attempts.failure.message,
        ...(waiting ? { nextAttemptAt: shownTime(status?.nextAttemptAt, timeMs + attempts.dueMs - nowMs) } : {}),
      };

/**
 * Returns the status of an image. `pulled` cannot be seen: it is set when an image that we were downloading has
 * arrived, or taken over from another document of the same image.
 */
export function imageStatus(
  store: Store,
  image: Image,
  observed: ImageFacts,
  { at, step, result: { ended } }: Progress<Plan<ImageStep>, ImageResult>,
): ImageStatus {
  if (at === 'acting' && step?.do === 'remove') return { ...kept(image), state: 'Deleting' };
  const facts = ended ? { ...observed, pull: ended } : observed;
  const { seen, pull, of, attempts, release, fromFile, suspendedBy } = facts;
  const failed = attempts?.of === of ? attempts : undefined;
  const progress = {
    state: 'Downloading' as const,
    ...(pull.is === 'running' ? { downloadProgress: pull.percent } : {}),
  };
  if (!seen) {
    return pull.is === 'running'
      ? { ...kept(image), ...failing(image, facts, failed, false), ...progress }
      : { ...kept(image), ...failing(image, facts, failed, suspendedBy === undefined) };
  }
  if (pull.is === 'running' && image.status?.state === 'Downloading') {
    return { ...kept(image), ...failing(image, facts, failed, false), ...progress };
  }
  const arrived = image.status?.state === 'Downloading' && pull.is === 'none' && !fromFile;
  const pulled =
    image.status?.pulled === true ||
    arrived ||
    sameImage(store, image.metadata.name, image.spec.image).some(({ status }) => status?.pulled === true);
  const local = { state: 'Downloaded' as const, dockerImageId: seen.id, ...resolved(image, seen, release) };
  return { ...local, ...(pulled ? { pulled } : {}) };
}

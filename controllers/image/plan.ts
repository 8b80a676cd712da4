import type { Image } from '../../crds/model/kinds.js';
import type { ReasonOf } from '../../crds/model/reasons.js';
import { SUSPENDED } from '../../crds/model/suspend.js';
import type { SeenImage } from '../engine/engine.js';
import type { Pulls } from '../engine/engine-cache.js';
import { act, attempt, InvalidSpecError, type Plan, retry, settled, TerminalError, wait } from '../runtime/outcome.js';
import { type KeptNameFacts, type KeptNameStep, planKeptNames } from './kept-names.js';
import { type Attempts, hopeless, isHopeless, nextAttempt, pullFailure } from './pull-failure.js';

export type ImageStep =
  | { readonly do: 'pull'; readonly because: string }
  /** Notes that a pull failed, and when the next one is due. */
  | { readonly do: 'count'; readonly attempts: Attempts }
  /** Forgets how the last pull ended. */
  | { readonly do: 'forget' }
  /** Cancels a pull that nobody wants any more. */
  | { readonly do: 'cancel'; readonly because: string }
  | { readonly do: 'remove'; readonly because: string }
  | KeptNameStep;

export interface ImageFacts {
  /** Undefined when it is not local. */
  readonly seen: SeenImage | undefined;
  readonly pull: ReturnType<Pulls['state']>;
  /** What a pull would be for: the documents that it depends on, with their generations. */
  readonly of: string;
  /** The release for which a tag is resolved. */
  readonly release: string;
  /** Pulls that failed in a row. */
  readonly attempts: Attempts | undefined;
  /** It was loaded from a file on the device. */
  readonly fromFile: boolean;
  /** Name of its App while that is suspended. */
  readonly suspendedBy: string | undefined;
  /** Another document that is not deleted wants the same reference. */
  readonly wantedElsewhere: boolean;
  /** Another document that is not suspended waits for a download of the same reference. Set only while there is or could be one. */
  readonly awaitedElsewhere: boolean;
  /** Names of our containers that were created from it. */
  readonly usedBy: readonly string[];
  /** Monotonic clock, ms. */
  readonly nowMs: number;
  /** Time of day, ms since the epoch; for messages. */
  readonly timeMs: number;
  /** 0 ≤ x < 1; spreads the attempts of many devices. */
  readonly random: number;
  /** What this pass sees to besides its own image. */
  readonly keptNames: KeptNameFacts;
}

/** A plan, and the failure to throw once its steps are done. */
export type ImagePlan = Plan<ImageStep, ReasonOf<'Image'>>;

/** Plans what to do about one image, given what is local, and about names of ours. Throws for an invalid reference. Pure. */
export function planImage(image: Image, facts: ImageFacts): ImagePlan {
  const names = planKeptNames(facts.keptNames);
  if (names.length === 0) return planOwn(image, facts);
  const own = attempt(() => planOwn(image, facts));
  if (own instanceof TerminalError) return { ...settled(), steps: names, failure: own };
  return { ...own, steps: [...names, ...own.steps] };
}

/** Throws for an invalid reference. */
const planOwn = (image: Image, facts: ImageFacts): ImagePlan =>
  image.metadata.deletionTimestamp === undefined ? planWanted(image, facts) : planUnwanted(image, facts);

function planWanted({ spec, status }: Image, facts: ImageFacts): ImagePlan {
  const { seen, pull } = facts;
  if (seen) {
    if (pull.is === 'failed') return act('Downloaded', { do: 'forget' }); // it arrived another way
    // Whether the image is ours to delete is not known before the pull has ended.
    if (pull.is === 'running' && status?.state === 'Downloading') return coming(spec.image, pull);
    return settled();
  }
  if (spec.spareSince !== undefined) return planUnfetched(facts) ?? settled();
  if (!isReference(spec.image)) {
    throw new InvalidSpecError([{ path: 'spec.image', message: `${spec.image} is not an image reference` }]);
  }
  if (spec.pull === false) return planAbsent(spec.image, facts);
  return planSuspension(spec.image, facts) ?? planPull(spec.image, facts);
}

/** Waits for an image that is not downloaded. A file that is being read may hold it. */
function planAbsent(reference: string, facts: ImageFacts): ImagePlan {
  if (facts.pull.is === 'running' && (facts.awaitedElsewhere || facts.pull.file !== undefined)) {
    return coming(reference, facts.pull);
  }
  const message = `Image ${reference} is not on the device, and pull_policy: never keeps it from being downloaded: build or load it here`;
  const steps = planUnfetched(facts, 'pull_policy is never')?.steps ?? [];
  return { ...wait('ImageMissing', message), steps };
}

/**
 * Plans for an image of a suspended App, for which nothing is downloaded; undefined for any other. A download that
 * another document waits for goes on.
 */
function planSuspension(
  reference: string,
  { suspendedBy: app, pull, awaitedElsewhere }: ImageFacts,
): ImagePlan | undefined {
  if (app === undefined) return undefined;
  const message = `App ${app} is suspended: ${reference} is not downloaded until it is resumed and spec.suspend is taken back`;
  if (awaitedElsewhere) return pull.is === 'running' ? coming(reference, pull) : wait(SUSPENDED, message);
  const ended = planUnfetched({ pull, awaitedElsewhere }, `App ${app} is suspended`);
  return { ...wait(SUSPENDED, message), steps: ended?.steps ?? [] };
}

function planPull(reference: string, { pull, of, attempts, nowMs, random }: ImageFacts): ImagePlan {
  switch (pull.is) {
    case 'running':
      return coming(reference, pull);
    case 'failed': {
      const failed = nextAttempt(attempts, of, pullFailure(reference, pull.error), nowMs, random);
      return { ...planDelay(failed, nowMs), steps: [{ do: 'count', attempts: failed }, { do: 'forget' }] };
    }
    case 'none': {
      if (isId(reference)) {
        const message = `Image ${reference} is not on the device and an id cannot be downloaded: load or build it here, or name a reference`;
        return { ...settled(), failure: new TerminalError('ImageNotFound', message) };
      }
      const last = attempts?.of === of ? attempts : undefined;
      if (last && nowMs < last.dueMs) return planDelay(last, nowMs);
      return {
        ...wait('Downloading', `Downloading ${reference}`),
        steps: [{ do: 'pull', because: 'it is not on the device yet' }],
      };
    }
  }
}

/** Returns the wait for an image on its way: from a registry, or from a file on the device that is being read. */
const coming = (reference: string, { file }: { readonly file?: string }): ImagePlan =>
  file === undefined
    ? wait('Downloading', `Downloading ${reference}`)
    : wait('Loading', `Loading the file ${file}, which may hold ${reference}`);

function planDelay(attempts: Attempts, nowMs: number): ImagePlan {
  if (isHopeless(attempts)) return { ...settled(), failure: hopeless(attempts, nowMs) };
  const { is, reason, message } = attempts.failure;
  return retry(is === 'refused' ? 'Retrying' : reason, message, attempts.dueMs - nowMs);
}

/** Ends a download that nobody waits for any more. Undefined when there is none. */
function planUnfetched(
  { pull, awaitedElsewhere }: Pick<ImageFacts, 'pull' | 'awaitedElsewhere'>,
  because = 'no longer wanted',
): ImagePlan | undefined {
  if (awaitedElsewhere) return undefined;
  switch (pull.is) {
    case 'running':
      return act('Cancelling', { do: 'cancel', because });
    case 'failed':
      return act('Cancelling', { do: 'forget' });
    case 'none':
      return undefined;
  }
}

function planUnwanted({ spec, status }: Image, facts: ImageFacts): ImagePlan {
  const unfetched = planUnfetched(facts);
  if (unfetched) return unfetched;
  const { seen, wantedElsewhere, usedBy } = facts;
  if (wantedElsewhere) return settled();
  if (!seen || status?.pulled !== true) return settled();
  // A container holds only the last name of its image; every other one can be removed.
  const names = seen.tags.length + (spec.image.includes('@') ? seen.digests.length : 0);
  if (usedBy.length > 0 && names <= 1) {
    return wait('InUse', `Waiting for ${[...usedBy].sort().join(', ')} to let go of the image ${spec.image}`);
  }
  return act('Deleting', { do: 'remove', because: 'no longer wanted' });
}

const ID = /^sha256:[0-9a-f]{64}$/;
const isId = (reference: string): boolean => ID.test(reference);

const DOMAIN = String.raw`(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]+)?`;
const PART = String.raw`[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*`;
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}';
const REFERENCE = new RegExp(`^(?:${DOMAIN}/)?${PART}(?:/${PART})*(?::${TAG})?(?:@${DIGEST})?$`);

/** Tells whether a text follows Docker's grammar (distribution/reference): any other fails on every registry. Pure. */
export const isReference = (text: string): boolean => text.length <= 512 && (isId(text) || REFERENCE.test(text));

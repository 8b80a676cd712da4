import type { LogStream } from '../../api/store/logs.js';
import type { Store } from '../../api/store/store.js';
import { withFacts } from '../../crds/conditions.js';
import { type App, type Image, keyOf, type Service } from '../../crds/kinds.js';
import type { ImageStatus } from '../../crds/types.js';
import type { Engine } from '../docker/engine.js';
import { imageKey } from '../docker/image-reference.js';
import type { Pulls, World } from '../docker/world.js';
import { type Outcome, type Reconcile, wait } from '../runtime/outcome.js';
import { type ImageFacts, type ImageStep, isReference, planImage } from './plan.js';

export interface ImageDeps {
  readonly store: Store;
  readonly world: World;
  readonly engine: Engine;
  readonly pulls: Pulls;
  readonly logs: LogStream;
}

/** One pass over one image: have it local, or collect it when nobody wants it and it was us who brought it. */
export const reconcileImage =
  (deps: ImageDeps): Reconcile =>
  async ({ name }, signal) => {
    const { store, world, logs } = deps;
    const image = store.get('Image', name);
    if (!image) return { is: 'settled' };
    if (!world.fresh) return wait('EngineUnreachable', world.trouble ?? 'The engine has not answered yet').outcome;

    // The world knows the name of every image from the start, and what an image is only once somebody asked.
    if (
      !world.image(image.spec.image) &&
      deps.pulls.state(image.spec.image).is !== 'running' &&
      isReference(image.spec.image)
    ) {
      await world.refreshImage(image.spec.image, signal);
    }
    const facts = observe(deps, image);
    const plan = planImage(image, facts);
    let outcome = plan.outcome;
    for (const step of plan.steps) outcome = (await perform(deps, image, step, signal)) ?? outcome;

    if (plan.failure) {
      const why = plan.failure.cause instanceof Error ? plan.failure.cause.message : plan.failure.message;
      logs.system(`Failed to download image '${image.spec.image}' due to '${why}'`, { isStdErr: true });
      report(deps, image, { ...kept(image), failures: (image.status?.failures ?? 0) + 1 });
      throw plan.failure;
    }
    // How the pull had ended counts, also when this pass has just made it forgotten.
    const after = statusOf(deps, image, {
      ...observe(deps, image),
      ...(facts.pull.is === 'failed' ? { pull: facts.pull } : {}),
    });
    if (image.status?.state === 'Downloading' && after.state === 'Downloaded') {
      logs.system(`Downloaded image '${image.spec.image}'`);
      const message = `Downloaded ${image.spec.image}`;
      store.record(keyOf('Image', name), { type: 'Normal', reason: 'Downloaded', message });
    }
    report(deps, image, after);
    if (image.metadata.deletionTimestamp !== undefined && outcome.is === 'settled') await store.release(image);
    return outcome;
  };

function observe({ store, world, pulls }: ImageDeps, { metadata, spec }: Image): ImageFacts {
  const seen = world.image(spec.image);
  return {
    seen,
    pull: pulls.state(spec.image),
    wantedElsewhere: [
      ...sameImage(store, metadata.name, spec.image),
      ...servicesOf(store, spec.image),
      ...appsOf(store, spec.image),
    ].some((other) => other.metadata.deletionTimestamp === undefined),
    usedBy: seen
      ? world
          .containers()
          .filter(({ image }) => image === seen.id)
          .map((container) => container.name)
      : [],
  };
}

/** Other documents with the same reference, however it is written: pulls and tags are shared. */
const sameImage = (store: Store, name: string, reference: string): readonly Image[] =>
  store
    .list('Image')
    .filter((other) => other.metadata.name !== name && imageKey(other.spec.image) === imageKey(reference));

/** Services that run it: one written by hand has no Image document of its own. */
const servicesOf = (store: Store, reference: string): readonly Service[] =>
  store.list('Service').filter(({ spec }) => imageKey(spec.image) === imageKey(reference));

/** Apps whose release names it, perhaps without having declared it yet: they count on what is local. */
const appsOf = (store: Store, reference: string): readonly App[] =>
  store
    .list('App')
    .filter(
      ({ spec }) =>
        spec.release !== null &&
        Object.values(spec.services ?? {}).some(({ image }) => imageKey(image) === imageKey(reference)),
    );

/** Facts that outlive a failed pull. Failures in a row are counted until the image is there. */
const kept = ({ status }: Image): ImageStatus => ({
  ...(status?.pulled ? { pulled: true } : {}),
  ...(status?.failures ? { failures: status.failures } : {}),
});

/**
 * What is seen, in the words of the status. `pulled` cannot be seen: it is concluded when an image that we were
 * downloading has arrived, or passed on by another document that wants the same image.
 */
function statusOf({ store }: ImageDeps, image: Image, { seen, pull }: ImageFacts): ImageStatus {
  if (!seen) {
    return pull.is === 'running'
      ? { ...kept(image), state: 'Downloading', downloadProgress: pull.percent }
      : kept(image);
  }
  if (pull.is === 'running' && image.status?.state === 'Downloading') {
    return { ...kept(image), state: 'Downloading', downloadProgress: pull.percent };
  }
  const arrived = image.status?.state === 'Downloading' && pull.is === 'none';
  const pulled =
    image.status?.pulled === true ||
    arrived ||
    sameImage(store, image.metadata.name, image.spec.image).some(({ status }) => status?.pulled === true);
  return { state: 'Downloaded', dockerImageId: seen.id, ...(pulled ? { pulled } : {}) };
}

function report({ store }: ImageDeps, { metadata }: Image, facts: ImageStatus): void {
  const current = store.get('Image', metadata.name);
  if (current?.metadata.uid === metadata.uid) store.setStatus(current, withFacts<ImageStatus>(current, facts));
}

/** Does one step; says what else to conclude when it did not come out as planned. */
async function perform(
  deps: ImageDeps,
  image: Image,
  step: ImageStep,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { store, world, engine, pulls, logs } = deps;
  const key = keyOf('Image', image.metadata.name);
  const reference = image.spec.image;
  switch (step.do) {
    case 'pull':
      logs.system(`Downloading image '${reference}'`);
      store.record(key, {
        type: 'Normal',
        reason: 'Downloading',
        message: `Downloading ${reference}: ${step.because}`,
      });
      pulls.start(reference);
      return undefined;
    case 'forget':
      pulls.forget(reference);
      return undefined;
    case 'cancel':
      store.record(key, {
        type: 'Normal',
        reason: 'Cancelling',
        message: `Stopped downloading ${reference}: ${step.because}`,
      });
      pulls.forget(reference);
      return undefined;
    case 'remove': {
      logs.system(`Deleting image '${reference}'`);
      report(deps, image, { ...kept(image), state: 'Deleting' });
      const result = await engine.removeImage(reference, signal).catch((error: unknown) => {
        throw new Error(`Could not delete image ${reference}`, { cause: error });
      });
      await world.refreshImage(reference, signal);
      if (result === 'in-use') {
        // None of our containers holds it: somebody else took a liking to it, and may keep it.
        const message = `Left ${reference} alone: a container that is not ours uses it`;
        store.record(key, { type: 'Normal', reason: 'Kept', message });
        return { is: 'settled' };
      }
      logs.system(`Deleted image '${reference}'`);
      store.record(key, { type: 'Normal', reason: 'Deleting', message: `Deleted ${reference}: ${step.because}` });
      return undefined;
    }
  }
}

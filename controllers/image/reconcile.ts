import type { LogStream } from '../../api/device-state/logs.js';
import { withFacts } from '../../crds/model/conditions.js';
import { type Image, keyOf } from '../../crds/model/kinds.js';
import { isSuspended, saysSuspended } from '../../crds/model/suspend.js';
import type { ImageStatus } from '../../crds/model/types.js';
import type { Engine } from '../engine/engine.js';
import { type Outcome, type Reconcile, wait } from '../runtime/outcome.js';
import { type Memory, type Observed, observeImage, wishOf } from './observe.js';
import { type ImageStep, isReference, planImage } from './plan.js';
import type { Attempts } from './pull-failure.js';
import { imageStatus, kept } from './status.js';

export interface ImageDeps extends Observed {
  readonly engine: Engine;
  readonly logs: LogStream;
}

/** One pass over one image: have it local, or collect it when nobody wants it and it was us who brought it. */
export const reconcileImage =
  (deps: ImageDeps, memory: Memory): Reconcile =>
  async ({ name }, signal) => {
    const { store, world, logs } = deps;
    const image = store.get('Image', name);
    if (!image) return { is: 'settled' };
    if (!world.fresh) return wait('EngineUnreachable', world.trouble ?? 'The engine has not answered yet').outcome;

    await lookOnce(deps, image, signal);
    const facts = observeImage(deps, memory, image);
    const plan = planImage(image, facts);
    let outcome: Outcome = plan.outcome;
    for (const step of plan.steps) outcome = (await perform(deps, memory, image, step, signal)) ?? outcome;

    // How the pull had ended counts, also when this pass has just made it forgotten.
    const after = observeImage(deps, memory, image);
    const status = imageStatus(store, image, facts.pull.is === 'failed' ? { ...after, pull: facts.pull } : after);
    if (image.status?.state === 'Downloading' && status.state === 'Downloaded') {
      logs.system(`Downloaded image '${image.spec.image}'`, { app: image.spec.app });
      const message = `Downloaded ${image.spec.image}`;
      store.record(keyOf('Image', name), { type: 'Normal', reason: 'Downloaded', message });
    }
    if (status.state === 'Downloaded') memory.attempts.delete(name);
    report(deps, image, status);
    if (plan.failure) throw plan.failure;
    if (image.metadata.deletionTimestamp !== undefined && outcome.is === 'settled') await store.release(image);
    return outcome;
  };

/** The world knows the name of every image from the start, and what an image is only once somebody asked. */
async function lookOnce({ store, world, pulls }: ImageDeps, image: Image, signal: AbortSignal): Promise<void> {
  const { spec } = image;
  if (world.image(spec.image) || pulls.state(spec.image).is !== 'none' || !isReference(spec.image)) return;
  // Nothing is about to be pulled, perhaps for months.
  if (saysSuspended(image) && isSuspended(store.get('App', spec.app))) return;
  await world.refreshImage(spec.image, signal);
}

function report({ store }: ImageDeps, { metadata }: Image, facts: ImageStatus): void {
  const current = store.get('Image', metadata.name);
  if (current?.metadata.uid === metadata.uid) store.setStatus(current, withFacts<ImageStatus>(current, facts));
}

/** Does one step; says what else to conclude when it did not come out as planned. */
async function perform(
  deps: ImageDeps,
  memory: Memory,
  image: Image,
  step: ImageStep,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { pulls, logs } = deps;
  const reference = image.spec.image;
  switch (step.do) {
    case 'pull':
      logs.system(`Downloading image '${reference}'`, { app: image.spec.app });
      record(deps, image, 'Downloading', `Downloading ${reference}: ${step.because}`);
      pulls.start(reference, wishOf(deps.store, image));
      return undefined;
    case 'count':
      return count(deps, memory, image, step.attempts);
    case 'forget':
      pulls.forget(reference);
      return undefined;
    case 'cancel':
      record(deps, image, 'Cancelling', `Stopped downloading ${reference}: ${step.because}`);
      pulls.forget(reference);
      return undefined;
    case 'remove':
      return remove(deps, image, step.because, signal);
  }
}

function count({ store, logs }: ImageDeps, memory: Memory, image: Image, attempts: Attempts): undefined {
  const { metadata, spec } = image;
  memory.attempts.set(metadata.name, attempts);
  const { message, cause } = attempts.failure;
  logs.system(
    `Failed to download image '${spec.image}' due to '${cause}'`,
    { app: image.spec.app },
    { isStdErr: true },
  );
  store.record(keyOf('Image', metadata.name), { type: 'Warning', reason: 'DownloadFailed', message });
}

async function remove(
  deps: ImageDeps,
  image: Image,
  because: string,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { world, engine, logs } = deps;
  const reference = image.spec.image;
  logs.system(`Deleting image '${reference}'`, { app: image.spec.app });
  report(deps, image, { ...kept(image), state: 'Deleting' });
  const result = await engine.removeImage(reference, signal).catch((error: unknown) => {
    throw new Error(`Could not delete image ${reference}`, { cause: error });
  });
  await world.refreshImage(reference, signal);
  if (result === 'in-use') {
    // None of our containers holds it: somebody else took a liking to it, and may keep it.
    record(deps, image, 'Kept', `Left ${reference} alone: a container that is not ours uses it`);
    return { is: 'settled' };
  }
  logs.system(`Deleted image '${reference}'`, { app: image.spec.app });
  record(deps, image, 'Deleting', `Deleted ${reference}: ${because}`);
  return undefined;
}

const record = ({ store }: ImageDeps, { metadata }: Image, reason: string, message: string): void =>
  store.record(keyOf('Image', metadata.name), { type: 'Normal', reason, message });

import type { EventReason } from '../../crds/model/event-reasons.js';
import { type Image, keyOf } from '../../crds/model/kinds.js';
import { type ImageDeps, type Memory, pullOptionsOf } from './observe.js';
import type { ImageFacts, ImageStep } from './plan.js';
import type { Attempts } from './pull-failure.js';
import type { ImageResult } from './status.js';

/** Begins or ends a pull, or deletes the image. A pull goes on in the background; a later pass observes its end. */
export async function executeImageStep(
  deps: ImageDeps,
  memory: Memory,
  image: Image,
  step: ImageStep,
  { pull }: ImageFacts,
  signal: AbortSignal,
): Promise<Partial<ImageResult> | undefined> {
  const { pulls, logs } = deps;
  const reference = image.spec.image;
  switch (step.do) {
    case 'pull':
      logs.system(`Downloading image '${reference}'`, { app: image.spec.app });
      record(deps, image, 'Downloading', `Downloading ${reference}: ${step.because}`);
      pulls.start(reference, pullOptionsOf(deps.store, image));
      return undefined;
    case 'count':
      count(deps, memory, image, step.attempts);
      return undefined;
    case 'forget':
      pulls.forget(reference);
      return { ended: pull };
    case 'cancel':
      record(deps, image, 'Cancelling', `Stopped downloading ${reference}: ${step.because}`);
      pulls.forget(reference);
      return undefined;
    case 'remove':
      return remove(deps, image, step.because, signal);
  }
}

function count({ store, logs }: ImageDeps, memory: Memory, image: Image, attempts: Attempts): void {
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
): Promise<Partial<ImageResult> | undefined> {
  const { cache, engine, logs } = deps;
  const reference = image.spec.image;
  logs.system(`Deleting image '${reference}'`, { app: image.spec.app });
  const result = await engine.removeImage(reference, signal).catch((error: unknown) => {
    throw new Error(`Could not delete image ${reference}`, { cause: error });
  });
  await cache.refreshImage(reference, signal);
  if (result === 'in-use') {
    // None of our containers uses it: somebody else does, and may keep it.
    record(deps, image, 'Kept', `Left ${reference} alone: a container that is not ours uses it`);
    return { outcome: { is: 'settled' } };
  }
  logs.system(`Deleted image '${reference}'`, { app: image.spec.app });
  record(deps, image, 'Deleting', `Deleted ${reference}: ${because}`);
  return undefined;
}

const record = ({ store }: ImageDeps, { metadata }: Image, reason: EventReason, message: string): void =>
  store.record(keyOf('Image', metadata.name), { type: 'Normal', reason, message });

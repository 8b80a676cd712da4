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
    case 'name':
      return keep(deps, image, step, signal);
    case 'unname':
      return unname(deps, step, signal);
  }
}

/** One that has gone meanwhile is what the cache says from now on. */
async function keep(
  deps: ImageDeps,
  image: Image,
  { id, name, because }: Extract<ImageStep, { readonly do: 'name' }>,
  signal: AbortSignal,
): Promise<undefined> {
  const tag = () => deps.engine.tagImage(id, name, signal);
  // At once once more: a release that is on its way stops the container that holds the image, and waits for nobody.
  const result = await tag()
    .catch(tag)
    .catch((error: unknown) => {
      throw new Error(`Could not keep image ${id}`, { cause: error });
    });
  await deps.cache.refreshImage(id, signal);
  if (result === 'tagged') record(deps, image, 'Kept', `Kept ${id} as ${name}: ${because}`);
  return undefined;
}

async function unname(
  { engine, cache }: ImageDeps,
  { name, heir }: Extract<ImageStep, { readonly do: 'unname' }>,
  signal: AbortSignal,
): Promise<undefined> {
  try {
    // Whoever dies in between leaves a name that is not the heir's last one.
    const isMoved = heir === undefined || (await engine.tagImage(heir, name, signal)) === 'tagged';
    if (isMoved) await engine.removeImage(name, signal);
  } catch (cause) {
    throw new Error(`Could not take the name ${name} away`, { cause });
  }
  if (heir !== undefined) await cache.refreshImage(heir, signal);
  await cache.refreshImage(name, signal);
  return undefined;
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

import { isActive } from '../../crds/model/active.js';
import { isReady } from '../../crds/model/conditions.js';
import { imageKey } from '../../crds/model/image-reference.js';
import { type AnyResource, type Image, keyOf } from '../../crds/model/kinds.js';
import { isSuspended, saysSuspended } from '../../crds/model/suspend.js';
import type { Controller } from '../runtime/controller.js';
import { reconciler } from '../runtime/reconciler.js';
import { executeImageStep } from './execute.js';
import { areKept, carersFor } from './kept-names.js';
import { type ImageDeps, lookOnce, type Memory, observeImage } from './observe.js';
import { planImage } from './plan.js';
import { imageStatus } from './status.js';

/** Creates the controller of Images: one document for each reference that an app wants. Documents share pulls. */
export function imageController(deps: ImageDeps): Controller {
  const memory: Memory = { attempts: new Map() };
  return {
    kind: 'Image',
    workers: 4,
    reconcile: reconciler({
      kind: 'Image',
      store: deps.store,
      now: deps.now,
      cache: deps.cache,
      about: ({ spec }) => [`image/${spec.image}`],
      prepare: async (image, signal) => {
        await lookOnce(deps, image, signal);
        return image;
      },
      observe: (image) => observeImage(deps, memory, image),
      plan: planImage,
      execute: (image, step, facts, signal) => executeImageStep(deps, memory, image, step, facts, signal),
      status: (image, facts, progress) => imageStatus(deps.store, image, facts, progress),
      announce: (before, after) => announceDownload(deps, before, after),
    }),
    watches: (wake) => watches(deps, memory, wake),
  };
}

/** Name of the App that a document belongs to, or is; '' without one. Pure. */
const appOf = ({ kind, metadata, spec }: AnyResource): string =>
  kind === 'App' ? metadata.name : 'app' in spec && typeof spec.app === 'string' ? spec.app : '';

function announceDownload({ store, logs }: ImageDeps, before: Image, { metadata, spec, status }: Image): void {
  if (before.status?.state !== 'Downloading' || status?.state !== 'Downloaded') return;
  logs.system(`Downloaded image '${spec.image}'`, { app: spec.app });
  const message = `Downloaded ${spec.image}`;
  store.record(keyOf('Image', metadata.name), { type: 'Normal', reason: 'Downloaded', message });
}

function watches({ store, cache, pulls }: ImageDeps, memory: Memory, wake: (name: string) => void): () => void {
  const stopWatchingCache = cache.onChange((change) => {
    for (const image of store.list('Image')) {
      const waits = change.type === 'container' && (!isReady(image) || !isActive(image));
      if (change.type === 'all' || change.type === 'image' || waits) wake(image.metadata.name);
    }
  });
  const stopPulls = pulls.onChange((reference) => {
    for (const image of store.list('Image')) {
      if (imageKey(image.spec.image) === imageKey(reference)) wake(image.metadata.name);
    }
  });
  const stopStore = store.watch(({ object, type, parts }) => {
    // The next failed pull is the first of a row again.
    if (object.kind === 'Image' && (type === 'DELETED' || object.status?.state === 'Downloaded'))
      memory.attempts.delete(object.metadata.name);
    // Another release, or other credentials: pulled at once, and tags are resolved again. The status of an App changes
    // with every step of a child.
    if (object.kind === 'App' && parts.some((part) => part !== 'status')) {
      const suspended = isSuspended(object);
      for (const image of store.list('Image')) {
        if (image.spec.app !== object.metadata.name) continue;
        const turns = !isReady(image) && suspended !== saysSuspended(image);
        if (turns || parts.includes('spec')) wake(image.metadata.name);
      }
    }
    // What can be gone back to may have changed, and with it which images have to stay.
    const isOfKept = object.kind === 'Revision' || (object.kind === 'App' && parts.includes('metadata'));
    if ((isOfKept || type === 'DELETED') && areKept(cache.images()))
      for (const name of Object.values(carersFor(store, appOf(object)))) if (name !== undefined) wake(name);
    // Whether we pulled an image is known to one document at first; the one that deletes it has to know.
    if (object.kind !== 'Image' || object.status?.pulled !== true) return;
    for (const { metadata, spec, status } of store.list('Image')) {
      const unaware = status?.state === 'Downloaded' && status.pulled !== true;
      if (unaware && imageKey(spec.image) === imageKey(object.spec.image)) wake(metadata.name);
    }
  });
  return () => {
    stopWatchingCache();
    stopPulls();
    stopStore();
  };
}

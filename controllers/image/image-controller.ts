import { isReady } from '../../crds/model/conditions.js';
import { imageKey } from '../../crds/model/image-reference.js';
import { isSuspended, saysSuspended } from '../../crds/model/suspend.js';
import type { Controller } from '../runtime/controller.js';
import type { Memory } from './observe.js';
import { type ImageDeps, reconcileImage } from './reconcile.js';

/** Images: one document for each reference that an app wants. Pulls are shared between documents. */
export function imageController(deps: ImageDeps): Controller {
  const memory: Memory = { attempts: new Map() };
  return {
    kind: 'Image',
    workers: 4,
    reconcile: reconcileImage(deps, memory),
    wakes: (wake) => wakes(deps, memory, wake),
  };
}

function wakes({ store, world, pulls }: ImageDeps, memory: Memory, wake: (name: string) => void): () => void {
  const stopWorld = world.onChange((change) => {
    for (const image of store.list('Image')) {
      const waits = change.type === 'container' && (!isReady(image) || image.metadata.deletionTimestamp !== undefined);
      if (change.type === 'all' || change.type === 'image' || waits) wake(image.metadata.name);
    }
  });
  const stopPulls = pulls.onChange((reference) => {
    for (const image of store.list('Image')) {
      if (imageKey(image.spec.image) === imageKey(reference)) wake(image.metadata.name);
    }
  });
  // Who brought an image is known to one document at first; whoever collects it has to know.
  const stopStore = store.watch(({ object, type, parts }) => {
    if (object.kind === 'Image' && type === 'DELETED') memory.attempts.delete(object.metadata.name);
    // Another release, or other access to its registry: no longer a matter of waiting, and resolved anew.
    // Its status changes at every step of every child.
    if (object.kind === 'App' && parts.some((part) => part !== 'status')) {
      const suspended = isSuspended(object);
      for (const image of store.list('Image')) {
        if (image.spec.app !== object.metadata.name) continue;
        const turns = !isReady(image) && suspended !== saysSuspended(image);
        if (turns || parts.includes('spec')) wake(image.metadata.name);
      }
    }
    if (object.kind !== 'Image' || object.status?.pulled !== true) return;
    for (const { metadata, spec, status } of store.list('Image')) {
      const unaware = status?.state === 'Downloaded' && status.pulled !== true;
      if (unaware && imageKey(spec.image) === imageKey(object.spec.image)) wake(metadata.name);
    }
  });
  return () => {
    stopWorld();
    stopPulls();
    stopStore();
  };
}

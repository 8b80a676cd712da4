import { isReady } from '../../crds/conditions.js';
import { imageKey } from '../docker/image-reference.js';
import type { Controller } from '../runtime/controller.js';
import { type ImageDeps, reconcileImage } from './reconcile.js';

/** Images: one document for each reference that an app wants. Pulls are shared between documents. */
export const imageController = (deps: ImageDeps): Controller => ({
  kind: 'Image',
  workers: 4,
  reconcile: reconcileImage(deps),
  wakes(wake) {
    const { store, world, pulls } = deps;
    const stopWorld = world.onChange((change) => {
      for (const image of store.list('Image')) {
        const waits =
          change.type === 'container' && (!isReady(image) || image.metadata.deletionTimestamp !== undefined);
        if (change.type === 'all' || change.type === 'image' || waits) wake(image.metadata.name);
      }
    });
    const stopPulls = pulls.onChange((reference) => {
      for (const image of store.list('Image')) {
        if (imageKey(image.spec.image) === imageKey(reference)) wake(image.metadata.name);
      }
    });
    return () => {
      stopWorld();
      stopPulls();
    };
  },
});

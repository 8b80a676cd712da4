import { isReady } from '../../crds/conditions.js';
import type { Volume } from '../../crds/kinds.js';
import type { WorldChange } from '../docker/world.js';
import type { Controller } from '../runtime/controller.js';
import { reconcileVolume, type VolumeDeps } from './reconcile.js';

/** Volumes: one document, one Docker volume, whose data outlives everything but an explicit word. */
export const volumeController = (deps: VolumeDeps): Controller => ({
  kind: 'Volume',
  workers: 4,
  reconcile: reconcileVolume(deps),
  wakes: (wake) =>
    deps.world.onChange((change) => {
      for (const volume of deps.store.list('Volume')) if (concerns(change, volume)) wake(volume.metadata.name);
    }),
});

/** A container matters while one has to let go. Pure. */
function concerns(change: WorldChange, volume: Volume): boolean {
  switch (change.type) {
    case 'all':
      return true;
    case 'volume':
      return change.name === volume.spec.volumeName;
    case 'container':
      return !isReady(volume) || volume.metadata.deletionTimestamp !== undefined;
    case 'network':
    case 'image':
      return false;
  }
}

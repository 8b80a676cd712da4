import { isActive } from '../../crds/model/active.js';
import { isReady, isStalled } from '../../crds/model/conditions.js';
import { accessOfVolume } from '../../crds/model/host-access.js';
import type { App, Volume } from '../../crds/model/kinds.js';
import { startedRequest } from '../../crds/model/requests.js';
import { isSuspended, saysSuspended } from '../../crds/model/suspend.js';
import type { EngineChange } from '../engine/engine-cache.js';
import type { Controller } from '../runtime/controller.js';
import { reconciler } from '../runtime/reconciler.js';
import { executeVolumeStep } from './execute.js';
import { observeVolume, type VolumeDeps } from './observe.js';
import { planVolume } from './plan.js';
import { volumeStatus } from './status.js';

/** Creates the controller of Volumes: one document, one Docker volume. Data is removed only on request. */
export const volumeController = (deps: VolumeDeps): Controller => ({
  kind: 'Volume',
  workers: 4,
  reconcile: reconciler({
    kind: 'Volume',
    store: deps.store,
    now: deps.now,
    cache: deps.cache,
    about: ({ spec }) => [`volume/${spec.volumeName}`],
    suspendedWith: ({ spec }) => spec.app,
    observe: (volume) => observeVolume(deps, volume),
    plan: planVolume,
    execute: (volume, step, facts, signal) => executeVolumeStep(deps, volume, step, facts, signal),
    status: volumeStatus,
  }),
  watches: (wake) => {
    const wakeWhere = (isAffected: (volume: Volume) => boolean): void => {
      for (const volume of deps.store.list('Volume')) if (isAffected(volume)) wake(volume.metadata.name);
    };
    const ends = [
      deps.cache.onChange((change) => wakeWhere((volume) => isAffectedBy(change, volume))),
      deps.store.watch(({ object }) => {
        if (object.kind !== 'App') return;
        const suspended = isSuspended(object);
        const isOf = (volume: Volume): boolean => volume.spec.app === object.metadata.name;
        wakeWhere(
          (one) =>
            isPurged(object, one) ||
            (isOf(one) && (suspended !== saysSuspended(one) || dependsOnPermission(object, one))),
        );
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  },
});

/** Tells whether the App has started a purge that this volume has not acknowledged. Pure. */
function isPurged(app: App, { spec, status }: Volume): boolean {
  const purge = spec.app === app.metadata.name ? startedRequest(app, 'purge') : undefined;
  return purge !== undefined && status?.handled?.['app.purge'] !== purge.id;
}

/** Tells whether a standalone volume has to look again because the App's permission for paths of the host has changed. Pure. */
const dependsOnPermission = (app: App, volume: Volume): boolean =>
  volume.metadata.origin !== `App/${volume.spec.app}` &&
  accessOfVolume(volume.spec).length > 0 &&
  (app.spec.allowHostBinds === true) === isStalled(volume);

/** Tells whether a change on the engine may give the volume work: a container matters while one has to go. Pure. */
function isAffectedBy(change: EngineChange, volume: Volume): boolean {
  switch (change.type) {
    case 'all':
      return true;
    case 'volume':
      return change.name === volume.spec.volumeName;
    case 'container':
      return !isReady(volume) || !isActive(volume);
    case 'network':
    case 'image':
      return false;
  }
}

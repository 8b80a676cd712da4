import { isReady } from '../../crds/model/conditions.js';
import { splitKey } from '../../crds/model/kinds.js';
import { lacksDisk } from '../../crds/model/readiness.js';
import { Ages } from '../runtime/ages.js';
import type { Controller } from '../runtime/controller.js';
import { isKept } from './images/image-retention.js';
import type { AppDeps, Memory } from './pass.js';
import { reconcileApp } from './reconcile.js';

/** Apps: releases, staged, locked, promoted, verified. */
export function appController(deps: AppDeps): Controller {
  const memory: Memory = { swept: new Set(), releasing: new Set(), refusals: new Map(), ages: new Ages(deps) };
  return {
    kind: 'App',
    workers: 4,
    after: ['Image', 'Network', 'Volume', 'Service'],
    reconcile: reconcileApp(deps, memory),
    wakes(wake) {
      const { store, world } = deps;
      const stopStore = store.watch(({ object, type, parts }) => {
        // A service that is only asked to look: by us, perhaps, while it waits for the lock. That would never end.
        if (type === 'MODIFIED' && parts.length === 0) return;
        if (object.kind === 'App') {
          if (type === 'DELETED') memory.refusals.delete(object.metadata.name);
          return;
        }
        if (object.kind === 'Image' && type === 'DELETED') wakeUnready(); // it may have kept one from its image
        if (object.kind === 'Image' && lacksDisk(object)) wakeKeepers();
        const { owner } = object.metadata;
        if (owner !== undefined && splitKey(owner).kind === 'App') wake(splitKey(owner).name);
        else if (type === 'DELETED')
          wakeAll(); // a name is free
        else if (object.kind === 'Service' || object.kind === 'Volume') wake(object.spec.app);
      });
      const wakeAll = (): void => {
        for (const { metadata } of store.list('App')) wake(metadata.name);
      };
      const wakeUnready = (): void => {
        for (const app of store.list('App')) if (!isReady(app)) wake(app.metadata.name);
      };
      const wakeKeepers = (): void => {
        for (const image of store.list('Image')) if (isKept(image)) wake(image.spec.app);
      };
      const stopWorld = world.onChange((change) => {
        if (change.type === 'all') wakeAll();
        if (change.type === 'image') wakeUnready();
      });
      return () => {
        stopStore();
        stopWorld();
      };
    },
  };
}

import { DEVICE_DOCUMENT, NETWORK_DOCUMENT } from '../../crds/model/names.js';
import { waitsForBoot } from '../../crds/model/readiness.js';
import type { Controller } from '../runtime/controller.js';
import { type DeviceDeps, reconcileDeviceConfig } from './device/reconcile-device.js';
import type { HostConfigDeps } from './network/execute.js';
import { reconcileNetworkConfig } from './network/reconcile-network.js';

/** Files of the host that changed, to whoever listens; returns how to stop. */
export type WatchHostFiles = (changed: () => void) => () => void;

export type HostConfigControllerDeps = HostConfigDeps & DeviceDeps;

/** The HostConfigs `device` and `network`. Others get no pass and no status: nothing is said of them that is not true. */
export function hostConfigController(deps: HostConfigControllerDeps, watchFiles?: WatchHostFiles): Controller {
  const network = reconcileNetworkConfig(deps, {});
  const device = reconcileDeviceConfig(deps, { told: new Map(), repairs: [] });
  return {
    kind: 'HostConfig',
    workers: 1, // both write config.json and the state of the host
    beginsFirst: true, // boot files that keep Docker from starting have to be judged, and taken back, all the same
    concerns: (name) => name === NETWORK_DOCUMENT || name === DEVICE_DOCUMENT,
    reconcile: (key, signal) => (key.name === DEVICE_DOCUMENT ? device : network)(key, signal),
    wakes(wake) {
      const stops = [
        deps.store.watch(({ object, parts }) => {
          if (object.kind === 'Service' && parts.includes('status') && waitsForBoot(object)) wake(DEVICE_DOCUMENT);
        }),
      ];
      const unwatch = watchFiles?.(() => {
        wake(DEVICE_DOCUMENT);
        wake(NETWORK_DOCUMENT);
      });
      return () => {
        for (const stop of stops) stop();
        unwatch?.();
      };
    },
  };
}

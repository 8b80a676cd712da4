import { DEVICE_DOCUMENT, NETWORK_DOCUMENT } from '../../crds/model/names.js';
import { waitsForBoot } from '../../crds/model/readiness.js';
import type { Controller } from '../runtime/controller.js';
import type { Reconcile } from '../runtime/outcome.js';
import { reconciler } from '../runtime/reconciler.js';
import { executeDeviceStep } from './device/execute.js';
import { type DeviceDeps, type Memory as DeviceMemory, observeDevice } from './device/observe.js';
import { planDevice } from './device/plan.js';
import { announceDevice, deviceStatus } from './device/status.js';
import { executeNetworkStep } from './network/execute.js';
import { type NetworkDeps, type Memory as NetworkMemory, observeNetwork } from './network/observe.js';
import { planNetwork } from './network/plan.js';
import { networkStatus } from './network/status.js';

/** Calls back when files of the host have changed; returns how to stop. */
export type WatchHostFiles = (changed: () => void) => () => void;

export type HostConfigDeps = NetworkDeps & DeviceDeps;

/** Creates the controller of the HostConfigs `device` and `network`. Others get no pass and no status. */
export function hostConfigController(deps: HostConfigDeps, watchFiles?: WatchHostFiles): Controller {
  const device = devicePass(deps);
  const network = networkPass(deps);
  return {
    kind: 'HostConfig',
    workers: 1, // both write config.json and the state of the host
    beginsFirst: true, // boot files that keep Docker from starting have to be judged, and rolled back, all the same
    predicate: (name) => name === NETWORK_DOCUMENT || name === DEVICE_DOCUMENT,
    reconcile: (key, signal) => (key.name === DEVICE_DOCUMENT ? device : network)(key, signal),
    watches(wake) {
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

/** Reconciles files of the boot partition, config.json, units and the restart of the device. */
function devicePass(deps: HostConfigDeps): Reconcile {
  const memory: DeviceMemory = { requested: new Map(), repairs: [], dueSinceMs: undefined };
  return reconciler({
    kind: 'HostConfig',
    store: deps.store,
    now: deps.now,
    observe: (document) => observeDevice(deps, memory, document),
    plan: (_document, observation) => planDevice(observation),
    execute: (document, step, observation) => executeDeviceStep(deps, memory, document, step, observation),
    status: deviceStatus,
    announce: (before, after) => announceDevice(deps, before, after),
  });
}

/** Reconciles the host's name and its proxy. */
function networkPass(deps: HostConfigDeps): Reconcile {
  const memory: NetworkMemory = {};
  return reconciler({
    kind: 'HostConfig',
    store: deps.store,
    now: deps.now,
    observe: (document) => observeNetwork(deps, memory, document),
    plan: planNetwork,
    execute: (document, step) => executeNetworkStep(deps, memory, document, step),
    status: networkStatus,
  });
}

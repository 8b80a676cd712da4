import type { Clock } from '../../api/platform/clock.js';
import type { Reader } from '../../api/store/store.js';
import { ifActive } from '../../crds/model/active.js';
import { type DeviceVariables, decodeVariables } from '../../crds/model/device-variables.js';
import { keyOf } from '../../crds/model/kinds.js';
import { DEVICE_DOCUMENT } from '../../crds/model/names.js';

/**
 * Reads the settings of the device each time they are asked for, so that a change needs no restart. Those of a document
 * that is being deleted do not count, however long it takes until it has gone.
 */
export function deviceVariables(
  store: Pick<Reader, 'get'>,
  device: { readonly localMode: boolean },
): () => DeviceVariables {
  const last: { config?: object | undefined; values?: DeviceVariables } = {};
  return () => {
    const config = ifActive(store.get('HostConfig', DEVICE_DOCUMENT))?.spec.config;
    if (last.values === undefined || last.config !== config) {
      last.config = config;
      last.values = decodeVariables(config, device).values;
    }
    return last.values;
  };
}

/** Calls back when the settings of the device have changed. Returns how to stop. */
export const onVariables = (store: Pick<Reader, 'watch'>, changed: () => void): (() => void) =>
  store.watch(({ key, object, parts }) => {
    if (key !== keyOf('HostConfig', DEVICE_DOCUMENT)) return;
    const isDeleted = object.metadata.deletionTimestamp !== undefined && parts.includes('metadata');
    if (isDeleted || parts.includes('spec')) changed();
  });

/** Shortest interval, ms: an agent that does nothing but look is of no use. */
const SHORTEST_MS = 10_000;

/** Repeats an action at an interval that may change at any time. Returns how to stop. */
export function repeat({
  clock,
  intervalMs,
  changes,
  action,
}: {
  readonly clock: Clock;
  readonly intervalMs: () => number;
  /** Subscribes to changes of the interval; absent when it never changes. */
  readonly changes?: (changed: () => void) => () => void;
  readonly action: () => void;
}): () => void {
  const plan = (): (() => void) =>
    clock.after(Math.max(SHORTEST_MS, intervalMs()), () => {
      action();
      cancel = plan();
    });
  let cancel = plan();
  const unsubscribe = changes?.(() => {
    cancel();
    cancel = plan();
  });
  return () => {
    unsubscribe?.();
    cancel();
  };
}

import type { Reader } from '../../api/store/store.js';
import { ifActive } from '../../crds/model/active.js';
import { type DeviceVariables, decodeVariables } from '../../crds/model/device-variables.js';
import { keyOf } from '../../crds/model/kinds.js';
import { DEVICE_DOCUMENT } from '../../crds/model/names.js';
import type { Clock } from './delays.js';

/**
 * The settings of the device as they count at this moment: whoever asks each time needs no restart when they change. Those of
 * a document that is being deleted count no more, however long it takes until it has gone.
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

/** Calls back whenever the settings of the device were declared otherwise. Returns how to stop. */
export const onVariables = (store: Pick<Reader, 'watch'>, changed: () => void): (() => void) =>
  store.watch(({ key, object, parts }) => {
    if (key !== keyOf('HostConfig', DEVICE_DOCUMENT)) return;
    const isDeleted = object.metadata.deletionTimestamp !== undefined && parts.includes('metadata');
    if (isDeleted || parts.includes('spec')) changed();
  });

/** The shortest interval that is taken seriously, ms: an agent is no use when it does nothing but look. */
const SHORTEST_MS = 10_000;

/** Does something again and again at an interval that may change at any time. Returns how to stop. */
export function repeat({
  clock,
  intervalMs,
  changes,
  action,
}: {
  readonly clock: Clock;
  readonly intervalMs: () => number;
  /** Subscribes to changes of the interval; it has none when not said. */
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

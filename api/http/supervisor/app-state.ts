import { isSettled, isStalled } from '../../../crds/model/conditions.js';
import { type AnyResource, type Kind, keyOf } from '../../../crds/model/kinds.js';
import { saysSuspended } from '../../../crds/model/suspend.js';
import type { Reader } from '../../store/store.js';

/** The kinds that make up an app. Settings of the host are not among them: they are not part of a release. */
export const APP_KINDS = ['App', 'Image', 'Network', 'Volume', 'Service'] as const satisfies readonly Kind[];

/**
 * Returns `appState` of the compatible API, for the whole device. `applying`: a pass is due, something is being
 * deleted, waits, works or backs off. `applied`: nothing is left to do, whether what runs is well or not (clients poll
 * for it, and the Supervisor does not know health), or everything is Stalled or suspended, because nothing more will be
 * done until it changes.
 */
export function appState(store: Pick<Reader, 'list' | 'isPending'>): 'applying' | 'applied' {
  const busy = APP_KINDS.some((kind) =>
    store.list(kind).some((one) => store.isPending(keyOf(kind, one.metadata.name)) || !isAtRest(one)),
  );
  return busy ? 'applying' : 'applied';
}

/** Tells whether nothing more will be done about it before something changes. Pure. */
export const isAtRest = (resource: Pick<AnyResource, 'metadata' | 'status'>): boolean =>
  isStalled(resource) ||
  saysSuspended(resource) ||
  (isSettled(resource) && resource.metadata.deletionTimestamp === undefined);

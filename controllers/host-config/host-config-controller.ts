import { NETWORK_DOCUMENT } from '../../crds/names.js';
import type { Controller } from '../runtime/controller.js';
import { type HostConfigDeps, reconcileNetworkConfig } from './reconcile.js';

/**
 * The HostConfig `network`. The other one, `device`, is not carried out yet: it gets no pass and no status, so that
 * nothing says of it what is not true.
 */
export const hostConfigController = (deps: HostConfigDeps): Controller => ({
  kind: 'HostConfig',
  workers: 1,
  concerns: (name) => name === NETWORK_DOCUMENT,
  reconcile: reconcileNetworkConfig(deps, {}),
  wakes: () => () => undefined,
});

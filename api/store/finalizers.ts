import type { Kind } from '../../crds/model/kinds.js';
import { DEVICE_DOCUMENT, NETWORK_DOCUMENT } from '../../crds/model/names.js';

/** Kinds with something to clean up outside the store: their controller releases them. */
const CLEANED_UP: ReadonlySet<Kind> = new Set<Kind>(['App', 'Image', 'Network', 'Volume', 'Service', 'GitSource']);
/** Of the HostConfigs those that are acted upon: what they changed on trial goes back. Nobody would release another. */
const CLEANED_UP_HOST_CONFIGS: ReadonlySet<string> = new Set([DEVICE_DOCUMENT, NETWORK_DOCUMENT]);
const CONTROLLER_FINALIZER = 'supercargo.io/controller';

/** What has to be done before a document of that kind and name may go. Pure. */
export function finalizersOf(kind: Kind, name: string): readonly string[] {
  const isCleanedUp = CLEANED_UP.has(kind) || (kind === 'HostConfig' && CLEANED_UP_HOST_CONFIGS.has(name));
  return isCleanedUp ? [CONTROLLER_FINALIZER] : [];
}

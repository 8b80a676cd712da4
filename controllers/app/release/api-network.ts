import type { Store } from '../../../api/store/store.js';
import { isActive } from '../../../crds/model/active.js';
import { API_NETWORK } from '../../../crds/model/names.js';
import { wantsApiNetwork } from '../../../crds/model/references.js';
import type { ServiceFields } from '../../../crds/model/types.js';
import type { EngineCache } from '../../engine/engine-cache.js';
import { apiNetwork, identityOf, sameSpec } from './children.js';

/**
 * Declares the shared network while any service of any App needs our API, also one that is being deleted: its container
 * may still be attached. Writes nothing when nothing changes.
 */
export async function shareApiNetwork(store: Store, cache: EngineCache): Promise<void> {
  const current = store.get('Network', API_NETWORK);
  const wanted = isWanted(store, cache);
  const there = current !== undefined && isActive(current);
  if (wanted ? there && sameSpec(current, apiNetwork) : !there) return;
  if (current && current.metadata.origin !== 'agent') return; // rejected anyway; whoever declared the network is in charge of it
  await store.propose({ origin: 'agent', documents: wanted ? [{ document: apiNetwork }] : [] });
}

function isWanted(store: Store, cache: EngineCache): boolean {
  const wants = (fields: ServiceFields, image: string): boolean =>
    wantsApiNetwork(fields, { ...cache.image(image)?.config.Labels });
  return (
    store.list('Service').some(({ spec }) => wants(spec, spec.image)) ||
    store
      .list('App')
      .filter((app) => isActive(app) && identityOf(app).release !== null)
      .some(({ spec }) => Object.values(spec.services ?? {}).some((service) => wants(service, service.image)))
  );
}

import { isActive } from '../../../crds/model/active.js';
import { isObserved, isSettled, isStalled } from '../../../crds/model/conditions.js';
import type { App, Network } from '../../../crds/model/kinds.js';
import { lacksSubnet } from '../../../crds/model/readiness.js';
import { startedRequest } from '../../../crds/model/requests.js';
import type { ServiceDeps } from '../deps.js';
import type { NetworkDependency, ResourceDependency, ServiceState } from '../service-state.js';

/**
 * Returns whether a network can be used. A stalled network keeps serving; one that is being removed or is not settled
 * yet is waited for.
 */
export function networkDependency(
  { store, cache }: ServiceDeps,
  name: string,
  aliases: readonly string[],
): NetworkDependency {
  const documents = store.list('Network').filter(({ spec }) => spec.networkName === name);
  const active = documents.filter(isActive);
  // Whoever makes it decides what it is; those who say that it is external only look.
  const staying = active.find(({ spec }) => !spec.external) ?? active[0];
  const id = cache.network(name)?.id;
  const rebuilding = active.some(({ status }) => status?.rebuilding);
  const notReady = rebuilding ? 'it is being recreated' : networkNotReady(staying, documents.length > 0, id);
  return {
    ...{ name, id, aliases, notReady },
    ...(notReady === UNSETTLED ? { isUnsettled: true } : {}),
    ...(notReady === UNSETTLED && staying && !isObserved(staying) ? { isUnseen: true } : {}),
    ...(staying && id === undefined && lacksSubnet(staying) ? { lacksSubnet: true } : {}),
  };
}

function networkNotReady(
  document: Network | undefined,
  terminating: boolean,
  id: string | undefined,
): string | undefined {
  if (!document) return terminating ? 'it is being removed' : 'no document declares it';
  if (id === undefined) return document.spec.external ? EXTERNAL : 'it does not exist yet';
  return document.spec.external || isSettled(document) || isStalled(document) ? undefined : UNSETTLED;
}

const UNSETTLED = 'it is not settled yet';
const EXTERNAL = 'it is not there; it is declared external';

/**
 * Returns whether a volume can be used. A volume that no document declares is created by the engine
 * (docs/reference/composition.md §1.8).
 */
export function volumeDependency(
  { store, cache }: ServiceDeps,
  app: App | undefined,
  name: string,
): ResourceDependency {
  const documents = store.list('Volume').filter(({ spec }) => spec.volumeName === name);
  const purge = startedRequest(app, 'purge');
  const own = documents.filter(({ spec }) => spec.app === app?.metadata.name);
  if (purge && own.some(({ status }) => status?.handled?.['app.purge'] !== purge.id)) {
    return { name, notReady: 'it is being emptied' };
  }
  if (documents.length === 0) return { name, notReady: undefined };
  if (documents.every(({ metadata }) => metadata.deletionTimestamp !== undefined)) {
    return { name, notReady: 'it is being removed' };
  }
  const isMade = documents.some(({ spec, metadata }) => !spec.external && metadata.deletionTimestamp === undefined);
  return { name, notReady: cache.volume(name) ? undefined : isMade ? 'it does not exist yet' : EXTERNAL };
}

/** Returns the networks that containers have to leave, by name, and why. */
export function closingNetworks({ store }: ServiceDeps): ServiceState['closing'] {
  const closing = new Map<string, 'recreated' | 'removed'>();
  for (const { metadata, spec, status } of store.list('Network')) {
    if (spec.external) continue;
    if (status?.rebuilding) closing.set(spec.networkName, 'recreated');
    else if (metadata.deletionTimestamp !== undefined) closing.set(spec.networkName, 'removed');
  }
  return closing;
}

import { isSettled, isStalled } from '../../../crds/model/conditions.js';
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
  const staying = documents.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  const id = cache.network(name)?.id;
  return {
    ...{ name, id, aliases, notReady: networkNotReady(staying, documents.length > 0, id) },
    ...(staying && id === undefined && lacksSubnet(staying) ? { lacksSubnet: true } : {}),
  };
}

function networkNotReady(
  document: Network | undefined,
  terminating: boolean,
  id: string | undefined,
): string | undefined {
  if (!document) return terminating ? 'it is being removed' : 'no document declares it';
  if (document.status?.rebuilding) return 'it is being made anew';
  if (id === undefined) return 'it does not exist yet';
  return isSettled(document) || isStalled(document) ? undefined : 'it is not settled yet';
}

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
  if (purge && documents.some(({ status }) => status?.handled?.['app.purge'] !== purge.id)) {
    return { name, notReady: 'it is being emptied' };
  }
  if (documents.length === 0) return { name, notReady: undefined };
  if (documents.every(({ metadata }) => metadata.deletionTimestamp !== undefined)) {
    return { name, notReady: 'it is being removed' };
  }
  return { name, notReady: cache.volume(name) ? undefined : 'it does not exist yet' };
}

/** Returns the networks that containers have to leave, by name, and why. */
export function closingNetworks({ store }: ServiceDeps): ServiceState['closing'] {
  const closing = new Map<string, 'recreated' | 'removed'>();
  for (const { metadata, spec, status } of store.list('Network')) {
    if (status?.rebuilding) closing.set(spec.networkName, 'recreated');
    else if (metadata.deletionTimestamp !== undefined) closing.set(spec.networkName, 'removed');
  }
  return closing;
}

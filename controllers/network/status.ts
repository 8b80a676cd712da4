import { isActive } from '../../crds/model/active.js';
import type { Network } from '../../crds/model/kinds.js';
import { API_NETWORK } from '../../crds/model/names.js';
import type { Facts, OwnCondition, Progress } from '../runtime/reconciler.js';
import type { ApiReach } from './observe.js';
import type { NetworkFacts, NetworkPlan } from './plan.js';

/**
 * Returns the status of a network: what was seen of it, and which containers have to leave. `rebuilding` is set before
 * the first step, so that no container joins a network that is about to go. Pure.
 */
export function networkStatus(
  { metadata }: Network,
  { seen: [first], attached }: NetworkFacts,
  { at, plan }: Progress<NetworkPlan>,
): Facts<'Network'> {
  const rebuilding = plan?.rebuilding === true && (at === 'acting' || first !== undefined);
  const terminating = rebuilding || !isActive({ metadata });
  return {
    ...(first ? { id: first.id } : {}),
    ...(first?.gateway === undefined ? {} : { gateway: first.gateway }),
    ...(rebuilding ? { rebuilding } : {}),
    ...(terminating && attached.length > 0 ? { attached: attached.map(({ name }) => name).sort() } : {}),
  };
}

/** Returns the condition `ApiReachable` of the network over which containers call our API. */
export function reachCondition(apiReach: ApiReach | undefined, { metadata }: Network): readonly OwnCondition[] {
  const state = metadata.name === API_NETWORK ? apiReach?.state() : undefined;
  if (!state) return [];
  return [
    {
      type: 'ApiReachable',
      status: state.isReachable ? 'True' : 'False',
      reason: state.isReachable ? 'Listening' : 'NotListening',
      message: state.message,
    },
  ];
}

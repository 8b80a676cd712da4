import type { HostConfig } from '../../../crds/model/kinds.js';
import type { HostConfigStatus } from '../../../crds/model/types.js';
import type { SeenNetwork } from '../../host/network/host-network.js';
import { parseNoProxy, parseRedsocks } from '../../host/network/redsocks.js';
import type { Plan } from '../../runtime/outcome.js';
import type { Facts, Progress, StepResult } from '../../runtime/reconciler.js';
import { answered, confirmStatus } from '../commit-confirm.js';
import { isProxyFile, type NetworkObservation, type NetworkStep } from './plan.js';

export interface NetworkResult extends StepResult {
  /** The services that read the proxy settings have been restarted. */
  readonly restarted: true;
}

/**
 * Returns the status of the network settings, without credentials. That services have to be restarted for the proxy is
 * set before the first file changes, and stays until they have been restarted. Pure.
 */
export function networkStatus(
  document: HostConfig,
  { seen, unconfirmed, verdict, request, note }: NetworkObservation,
  { at, plan, result }: Progress<Plan<NetworkStep>, NetworkResult>,
): Facts<'HostConfig'> {
  const { status } = document;
  const isWriting = at === 'acting' && plan?.steps.some(isProxyFile) === true;
  const restartDue = isWriting || (status?.restartDue === true && result.restarted === undefined);
  return {
    ...(seen ? factsOf(seen) : factsBefore(status)),
    ...answered(document, unconfirmed ? undefined : request),
    ...confirmStatus(document, unconfirmed, verdict),
    ...(restartDue ? { restartDue } : {}),
    ...(note === undefined || isWriting ? {} : { note }),
  };
}

type SeenFacts = Pick<HostConfigStatus, 'hostname' | 'proxy' | 'noProxy'>;

function factsBefore({ hostname, proxy, noProxy }: HostConfigStatus = {}): SeenFacts {
  return {
    ...(hostname === undefined ? {} : { hostname }),
    ...(proxy ? { proxy } : {}),
    ...(noProxy ? { noProxy } : {}),
  };
}

function factsOf(seen: SeenNetwork): SeenFacts {
  const proxy = parseRedsocks(seen.redsocks ?? '');
  const { type, ip, port } = proxy?.fields ?? {};
  const noProxy = parseNoProxy(seen.noProxy ?? '');
  return {
    ...(seen.hostname === undefined ? {} : { hostname: seen.hostname }),
    ...(proxy
      ? {
          proxy: {
            type: String(type),
            ip: String(ip),
            port: Number(port),
            ...(proxy.dns === undefined ? {} : { dns: proxy.dns }),
          },
        }
      : {}),
    ...(noProxy.length === 0 ? {} : { noProxy: [...noProxy] }),
  };
}

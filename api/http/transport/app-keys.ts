import type { Scope } from '../../device-state/keys.js';
import type { LineOwner } from '../../device-state/logs.js';
import { appIdOf } from '../../store/proposal/derived-names.js';
import type { Reader } from '../../store/store.js';
import { isResourcePath } from './kubernetes-status.js';

/**
 * What an app's key reaches besides its app: all that the Supervisor lets it (docs/reference/http-api.md §2.4), or
 * nothing.
 */
export type AppKeyReach = 'device' | 'app';

/** Routes that look at the key's scope themselves, and facts that say nothing of other apps. */
const OF_ONE_APP = [
  /^\/v1\/(?:restart|purge|regenerate-api-key)$/,
  /^\/v1\/apps\//,
  /^\/v2\/applications\//,
  /^\/v2\/(?:containerId|state\/status|cleanup-volumes|version|device\/name)$/,
  /^\/v2\/local\/(?:logs|device-info)$/,
  /^\/\{any\*\}$/,
];

/** Whether a key may use a route at all. The resource API has an answer of its own for keys of apps. Pure. */
export const mayUse = (scope: Scope, path: string, reach: AppKeyReach): boolean =>
  scope.type === 'global' || reach === 'device' || isResourcePath(path) || OF_ONE_APP.some((one) => one.test(path));

/** Whether a key may see a line: those of other apps it may not, nor those of apps that are not known any more. */
export const mayRead =
  (scope: Scope, store: Pick<Reader, 'get'>) =>
  (owner: LineOwner): boolean => {
    if (scope.type === 'global' || owner === 'device') return true;
    if (owner === 'nobody') return false;
    const app = typeof owner.app === 'string' ? store.get('App', owner.app) : undefined;
    return (typeof owner.app === 'number' ? owner.app : app && appIdOf(app)) === scope.appId;
  };

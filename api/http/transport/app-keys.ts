import type { Scope } from '../../device-state/keys.js';
import type { LineOwner } from '../../device-state/logs.js';
import { appIdOf } from '../../store/proposal/derived-names.js';
import type { Reader } from '../../store/store.js';
import type { Callers } from './callers.js';

/**
 * What an app's key reaches besides its app: all that the Supervisor lets it (docs/reference/http-api.md §2.4), or
 * nothing.
 */
export type AppKeyReach = 'device' | 'app';

/** Whether a key may use a route that says of itself who may call it. The resource API has an answer of its own for keys of apps. Pure. */
export const mayUse = (scope: Scope, callers: Callers, reach: AppKeyReach): boolean =>
  scope.type === 'global' || reach === 'device' || callers !== 'device';

/** Whether a key may see a line: those of other apps it may not, nor those of apps that are not known any more. */
export const mayRead =
  (scope: Scope, store: Pick<Reader, 'get'>) =>
  (owner: LineOwner): boolean => {
    if (scope.type === 'global' || owner === 'device') return true;
    if (owner === 'nobody') return false;
    const app = typeof owner.app === 'string' ? store.get('App', owner.app) : undefined;
    return (typeof owner.app === 'number' ? owner.app : app && appIdOf(app)) === scope.appId;
  };

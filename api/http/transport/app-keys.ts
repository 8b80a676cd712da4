import type { Scope } from '../../device-state/keys.js';
import type { LineOwner } from '../../device-state/logs.js';
import { appIdOf } from '../../store/proposal/derived-names.js';
import type { Reader } from '../../store/store.js';
import type { Callers } from './callers.js';

/** What an app's key may do besides its app: all that the Supervisor permits (docs/reference/http-api.md §2.4), or nothing. */
export type AppKeyReach = 'device' | 'app';

/** Tells whether a key may use a route, by who may call it. The resource API has its own answer for keys of apps. Pure. */
export const mayUse = (scope: Scope, callers: Callers, reach: AppKeyReach): boolean =>
  scope.type === 'global' || reach === 'device' || callers !== 'device';

/** Returns a function that tells whether a key may read a line: not those of other apps, nor those of unknown apps. */
export const mayRead =
  (scope: Scope, store: Pick<Reader, 'get'>) =>
  (owner: LineOwner): boolean => {
    if (scope.type === 'global' || owner === 'device') return true;
    if (owner === 'nobody') return false;
    const app = typeof owner.app === 'string' ? store.get('App', owner.app) : undefined;
    return (typeof owner.app === 'number' ? owner.app : app && appIdOf(app)) === scope.appId;
  };

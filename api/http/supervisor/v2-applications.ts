import type { Reader } from '../../store/store.js';
import { failed, ready, render } from '../transport/answer.js';
import { scopeOf } from '../transport/auth.js';
import { integerOf } from '../transport/coercion.js';
import type { Route } from '../transport/routes.js';
import { ViewCache } from '../transport/view-cache.js';
import { appTrees } from './app-tree.js';
import { applicationState, applicationsState } from './applications-view.js';

/** Serves `/v2/applications/…`: what runs of each app. Reads documents only. */
export function applicationRoutes({ store }: { readonly store: Reader }): readonly Route[] {
  const overview = new ViewCache(store, (scope) => render(applicationsState(appTrees(store, scope))));
  const states = new ViewCache(store, (scope, id) => {
    const tree = appTrees(store, scope).find(({ appId }) => appId === Number(id));
    const state = tree && applicationState(tree);
    return state && render(state);
  });

  return [
    {
      method: 'GET',
      path: '/v2/applications/state',
      callers: 'any key',
      cached: (scope) => overview.get(scope),
      handler: (request, h) => ready(h, overview.get(scopeOf(request))),
    },
    {
      method: 'GET',
      path: '/v2/applications/{appId}/state',
      callers: 'any key',
      cached: (scope, id) => (Number(id) > 0 ? states.get(scope, id) : undefined),
      handler(request, h) {
        const text = String(request.params.appId);
        const appId = integerOf(text);
        if (appId === undefined || appId === 0) {
          return failed(h, 400, `Invalid application ID: ${text}`);
        }
        const state = states.get(scopeOf(request), String(appId));
        return state ? ready(h, state) : failed(h, 409, `Application ID does not exist: ${appId}`);
      },
    },
  ];
}

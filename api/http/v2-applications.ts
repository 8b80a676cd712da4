import type { Plugin } from '@hapi/hapi';
import type { Reader } from '../store/store.js';
import { failed, json, ready } from './answer.js';
import { appTrees } from './app-tree.js';
import { applicationState, applicationsState } from './applications-view.js';
import { scopeOf } from './auth.js';
import { integerOf } from './coercion.js';
import { ViewCache } from './view-cache.js';

/** `/v2/applications/…`: what runs of each app. Read from documents only. */
export const applicationRoutes: Plugin<{ readonly store: Reader }> = {
  name: 'v2-applications',
  register(server, { store }) {
    const overview = new ViewCache(store, (scope) => applicationsState(appTrees(store, scope)));

    server.route({
      method: 'GET',
      path: '/v2/applications/state',
      handler: (request, h) => ready(h, overview.get(scopeOf(request))),
    });

    server.route({
      method: 'GET',
      path: '/v2/applications/{appId}/state',
      handler(request, h) {
        const text = String(request.params.appId);
        const appId = integerOf(text);
        if (appId === undefined || appId === 0) {
          return failed(h, 400, `Invalid application ID: ${text}`);
        }
        const tree = appTrees(store, scopeOf(request)).find((one) => one.appId === appId);
        const state = tree && applicationState(tree);
        return state ? json(h, state) : failed(h, 409, `Application ID does not exist: ${appId}`);
      },
    });
  },
};

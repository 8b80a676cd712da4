import type { Plugin } from '@hapi/hapi';
import type { Reader } from '../store/store.js';
import { failed, json, ready } from './answer.js';
import { appState } from './app-state.js';
import { appTrees } from './app-tree.js';
import { scopeOf } from './auth.js';
import { containerIdOf, containerIds, deviceStatus } from './device-status-view.js';
import { SUPERVISOR_VERSION } from './version.js';
import { ViewCache } from './view-cache.js';

export interface DeviceRoutesDeps {
  readonly store: Reader;
  /** Our own version. */
  readonly version: string;
}

/** `/v2/version`, `/v2/state/status`, `/v2/containerId`. Read from documents only. */
export const deviceRoutes: Plugin<DeviceRoutesDeps> = {
  name: 'v2-device',
  register(server, { store, version }) {
    const ids = new ViewCache(store, (scope) => ({
      status: 'success',
      services: containerIds(appTrees(store, scope)),
    }));

    server.route({
      method: 'GET',
      path: '/v2/version',
      handler: (_, h) => json(h, { status: 'success', version: SUPERVISOR_VERSION, supercargo: version }),
    });

    server.route({
      method: 'GET',
      path: '/v2/state/status',
      handler: (request, h) => json(h, deviceStatus(appTrees(store, scopeOf(request)), appState(store))),
    });

    server.route({
      method: 'GET',
      path: '/v2/containerId',
      handler(request, h) {
        const wanted: unknown = request.query.serviceName ?? request.query.service;
        if (wanted === undefined) return ready(h, ids.get(scopeOf(request)));
        const trees = appTrees(store, scopeOf(request));
        const containerId = typeof wanted === 'string' ? containerIdOf(trees, wanted) : undefined;
        if (containerId === undefined) return failed(h, 503, 'Could not find service with that name');
        return json(h, { status: 'success', containerId });
      },
    });
  },
};

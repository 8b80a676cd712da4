import type { Plugin } from '@hapi/hapi';
import type { Reader } from '../../store/store.js';
import { failed, json, ready, render } from '../transport/answer.js';
import { scopeOf } from '../transport/auth.js';
import type { ResponseCache } from '../transport/response-cache.js';
import { ViewCache } from '../transport/view-cache.js';
import { appState } from './app-state.js';
import { appTrees } from './app-tree.js';
import { containerIdOf, containerIds, deviceStatus } from './device-status-view.js';
import { SUPERVISOR_VERSION } from './version.js';

export interface DeviceRoutesDeps {
  readonly store: Reader;
  readonly reads: ResponseCache;
  /** Our own version. */
  readonly version: string;
}

/** `/v2/version`, `/v2/state/status`, `/v2/containerId`. Read from documents only. */
export const deviceRoutes: Plugin<DeviceRoutesDeps> = {
  name: 'v2-device',
  register(server, { store, reads, version }) {
    const ids = new ViewCache(store, (scope) =>
      render({ status: 'success', services: containerIds(appTrees(store, scope)) }),
    );
    const status = new ViewCache(store, (scope) => render(deviceStatus(appTrees(store, scope), appState(store))));
    const versions = render({ status: 'success', version: SUPERVISOR_VERSION, supercargo: version });
    reads.register('/v2/containerId', (scope) => ids.get(scope));
    reads.register('/v2/state/status', (scope) => status.get(scope));
    reads.register('/v2/version', () => versions);

    server.route({
      method: 'GET',
      path: '/v2/version',
      handler: (_, h) => ready(h, versions),
    });

    server.route({
      method: 'GET',
      path: '/v2/state/status',
      handler: (request, h) => ready(h, status.get(scopeOf(request))),
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

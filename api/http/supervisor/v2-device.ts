import type { Reader } from '../../store/store.js';
import { failed, json, ready, render } from '../transport/answer.js';
import { scopeOf } from '../transport/auth.js';
import type { Route } from '../transport/routes.js';
import { ViewCache } from '../transport/view-cache.js';
import { appState } from './app-state.js';
import { appTrees } from './app-tree.js';
import { containerIdOf, containerIds, deviceStatus } from './device-status-view.js';
import { SUPERVISOR_VERSION } from './version.js';

export interface DeviceRoutesDeps {
  readonly store: Reader;
  /** Version of the agent. */
  readonly version: string;
}

/** Serves `/v2/version`, `/v2/state/status`, `/v2/containerId`. Reads documents only. */
export function deviceRoutes({ store, version }: DeviceRoutesDeps): readonly Route[] {
  const ids = new ViewCache(store, (scope) =>
    render({ status: 'success', services: containerIds(appTrees(store, scope)) }),
  );
  const status = new ViewCache(store, (scope) => render(deviceStatus(appTrees(store, scope), appState(store))));
  const versions = render({ status: 'success', version: SUPERVISOR_VERSION, supercargo: version });

  return [
    {
      method: 'GET',
      path: '/v2/version',
      callers: 'any key',
      cached: () => versions,
      handler: (_, h) => ready(h, versions),
    },
    {
      method: 'GET',
      path: '/v2/state/status',
      callers: 'any key',
      cached: (scope) => status.get(scope),
      handler: (request, h) => ready(h, status.get(scopeOf(request))),
    },
    {
      method: 'GET',
      path: '/v2/containerId',
      callers: 'any key',
      cached: (scope) => ids.get(scope),
      handler(request, h) {
        const wanted: unknown = request.query.serviceName ?? request.query.service;
        if (wanted === undefined) return ready(h, ids.get(scopeOf(request)));
        const trees = appTrees(store, scopeOf(request));
        const containerId = typeof wanted === 'string' ? containerIdOf(trees, wanted) : undefined;
        if (containerId === undefined) return failed(h, 503, 'Could not find service with that name');
        return json(h, { status: 'success', containerId });
      },
    },
  ];
}

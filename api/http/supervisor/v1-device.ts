import type { Logger } from 'pino';
import { keyOf } from '../../../crds/model/kinds.js';
import { DEFAULT_DEVICE_NAME } from '../../../crds/model/names.js';
import type { Keys } from '../../device-state/keys.js';
import { appIdOf } from '../../store/proposal/derived-names.js';
import type { Store } from '../../store/store.js';
import { failed, json, ready, render, sentence, statusOnly } from '../transport/answer.js';
import { bodyOf, fieldOf } from '../transport/body.js';
import { booleanOf } from '../transport/coercion.js';
import type { Route } from '../transport/routes.js';
import { ViewCache } from '../transport/view-cache.js';
import { type DeviceIdentity, deviceView } from './device-view.js';

/** What a requested update needs of this device's sources. */
export interface Updates {
  /** Reads every source now; resolves when all have been read. */
  rereadSources(): Promise<void>;
  /** Tells whether an update may be requested without force (SUPERVISOR_INSTANT_UPDATE_TRIGGER). */
  instant(): boolean;
}

export interface DeviceCommandDeps {
  readonly store: Pick<Store, 'resourceVersion' | 'list' | 'get' | 'isPending' | 'request' | 'touch'>;
  readonly keys: Pick<Keys, 'regenerate'>;
  readonly updates: Updates;
  readonly device: { identity(): DeviceIdentity };
  readonly log: Pick<Logger, 'warn'>;
}

/** Serves `/v1/device`, `/v1/update`, `/v1/regenerate-api-key`, `/v2/device/name`. Every key may call them. */
export function deviceCommandRoutes({ store, keys, updates, device, log }: DeviceCommandDeps): readonly Route[] {
  const shown = new ViewCache(store, () => render(deviceView(store, device.identity())));
  const show = () => shown.get({ type: 'global' }, JSON.stringify(device.identity()));

  return [
    {
      method: 'GET',
      path: '/v1/device',
      callers: 'device',
      cached: show,
      handler: (_, h) => ready(h, show()),
    },
    {
      method: 'GET',
      path: '/v2/device/name',
      callers: 'any key',
      handler: (_, h) =>
        json(h, { status: 'success', deviceName: store.get('HostConfig', 'device')?.spec.name ?? DEFAULT_DEVICE_NAME }),
    },
    {
      method: 'POST',
      path: '/v1/update',
      callers: 'device',
      body: 'Update',
      async handler(request, h) {
        // `cancel` asks to start over: every pass observes again anyway, so there is nothing to cancel.
        const force = booleanOf(fieldOf(bodyOf(request), 'force'));
        if (!force && !updates.instant()) return statusOnly(h, 202);
        for (const { metadata } of store.list('App')) {
          const key = keyOf('App', metadata.name);
          if (force) await store.request(key, { force: {} });
          store.touch(key);
        }
        updates
          .rereadSources()
          .catch((error: unknown) => log.warn({ err: error }, 'Could not read every source again'));
        return h.response().code(204);
      },
    },
    {
      method: 'POST',
      path: '/v1/regenerate-api-key',
      callers: 'any key',
      body: 'ignored',
      async handler(request, h) {
        const { key, scope } = request.auth.credentials.app ?? {};
        const fresh = key === undefined ? undefined : await keys.regenerate(key);
        if (fresh === undefined) return failed(h, 503, '');
        if (scope?.type === 'app') {
          // Its container has the old key: the service finds the difference, and recreates it.
          const apps = store.list('App').filter((app) => appIdOf(app) === scope.appId);
          for (const { spec, metadata } of store.list('Service')) {
            if (apps.some((app) => app.metadata.name === spec.app)) store.touch(keyOf('Service', metadata.name));
          }
        }
        return sentence(h, fresh);
      },
    },
  ];
}

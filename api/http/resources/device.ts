import type { HealthCheck } from '../../../crds/model/health.js';
import { API_VERSION } from '../../../crds/model/kinds.js';
import { DEFAULT_DEVICE_NAME } from '../../../crds/model/names.js';
import type { DeviceUsage } from '../../../crds/model/stats.js';
import type { Reader } from '../../store/store.js';
import type { DeviceIdentity } from '../supervisor/device-view.js';
import { SUPERVISOR_VERSION } from '../supervisor/version.js';
import { json } from '../transport/answer.js';
import type { Route } from '../transport/routes.js';
import { outcomeOf, reasonsOf } from './health.js';

export interface DeviceRouteDeps {
  readonly store: Pick<Reader, 'get' | 'resourceVersion'>;
  readonly device: {
    readonly uuid?: string;
    readonly arch: string;
    readonly deviceType: string;
    identity(): DeviceIdentity;
    usage?(): Promise<DeviceUsage>;
  };
  readonly settings: { readonly version: string; readonly localMode: boolean };
  checks(): readonly HealthCheck[];
}

/** Serves `GET /apis/supercargo.io/v1/device`: what this device is, and how much of it is in use. It is not a document. */
export function deviceResourceRoutes({ store, device, settings, checks }: DeviceRouteDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/apis/supercargo.io/v1/device',
      callers: 'global key',
      async handler(_, h) {
        const { osVersion, interfaces } = device.identity();
        const usage = await device.usage?.();
        const reasons = reasonsOf(outcomeOf(checks));
        return json(h, {
          apiVersion: API_VERSION,
          kind: 'Device',
          metadata: {
            name: store.get('HostConfig', 'device')?.spec.name ?? DEFAULT_DEVICE_NAME,
            ...(device.uuid === undefined ? {} : { uid: device.uuid }),
            resourceVersion: store.resourceVersion,
          },
          status: {
            agentVersion: settings.version,
            supervisorVersion: SUPERVISOR_VERSION,
            localMode: settings.localMode,
            arch: device.arch,
            deviceType: device.deviceType,
            ...(osVersion === '' ? {} : { osVersion }),
            addresses: interfaces.ip,
            healthy: reasons === '',
            ...(reasons === '' ? {} : { unhealthyBecause: reasons }),
            ...usage,
          },
        });
      },
    },
  ];
}

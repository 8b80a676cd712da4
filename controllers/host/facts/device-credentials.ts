import { join } from 'node:path';
import { readBounded } from '../../../api/platform/read-file.js';

/** The credentials of a device for the registries of its cloud. */
export interface DeviceCredentials {
  readonly auth: { readonly username: string; readonly password: string };
  /** Hosts, and domains whose every host belongs to the cloud. */
  readonly domains: readonly string[];
}

/**
 * Reads the credentials in the boot partition's config.json, as a Supervisor uses them: the user is `d_<uuid>`, the
 * password the provisioning key while there is one, then the device's own. Undefined on a device without a cloud. Read
 * each time, because joining a cloud rewrites the file.
 */
export async function readDeviceCredentials(hostRoot: string): Promise<DeviceCredentials | undefined> {
  try {
    return deviceCredentials(JSON.parse((await readBounded(join(hostRoot, 'mnt/boot/config.json'))).toString()));
  } catch {
    return undefined; // absent, no file, or being written: other readers report a file that has to be complete
  }
}

/** Reads the credentials from a config.json. Pure. */
export function deviceCredentials(config: unknown): DeviceCredentials | undefined {
  if (typeof config !== 'object' || config === null) return undefined;
  const { uuid, apiKey, deviceApiKey, apiEndpoint, registryEndpoint } = config as Readonly<Record<string, unknown>>;
  const password = text(apiKey) ?? text(deviceApiKey);
  const domains = [domainOf(text(apiEndpoint)), hostOf(text(registryEndpoint))].filter((one) => one !== undefined);
  if (text(uuid) === undefined || password === undefined || domains.length === 0) return undefined;
  return { auth: { username: `d_${uuid}`, password }, domains };
}

/** Returns the domain of the registries of an endpoint: `example.com` for `https://api.example.com`; an address stands only for itself. */
function domainOf(endpoint: string | undefined): string | undefined {
  const host = hostOf(endpoint);
  const [, parent] = /^api\.(.+\..+)$/.exec(host ?? '') ?? [];
  return parent ?? host;
}

const hostOf = (endpoint: string | undefined): string | undefined => {
  const url = endpoint?.includes('://') ? endpoint : `https://${endpoint}`;
  return endpoint !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined;
};
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

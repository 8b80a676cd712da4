import { join } from 'node:path';
import { readBounded } from '../../../api/platform/read-file.js';

/** How a device shows itself to the registries of its cloud. */
export interface DeviceCredentials {
  readonly auth: { readonly username: string; readonly password: string };
  /** Hosts, and domains below which every host belongs to the cloud. */
  readonly domains: readonly string[];
}

/**
 * The credentials in the boot partition's config.json, as a Supervisor uses them: the user is `d_<uuid>`, the password
 * the provisioning key while there is one, then the device's own. Undefined on a device that no cloud knows. Read anew
 * each time: joining a cloud rewrites the file.
 */
export async function readDeviceCredentials(hostRoot: string): Promise<DeviceCredentials | undefined> {
  try {
    return deviceCredentials(JSON.parse((await readBounded(join(hostRoot, 'mnt/boot/config.json'))).toString()));
  } catch {
    return undefined; // absent, no file, or being written: whoever needs it to be whole says so elsewhere
  }
}

/** What a config.json says of them. Pure. */
export function deviceCredentials(config: unknown): DeviceCredentials | undefined {
  if (typeof config !== 'object' || config === null) return undefined;
  const { uuid, apiKey, deviceApiKey, apiEndpoint, registryEndpoint } = config as Readonly<Record<string, unknown>>;
  const password = text(apiKey) ?? text(deviceApiKey);
  const domains = [domainOf(text(apiEndpoint)), hostOf(text(registryEndpoint))].filter((one) => one !== undefined);
  if (text(uuid) === undefined || password === undefined || domains.length === 0) return undefined;
  return { auth: { username: `d_${uuid}`, password }, domains };
}

/** `https://api.example.com` stands for the registries below `example.com`; an address only for itself. */
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

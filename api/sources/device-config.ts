/**
 * The configuration variables of a device and their defaults, in the order in which a Supervisor lists them
 * (HTTP reference §8.1).
 */
const DEFAULTS: Readonly<Record<string, string>> = {
  SUPERVISOR_POLL_INTERVAL: '900000',
  SUPERVISOR_INSTANT_UPDATE_TRIGGER: 'true',
  SUPERVISOR_LOCAL_MODE: 'false',
  SUPERVISOR_CONNECTIVITY_CHECK: 'true',
  SUPERVISOR_LOG_CONTROL: 'true',
  SUPERVISOR_API_REQUEST_TIMEOUT: '59000',
  SUPERVISOR_DELTA: 'false',
  SUPERVISOR_DELTA_REQUEST_TIMEOUT: '59000',
  SUPERVISOR_DELTA_APPLY_TIMEOUT: '0',
  SUPERVISOR_DELTA_RETRY_COUNT: '30',
  SUPERVISOR_DELTA_RETRY_INTERVAL: '10000',
  SUPERVISOR_DELTA_VERSION: '2',
  SUPERVISOR_OVERRIDE_LOCK: 'false',
  SUPERVISOR_PERSISTENT_LOGGING: 'false',
  HOST_FIREWALL_MODE: 'off',
  HOST_DISCOVERABILITY: 'true',
  SUPERVISOR_HARDWARE_METRICS: 'true',
  SUPERVISOR_VPN_CONTROL: 'true',
};

/** Settings of the boot files, whose names are open (host reference §1.3). */
const BOOT = /^HOST_(CONFIG|EXTLINUX|CONFIGFS|ODMDATA|SPLASH)_./;

/**
 * Configuration variables with the prefixes of the cloud taken off; where several spell one variable, `BALENA_` wins over
 * `RESIN_` and that over none. Names that nobody here knows are dropped and returned. Pure.
 */
export function knownConfig(written: Readonly<Record<string, string>>): {
  config: Record<string, string>;
  unknown: string[];
} {
  const config = new Map<string, string>();
  const unknown: string[] = [];
  const entries = Object.entries(written);
  for (const prefix of ['BALENA_', 'RESIN_', '']) {
    for (const [name, value] of entries) {
      const bare = name.replace(/^(BALENA|RESIN)_/, '');
      if (!(prefix === '' ? name === bare : name.startsWith(prefix)) || config.has(bare)) continue;
      if (Object.hasOwn(DEFAULTS, bare) || BOOT.test(bare)) config.set(bare, value);
      else if (bare === 'OVERRIDE_LOCK') config.set('SUPERVISOR_OVERRIDE_LOCK', value);
      else unknown.push(name);
    }
  }
  return { config: Object.fromEntries(config), unknown };
}

/** Stored values first, then every other variable with its default. Pure. */
export function configWithDefaults(
  stored: Readonly<Record<string, string>> | undefined,
  device: { readonly localMode: boolean },
): Record<string, string> {
  const defaults = {
    ...DEFAULTS,
    SUPERVISOR_LOCAL_MODE: String(device.localMode),
    ...(stored === undefined ? { HOST_FIREWALL_MODE: '' } : {}), // so until a first target has been stored
  };
  return {
    ...stored,
    ...Object.fromEntries(Object.entries(defaults).filter(([name]) => stored?.[name] === undefined)),
  };
}

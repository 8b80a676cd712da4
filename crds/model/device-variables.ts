/** The type that a variable's text is read as. */
type VariableType = 'boolean' | 'integer' | 'text';

interface Variable {
  readonly type: VariableType;
  readonly default: string;
}

const boolean = (value: boolean) => ({ type: 'boolean', default: String(value) }) as const;
const integer = (value: number) => ({ type: 'integer', default: String(value) }) as const;

/**
 * The configuration variables of a device and their defaults, in the order in which a Supervisor lists them
 * (docs/reference/http-api.md §8.1, docs/reference/host.md §1.2). Milliseconds where a variable is a time.
 */
const VARIABLES = {
  SUPERVISOR_POLL_INTERVAL: integer(900_000),
  SUPERVISOR_INSTANT_UPDATE_TRIGGER: boolean(true),
  SUPERVISOR_LOCAL_MODE: boolean(false),
  SUPERVISOR_CONNECTIVITY_CHECK: boolean(true),
  SUPERVISOR_LOG_CONTROL: boolean(true),
  SUPERVISOR_API_REQUEST_TIMEOUT: integer(59_000),
  SUPERVISOR_DELTA: boolean(false),
  SUPERVISOR_DELTA_REQUEST_TIMEOUT: integer(59_000),
  SUPERVISOR_DELTA_APPLY_TIMEOUT: integer(0),
  SUPERVISOR_DELTA_RETRY_COUNT: integer(30),
  SUPERVISOR_DELTA_RETRY_INTERVAL: integer(10_000),
  SUPERVISOR_DELTA_VERSION: integer(2),
  SUPERVISOR_OVERRIDE_LOCK: boolean(false),
  SUPERVISOR_PERSISTENT_LOGGING: boolean(false),
  HOST_FIREWALL_MODE: { type: 'text', default: 'off' },
  HOST_DISCOVERABILITY: boolean(true),
  SUPERVISOR_HARDWARE_METRICS: boolean(true),
  SUPERVISOR_VPN_CONTROL: boolean(true),
} as const satisfies Readonly<Record<string, Variable>>;

export type VariableName = keyof typeof VARIABLES;

const DEFAULTS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(VARIABLES).map(([name, variable]) => [name, variable.default]),
);

/** Settings of boot files: names that a boot backend of some device type takes (docs/reference/host.md §1.3). */
const BOOT = /^HOST_(?:CONFIG_.|EXTLINUX_.|CONFIGFS_ssdt$|ODMDATA_configuration$|SPLASH_image$)/i;

/** Tells whether a variable is a setting of boot files, on any device. Pure. */
export const isBootVariable = (name: string): boolean => BOOT.test(name) && /^HOST_[A-Z]+_/.test(name);

/**
 * Returns configuration variables without the prefixes of the cloud; of several spellings of one variable, `BALENA_`
 * wins over `RESIN_` and that over none. Unknown names are dropped and returned. Pure.
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
      if (Object.hasOwn(DEFAULTS, bare) || isBootVariable(bare)) config.set(bare, value);
      else if (bare === 'OVERRIDE_LOCK') config.set('SUPERVISOR_OVERRIDE_LOCK', value);
      else unknown.push(name);
    }
  }
  return { config: Object.fromEntries(config), unknown };
}

/** Returns stored values first, then every other variable with its default. Pure. */
export function configWithDefaults(
  stored: Readonly<Record<string, string>> | undefined,
  device: { readonly localMode: boolean },
): Record<string, string> {
  const defaults = {
    ...DEFAULTS,
    SUPERVISOR_LOCAL_MODE: String(device.localMode),
    ...(stored === undefined ? { HOST_FIREWALL_MODE: '' } : {}), // as long as no target was stored
  };
  return {
    ...stored,
    ...Object.fromEntries(Object.entries(defaults).filter(([name]) => stored?.[name] === undefined)),
  };
}

/**
 * Reads `1 true on` and `0 false off` in any case, also a number or boolean; an absent value is false. Undefined for
 * everything else. Pure.
 */
export function decodeBoolean(value: unknown): boolean | undefined {
  if (value === null || value === undefined) return false;
  const text = String(value).toLowerCase();
  if (['1', 'true', 'on'].includes(text)) return true;
  return ['0', 'false', 'off'].includes(text) ? false : undefined;
}

/** Returns the number that a text begins with; undefined when it begins with none. Pure. */
export function decodeInteger(value: string): number | undefined {
  const number = Number.parseInt(value, 10);
  return Number.isSafeInteger(number) ? number : undefined;
}

type Decoded<Name extends VariableName> = (typeof VARIABLES)[Name]['type'] extends 'boolean'
  ? boolean
  : (typeof VARIABLES)[Name]['type'] extends 'integer'
    ? number
    : string;

/** The effective value of every variable. */
export type DeviceVariables = { readonly [Name in VariableName]: Decoded<Name> };

export interface DecodedVariables {
  readonly values: DeviceVariables;
  /** Variables that somebody set to a valid value. */
  readonly declared: ReadonlySet<VariableName>;
  /** Variables that were set to an invalid value, and the default that counts instead. */
  readonly invalid: readonly { readonly name: VariableName; readonly value: string; readonly default: string }[];
}

/** Decodes a document's configuration: invalid values count as not set. Pure. */
export function decodeVariables(
  written: Readonly<Record<string, string>> | undefined,
  device: { readonly localMode: boolean },
): DecodedVariables {
  const { config } = knownConfig(written ?? {});
  const defaults: Readonly<Record<string, string>> = { ...DEFAULTS, SUPERVISOR_LOCAL_MODE: String(device.localMode) };
  const values: Record<string, boolean | number | string> = {};
  const declared = new Set<VariableName>();
  const invalid: { name: VariableName; value: string; default: string }[] = [];
  for (const name of Object.keys(VARIABLES) as VariableName[]) {
    const { type } = VARIABLES[name];
    const fallback = defaults[name] ?? '';
    const value = config[name];
    const decoded = value === undefined ? undefined : decode(type, value);
    if (decoded !== undefined) declared.add(name);
    else if (value !== undefined) invalid.push({ name, value, default: fallback });
    values[name] = decoded ?? decode(type, fallback) ?? fallback;
  }
  return { values: values as DeviceVariables, declared, invalid };
}

function decode(type: VariableType, value: string): boolean | number | string | undefined {
  if (type === 'boolean') return decodeBoolean(value);
  return type === 'integer' ? decodeInteger(value) : value;
}

import { isMap, stringOf, type Values } from '../../../crds/model/maps.js';
import { Lines, shown } from '../lines.js';

/**
 * Reads the compose fields of a service as a Supervisor does (docs/reference/composition.md §1), and converts them for
 * our own, stricter documents: a value that the Supervisor silently replaces by a default is left out here, with a
 * warning.
 */
type Warn = (message: string) => void;
/** Returns the value for our document; undefined leaves the field out. */
type Normalize = (value: unknown, warn: Warn) => unknown;

/** Returns the name of a field: `memLimit`, `mem-limit` and `mem_limit` are the same. Pure. */
const snakeCase = (key: string): string =>
  key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[-\s]+/g, '_')
    .toLowerCase();

const plain = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value);
const texts = (value: unknown): unknown =>
  Array.isArray(value) ? value.map((one) => (plain(one) ? String(one) : one)) : value;

const asIs: Normalize = (value) => value;
const bool: Normalize = (value) => Boolean(value);
const text: Normalize = (value) => (plain(value) ? String(value) : value);
const textUnlessEmpty: Normalize = (value, warn) => (value === '' ? undefined : text(value, warn));
const list: Normalize = (value) => texts(value);
const listOrOne: Normalize = (value) => (typeof value === 'string' ? [value] : texts(value));
const words: Normalize = (value) => (typeof value === 'string' ? value : texts(value));

const whole: Normalize = (value, warn) => {
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && value.trim() ? Number(value) : Number.NaN;
  if (Number.isFinite(number)) return Math.trunc(number);
  warn('is not a whole number; the default is used');
  return undefined;
};

const cpus: Normalize = (value, warn) => {
  const number = typeof value === 'string' ? Number.parseFloat(value) : value;
  if (typeof number === 'number' && Number.isFinite(number) && number >= 0) return number;
  warn('is not a number of CPUs; the default is used');
  return undefined;
};

const memory: Normalize = (value, warn) => {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  if (typeof value === 'string' && /^\d+([bkmg]b?)?$/i.test(value)) return value;
  warn('is not a size such as 512m; the default is used');
  return undefined;
};

const POLICIES = ['no', 'always', 'on-failure', 'unless-stopped'];
const restart: Normalize = (value, warn) => {
  const policy = typeof value === 'string' ? value.trim().toLowerCase() : '';
  if (POLICIES.includes(policy)) return policy;
  warn(`${shown(value)} is not one of ${POLICIES.join(', ')}; always is used`);
  return 'always';
};

/** Reads a duration. The Supervisor ignores a number without a unit after a term with one (`1m30`), and so do we. */
const duration: Normalize = (value) => {
  if (typeof value !== 'string') return value;
  const unitless = /^(.*[a-zµ])\s*\d+(\.\d+)?\s*$/.exec(value);
  return unitless?.[1] ?? value;
};

const healthcheck: Normalize = (value, warn) => {
  if (!isMap(value)) return value;
  return pick(value, HEALTHCHECK, (key, message) => warn(`${key} ${message}`));
};
const HEALTHCHECK: Readonly<Record<string, Normalize>> = {
  test: words,
  interval: duration,
  timeout: duration,
  start_period: duration,
  retries: whole,
  disable: bool,
};

const pairs: Normalize = (value) => {
  if (Array.isArray(value)) {
    return Object.fromEntries(
      value.map((one) => stringOf(one).split('=')).map(([key = '', item = '']) => [key.trim(), item]),
    );
  }
  return isMap(value) ? textMap(value) : value;
};

/** Converts numbers and booleans to text, and null to an empty one. Pure. */
export const textMap = (value: Values): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, item === null ? '' : plain(item) ? String(item) : item]),
  );

const number = (value: unknown): unknown =>
  typeof value === 'string' && /^-?\d+$/.test(value.trim()) ? Number(value) : value;
const ulimits: Normalize = (value) =>
  isMap(value)
    ? Object.fromEntries(
        Object.entries(value).map(([key, limit]) => [
          key,
          isMap(limit) ? { soft: number(limit.soft), hard: number(limit.hard) } : number(limit),
        ]),
      )
    : value;

const securityOptions: Normalize = (value, warn) => {
  if (!Array.isArray(value)) return value;
  const kept = value.filter((one) => !stringOf(one).includes('label='));
  if (kept.length < value.length) warn('entries with label= are left out');
  return texts(kept);
};

const HOST_PATH = /^[/.~]/;
const volumes: Normalize = (value, warn) => {
  if (!Array.isArray(value)) return value;
  return value.flatMap((entry: unknown): unknown[] => {
    const refused = mountRefused(entry);
    if (refused !== undefined) {
      warn(`${shown(entry)} is left out: ${refused}`);
      return [];
    }
    return [typeof entry === 'string' ? shortMount(entry) : isMap(entry) ? longMount(entry) : entry];
  });
};

/** Removes spaces around the parts, and everything after the mode. */
const shortMount = (entry: string): string =>
  entry
    .split(':', 3)
    .map((part) => part.trim())
    .join(':');

function mountRefused(entry: unknown): string | undefined {
  if (typeof entry === 'string') {
    return entry.includes(':') && HOST_PATH.test(entry.trim()) ? 'paths of the host cannot be mounted' : undefined;
  }
  if (!isMap(entry)) return 'it is neither a text nor a map';
  const { type, source, target } = entry;
  if (type === 'bind') return 'paths of the host cannot be mounted';
  if (type !== 'volume' && type !== 'tmpfs') return 'its type is neither volume nor tmpfs';
  if (typeof target !== 'string' || target === '') return 'it has no target';
  if (source !== undefined && source !== null && typeof source !== 'string') return 'its source is not a text';
  if (typeof source === 'string' && HOST_PATH.test(source)) return 'paths of the host cannot be mounted';
  if (type === 'tmpfs' && typeof source === 'string') return 'a tmpfs has no source';
  const size = isMap(entry.tmpfs) ? entry.tmpfs.size : undefined;
  if (size !== undefined && size !== null && !(Number.isInteger(size) && Number(size) >= 0))
    return 'its size is not a number of bytes';
  return undefined;
}

function longMount(entry: Values): Values {
  const { type, source, target, volume, tmpfs } = entry;
  const nocopy = isMap(volume) && volume.nocopy ? { volume: { nocopy: true } } : {};
  const size = isMap(tmpfs) && typeof tmpfs.size === 'number' ? { tmpfs: { size: tmpfs.size } } : {};
  const readOnly = entry.read_only || entry.readOnly ? { read_only: true } : {};
  return { type, ...(typeof source === 'string' ? { source } : {}), target, ...readOnly, ...nocopy, ...size };
}

const LONG_PORT = ['target', 'published', 'host_ip', 'protocol', 'mode'];
const ports: Normalize = (value) =>
  Array.isArray(value)
    ? value.map((one: unknown) => {
        if (!isMap(one)) return plain(one) ? String(one).trim() : one;
        const known = Object.entries(one).map(([key, item]): [string, unknown] => [snakeCase(key), item]);
        return Object.fromEntries(known.filter(([key, item]) => LONG_PORT.includes(key) && item !== null));
      })
    : value;

const networkMode: Normalize = (value, warn) => {
  if (typeof value !== 'string') return value;
  const mode = value.trim();
  if (mode.startsWith('container:')) {
    warn(`${shown(mode)} is ignored: name a service of the app, as in service:${mode.slice('container:'.length)}`);
    return undefined;
  }
  return mode.startsWith('service:') ? `service:${mode.slice('service:'.length).trim()}` : mode || undefined;
};

const ENDPOINT: Readonly<Record<string, Normalize>> = {
  aliases: list,
  ipv4_address: asIs,
  ipv6_address: asIs,
  link_local_ips: list,
};
const networks: Normalize = (value, warn) => {
  if (!isMap(value)) return texts(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, endpoint]) => [
      name,
      isMap(endpoint)
        ? pick(endpoint, ENDPOINT, (key, message) => warn(`${name}.${key} ${message}`))
        : (endpoint ?? {}),
    ]),
  );
};

const CONDITIONS = ['service_started', 'service_healthy', 'service_completed_successfully'];
const dependsOn: Normalize = (value) => {
  if (!isMap(value)) return texts(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, how]) => {
      if (!isMap(how)) return [name, {}];
      const condition = CONDITIONS.includes(stringOf(how.condition)) ? { condition: how.condition } : {};
      return [name, { ...condition, ...(how.required === false ? { required: false } : {}) }];
    }),
  );
};

const extraHosts: Normalize = (value) =>
  isMap(value) ? Object.entries(value).map(([host, address]) => `${host}:${stringOf(address)}`) : texts(value);

const storageOptions: Normalize = (_value, warn) => {
  warn('has no effect');
  return undefined;
};

/** Every compose field that is read; the rest is dropped. */
const FIELDS: Readonly<Record<string, Normalize>> = {
  cap_add: list,
  cap_drop: list,
  cgroup_parent: textUnlessEmpty,
  command: words,
  cpu_quota: whole,
  cpu_shares: whole,
  cpus,
  cpuset: textUnlessEmpty,
  depends_on: dependsOn,
  devices: list,
  dns: listOrOne,
  dns_opt: list,
  dns_search: listOrOne,
  domainname: textUnlessEmpty,
  entrypoint: words,
  extra_hosts: extraHosts,
  group_add: list,
  healthcheck,
  hostname: textUnlessEmpty,
  init: bool,
  ipc: textUnlessEmpty,
  mac_address: textUnlessEmpty,
  mem_limit: memory,
  mem_reservation: memory,
  network_mode: networkMode,
  networks,
  oom_kill_disable: bool,
  oom_score_adj: whole,
  pid: textUnlessEmpty,
  pids_limit: whole,
  ports,
  privileged: bool,
  read_only: bool,
  restart,
  security_opt: securityOptions,
  shm_size: memory,
  stop_grace_period: duration,
  stop_signal: text,
  storage_opt: storageOptions,
  sysctls: pairs,
  tmpfs: listOrOne,
  tty: bool,
  ulimits,
  user: text,
  userns_mode: textUnlessEmpty,
  volumes,
  working_dir: text,
};

/** Returns the fields that are in the table, each normalized; null counts as absent. */
function pick(
  values: Values,
  table: Readonly<Record<string, Normalize>>,
  warn: (key: string, message: string) => void,
): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const [written, value] of Object.entries(values)) {
    const key = snakeCase(written);
    if (value === null || value === undefined) continue;
    if (!Object.hasOwn(table, key)) {
      warn(written, 'is not supported and left out');
      continue;
    }
    const normal = table[key]?.(value, (message) => warn(key, message));
    if (normal !== undefined) picked[key] = normal;
  }
  return picked;
}

/** Returns a service's compose fields for our documents, and what had to be left out. Pure. */
export function normalizeComposition(composition: Values): {
  readonly fields: Record<string, unknown>;
  readonly warnings: readonly string[];
} {
  const warnings = new Lines();
  const fields = pick(composition, FIELDS, (key, message) => warnings.add(() => `${key} ${message}`));
  return { fields, warnings: warnings.texts };
}

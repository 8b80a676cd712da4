import { isIP } from 'node:net';
import { splitCommandLine } from '../../../crds/model/command-line.js';
import { dropsCommand, meansCompose, spelledOut } from '../../../crds/model/defaults.js';
import { composeDurationMs } from '../../../crds/model/duration.js';
import { networkNames, volumeNames } from '../../../crds/model/engine-names.js';
import { isJob } from '../../../crds/model/jobs.js';
import { isMap, type Values } from '../../../crds/model/maps.js';
import { allottedId } from '../../../crds/model/names.js';
import { bareAddress, portParts } from '../../../crds/model/port-text.js';
import { type References, referencesOf } from '../../../crds/model/references.js';
import type { AppNetwork, AppService, AppSpec, AppVolume } from '../../../crds/model/types.js';
import { EXTENSION, type Level } from './extension.js';
import { projectName } from './load.js';
import { durationText } from './read.js';
import { composeYaml, escaped } from './write.js';

/** An App as a Compose file. */
export interface Exported {
  readonly file: Values;
  /** The same as YAML. */
  readonly text: string;
  /** What Docker Compose would do otherwise with this file. */
  readonly warnings: readonly string[];
}

/**
 * Writes an App as a Compose file that means the same: what an App takes for granted and Compose does not is written out,
 * and what Compose cannot say stands under `x-supercargo`, where our own reader finds it. Pure.
 */
export function exportApp(app: string, spec: AppSpec): Exported {
  const warnings: string[] = [];
  const project = projectName(app);
  const isRenamed = project !== app; // then nothing can be derived from the name any more
  const appId = spec.appId ?? allottedId(app);
  const uuid = spec.uuid ?? String(appId);
  const services = Object.entries(spec.services ?? {}).map(([name, service]): [string, Values] => {
    const serviceId = isRenamed ? (service.serviceId ?? allottedId(`${app}/${name}`)) : service.serviceId;
    const warn = (message: string): number => warnings.push(`services.${name}: ${message}`);
    return [
      name,
      serviceOf({ ...service, ...(serviceId === undefined ? {} : { serviceId }) }, meansCompose(spec), warn),
    ];
  });
  const all = Object.values(spec.services ?? {}).map(referencesOf);
  const joined = new Set(all.flatMap(networksUsed));
  const mounted = new Set(all.flatMap(({ volumes }) => volumes));
  const implied = joined.has('default') && spec.networks?.default === undefined ? { default: null } : {};
  const networks = Object.entries({ ...implied, ...spec.networks }).map(([key, said]): [string, Values] => {
    if (said?.config_only) warnings.push(`networks.${key}: Docker Compose makes a bridge of it`);
    const { engine } = networkNames(app, uuid, key, said);
    return [key, definitionOf('network', said, engine, joined.has(key))];
  });
  const volumes = Object.entries(spec.volumes ?? {}).map(([key, said]): [string, Values] => {
    const { engine } = volumeNames(app, appId, key, said);
    return [key, definitionOf('volume', said, engine, mounted.has(key))];
  });
  const own = extensionOf('app', {
    ...spec,
    ...(isRenamed ? { appId, name: spec.name ?? app } : {}),
    uuid: uuid === project ? undefined : uuid,
    defaults: meansCompose(spec) ? undefined : 'supervisor',
    allowHostBinds: spec.allowHostBinds === true ? undefined : false,
  });
  const file = escaped({
    name: project,
    services: Object.fromEntries(services),
    ...section('networks', Object.fromEntries(networks)),
    ...section('volumes', Object.fromEntries(volumes)),
    ...section('x-supercargo', own),
  });
  return { file, text: composeYaml(file), warnings };
}

function networksUsed({ mode, networks = [] }: References): readonly string[] {
  if (mode.is === 'network') return [...networks, mode.network];
  if (mode.is !== 'default') return [];
  return networks.length > 0 ? networks : ['default'];
}

/** Writes a network or volume with its name on the engine; Docker Compose makes only what is used. Pure. */
function definitionOf(
  level: 'network' | 'volume',
  said: AppNetwork | AppVolume | null | undefined,
  engine: string,
  isUsed: boolean,
): Values {
  const { name: _, ...definition }: Values = { ...said };
  const own = { ...extensionOf(level, definition), ...(isUsed ? {} : { keep: true }) };
  return { name: engine, ...without(definition, EXTENSION[level]), ...section('x-supercargo', own) };
}

const without = (values: Values, names: readonly string[]): Values =>
  Object.fromEntries(Object.entries(values).filter(([name, value]) => !names.includes(name) && value !== undefined));

/** Returns what stands under `x-supercargo` there, in the order of the table. Pure. */
const extensionOf = (level: Level, values: Values): Values =>
  Object.fromEntries(
    EXTENSION[level].flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]] as const])),
  );

/** Returns a field with this map; nothing when the map is empty. */
const section = (name: string, values: Values): Values => (Object.keys(values).length > 0 ? { [name]: values } : {});

/** Writes the value of a field, which is neither absent nor null, as fields of Compose. */
type Write = (value: unknown, field: string, service: Values) => Values;

const plain: Write = (value, field) => ({ [field]: value });
/** A field that Compose writes in another way. */
const as =
  (write: (value: unknown) => unknown): Write =>
  (value, field) => {
    const written = write(value);
    return written === undefined ? {} : { [field]: written };
  };
/** Stands under `x-supercargo`, or is written along with another field. */
const elsewhere: Write = () => ({});

const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

/** Returns a map, from a map or a list of `NAME=value`; a name without a value is null. */
function pairs(value: unknown): readonly (readonly [string, string | null])[] {
  if (isMap(value)) {
    return Object.entries(value).map(([name, one]) => [name, one === null || one === undefined ? null : String(one)]);
  }
  return texts(value).map((line) => {
    const equals = line.indexOf('=');
    return equals < 0 ? [line, null] : [line.slice(0, equals), line.slice(equals + 1)];
  });
}

const textMap = (value: unknown): Values => Object.fromEntries(pairs(value).map(([name, one]) => [name, one ?? '']));
const words = (value: unknown): unknown => (typeof value === 'string' ? (splitCommandLine(value) ?? value) : value);

/** Returns a map without what is absent or null. */
const compact = (value: Values): Values =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined && one !== null));

/** An App also knows days, blanks, and numbers of milliseconds. */
function duration(value: unknown): unknown {
  const ms = composeDurationMs(value);
  return ms === undefined ? value : durationText(ms * 1e6);
}

function healthcheck(value: unknown): unknown {
  const { test, startPeriod, ...rest } = isMap(value) ? value : {};
  const { start_period = startPeriod, interval, timeout, start_interval, retries, disable } = rest;
  const times = compact({ interval, timeout, start_period, start_interval });
  return compact({
    test: test === '' || (Array.isArray(test) && test.length === 0) ? undefined : test,
    ...Object.fromEntries(Object.entries(times).map(([name, one]) => [name, duration(one)])),
    ...{ retries, disable },
  });
}

function logging(value: unknown): unknown {
  const { driver, options } = isMap(value) ? value : {};
  return compact({ driver, options: isMap(options) ? textMap(options) : undefined });
}

const device = (value: unknown): unknown =>
  isMap(value) ? `${value.source}:${value.target || value.source}:${value.permissions || 'rwm'}` : value;

/** Writes a published port with its port of the host; none for a free one. */
function port(value: unknown): string {
  if (isMap(value)) {
    const { target, published, host_ip: ip, protocol } = value;
    return portText(String(ip ?? ''), String(published ?? ''), String(target), String(protocol ?? 'tcp'));
  }
  const { address, host = '', container, protocol } = portParts(String(value)) ?? noPort(value);
  return portText(address, host, container, protocol);
}

function noPort(value: unknown): never {
  throw new Error(`Not a port: ${String(value)}`); // the schema has let it through
}

function portText(address: string, host: string, container: string, protocol: string): string {
  const ip = bareAddress(address);
  const shown = isIP(ip) === 6 ? `[${ip}]:` : ip === '' ? '' : `${ip}:`;
  const published = host === '' || host === '0' ? (shown === '' ? '' : ':') : `${host}:`;
  return `${shown}${published}${container}${protocol === 'tcp' ? '' : `/${protocol}`}`;
}

function mount(value: unknown): unknown {
  if (!isMap(value)) {
    const parts = String(value)
      .split(':')
      .map((part) => part.trim());
    const [source = '', target, mode] = parts;
    if (!/^[A-Za-z]$/.test(source) || target === undefined) return parts.join(':');
    // A single letter is a drive of Windows to Compose. Options, even none, are what the short form is read as.
    const modes = mode?.split(',') ?? [];
    const readOnly = modes.includes('ro') ? { read_only: true } : {};
    const selinux = modes.find((one) => /^z$/i.test(one));
    return { type: 'volume', source, target, ...readOnly, volume: {}, ...(selinux ? { bind: { selinux } } : {}) };
  }
  const { type, source, target, volume, bind, tmpfs } = value;
  const short = shortBind(value);
  if (short !== undefined) return short;
  const shared = { type, ...(type === 'tmpfs' ? {} : { source }), target };
  const { size, mode } = isMap(tmpfs) ? tmpfs : {};
  const { propagation, create_host_path } = isMap(bind) ? bind : {};
  const options: Values = {
    ...(type === 'volume' && isMap(volume) && volume.nocopy === true ? { volume: { nocopy: true } } : {}),
    ...(type === 'bind' ? { bind: compact({ propagation, create_host_path: create_host_path ?? true }) } : {}),
    ...(type === 'tmpfs'
      ? section('tmpfs', compact({ size, mode: typeof mode === 'string' ? Number.parseInt(mode, 8) : mode }))
      : {}),
  };
  const readOnly = value.read_only ?? value.readOnly;
  return compact({ ...shared, read_only: readOnly === true ? true : undefined, ...options });
}

/** Returns a bind in the short form, where that says all of it: its folder is made when it is not there. Pure. */
function shortBind({ type, source, target, bind, read_only, readOnly }: Values): string | undefined {
  const { propagation, create_host_path = true, ...others } = isMap(bind) ? compact(bind) : {};
  const isPlain = propagation === undefined && create_host_path === true && Object.keys(others).length === 0;
  const paths = [source, target].map(String);
  if (type !== 'bind' || !isPlain || paths.some((path) => !/^\/[^:]*$/.test(path))) return undefined;
  return [...paths, ...((read_only ?? readOnly) === true ? ['ro'] : [])].join(':');
}

/** Writes the networks that are joined, the main one first, or the mode that there is instead. */
function networks({ network_mode: mode, networks: said }: Values): Values {
  const { mode: kind } = referencesOf({ network_mode: mode });
  if (kind.is === 'engine') return { network_mode: kind.mode };
  if (kind.is === 'service') return { network_mode: `service:${kind.service}` };
  const entries: readonly (readonly [string, unknown])[] = isMap(said)
    ? Object.entries(said)
    : texts(said).map((name) => [name, null]);
  const main = kind.is === 'network' ? kind.network : undefined;
  const first = entries.find(([name]) => name === main) ?? [main, null];
  const ordered = main === undefined ? entries : [first, ...entries.filter(([name]) => name !== main)];
  if (ordered.length === 0) return {};
  const endpoints = ordered.map(([name, one]) => [name, compact(isMap(one) ? one : {})] as const);
  if (endpoints.every(([, one]) => Object.keys(one).length === 0)) return { networks: endpoints.map(([name]) => name) };
  return { networks: Object.fromEntries(endpoints) };
}

/** A list of names where each has only to be started, as Compose takes it for granted. Pure. */
function dependencies(value: unknown): unknown {
  if (!isMap(value)) return value;
  const entries = Object.entries(value).map(([name, one]): [string, Values] => {
    const { condition = 'service_started', required, restart, ...others } = isMap(one) ? compact(one) : {};
    const unlike = compact({
      required: required === false ? false : undefined,
      restart: restart === true ? true : undefined,
    });
    return [name, { condition, ...unlike, ...others }];
  });
  const isPlain = entries.every(([, one]) => one.condition === 'service_started' && Object.keys(one).length === 1);
  return isPlain ? entries.map(([name]) => name) : Object.fromEntries(entries);
}

const hosts = (value: unknown): unknown =>
  isMap(value)
    ? Object.entries(value).map(([host, address]) => `${host}:${String(address ?? '')}`)
    : texts(value).map((line) => line.replace('=', ':'));

const gpus = (value: unknown): unknown =>
  Array.isArray(value) ? value.map((one) => compact(isMap(one) ? one : {})) : value;

const all =
  (write: (value: unknown) => unknown) =>
  (value: unknown): unknown =>
    Array.isArray(value) ? value.map(write) : value;

/** How each field of a service is written, in the order of the file. */
const FIELDS = {
  image: plain,
  platform: plain,
  pull_policy: plain,
  containerName: (value) => ({ container_name: value }),
  running: (value) => (value === false ? { scale: 0 } : {}), // no container at all to Docker Compose
  hostname: plain,
  domainname: plain,
  entrypoint: as(words),
  command: as(words),
  working_dir: plain,
  user: as(String),
  group_add: as(texts),
  environment: (value) => {
    const set = pairs(value).filter(([, one]) => one !== null);
    return set.length > 0 ? { environment: Object.fromEntries(set) } : {};
  },
  labels: as(textMap),
  tty: plain,
  stdin_open: plain,
  init: plain,
  restart: plain,
  stop_signal: as(String),
  stop_grace_period: as(duration),
  healthcheck: as(healthcheck),
  depends_on: as(dependencies),
  ports: as(all(port)),
  expose: as(texts),
  network_mode: (_, __, service) => networks(service),
  networks: (_, __, service) => networks(service),
  mac_address: plain,
  dns: plain,
  dns_search: plain,
  dns_opt: plain,
  extra_hosts: as(hosts),
  volumes: as(all(mount)),
  tmpfs: plain,
  devices: as(all(device)),
  device_cgroup_rules: plain,
  gpus: as(gpus),
  privileged: plain,
  cap_add: plain,
  cap_drop: plain,
  security_opt: plain,
  read_only: plain,
  pid: plain,
  ipc: plain,
  uts: plain,
  cgroup: plain,
  userns_mode: plain,
  cgroup_parent: plain,
  runtime: plain,
  sysctls: as(textMap),
  ulimits: plain,
  cpus: plain,
  cpu_shares: plain,
  cpu_quota: plain,
  cpu_period: plain,
  cpu_rt_runtime: plain,
  cpu_rt_period: plain,
  cpuset: as(String),
  mem_limit: plain,
  mem_reservation: plain,
  memswap_limit: plain,
  mem_swappiness: plain,
  pids_limit: plain,
  shm_size: plain,
  oom_kill_disable: plain,
  oom_score_adj: plain,
  blkio_config: as((value) => compact(isMap(value) ? value : {})),
  storage_opt: as(textMap),
  logging: as(logging),
  updateStrategy: elsewhere,
  restart_unhealthy: elsewhere,
  schedule: elsewhere,
  contract: elsewhere,
  serviceId: elsewhere,
  imageId: elsewhere,
} as const satisfies Readonly<Record<keyof AppService, Write>>;

function serviceOf(service: AppService, isCompose: boolean, warn: (message: string) => void): Values {
  const meant = spelledOut({ ...service, defaults: isCompose ? 'compose' : 'supervisor' });
  const restart = isJob(service) ? 'no' : 'always';
  const said: Values = { restart, ...compact({ ...(isCompose ? service : meant) }) };
  const fields = Object.entries<Write>(FIELDS).flatMap(([field, write]) =>
    said[field] === undefined ? [] : Object.entries(write(said[field], field, said)),
  );
  const { running: _, ...others } = said;
  const unset = pairs(said.environment).flatMap(([name, value]) => (value === null ? [name] : []));
  const isKept = !isCompose && dropsCommand(service);
  if (isKept) warn('the command of the image is an argument of the entrypoint here, and left out by Docker Compose');
  if (unset.length > 0) warn(`variables of the image are not set here, and are by Docker Compose: ${unset.join(', ')}`);
  const own = {
    ...extensionOf('service', others),
    ...(isKept ? { keepCommand: true } : {}),
    ...(unset.length > 0 ? { unset } : {}),
  };
  return { ...Object.fromEntries(fields), ...section('x-supercargo', own) };
}

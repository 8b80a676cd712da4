import { listed } from '../../../crds/model/issue.js';
import { buildToMap, dependenciesToMap, networksToMap } from './merge.js';
import {
  type Device,
  devices,
  type Grant,
  type Mount,
  mounts,
  pathFrom,
  configs as readConfigs,
  secrets as readSecrets,
} from './mounts.js';
import { child, isNull, type Mapping, type Node, shownNode } from './node.js';
import { type Port, ports } from './ports.js';
import {
  bool,
  count,
  decimal,
  duration,
  fields,
  fieldsOf,
  labels,
  list,
  listOrOne,
  mapping,
  oneOf,
  pairs,
  printed,
  type Read,
  size,
  text,
  textOrNumber,
  unique,
  whole,
} from './read.js';
import { words } from './words.js';

export interface Dependency {
  readonly condition: string;
  readonly required: boolean;
  readonly restart?: boolean;
}

interface EnvFile {
  readonly path: string;
  readonly required: boolean;
  readonly format?: string;
}

export interface Gpu {
  readonly driver?: string;
  readonly count?: number;
  readonly device_ids?: readonly string[];
  readonly capabilities?: readonly string[];
  readonly options?: Readonly<Record<string, string>>;
}

interface Amounts {
  readonly cpus?: number;
  readonly memory?: number;
  readonly pids?: number;
  readonly devices?: readonly Gpu[];
}

interface Deploy {
  readonly mode?: string;
  readonly replicas?: number;
  readonly resources?: { readonly limits?: Amounts; readonly reservations?: Amounts };
  readonly restart_policy?: { readonly condition?: string; readonly max_attempts?: number };
}

export interface Endpoint {
  readonly aliases?: readonly string[];
  readonly ipv4_address?: string;
  readonly ipv6_address?: string;
  readonly link_local_ips?: readonly string[];
  readonly mac_address?: string;
  readonly driver_opts?: Readonly<Record<string, string>>;
  readonly priority?: number;
}

type Pairs = Readonly<Record<string, string>>;

interface Build {
  /** An absolute path, or an address. */
  readonly context: string;
  /** Relative to the context. */
  readonly dockerfile?: string;
  readonly target?: string;
}

/** A service in Compose's canonical form; sizes are bytes. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: Build;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly env_file?: readonly EnvFile[];
  readonly labels?: Pairs;
  readonly annotations?: Pairs;
  readonly ports?: readonly Port[];
  readonly volumes?: readonly Mount[];
  readonly devices?: readonly Device[];
  readonly secrets?: readonly Grant[];
  readonly configs?: readonly Grant[];
  readonly depends_on?: Readonly<Record<string, Dependency>>;
  readonly networks?: Readonly<Record<string, Endpoint | null>>;
  readonly links?: readonly string[];
  readonly volumes_from?: readonly string[];
  readonly healthcheck?: {
    readonly test?: readonly string[];
    readonly interval?: string;
    readonly timeout?: string;
    readonly start_period?: string;
    readonly start_interval?: string;
    readonly retries?: number;
    readonly disable?: boolean;
  };
  readonly logging?: { readonly driver?: string; readonly options?: Pairs };
  readonly deploy?: Deploy;
  readonly gpus?: readonly Gpu[];
  readonly extra_hosts?: readonly string[];
  readonly expose?: readonly string[];
  readonly ulimits?: Readonly<Record<string, number | { readonly soft: number; readonly hard: number }>>;
  readonly profiles?: readonly string[];
  readonly network_mode?: string;
  readonly container_name?: string;
  readonly pull_policy?: string;
  readonly restart?: string;
  readonly scale?: number;
  readonly platform?: string;
  readonly [plain: string]: unknown;
}

const oneDependency = fields<Dependency>({
  condition: oneOf('service_started', 'service_healthy', 'service_completed_successfully'),
  required: bool,
  restart: bool,
});

const dependencies: Read<Record<string, Dependency>> = (node, at) => {
  const map = dependenciesToMap(node);
  return mapping<Dependency>((inner, here) => {
    const { condition, required = true, ...rest } = oneDependency(inner, here) ?? {};
    return { condition: condition ?? 'service_started', required, ...rest };
  })(map, at);
};

const endpoint = fields<Endpoint>({
  aliases: unique(list(text)),
  ipv4_address: text,
  ipv6_address: text,
  link_local_ips: unique(list(text)),
  mac_address: text,
  driver_opts: mapping(printed),
  priority: whole,
});

const endpoints: Read<Record<string, Endpoint | null>> = (node, at) => {
  const map = networksToMap(node);
  if (isNull(map)) return undefined;
  if (map.is !== 'map') return at.expected(node, 'a list of networks, or a map');
  const entries = [...map.entries].map(([name, { node: inner }]): [string, Endpoint | null] => [
    name,
    isNull(inner) ? null : (endpoint(inner, at.in(name)) ?? null),
  ]);
  return Object.fromEntries(entries);
};

const TESTS = ['CMD', 'CMD-SHELL', 'NONE'];
const test: Read<readonly string[]> = (node, at) => {
  if (node.is === 'scalar') {
    const shell = text(node, at);
    return shell === undefined ? undefined : ['CMD-SHELL', shell];
  }
  const command = list(text)(node, at);
  if (command === undefined || command.length === 0 || TESTS.includes(command[0] ?? '')) return command;
  return at.problem(node, `Expected ${listed(TESTS)} as the first word; a text is a command for the shell`);
};

const envFiles: Read<EnvFile[]> = unique(
  listOrOne<EnvFile>((node, at) => {
    const { home } = at.context;
    if (node.is === 'scalar') {
      const path = text(node, at);
      return path === undefined || path === ''
        ? at.expected(node, 'a path')
        : { path: pathFrom(path, node.at, home), required: true };
    }
    const read = fields<EnvFile>({ path: text, required: bool, format: oneOf('raw') })(node, at);
    const path = child(node, 'path');
    if (read === undefined || !read.path || path === undefined) return at.problem(node, 'Missing: path');
    return { ...read, path: pathFrom(read.path, path.at, home), required: read.required ?? true };
  }),
  ({ path }) => path,
);

const build: Read<Build> = (node, at) => {
  const map = buildToMap(node);
  const {
    context,
    dockerfile = 'Dockerfile',
    target,
  } = fields<Build>({ context: text, dockerfile: text, target: text })(map, at) ?? {};
  const written = child(map, 'context');
  if (map.is !== 'map') return undefined;
  const where = context !== undefined && written ? context : '.';
  const path = /^(\w+:|git@|github\.com\/)/.test(where)
    ? where
    : pathFrom(where, written?.at ?? node.at, at.context.home);
  return { context: path, dockerfile, ...(target === undefined ? {} : { target }) };
};

const gpuCount: Read<number> = (node, at) => {
  if (node.is === 'scalar' && node.text === 'all') return -1;
  return whole(node, at);
};
const gpu = fields<Gpu>({
  driver: text,
  count: gpuCount,
  device_ids: list(textOrNumber),
  capabilities: list(text),
  options: labels,
});
const gpuList = list(gpu);
const gpus: Read<readonly Gpu[]> = (node, at) => {
  if (node.is === 'scalar' && node.text === 'all') return [{ count: -1 }];
  return gpuList(node, at);
};

const amounts = fields<Amounts>({ cpus: decimal, memory: size, pids: whole, devices: gpuList });
const deploy = fields<Deploy>({
  mode: text,
  replicas: count,
  resources: fields<NonNullable<Deploy['resources']>>({ limits: amounts, reservations: amounts }),
  restart_policy: fields<NonNullable<Deploy['restart_policy']>>({ condition: text, max_attempts: whole }),
});

/** Splits `host:address` or `host=address`, without brackets around the address. */
const hostLine: Read<string> = (node, at) => {
  const line = text(node, at);
  if (line === undefined) return undefined;
  const [, host, address] = /^([^=:]+)[=:](.+)$/.exec(line) ?? [];
  if (host === undefined || address === undefined) return at.problem(node, 'Expected host:address');
  return `${host}=${address.replace(/^\[(.*)\]$/, '$1')}`;
};

const extraHosts: Read<string[]> = unique((node, at) => {
  if (node.is !== 'map') return list(hostLine)(node, at);
  const byHost = mapping(listOrOne(text))(node, at) ?? {};
  return Object.entries(byHost).flatMap(([host, addresses]) => addresses.map((address) => `${host}=${address}`));
});

const ulimit: Read<number | { readonly soft: number; readonly hard: number }> = (node, at) => {
  if (node.is !== 'map') return whole(node, at);
  const { soft, hard } = fields<{ soft: number; hard: number }>({ soft: whole, hard: whole })(node, at) ?? {};
  return soft === undefined && hard === undefined ? undefined : { soft: soft ?? hard ?? 0, hard: hard ?? soft ?? 0 };
};

const texts = unique(list(text));
const numbersAsTexts = unique(list(textOrNumber));
const anyScalar: Read<string | number | boolean> = (node, at) =>
  node.is === 'scalar' ? (node.value ?? undefined) : at.problem(node, `Expected one value, found ${shownNode(node)}`);

/** Every property of a service that is read, and its shape. */
const SHAPES: Readonly<Record<string, Read<unknown>>> = {
  annotations: labels,
  blkio_config: mapping(blkio),
  build,
  cap_add: texts,
  cap_drop: texts,
  cgroup: text,
  cgroup_parent: text,
  command: words,
  configs: readConfigs,
  container_name: text,
  cpu_count: whole,
  cpu_percent: decimal,
  cpu_period: anyScalar,
  cpu_quota: anyScalar,
  cpu_rt_period: anyScalar,
  cpu_rt_runtime: anyScalar,
  cpu_shares: anyScalar,
  cpus: decimal,
  cpuset: textOrNumber,
  depends_on: dependencies,
  deploy,
  device_cgroup_rules: texts,
  devices,
  dns: unique(listOrOne(text)),
  dns_opt: texts,
  dns_search: unique(listOrOne(text)),
  domainname: text,
  entrypoint: words,
  env_file: envFiles,
  environment: pairs,
  expose: numbersAsTexts,
  external_links: texts,
  extra_hosts: extraHosts,
  gpus,
  group_add: numbersAsTexts,
  healthcheck: fields<NonNullable<ComposeService['healthcheck']>>({
    ...{ test, interval: duration, timeout: duration, start_period: duration, start_interval: duration },
    ...{ retries: whole, disable: bool },
  }),
  hostname: text,
  image: text,
  init: bool,
  ipc: text,
  isolation: text,
  labels,
  links: texts,
  logging: fields<NonNullable<ComposeService['logging']>>({ driver: text, options: mapping(printed) }),
  mac_address: text,
  mem_limit: size,
  mem_reservation: size,
  mem_swappiness: anyScalar,
  memswap_limit: size,
  network_mode: text,
  networks: endpoints,
  oom_kill_disable: bool,
  oom_score_adj: whole,
  pid: text,
  pids_limit: whole,
  platform: text,
  ports,
  privileged: bool,
  profiles: texts,
  pull_policy: oneOf('always', 'never', 'if_not_present', 'build', 'missing'),
  read_only: bool,
  restart: text,
  runtime: text,
  scale: count,
  secrets: readSecrets,
  security_opt: texts,
  shm_size: size,
  stdin_open: bool,
  stop_grace_period: duration,
  stop_signal: text,
  storage_opt: mapping(printed),
  sysctls: labels,
  tmpfs: unique(listOrOne(text)),
  tty: bool,
  ulimits: mapping(ulimit),
  user: text,
  userns_mode: text,
  uts: text,
  volumes: mounts,
  volumes_from: texts,
  working_dir: text,
};

/** Values of `blkio_config`: a weight, or a list of devices with a rate. */
function blkio(node: Node, at: Parameters<Read<unknown>>[1]): unknown {
  return node.is === 'list' ? list(mapping(anyScalar))(node, at) : whole(node, at);
}

/** Reads a service as it came out of all files. */
export const readService = (node: Mapping, at: Parameters<Read<unknown>>[1]): ComposeService =>
  fieldsOf<Record<string, unknown>>(
    node,
    at,
    SHAPES as Readonly<Record<string, Read<NonNullable<unknown>>>>,
  ) as ComposeService;

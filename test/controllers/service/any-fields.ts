import fc from 'fast-check';
import type { ServiceFields } from '../../../crds/model/types.js';
import { refusedByEngine } from '../../../crds/schema/check-engine-values.js';

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
const path = fc.stringMatching(/^(\/[a-z][a-z0-9.]{0,5}){1,3}$/);
const word = fc.stringMatching(/^[A-Za-z0-9._-]{1,8}$/);
const port = fc.integer({ min: 1, max: 65_535 });
const bytes = fc.integer({ min: 1, max: 2 ** 40 });
const memory = fc.integer({ min: 6 * 1024 * 1024, max: 2 ** 40 });
const list = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 3 });
const texts = fc.dictionary(name, word, { maxKeys: 3 });
const address = fc.ipV4();

const volume = fc.oneof(
  fc.tuple(name, path).map(([from, to]) => `${from}:${to}`),
  fc.tuple(name, path).map(([from, to]) => `${from}:${to}:ro`),
  fc
    .tuple(path, path, fc.constantFrom('', ':ro', ':ro,rslave', ':rw', ':shared'))
    .map(([a, b, mode]) => `${a}:${b}${mode}`),
  path,
  fc.record({ type: fc.constant('volume'), source: name, target: path, read_only: fc.boolean() }),
  fc.record({ type: fc.constant('tmpfs'), target: path, tmpfs: fc.record({ size: bytes }, { requiredKeys: [] }) }),
);

const dictionaryOf = <T>(value: fc.Arbitrary<T>, minKeys = 0) => fc.dictionary(name, value, { minKeys, maxKeys: 3 });

/**
 * Documents of a service with any of its fields, each as it may be written, that an engine would take. `mayBind` is taken
 * for granted.
 */
export const anyFields = fc
  .record(
    {
      command: fc.oneof(
        list(word),
        list(word).map((words) => words.join(' ')),
      ),
      entrypoint: list(word),
      environment: dictionaryOf(fc.oneof(word, fc.integer(), fc.boolean())),
      labels: texts,
      hostname: name,
      domainname: name,
      user: fc.oneof(name, fc.integer({ min: 0, max: 65_535 })),
      working_dir: path,
      tty: fc.boolean(),
      stdin_open: fc.boolean(),
      stop_signal: fc.constantFrom('SIGINT', 9),
      stop_grace_period: fc.constantFrom('5s', '1m30s', 2500),
      healthcheck: fc.record(
        { test: word, interval: fc.constantFrom('5s', 5000), retries: fc.nat(5) },
        { requiredKeys: [] },
      ),
      logging: fc.record(
        {
          driver: fc.constantFrom('json-file', 'local'),
          options: fc.record(
            { 'max-size': fc.constantFrom('1m', '10k'), 'max-file': fc.integer({ min: 1, max: 9 }) },
            { requiredKeys: [] },
          ),
        },
        { requiredKeys: [] },
      ),
      restart: fc.constantFrom('no', 'always', 'on-failure', 'on-failure:0', 'on-failure:7', 'unless-stopped'),
      init: fc.boolean(),
      read_only: fc.boolean(),
      privileged: fc.boolean(),
      cap_add: list(fc.constantFrom('NET_ADMIN', 'SYS_TIME', 'ALL')),
      cap_drop: list(fc.constantFrom('NET_RAW', 'ALL')),
      security_opt: list(fc.constantFrom('no-new-privileges', 'apparmor=unconfined')),
      group_add: list(fc.oneof(name, fc.nat(100))),
      devices: list(path.map((host) => `/dev${host}`)),
      device_cgroup_rules: list(fc.constantFrom('c 188:* rmw', 'a *:* r')),
      gpus: fc.oneof(
        fc.constant('all'),
        list(fc.record({ count: fc.integer({ min: 1, max: 8 }) }, { requiredKeys: [] })),
      ),
      runtime: fc.constantFrom('', 'runc'),
      platform: fc.constantFrom('linux/amd64', 'linux/arm/v7'),
      ulimits: fc.dictionary(fc.constantFrom('nofile', 'core', 'nproc'), fc.integer({ min: -1, max: 4096 }), {
        maxKeys: 3,
      }),
      sysctls: fc.dictionary(
        name.map((one) => `net.ipv4.${one}`),
        fc.integer(),
        { maxKeys: 3 },
      ),
      tmpfs: fc.oneof(path, list(path)),
      volumes: list(volume),
      ports: list(
        fc.oneof(
          port,
          fc.tuple(port, port).map(([host, container]) => `${host}:${container}`),
          fc.tuple(address, port, port).map(([ip, host, container]) => `${ip}:${host}:${container}/udp`),
          port.map((one) => `${Math.min(one, 65_000)}-${Math.min(one, 65_000) + 3}`),
        ),
      ),
      expose: list(
        fc.oneof(
          port,
          port.map((one) => `${one}/udp`),
        ),
      ),
      networks: fc.oneof(
        fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
        dictionaryOf(
          fc.record({ aliases: list(name), ipv4_address: address, driver_opts: texts }, { requiredKeys: [] }),
          1,
        ),
      ),
      dns: fc.oneof(address, list(address)),
      dns_search: list(name),
      dns_opt: list(fc.constantFrom('ndots:2', 'rotate')),
      extra_hosts: dictionaryOf(address),
      pid: fc.constantFrom('', 'host'),
      ipc: fc.constantFrom('shareable', 'private'),
      uts: fc.constantFrom('', 'host'),
      cgroup: fc.constantFrom('host', 'private'),
      pids_limit: fc.nat(1000),
      cpu_shares: fc.nat(2048),
      cpu_quota: fc.integer({ min: 1000, max: 100_000 }),
      cpu_period: fc.integer({ min: 1000, max: 1_000_000 }),
      cpu_rt_runtime: fc.constantFrom('400ms', 95_000),
      cpuset: fc.constantFrom('0', '0-1'),
      mem_limit: memory,
      mem_reservation: memory,
      mem_swappiness: fc.nat(100),
      shm_size: bytes,
      oom_score_adj: fc.integer({ min: -1000, max: 1000 }),
      oom_kill_disable: fc.boolean(),
      blkio_config: fc.record(
        { weight: fc.integer({ min: 10, max: 1000 }), device_read_bps: list(fc.record({ path, rate: bytes })) },
        { requiredKeys: [] },
      ),
      storage_opt: texts,
      depends_on: list(name),
    },
    { requiredKeys: [] },
  )
  .filter((fields) => refusedByEngine(fields as ServiceFields, []).length === 0);

type Fields = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Maps whose order counts: the first network is the main one, and limits become a list whose order is in the hash that
 * containers on devices carry. (To sort it would recreate them; and a document that only changes its order is no new one.)
 */
const ORDERED = ['networks', 'ulimits'];

/** The same maps with their keys the other way round, at every depth where that means nothing. Pure. */
export function reversedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversedKeys);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, ORDERED.includes(key) ? inner : reversedKeys(inner)]),
  );
}

const pairs = (value: unknown): unknown =>
  isMap(value) ? Object.entries(value).map(([key, one]) => `${key}=${String(one)}`) : value;
const asText = (value: unknown): unknown => (typeof value === 'number' ? String(value) : value);
const all = (change: (one: unknown) => unknown) => (value: unknown) =>
  Array.isArray(value) ? value.map(change) : value;

const longPort = (value: unknown): unknown => {
  const [ports = '', protocol = 'tcp'] = String(value).split('/');
  const parts = ports.split(':');
  const target = parts.at(-1);
  const [host_ip, published] = parts.length === 3 ? parts : [undefined, parts.length === 2 ? parts[0] : target];
  return { target, published, protocol, ...(host_ip ? { host_ip } : {}) };
};

const longVolume = (value: unknown): unknown => {
  if (typeof value !== 'string' || !/^\/.*:/.test(value)) return value;
  const [source, target, mode = ''] = value.split(':');
  const propagation = /r?(slave|shared)/.exec(mode)?.[0];
  const bind = { create_host_path: true, ...(propagation ? { propagation } : {}) };
  return { type: 'bind', source: `${source}/`, target, read_only: mode.startsWith('ro'), bind };
};

const RESPELT: Readonly<Record<string, (value: unknown) => unknown>> = {
  command: (value) => (typeof value === 'string' ? value.split(' ').filter(Boolean) : value),
  environment: pairs,
  labels: pairs,
  sysctls: pairs,
  extra_hosts: (value) => (isMap(value) ? Object.entries(value).map(([host, ip]) => `${host}=${String(ip)}`) : value),
  user: asText,
  group_add: all(asText),
  stop_signal: asText,
  cpu_shares: asText,
  cpu_quota: asText,
  cpu_period: asText,
  mem_limit: asText,
  mem_reservation: asText,
  mem_swappiness: asText,
  shm_size: asText,
  oom_score_adj: asText,
  tmpfs: (value) => (typeof value === 'string' ? [value] : value),
  dns: (value) => (typeof value === 'string' ? [value] : value),
  gpus: (value) => (value === 'all' ? [{ count: 'all' }] : value),
  devices: all((value) => (typeof value === 'string' ? { source: value, target: value, permissions: 'rwm' } : value)),
  ulimits: (value) =>
    isMap(value)
      ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, { soft: one, hard: one }]))
      : value,
  ports: all(longPort),
  expose: all((value) => (String(value).includes('/') ? value : `${String(value)}/tcp`)),
  volumes: all(longVolume),
  networks: (value) => (Array.isArray(value) ? Object.fromEntries(value.map((one) => [String(one), {}])) : value),
};

/** The same meaning in other words: lists for maps, long forms for short ones, texts for numbers, defaults spelt out. Pure. */
export const respelt = (fields: Fields): Fields => ({
  ...{ privileged: false, cap_add: [], runtime: null, uts: '', tmpfs: [], logging: null, pull_policy: 'missing' },
  ...Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, RESPELT[key]?.(value) ?? value])),
});

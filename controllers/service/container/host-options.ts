import { isMap } from '../../../crds/model/maps.js';
import type { HostOptions } from '../../engine/engine.js';
import { readDevices, readGpus } from '../spec/devices.js';
import type { Findings } from '../spec/fields.js';
import { type Fields, integer, isAbsent, pairs, text, texts } from '../spec/fields.js';
import { readLimits } from '../spec/limits.js';
import { readLogging } from '../spec/logging.js';
import { namedService } from '../spec/namespaces.js';

const RESTART = ['no', 'always', 'on-failure', 'on-failure:<count>', 'unless-stopped'];

/**
 * Values of Docker's HostConfig for fields that a document does not set. All of them are sent, so that an engine's own
 * defaults never change a service.
 */
export const HOST_DEFAULTS = {
  RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
  ReadonlyRootfs: false,
  Privileged: false,
  CapAdd: [],
  CapDrop: [],
  SecurityOpt: [],
  GroupAdd: [],
  Devices: [],
  DeviceRequests: [],
  Ulimits: [],
  Sysctls: {},
  Tmpfs: {},
  Dns: [],
  DnsSearch: [],
  DnsOptions: [],
  ExtraHosts: [],
  PidMode: '',
  IpcMode: 'shareable',
  UsernsMode: '',
  CgroupParent: '',
  PidsLimit: 0,
  NanoCpus: 0,
  CpuShares: 0,
  CpuQuota: 0,
  CpusetCpus: '',
  Memory: 0,
  MemoryReservation: 0,
  ShmSize: 64 * 1024 * 1024,
  OomKillDisable: false,
  OomScoreAdj: 0,
} satisfies HostOptions;

/** Engine defaults of fields that are sent only when a document sets them. Setting one of these values does not change the spec hash. */
export const UNSENT_DEFAULTS = {
  Runtime: '',
  UTSMode: '',
  CpuPeriod: 0,
  CpuRealtimeRuntime: 0,
  CpuRealtimePeriod: 0,
  MemorySwap: 0,
  BlkioWeightDevice: [],
  BlkioDeviceReadBps: [],
  BlkioDeviceWriteBps: [],
  BlkioDeviceReadIOps: [],
  BlkioDeviceWriteIOps: [],
  DeviceCgroupRules: [],
  StorageOpt: {},
} satisfies HostOptions;

/** Names of the document's fields that are read here. */
export const HOST_FIELDS = [
  'restart',
  'init',
  'read_only',
  'privileged',
  'cap_add',
  'cap_drop',
  'security_opt',
  'group_add',
  'devices',
  'ulimits',
  'sysctls',
  'tmpfs',
  'dns',
  'dns_search',
  'dns_opt',
  'extra_hosts',
  'pid',
  'ipc',
  'userns_mode',
  'cgroup_parent',
  'pids_limit',
  'cpus',
  'cpu_shares',
  'cpu_quota',
  'cpuset',
  'mem_limit',
  'mem_reservation',
  'shm_size',
  'oom_kill_disable',
  'oom_score_adj',
  'logging',
  'runtime',
  'gpus',
  'device_cgroup_rules',
  'uts',
  'cgroup',
  'cpu_period',
  'cpu_rt_runtime',
  'cpu_rt_period',
  'memswap_limit',
  'mem_swappiness',
  'blkio_config',
  'storage_opt',
];

/** Reads the fields that end up in HostConfig and depend on the document alone. Contains only what the document sets. Pure. */
export function readHostOptions(fields: Fields, findings: Findings): HostOptions {
  const list = (key: string, single = false): string[] | undefined =>
    mutable(texts(fields[key], key, findings, { single }));
  const word = (key: string): string | undefined => text(fields[key], key, findings);
  const whole = (key: string): number | undefined => integer(fields[key], key, findings);
  const bool = (key: string): boolean | undefined => (isAbsent(fields[key]) ? undefined : Boolean(fields[key]));
  return onlyDefined({
    RestartPolicy: readRestart(fields.restart, findings),
    Init: bool('init'),
    ReadonlyRootfs: bool('read_only'),
    Privileged: readPrivileged(fields.privileged, findings),
    CapAdd: list('cap_add'),
    CapDrop: list('cap_drop'),
    SecurityOpt: list('security_opt')?.filter(
      (option, at) => !option.includes('label=') || findings.warn(`security_opt[${at}]`, 'SELinux labels are left out'),
    ),
    GroupAdd: list('group_add'),
    Devices: readDevices(fields.devices, findings),
    DeviceCgroupRules: list('device_cgroup_rules'),
    DeviceRequests: readGpus(fields.gpus, findings),
    Runtime: word('runtime'),
    Sysctls: readSysctls(fields.sysctls, findings),
    Tmpfs: readTmpfs(fields.tmpfs, findings),
    Dns: list('dns', true),
    DnsSearch: list('dns_search', true),
    DnsOptions: list('dns_opt'),
    ExtraHosts: readExtraHosts(fields.extra_hosts, findings),
    // `service:<name>` becomes the container of that service when this one is made.
    PidMode: readNamespace('pid', word, findings),
    IpcMode: readNamespace('ipc', word, findings),
    UsernsMode: word('userns_mode'),
    UTSMode: word('uts'),
    CgroupnsMode: readCgroup(fields.cgroup, findings),
    CgroupParent: word('cgroup_parent'),
    ...readLimits(fields, findings),
    CpusetCpus: word('cpuset'),
    StorageOpt: readStorageOptions(fields.storage_opt, findings),
    LogConfig: readLogging(fields.logging, findings),
    OomKillDisable: bool('oom_kill_disable'),
    OomScoreAdj: whole('oom_score_adj'),
  });
}

/** Returns the record without its undefined values. Pure. */
export function onlyDefined<T extends object>(record: { [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;
}

const mutable = <T>(list: readonly T[] | undefined): T[] | undefined => (list ? [...list] : undefined);

function readRestart(value: unknown, findings: Findings): HostOptions['RestartPolicy'] {
  if (isAbsent(value)) return undefined;
  const [, Name, count] =
    /^(no|always|unless-stopped|on-failure(?=$|:\d))(?::(\d+))?$/.exec(String(value).trim().toLowerCase()) ?? [];
  if (Name !== undefined && (count === undefined || Name === 'on-failure')) {
    return { Name, MaximumRetryCount: Number(count ?? 0) };
  }
  findings.warn('restart', `${JSON.stringify(value)} is not one of ${RESTART.join(', ')}; always is used`);
  return { Name: 'always', MaximumRetryCount: 0 };
}

function readNamespace(
  key: 'pid' | 'ipc',
  word: (key: string) => string | undefined,
  findings: Findings,
): string | undefined {
  const mode = word(key)?.trim();
  return mode?.startsWith('service:') && namedService(mode) === undefined
    ? findings.issue(key, 'names no service')
    : mode;
}

function readPrivileged(value: unknown, findings: Findings): boolean | undefined {
  if (isAbsent(value) || typeof value === 'boolean') return value ?? undefined;
  return findings.issue('privileged', 'must be true or false');
}

function readSysctls(value: unknown, findings: Findings): HostOptions['Sysctls'] {
  if (isAbsent(value)) return undefined;
  return Object.fromEntries(pairs(value, 'sysctls', findings).map(([name, one]) => [name, one ?? '']));
}

function readStorageOptions(value: unknown, findings: Findings): HostOptions['StorageOpt'] {
  if (isAbsent(value)) return undefined;
  return Object.fromEntries(pairs(value, 'storage_opt', findings).map(([name, one]) => [name, one ?? '']));
}

function readCgroup(value: unknown, findings: Findings): HostOptions['CgroupnsMode'] {
  if (isAbsent(value)) return undefined;
  return value === 'host' || value === 'private' ? value : findings.issue('cgroup', 'must be host or private');
}

/** Reads `tmpfs`. Options follow a colon, as in Compose: `/run:size=16m`. */
function readTmpfs(value: unknown, findings: Findings): HostOptions['Tmpfs'] {
  const entries = texts(value, 'tmpfs', findings, { single: true });
  if (!entries) return undefined;
  return Object.fromEntries(
    entries.map((entry) => {
      const [path = '', ...options] = entry.split(':');
      return [path, options.join(':')];
    }),
  );
}

function readExtraHosts(value: unknown, findings: Findings): HostOptions['ExtraHosts'] {
  if (isAbsent(value)) return undefined;
  if (isMap(value)) {
    return pairs(value, 'extra_hosts', findings).map(([host, address]) => `${host}:${address ?? ''}`);
  }
  return texts(value, 'extra_hosts', findings)?.map((entry) => entry.replace('=', ':'));
}

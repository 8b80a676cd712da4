import type { ContainerOptions } from '../docker/engine.js';
import { type Fields, integer, isAbsent, isRecord, pairs, text, texts } from './fields.js';
import type { Findings } from './findings.js';
import { parseBytes } from './units.js';

export type HostOptions = NonNullable<ContainerOptions['HostConfig']>;

const RESTART = ['no', 'always', 'on-failure', 'unless-stopped'];

/** Docker's HostConfig where a document says nothing: all of it is sent, so that no default of an engine changes a service. */
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

/** The document's names of what is read here. */
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
];

/** The part of a definition that lands in HostConfig and needs nothing but the document; only what it says. Pure. */
export function readHostOptions(fields: Fields, findings: Findings): HostOptions {
  const list = (key: string, single = false): string[] | undefined =>
    mutable(texts(fields[key], key, findings, { single }));
  const word = (key: string): string | undefined => text(fields[key], key, findings);
  const whole = (key: string): number | undefined => integer(fields[key], key, findings);
  const truth = (key: string): boolean | undefined => (isAbsent(fields[key]) ? undefined : Boolean(fields[key]));
  return onlySaid({
    RestartPolicy: readRestart(fields.restart, findings),
    Init: truth('init'),
    ReadonlyRootfs: truth('read_only'),
    Privileged: readPrivileged(fields.privileged, findings),
    CapAdd: list('cap_add'),
    CapDrop: list('cap_drop'),
    SecurityOpt: list('security_opt')?.filter(
      (option, at) => !option.includes('label=') || findings.warn(`security_opt[${at}]`, 'SELinux labels are left out'),
    ),
    GroupAdd: list('group_add'),
    Devices: readDevices(fields.devices, findings),
    Ulimits: readUlimits(fields.ulimits, findings),
    Sysctls: readSysctls(fields.sysctls, findings),
    Tmpfs: readTmpfs(fields.tmpfs, findings),
    Dns: list('dns', true),
    DnsSearch: list('dns_search', true),
    DnsOptions: list('dns_opt'),
    ExtraHosts: readExtraHosts(fields.extra_hosts, findings),
    PidMode: word('pid'),
    IpcMode: word('ipc'),
    UsernsMode: word('userns_mode'),
    CgroupParent: word('cgroup_parent'),
    PidsLimit: whole('pids_limit'),
    NanoCpus: readCpus(fields.cpus, findings),
    CpuShares: whole('cpu_shares'),
    CpuQuota: whole('cpu_quota'),
    CpusetCpus: word('cpuset'),
    Memory: readBytes(fields, 'mem_limit', findings),
    MemoryReservation: readBytes(fields, 'mem_reservation', findings),
    ShmSize: readBytes(fields, 'shm_size', findings),
    OomKillDisable: truth('oom_kill_disable'),
    OomScoreAdj: whole('oom_score_adj'),
  });
}

/** The record without what is undefined. Pure. */
export function onlySaid<T extends object>(record: { [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;
}

const mutable = <T>(list: readonly T[] | undefined): T[] | undefined => (list ? [...list] : undefined);

function readRestart(value: unknown, findings: Findings): HostOptions['RestartPolicy'] {
  if (isAbsent(value)) return undefined;
  const Name = String(value).trim().toLowerCase();
  if (RESTART.includes(Name)) return { Name, MaximumRetryCount: 0 };
  findings.warn('restart', `${JSON.stringify(value)} is not one of ${RESTART.join(', ')}; always is used`);
  return { Name: 'always', MaximumRetryCount: 0 };
}

function readPrivileged(value: unknown, findings: Findings): boolean | undefined {
  if (isAbsent(value) || typeof value === 'boolean') return value ?? undefined;
  return findings.issue('privileged', 'must be true or false');
}

/** `host[:container[:permissions]]`, or Compose's long form. */
function readDevices(value: unknown, findings: Findings): HostOptions['Devices'] {
  if (isAbsent(value)) return undefined;
  if (!Array.isArray(value)) return findings.issue('devices', 'must be a list');
  return value.flatMap((entry: unknown, at) => {
    const long = isRecord(entry) ? [entry.source, entry.target, entry.permissions] : undefined;
    const [host, container, permissions] = typeof entry === 'string' ? entry.split(':') : (long ?? []);
    if (typeof host !== 'string' || host === '') {
      return findings.issue(`devices[${at}]`, 'must be host[:container[:permissions]]') ?? [];
    }
    return { PathOnHost: host, PathInContainer: container || host, CgroupPermissions: permissions || 'rwm' };
  });
}

function readUlimits(value: unknown, findings: Findings): HostOptions['Ulimits'] {
  if (isAbsent(value)) return undefined;
  if (!isRecord(value)) return findings.issue('ulimits', 'must be a map');
  return Object.entries(value).flatMap(([Name, entry]) => {
    const [soft, hard] = isRecord(entry) ? [entry.soft, entry.hard] : [entry, entry];
    const [Soft, Hard] = [wholeNumber(soft), wholeNumber(hard)];
    if (Soft !== undefined && Hard !== undefined) return { Name, Soft, Hard };
    return findings.issue(`ulimits.${Name}`, 'must be a whole number or {soft, hard}') ?? [];
  });
}

const wholeNumber = (value: unknown): number | undefined =>
  (typeof value === 'number' || (typeof value === 'string' && value !== '')) && Number.isInteger(Number(value))
    ? Number(value)
    : undefined;

function readSysctls(value: unknown, findings: Findings): HostOptions['Sysctls'] {
  if (isAbsent(value)) return undefined;
  return Object.fromEntries(pairs(value, 'sysctls', findings).map(([name, one]) => [name, one ?? '']));
}

/** Options follow a colon, as in Compose: `/run:size=16m`. */
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
  if (isRecord(value)) {
    return pairs(value, 'extra_hosts', findings).map(([host, address]) => `${host}:${address ?? ''}`);
  }
  return texts(value, 'extra_hosts', findings)?.map((entry) => entry.replace('=', ':'));
}

function readCpus(value: unknown, findings: Findings): number | undefined {
  if (isAbsent(value)) return undefined;
  const cpus = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  if (Number.isFinite(cpus) && cpus >= 0) return Math.round(cpus * 1e9);
  return findings.warn('cpus', `${JSON.stringify(value)} is not a number; no limit is set`);
}

function readBytes(fields: Fields, key: string, findings: Findings): number | undefined {
  if (isAbsent(fields[key])) return undefined;
  const bytes = parseBytes(fields[key]);
  return bytes ?? findings.warn(key, `${JSON.stringify(fields[key])} is not a size such as 96m; the default is used`);
}

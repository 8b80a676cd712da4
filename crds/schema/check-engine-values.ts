import { isIP, isIPv4, isIPv6 } from 'node:net';
import { posix } from 'node:path';
import { splitCommandLine } from '../model/command-line.js';
import type { Defaults } from '../model/defaults.js';
import { type Path, shorten } from '../model/issue.js';
import { bareAddress, type PortText, portParts } from '../model/port-text.js';
import { referencesOf } from '../model/references.js';
import type { ServiceFields } from '../model/types.js';
import { parseBytes } from '../model/units.js';
import type { Found } from './check-service.js';

/* Well-formed values that no engine makes a container of, by the rules of dockerd 20.10 and runc: the engine says so only when the container is created or started, and the old one has gone by then. What depends on the host (its number of CPUs, its log plugins, runtimes and devices) is not among them, nor what a later engine takes. */

const SIGNALS = new Set(
  (
    'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP ' +
    'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'
  ).split(' '),
);
const REALTIME = /^RT(MIN\+([1-9]|1[0-5])|MAX-([1-9]|1[0-4]))$/;

const CAPABILITIES = new Set(
  (
    'AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH ' +
    'FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN ' +
    'NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT ' +
    'SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM'
  ).split(' '),
);

const ULIMITS = new Set(
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
);

/** Sysctls of the IPC namespace, besides `fs.mqueue.*`. */
const IPC_SYSCTLS = new Set(
  (
    'kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni ' +
    'kernel.shm_rmid_forced'
  ).split(' '),
);

const TMPFS_FLAGS = new Set(
  (
    'defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync remount mand nomand atime noatime diratime ' +
    'nodiratime bind rbind unbindable runbindable private rprivate shared rshared slave rslave relatime norelatime ' +
    'strictatime nostrictatime'
  ).split(' '),
);
const TMPFS_VALUES: Readonly<Record<string, RegExp>> = {
  size: /^(0[xX][\dA-Fa-f]+|\d+)[kKmMgGtTpPeE%]?$/,
  mode: /^[0-7]+$/,
  uid: /./,
  gid: /./,
  nr_inodes: /./,
  nr_blocks: /./,
  mpol: /./,
};

const LOG_OPTIONS: Readonly<Record<string, ReadonlySet<string>>> = {
  'json-file': new Set('max-size max-file compress labels labels-regex env env-regex tag'.split(' ')),
  local: new Set('max-size max-file compress'.split(' ')),
};

/** Least memory that the engine gives a container, bytes. */
const LEAST_MEMORY = 6 * 1024 * 1024;
/** Longest host name of the kernel, bytes. */
const LONGEST_HOSTNAME = 64;
const LARGEST_ID = 2 ** 31 - 1;
/** Where the agent mounts the folder of the update lock. */
const LOCK_PATHS = ['/tmp/resin', '/tmp/balena'];

type Report = (path: Path, message: string) => void;

const quoted = (text: string): string => JSON.stringify(shorten(text));
const numberOf = (value: unknown): number | undefined =>
  value === undefined || value === null || value === '' ? undefined : Number(value);
const isSet = (value: unknown): boolean => value !== undefined && value !== null;
const listOf = (value: string | readonly string[] | null | undefined): readonly string[] =>
  typeof value === 'string' ? [value] : (value ?? []);

/** Returns what the engine refuses of a service, or cannot start; `base` leads to its fields. `defaults` as in its document. Pure. */
export function refusedByEngine(fields: ServiceFields, base: Path, defaults?: Defaults): Found[] {
  const found: Found[] = [];
  const report: Report = (path, message) => void found.push([[...base, ...path], message]);
  checkProcess(fields, report);
  checkRights(fields, report);
  checkMemory(fields, report);
  checkCpus(fields, report);
  checkNames(fields, report);
  checkNetwork(fields, report);
  checkSysctls(fields, report);
  checkMounts(fields, report);
  checkLogging(fields, report);
  checkPorts(fields, report, defaults);
  return found;
}

/**
 * Returns what the engine takes and then ignores, so that it cannot be intended: unknown namespaces, and name servers
 * that are not addresses. A Supervisor accepts it in a target state. Pure.
 */
export function passedOverByEngine({ pid, userns_mode, dns }: ServiceFields, base: Path): Found[] {
  const found: Found[] = [];
  const report: Report = (path, message) => void found.push([[...base, ...path], message]);
  if (!/^(|host|service:.*|container:.*)$/.test((pid ?? '').trim())) {
    report(['pid'], `Expected host, service:<name>, container:<name> or nothing, found ${quoted(pid ?? '')}`);
  }
  if (!/^(|host|private)$/.test((userns_mode ?? '').trim())) {
    report(['userns_mode'], `Expected host or nothing, found ${quoted(userns_mode ?? '')}`);
  }
  for (const [index, server] of listOf(dns).entries()) {
    const address = server.trim().replace(/^\[(.*)\]$/, '$1');
    if (address !== '' && isIP(address) === 0) {
      report(typeof dns === 'string' ? ['dns'] : ['dns', index], `Expected an IP address, found ${quoted(server)}`);
    }
  }
  return found;
}

function checkProcess(
  { command, entrypoint, stop_signal, working_dir, user, group_add, hostname }: ServiceFields,
  report: Report,
): void {
  for (const [field, line] of Object.entries({ command, entrypoint })) {
    if (typeof line === 'string' && splitCommandLine(line) === undefined) report([field], 'A quote is not closed');
  }
  if (stop_signal !== undefined && stop_signal !== null && !isSignal(String(stop_signal))) {
    report(['stop_signal'], `Expected a signal such as SIGTERM or 15, found ${quoted(String(stop_signal))}`);
  }
  if (working_dir && !working_dir.startsWith('/')) {
    report(['working_dir'], `The path ${quoted(working_dir)} must begin with /`);
  }
  if (
    String(user ?? '')
      .split(':')
      .some(isWrongId)
  )
    report(['user'], `Numbers of users go from 0 to ${LARGEST_ID}`);
  for (const [index, group] of (group_add ?? []).entries()) {
    if (isWrongId(String(group))) report(['group_add', index], `Numbers of groups go from 0 to ${LARGEST_ID}`);
  }
  const bytes = Buffer.byteLength(hostname ?? '');
  if (bytes > LONGEST_HOSTNAME) report(['hostname'], `Too long: ${bytes} characters, at most ${LONGEST_HOSTNAME}`);
}

function isSignal(text: string): boolean {
  if (text === '') return true;
  if (/^[+-]?\d+$/.test(text)) return Number(text) !== 0 && Number.isSafeInteger(Number(text));
  const name = text.toUpperCase().replace(/^SIG/, '');
  return SIGNALS.has(name) || REALTIME.test(name);
}

const isWrongId = (text: string): boolean => /^[+-]?\d+$/.test(text) && (Number(text) < 0 || Number(text) > LARGEST_ID);

function checkRights({ cap_add, cap_drop, security_opt, ulimits, runtime }: ServiceFields, report: Report): void {
  for (const [field, list] of Object.entries({ cap_add, cap_drop })) {
    for (const [index, one] of (list ?? []).entries()) {
      const name = one.toUpperCase();
      if (name !== 'ALL' && !CAPABILITIES.has(name.replace(/^CAP_/, ''))) {
        report([field, index], `Expected a capability such as NET_ADMIN, or ALL, found ${quoted(one)}`);
      }
    }
  }
  for (const [index, option] of (security_opt ?? []).entries()) {
    const wrong = securityIssue(option);
    if (wrong !== undefined) report(['security_opt', index], wrong);
  }
  // Another runtime than runc may know others.
  for (const name of runtime ? [] : Object.keys(ulimits ?? {})) {
    if (!ULIMITS.has(name.toLowerCase())) report(['ulimits', name], `Not a limit: ${[...ULIMITS].join(', ')}`);
  }
}

function securityIssue(option: string): string | undefined {
  if (option === 'no-new-privileges' || option === 'disable' || option.includes('label=')) return undefined;
  const [, key, value = ''] = /^([^=]*)=(.*)$/s.exec(option) ?? /^([^:]*):(.*)$/s.exec(option) ?? [];
  switch (key) {
    case 'label':
    case 'apparmor':
      return undefined;
    case 'no-new-privileges':
    case 'writable-cgroups':
      return /^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value) ? undefined : `${key} is true or false`;
    case 'seccomp':
      return ['', 'unconfined', 'builtin'].includes(value) || isJsonMap(value)
        ? undefined
        : 'seccomp is unconfined or the profile itself as JSON: the engine reads no file';
    default:
      return `Expected apparmor=, label=, seccomp= or no-new-privileges, found ${quoted(option)}`;
  }
}

function isJsonMap(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false; // it is not JSON
  }
}

function checkMemory(fields: ServiceFields, report: Report): void {
  const [limit, reservation] = [parseBytes(fields.mem_limit) ?? 0, parseBytes(fields.mem_reservation) ?? 0];
  const swap = Number(fields.memswap_limit) === -1 ? -1 : (parseBytes(fields.memswap_limit) ?? 0);
  for (const [field, bytes] of [
    ['mem_limit', limit],
    ['mem_reservation', reservation],
  ] as const) {
    if (bytes > 0 && bytes < LEAST_MEMORY)
      report([field], `Too little: ${bytes} bytes, at least 6m, or 0 for no limit`);
  }
  if (limit > 0 && reservation > limit) report(['mem_reservation'], 'Is above mem_limit; it has to be at most that');
  if (limit > 0 && swap > 0 && swap < limit) {
    report(['memswap_limit'], 'Is below mem_limit; it counts memory and swap together');
  }
  if (limit === 0 && swap > 0 && isSet(fields.mem_limit))
    report(['memswap_limit'], 'Counts memory and swap together, so mem_limit must be set as well');
}

function checkCpus(fields: ServiceFields, report: Report): void {
  const quota = numberOf(fields.cpu_quota) ?? 0;
  const period = numberOf(fields.cpu_period) ?? 0;
  if (quota > 0 && quota < 1000) report(['cpu_quota'], `Too little: ${quota} microseconds, at least 1000`);
  if (period > 0 && period < 1000) {
    report(['cpu_period'], `Too little: ${period} microseconds, at least 1000, or 0 for the default`);
  }
  // What the kernel is given of each 100 ms, in microseconds.
  const share = Math.floor((numberOf(fields.cpus) ?? 0) * 100_000);
  if (share > 0 && share < 1000) report(['cpus'], 'Too little: at least 0.01, or 0 for no limit');
  const cpuset = String(fields.cpuset ?? '');
  const goesUp = (range: string): boolean => {
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    return from !== undefined && Number(from) <= Number(to);
  };
  if (cpuset !== '' && !cpuset.split(',').every(goesUp)) {
    report(['cpuset'], `Expected numbers of CPUs such as 0-2,4, found ${quoted(cpuset)}`);
  }
}

function checkNames(
  { ipc, pid, uts, hostname, domainname, extra_hosts, networks }: ServiceFields,
  report: Report,
): void {
  if (!/^(|host|private|shareable|none|service:.*|container:.+)$/.test((ipc ?? '').trim())) {
    report(
      ['ipc'],
      `Expected shareable, private, host, none, service:<name> or container:<name>, found ${quoted(ipc ?? '')}`,
    );
  }
  if (/^container:\s*$/.test((pid ?? '').trim())) report(['pid'], 'Names no container');
  for (const [field, name] of Object.entries({ hostname, domainname })) {
    if (uts === 'host' && name) report([field], 'Cannot stand beside uts: host; leave one out');
  }
  const hosts: readonly (readonly [Path, string])[] = Array.isArray(extra_hosts)
    ? extra_hosts.map((entry, index) => [['extra_hosts', index], entry.replace('=', ':')] as const)
    : Object.entries(extra_hosts ?? {}).map(
        ([host, address]) => [['extra_hosts', host], `${host}:${address}`] as const,
      );
  for (const [path, entry] of hosts) {
    const [, address] = /^[^:]+:(.*)$/s.exec(entry) ?? [];
    if (address === undefined || (address !== 'host-gateway' && !isPlainIp(address.trim()))) {
      report(path, `Expected a host and an IP address or host-gateway, found ${quoted(entry)}`);
    }
  }
  for (const [name, endpoint] of Object.entries(Array.isArray(networks) ? {} : (networks ?? {}))) {
    const { ipv4_address: ipv4, ipv6_address: ipv6, link_local_ips: links } = endpoint ?? {};
    if (ipv4 && !isIPv4(ipv4)) report(['networks', name, 'ipv4_address'], `${quoted(ipv4)} is not an IPv4 address`);
    if (ipv6 && !(isIPv6(ipv6) && isPlainIp(ipv6))) {
      report(['networks', name, 'ipv6_address'], `${quoted(ipv6)} is not an IPv6 address`);
    }
    for (const [index, link] of (links ?? []).entries()) {
      if (!isPlainIp(link)) report(['networks', name, 'link_local_ips', index], `${quoted(link)} is not an IP address`);
    }
  }
}

/** Tells whether it is an IP address without a zone, which Node.js takes as well. */
const isPlainIp = (text: string): boolean => isIP(text) !== 0 && !text.includes('%');

/** Checks a service that shares the network of another: it has no network of its own to configure. */
function checkNetwork(fields: ServiceFields, report: Report): void {
  const { mode } = referencesOf(fields);
  const isHost = mode.is === 'engine' && mode.mode === 'host';
  if (isHost && fields.mac_address) report(['mac_address'], 'Cannot stand beside network_mode: host');
  if (mode.is !== 'service') return;
  for (const field of ['ports', 'expose', 'dns', 'extra_hosts', 'hostname', 'mac_address'] as const) {
    const value = fields[field];
    const isSet = typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);
    if (isSet) report([field], `Cannot stand beside network_mode: service:${mode.service}; say it of ${mode.service}`);
  }
}

function checkSysctls(fields: ServiceFields, report: Report): void {
  const { sysctls, uts, ipc, runtime } = fields;
  if (runtime) return; // another runtime than runc may take others
  const names = Array.isArray(sysctls)
    ? sysctls.map((line) => line.split('=', 1)[0] ?? '')
    : Object.keys(sysctls ?? {});
  const { mode } = referencesOf(fields);
  for (const written of names) {
    const name = /^[^.]*\//.test(written) ? written.replace(/[./]/g, (char) => (char === '/' ? '.' : '/')) : written;
    const isIpc = IPC_SYSCTLS.has(name) || name.startsWith('fs.mqueue.');
    const isNet = name.startsWith('net.');
    if (name === 'kernel.hostname') report(['sysctls', written], 'Is said by hostname');
    else if (!isIpc && !isNet && name !== 'kernel.domainname')
      report(
        ['sysctls', written],
        'Belongs to the whole host and not to a container; allowed are kernel.msg*, kernel.sem, kernel.shm*, fs.mqueue.* and net.*',
      );
    else if (isNet && mode.is === 'engine' && mode.mode === 'host')
      report(['sysctls', written], 'Belongs to the whole host beside network_mode: host');
    else if (isIpc && (ipc ?? '').trim() === 'host')
      report(['sysctls', written], 'Belongs to the whole host beside ipc: host');
    else if (name === 'kernel.domainname' && uts === 'host')
      report(['sysctls', written], 'Belongs to the whole host beside uts: host');
  }
}

function checkMounts({ volumes, tmpfs }: ServiceFields, report: Report): void {
  const taken = new Set(LOCK_PATHS);
  for (const [index, volume] of (volumes ?? []).entries()) {
    const [source, short, mode = ''] = typeof volume === 'string' ? volume.split(':').map((part) => part.trim()) : [];
    const target = typeof volume === 'string' ? short : volume.target;
    if (target === undefined || !target.startsWith('/')) continue; // an anonymous one gives way; others are checked elsewhere
    const path = cleaned(target);
    if (path === '/') report(['volumes', index], 'Cannot be mounted at /');
    else if (taken.has(path)) {
      const by = LOCK_PATHS.includes(path)
        ? 'that is the folder of the update lock'
        : 'another volume is mounted there';
      report(['volumes', index], `Cannot be mounted at ${path}: ${by}`);
    }
    taken.add(path);
    const wrong = source !== undefined && !/^[/.~]/.test(source) ? volumeModeIssue(mode) : undefined;
    if (wrong !== undefined) report(['volumes', index], wrong);
  }
  const binds = tmpfs ? bindTargets(volumes) : new Set();
  for (const [index, entry] of listOf(tmpfs).entries()) {
    const [path = '', ...rest] = entry.split(':');
    const at: Path = typeof tmpfs === 'string' ? ['tmpfs'] : ['tmpfs', index];
    if (!path.startsWith('/')) report(at, `The path ${quoted(path)} must begin with /`);
    else if (cleaned(path) === '/') report(at, 'Cannot be mounted at /');
    else if (binds.has(path)) report(at, `Cannot be mounted at ${path}: a volume is mounted there`);
    const options = rest.join(':');
    const unknown = options === '' ? undefined : options.split(',').find((one) => !isTmpfsOption(one));
    if (unknown !== undefined) report(at, `${quoted(unknown)} is no option of a tmpfs, such as size=16m or noexec`);
  }
}

const cleaned = (path: string): string => posix.normalize(path).replace(/(?<=.)\/$/, '');

/** Returns the targets of short forms: the engine compares only these with tmpfs. */
const bindTargets = (volumes: ServiceFields['volumes']): ReadonlySet<string> =>
  new Set([
    ...LOCK_PATHS,
    ...(volumes ?? []).flatMap((volume) => {
      const target = typeof volume === 'string' ? volume.split(':')[1]?.trim() : undefined;
      return target === undefined ? [] : [cleaned(target)];
    }),
  ]);

function isTmpfsOption(option: string): boolean {
  if (TMPFS_FLAGS.has(option)) return true;
  const [, key = '', value = ''] = /^([^=]*)=(.*)$/.exec(option) ?? [];
  return Object.hasOwn(TMPFS_VALUES, key) && TMPFS_VALUES[key]?.test(value) === true;
}

const VOLUME_MODES = [/^r[ow]$/, /^[zZ]$/, /^nocopy$/, /^(cached|delegated|consistent)$/];

/** Returns why a mode of a volume is invalid: it has no propagation, and takes one mode of each sort. */
function volumeModeIssue(mode: string): string | undefined {
  const words = mode === '' ? [] : mode.split(',');
  const unknown = words.find((word) => !VOLUME_MODES.some((sort) => sort.test(word)));
  if (unknown !== undefined) return `${quoted(unknown)} is no mode of a volume: ro, rw, z, Z or nocopy`;
  const isDouble = VOLUME_MODES.some((sort) => words.filter((word) => sort.test(word)).length > 1);
  return isDouble ? `The modes ${quoted(mode)} exclude each other; keep one` : undefined;
}

function checkLogging({ logging }: ServiceFields, report: Report): void {
  const options = LOG_OPTIONS[logging?.driver ?? ''];
  if (options === undefined) return;
  for (const [name, value] of Object.entries(logging?.options ?? {})) {
    const text = String(value);
    if (!options.has(name) && name !== 'mode' && name !== 'max-buffer-size' && !name.startsWith('cache-')) {
      report(['logging', 'options', name], `${logging?.driver} has no such option: ${[...options].join(', ')}`);
    } else if (name === 'max-size' && !/^(0*[1-9]\d*(\.\d+)?|0*\.\d+) ?([kmgtp]?i?b?)$/i.test(text)) {
      report(['logging', 'options', name], `Expected a size such as 10m, found ${quoted(text)}`);
    } else if (name === 'max-file' && !/^\+?0*[1-9]\d*$/.test(text)) {
      report(['logging', 'options', name], `Expected a number from 1, found ${quoted(text)}`);
    } else if (name === 'mode' && !['', 'blocking', 'non-blocking'].includes(text)) {
      report(['logging', 'options', name], `Expected blocking or non-blocking, found ${quoted(text)}`);
    }
  }
}

/** Checks ports that cannot be published together: the first of the container takes the port of the host. */
function checkPorts(fields: ServiceFields, report: Report, defaults: Defaults | undefined): void {
  if (!publishes(fields)) return;
  const taken = new Map<string, string>();
  for (const { index, at, container } of publishedPorts(fields, defaults)) {
    const other = taken.get(at);
    if (other !== undefined && other !== container) {
      report(['ports', index], `Port ${at} of the host is published for ${other} already; publish another one`);
    } else taken.set(at, container);
  }
}

/** Tells whether its ports are published at all: not with host, none or the network of another service. Pure. */
export const publishes = (fields: ServiceFields): boolean => {
  const { mode } = referencesOf(fields);
  return mode.is !== 'service' && !(mode.is === 'engine' && mode.mode !== 'bridge');
};

/** Number of ports that an address of the host has. */
const MOST_PORTS = 65_535;

/**
 * Returns why the ports of these services are not listed one by one; undefined when they may be. A few thousand ranges
 * of all ports would take minutes and more memory than there is, and no device could publish them. Pure.
 */
export function tooManyPorts(services: readonly ServiceFields[]): string | undefined {
  let count = 0;
  for (const { ports } of services) {
    for (const port of ports ?? []) {
      const [from = 0, to = from] = partsOf(port).container.split('-').map(Number);
      count += Math.max(1, to - from + 1);
    }
  }
  return count > MOST_PORTS ? `Publishes ${count} ports, and there are ${MOST_PORTS}` : undefined;
}

interface Published {
  readonly index: number;
  /** Port, protocol and address of the host. */
  readonly at: string;
  readonly container: string;
}

/**
 * Returns the ports that are published by number, one by one; forms that do not exist are reported elsewhere, and a free port takes
 * none from anybody. `defaults` as in the document of the service. Pure.
 */
export function publishedPorts({ ports }: ServiceFields, defaults: Defaults | undefined): readonly Published[] {
  return (ports ?? []).flatMap((port, index): readonly Published[] => {
    const { address, container, protocol } = partsOf(port);
    const published = hostPorts(port, defaults);
    if (published === FREE) return [];
    const [hosts, inside] = [numbersOf(published), numbersOf(container)];
    if (hosts.length !== inside.length) return [];
    const ip = bareAddress(address);
    const where = ip === '' || ip === '0.0.0.0' ? '' : ` at ${ip}`;
    return hosts.map((number, at) => ({ index, at: `${number}/${protocol}${where}`, container: `${inside[at]}` }));
  });
}

type Port = NonNullable<ServiceFields['ports']>[number];

/** The port of the host that stands for a free one. */
const FREE = '0';

/** Returns the port of the host, or the range, that a port in either form takes; `FREE` for a free one. */
function hostPorts(port: Port, defaults: Defaults | undefined): string {
  const { host, container } = partsOf(port);
  return (host ?? (defaults === 'compose' ? FREE : container)) || FREE;
}

/** Tells whether it takes a certain port of the host, and not a free one. Pure. */
export const takesHostPort = (port: Port, defaults: Defaults | undefined): boolean =>
  hostPorts(port, defaults) !== FREE;

/** Returns the parts of a port in either form; empty ones where it has no form that exists. */
function partsOf(port: Port): PortText {
  if (typeof port !== 'object')
    return portParts(String(port)) ?? { address: '', host: '', container: '', protocol: '' };
  const { target, published, host_ip: ip, protocol } = port;
  const host = published === undefined || published === null ? undefined : String(published);
  return { address: ip ?? '', host, container: String(target), protocol: protocol ?? 'tcp' };
}

function numbersOf(range: string): readonly number[] {
  const [from = 0, to = from] = range.split('-').map(Number);
  return to > 65_535 || to < from ? [] : Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

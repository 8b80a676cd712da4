import { composeDurationMs } from '../model/duration.js';
import { type Path, shorten } from '../model/issue.js';
import { NAME, NAME_RULE } from '../model/names.js';
import { portParts } from '../model/port-text.js';
import { restartBudget } from '../model/restart-budget.js';
import type { LongPort, LongVolume, ServiceFields } from '../model/types.js';
import { countable, parseBytes } from '../model/units.js';

/** A mistake, with its place below `spec`. */
export type Found = [path: Path, message: string];

const quoted = (text: string): string => JSON.stringify(shorten(text));
const keysOf = (value: object | null | undefined): readonly string[] => Object.keys(value ?? {});

/**
 * Checks what a schema cannot express about the fields of a service; `base` leads to them. `mayBind`: paths of the host
 * may be mounted, as far as this document tells. `isCompose`: what is left out means what Compose means. Pure.
 */
export function checkService(
  fields: ServiceFields,
  base: Path,
  { mayBind, isCompose }: { readonly mayBind: boolean; readonly isCompose: boolean },
): Found[] {
  const found: Found[] = [
    ...(fields.ports ?? []).flatMap((port, index) => issueAt(['ports', index], portIssue(port, isCompose))),
    ...(fields.expose ?? []).flatMap((port, index) =>
      issueAt(['expose', index], rangesIssue(undefined, rangeOf(String(port).split('/', 1)[0]))),
    ),
    ...issueAt(['healthcheck', 'test', 0], testIssue(fields.healthcheck?.test)),
    ...(fields.volumes ?? []).flatMap((volume, index) => issueAt(['volumes', index], volumeIssue(volume, mayBind))),
    ...issueAt(['restart_unhealthy'], budgetIssue(fields.restart_unhealthy)),
    ...issueAt(['network_mode'], networkModeIssue(fields.network_mode ?? '')),
    ...namesIn(fields.networks, 'networks'),
    ...namesIn(fields.depends_on, 'depends_on'),
    ...variablesIn(fields.environment, 'environment'),
    ...environmentIssues(fields.environment),
    ...variablesIn(fields.labels, 'labels'),
    ...amountIssues(fields),
    ...(Array.isArray(fields.gpus) ? fields.gpus : []).flatMap(({ count }, index) =>
      issueAt(['gpus', index, 'count'], count === 0 ? 'Expected at least 1, or all, found the number 0' : undefined),
    ),
  ];
  for (const [name, limit] of Object.entries(fields.ulimits ?? {})) {
    if (typeof limit === 'object' && limit.hard !== -1 && (limit.soft === -1 || limit.soft > limit.hard)) {
      found.push([['ulimits', name], `soft (${limit.soft}) is above hard (${limit.hard})`]);
    }
  }
  const { start_period, startPeriod } = fields.healthcheck ?? {};
  if (isSet(start_period) && isSet(startPeriod)) {
    found.push([['healthcheck', 'startPeriod'], 'Is the same as start_period; leave one out']);
  }
  if (Number(fields.cpus ?? 0) !== 0 && Number(fields.cpu_quota ?? 0) !== 0) {
    found.push([['cpu_quota'], 'Cannot be set together with cpus; leave one out']);
  }
  if (Number(fields.cpus ?? 0) !== 0 && Number(fields.cpu_period ?? 0) !== 0) {
    found.push([['cpu_period'], 'Cannot be set together with cpus; leave one out']);
  }
  if (Number(fields.memswap_limit ?? 0) !== 0 && !isSet(fields.mem_limit)) {
    found.push([['memswap_limit'], 'Counts memory and swap together, so mem_limit must be set as well']);
  }
  return found.map(([path, message]) => [[...base, ...path], message]);
}

/** A budget whose time is 0, or longer than the engine can count. */
function budgetIssue(value: ServiceFields['restart_unhealthy']): string | undefined {
  if (typeof value !== 'string' || restartBudget(value)) return undefined;
  return `${quoted(value)} allows restarts within no time; 5/300s allows five within five minutes`;
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null;
const issueAt = (path: Path, message: string | undefined): Found[] => (message === undefined ? [] : [[path, message]]);

/** Checks names that are written as keys; those in lists have a pattern in the schema. */
const namesIn = (value: object | null | undefined, field: string): Found[] =>
  Array.isArray(value)
    ? []
    : keysOf(value).flatMap((name) => (NAME.test(name) ? [] : issueAt([field, name], `Not a name: ${NAME_RULE}`)));

const variablesIn = (value: object | null | undefined, field: string): Found[] =>
  Array.isArray(value)
    ? []
    : keysOf(value).flatMap((name) =>
        name !== '' && !name.includes('=') && !name.includes('\0')
          ? []
          : issueAt([field, name], 'Not a name: it must not be empty and must not contain ='),
      );

/** Longest variable with its name, without its end, bytes: the kernel takes no more, and says so only when the program starts. */
const LONGEST_VARIABLE = 128 * 1024 - 1;

function environmentIssues(environment: ServiceFields['environment']): Found[] {
  const lines = Array.isArray(environment)
    ? environment
    : Object.entries(environment ?? {}).map(([name, value]) => `${name}=${value ?? ''}`);
  return lines.flatMap((line): Found[] => {
    const bytes = Buffer.byteLength(line);
    const [name = ''] = line.split('=', 1);
    const message = `Too large: ${bytes} bytes with its name, at most ${LONGEST_VARIABLE}; write it to a file in a volume`;
    return bytes > LONGEST_VARIABLE ? [[['environment', name], message]] : [];
  });
}

/** Returns well-formed amounts that the engine cannot count in 64 bits. */
function amountIssues(fields: ServiceFields): Found[] {
  const { healthcheck, blkio_config, ulimits, volumes } = fields;
  const whole = (value: unknown): number | undefined => countable(Number(value));
  const amounts: (readonly [Path, unknown, (value: unknown) => number | undefined])[] = [
    ...(['interval', 'timeout', 'start_period', 'startPeriod', 'start_interval'] as const).map(
      (key) => [['healthcheck', key], healthcheck?.[key], composeDurationMs] as const,
    ),
    [['healthcheck', 'retries'], healthcheck?.retries, whole],
    [['stop_grace_period'], fields.stop_grace_period, composeDurationMs],
    [['cpus'], fields.cpus, (value) => countable(Number(value) * 1e9)],
    ...(['cpu_rt_runtime', 'cpu_rt_period'] as const).map(
      (key) => [[key], fields[key], (value: unknown) => countable(Number.parseInt(String(value), 10) * 1e6)] as const,
    ),
    ...(['mem_limit', 'mem_reservation', 'shm_size'] as const).map((key) => [[key], fields[key], parseBytes] as const),
    [['memswap_limit'], fields.memswap_limit, (value) => (Number(value) === -1 ? -1 : parseBytes(value))],
    ...(['pids_limit', 'cpu_shares', 'cpu_quota', 'cpu_period'] as const).map(
      (key) => [[key], fields[key], whole] as const,
    ),
    ...Object.entries(ulimits ?? {}).flatMap(([name, limit]) =>
      Object.values(typeof limit === 'object' ? limit : { limit }).map(
        (value) => [['ulimits', name], value, whole] as const,
      ),
    ),
    ...(['device_read_bps', 'device_write_bps', 'device_read_iops', 'device_write_iops'] as const).flatMap((key) =>
      (blkio_config?.[key] ?? []).map(
        ({ rate }, index) => [['blkio_config', key, index, 'rate'], rate, parseBytes] as const,
      ),
    ),
    ...(volumes ?? []).map((volume, index) => {
      const size = typeof volume === 'object' ? volume.tmpfs?.size : undefined;
      return [['volumes', index, 'tmpfs', 'size'], size, parseBytes] as const;
    }),
  ];
  return amounts.flatMap(([path, value, count]): Found[] =>
    isSet(value) && count(value) === undefined
      ? [[path, `Too large: ${quoted(String(value))} is more than the engine can count`]]
      : [],
  );
}

function portIssue(port: string | number | LongPort, isCompose: boolean): string | undefined {
  if (typeof port === 'number') return undefined; // bounds are in the schema
  if (typeof port === 'object') return rangesIssue(rangeOf(port.published), rangeOf(port.target));
  const parts = portParts(port);
  if (!parts || (parts.host === '' && !isCompose)) {
    return `Expected [ip:][host[-end]:]container[-end][/tcp|/udp], found ${quoted(port)}`;
  }
  return rangesIssue(rangeOf(parts.host || undefined), rangeOf(parts.container));
}

function testIssue(test: string | readonly string[] | null | undefined): string | undefined {
  const [kind] = typeof test === 'object' && test !== null ? test : [];
  return kind === undefined || ['NONE', 'CMD', 'CMD-SHELL'].includes(kind)
    ? undefined
    : `Expected CMD, CMD-SHELL or NONE before the command, found ${quoted(kind)}; a string is a command for the shell`;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function rangeOf(text: string | number | null | undefined): Range | undefined {
  if (text === undefined || text === null) return undefined;
  const [from, to] = String(text).split('-').map(Number);
  return from === undefined ? undefined : { from, to: to ?? from };
}

function rangesIssue(published: Range | undefined, container: Range | undefined): string | undefined {
  const host = published?.from === 0 && published.to === 0 ? undefined : published; // a free one
  for (const range of [host, container]) {
    if (!range) continue;
    const outside = [range.from, range.to].find((port) => port < 1 || port > 65535);
    if (outside !== undefined) return `${outside} is not a port: they go from 1 to 65535`;
    if (range.from > range.to) return `The range ${range.from}-${range.to} goes backwards`;
  }
  if (!host || !container || host.to - host.from === container.to - container.from) return undefined;
  if (container.from === container.to) {
    return `${host.from}-${host.to} leaves the port of the host for ${container.from} to chance among these, which is not supported: write one of them, such as "${host.from}:${container.from}", or none for any free one`;
  }
  return `The ranges ${host.from}-${host.to} and ${container.from}-${container.to} are not equally long`;
}

const NO_BINDS =
  'Paths of the host are mounted only where the App says allowHostBinds: true; use a volume, such as data:/var/lib/data';
const BIND_MODES = /^(r[ow]|[zZ]|r?(shared|slave|private)|cached|delegated|consistent)(,|$)/;

/** Returns what is wrong with a path of the host that is to be mounted. */
function bindIssue(source: string, target: string, mayBind: boolean): string | undefined {
  if (!mayBind) return NO_BINDS;
  if (!source.startsWith('/')) {
    return `The path ${quoted(source)} must begin with /: documents have no folder that it could start from`;
  }
  return target.startsWith('/') ? undefined : `The path ${quoted(target)} must begin with /`;
}

function volumeIssue(volume: string | LongVolume, mayBind: boolean): string | undefined {
  if (typeof volume === 'object') {
    if (volume.type === 'bind') return longBindIssue(volume, mayBind);
    if (volume.source && /^[/.~]/.test(volume.source)) {
      return mayBind ? `${quoted(volume.source)} is a path of the host: its type is bind` : NO_BINDS;
    }
    if (volume.source && volume.type === 'tmpfs') return 'A tmpfs has no source';
    if (volume.source && !NAME.test(volume.source)) return `${quoted(volume.source)} is not the name of a volume`;
    if (isSet(volume.read_only) && isSet(volume.readOnly)) return 'read_only and readOnly are the same; leave one out';
    return volume.target.startsWith('/') ? undefined : `The path ${quoted(volume.target)} must begin with /`;
  }
  const [source = '', target, mode] = volume.split(':').map((part) => part.trim());
  if (target === undefined) {
    return source.startsWith('/') ? undefined : 'Expected a volume and a path, such as data:/var/lib/data';
  }
  if (/^[/.~]/.test(source)) return bindIssue(source, target, mayBind) ?? modeIssue(mode);
  if (!NAME.test(source)) return `${quoted(source)} is not the name of a volume`;
  return target.startsWith('/') ? undefined : `The path ${quoted(target)} must begin with /`;
}

function longBindIssue({ source, target, bind }: LongVolume, mayBind: boolean): string | undefined {
  if (!source) return mayBind ? 'A bind needs a source: a path of the host' : NO_BINDS;
  const colon = `${source}${target}`.includes(':') && bind?.create_host_path !== false;
  const issue = bindIssue(source, target, mayBind);
  return issue ?? (colon ? 'A path with a colon needs bind.create_host_path: false' : undefined);
}

function modeIssue(mode: string | undefined): string | undefined {
  const wrong = mode === undefined || mode === '' ? undefined : mode.split(',').find((one) => !BIND_MODES.test(one));
  return wrong === undefined
    ? undefined
    : `${quoted(wrong)} is no mode of a bind: ro, rw, z, Z or a propagation such as rslave`;
}

function networkModeIssue(text: string): string | undefined {
  const mode = text.trim();
  if (mode.startsWith('container:'))
    return 'Containers have no fixed names here; use service:<name of a service of the app>';
  const name = mode.startsWith('service:') ? mode.slice('service:'.length).trim() : mode;
  return mode === '' || NAME.test(name)
    ? undefined
    : `Expected host, none, bridge, service:<name> or a network, found ${quoted(mode)}`;
}

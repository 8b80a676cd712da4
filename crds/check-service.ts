import { isIP } from 'node:net';
import { type Path, shorten } from './issue.js';
import { NAME, NAME_RULE } from './names.js';
import type { LongPort, LongVolume, ServiceFields } from './types.js';

/** Something wrong, with its place below `spec`. */
export type Found = [path: Path, message: string];

const quoted = (text: string): string => JSON.stringify(shorten(text));
const keysOf = (value: object | null | undefined): readonly string[] => Object.keys(value ?? {});

/** What a schema cannot say about the fields of a service; `base` leads to them. Pure. */
export function checkService(fields: ServiceFields, base: Path): Found[] {
  const found: Found[] = [
    ...(fields.ports ?? []).flatMap((port, index) => said(['ports', index], portIssue(port))),
    ...(fields.volumes ?? []).flatMap((volume, index) => said(['volumes', index], volumeIssue(volume))),
    ...said(['network_mode'], networkModeIssue(fields.network_mode ?? '')),
    ...namesIn(fields.networks, 'networks'),
    ...namesIn(fields.depends_on, 'depends_on'),
    ...variablesIn(fields.environment, 'environment'),
    ...variablesIn(fields.labels, 'labels'),
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
  return found.map(([path, message]) => [[...base, ...path], message]);
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null;
const said = (path: Path, message: string | undefined): Found[] => (message === undefined ? [] : [[path, message]]);

/** Names that are written as keys; those in lists have a pattern in the schema. */
const namesIn = (value: object | null | undefined, field: string): Found[] =>
  Array.isArray(value)
    ? []
    : keysOf(value).flatMap((name) => (NAME.test(name) ? [] : said([field, name], `Not a name: ${NAME_RULE}`)));

const variablesIn = (value: object | null | undefined, field: string): Found[] =>
  Array.isArray(value)
    ? []
    : keysOf(value).flatMap((name) =>
        name !== '' && !name.includes('=') && !name.includes('\0')
          ? []
          : said([field, name], 'Not a name: it must not be empty and must not contain ='),
      );

const RANGE = /^\d+(-\d+)?$/;

function portIssue(port: string | number | LongPort): string | undefined {
  if (typeof port === 'number') return undefined; // bounds are in the schema
  if (typeof port === 'object') return rangesIssue(rangeOf(port.published), rangeOf(port.target));
  // Read from the end, because an IPv6 address has colons as well.
  const [ports = ''] = port.split('/');
  const [before, container] = cutLast(ports);
  if (before === undefined) return rangesIssue(undefined, rangeOf(container));
  const [address, host] = RANGE.test(before)
    ? [undefined, before]
    : isAddress(before)
      ? [before, container]
      : cutLast(before);
  if (!RANGE.test(host) || (address !== undefined && !isAddress(address))) {
    return `Expected [ip:][host[-end]:]container[-end][/tcp|/udp], found ${quoted(port)}`;
  }
  return rangesIssue(rangeOf(host), rangeOf(container));
}

/** What is before the last colon, and what is after it. */
function cutLast(text: string): [before: string | undefined, after: string] {
  const colon = text.lastIndexOf(':');
  return colon < 0 ? [undefined, text] : [text.slice(0, colon), text.slice(colon + 1)];
}

const isAddress = (text: string): boolean => isIP(text.replace(/^\[(.*)\]$/, '$1')) !== 0;

interface Range {
  readonly from: number;
  readonly to: number;
}

function rangeOf(text: string | number | null | undefined): Range | undefined {
  if (text === undefined || text === null) return undefined;
  const [from, to] = String(text).split('-').map(Number);
  return from === undefined ? undefined : { from, to: to ?? from };
}

function rangesIssue(host: Range | undefined, container: Range | undefined): string | undefined {
  for (const range of [host, container]) {
    if (!range) continue;
    const outside = [range.from, range.to].find((port) => port < 1 || port > 65535);
    if (outside !== undefined) return `${outside} is not a port: they go from 1 to 65535`;
    if (range.from > range.to) return `The range ${range.from}-${range.to} goes backwards`;
  }
  if (!host || !container || host.to - host.from === container.to - container.from) return undefined;
  return `The ranges ${host.from}-${host.to} and ${container.from}-${container.to} are not equally long`;
}

const HOST_PATH = 'Paths of the host cannot be mounted; use a volume, such as data:/var/lib/data';

function volumeIssue(volume: string | LongVolume): string | undefined {
  if (typeof volume === 'object') {
    if (volume.type === 'bind' || (volume.source && /^[/.~]/.test(volume.source))) return HOST_PATH;
    if (volume.source && volume.type === 'tmpfs') return 'A tmpfs has no source';
    if (volume.source && !NAME.test(volume.source)) return `${quoted(volume.source)} is not the name of a volume`;
    if (isSet(volume.read_only) && isSet(volume.readOnly)) return 'read_only and readOnly are the same; leave one out';
    return volume.target.startsWith('/') ? undefined : `The path ${quoted(volume.target)} must begin with /`;
  }
  const [source = '', target] = volume.split(':').map((part) => part.trim());
  if (target === undefined) {
    return source.startsWith('/') ? undefined : 'Expected a volume and a path, such as data:/var/lib/data';
  }
  if (/^[/.~]/.test(source)) return HOST_PATH;
  if (!NAME.test(source)) return `${quoted(source)} is not the name of a volume`;
  return target.startsWith('/') ? undefined : `The path ${quoted(target)} must begin with /`;
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

import { type Issue, listed, type Path, pathText, shorten } from './issue.js';
import type { AnyDeclared, Declared } from './kinds.js';
import { suggestion } from './nearest.js';
import type { LongPort, LongVolume, ServiceFields } from './types.js';

/** Names of Docker objects and of documents, which become names of Docker objects. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
/** A document's name: as long as Kubernetes allows. */
export const NAME_LIMIT = 253;

type Found = [path: Path, message: string];

const quoted = (text: string): string => JSON.stringify(shorten(text));
const keysOf = (value: object | null | undefined): readonly string[] => Object.keys(value ?? {});

/** What a schema cannot say about a document that fits its kind's schema. Pure. */
export function checkDocument(document: AnyDeclared): readonly Issue[] {
  return checksOf(document).map(([path, message]) => ({ path: pathText(['spec', ...path]), message }));
}

function checksOf(document: AnyDeclared): Found[] {
  switch (document.kind) {
    case 'App':
      return checkApp(document);
    case 'Service':
      return checkService(document.spec, []);
    case 'HostConfig':
      return checkHostConfig(document);
    default:
      return [];
  }
}

function checkApp({ metadata, spec }: Declared<'App'>): Found[] {
  const issues: Found[] = [];
  for (const part of ['services', 'volumes', 'networks'] as const) {
    for (const name of keysOf(spec[part])) {
      if (!NAME.test(name)) issues.push([[part, name], `Not a name: ${NAME_RULE}`]);
      else if (metadata.name.length + 1 + name.length > NAME_LIMIT) {
        issues.push([[part, name], `Too long: with the App's name before it at most ${NAME_LIMIT} characters`]);
      }
    }
  }
  for (const [name, service] of Object.entries(spec.services ?? {})) {
    issues.push(...checkService(service, ['services', name]));
  }
  return issues;
}

export const NAME_RULE = 'letters, digits, _ . - are allowed, and a letter or digit comes first';

const HOST_CONFIG = { device: ['name', 'config'], network: ['hostname', 'proxy'] } as const;

function checkHostConfig({ metadata, spec }: Declared<'HostConfig'>): Found[] {
  const { name } = metadata;
  if (name !== 'device' && name !== 'network') return []; // the name's own issue, see parseDocument
  const own: readonly string[] = HOST_CONFIG[name];
  return keysOf(spec)
    .filter((field) => !own.includes(field))
    .map((field) => [[field], `Belongs to the HostConfig ${name === 'device' ? 'network' : 'device'}, not to ${name}`]);
}

/** Why no HostConfig can have that name; undefined when one can. Pure. */
export function hostConfigNameIssue(name: string): string | undefined {
  const names = Object.keys(HOST_CONFIG);
  return names.includes(name) ? undefined : `A HostConfig is named ${listed(names)}${suggestion(name, names)}`;
}

function checkService(fields: ServiceFields, base: Path): Found[] {
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

const PORT = /^(?:([0-9A-Fa-f.:]+):)?(?:(\d+)(?:-(\d+))?:)?(\d+)(?:-(\d+))?(?:\/(?:tcp|udp))?$/;

function portIssue(port: string | number | LongPort): string | undefined {
  if (typeof port === 'number') return undefined; // bounds are in the schema
  if (typeof port === 'object') return rangesIssue(rangeOf(port.published), rangeOf(port.target));
  const [, , host, hostEnd, container, containerEnd] = PORT.exec(port) ?? [];
  return rangesIssue(host === undefined ? undefined : { from: Number(host), to: Number(hostEnd ?? host) }, {
    from: Number(container),
    to: Number(containerEnd ?? container),
  });
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

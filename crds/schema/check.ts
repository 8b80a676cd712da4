import { cronIssue, windowCron } from '../model/cron.js';
import { type Defaults, meansCompose } from '../model/defaults.js';
import { LONGER_BY, networkNames, volumeNames } from '../model/engine-names.js';
import { type Issue, issuesOf, listed, type Path, pathText } from '../model/issue.js';
import { type AnyDeclared, type Declared, descriptorOf, type Kind } from '../model/kinds.js';
import { API_NETWORK, allottedId, HOST_NAME_RULE, isHostName, NAME, NAME_LIMIT, NAME_RULE } from '../model/names.js';
import { proxyIssues } from '../model/proxy.js';
import type { AppSpec, AppVolume, ServiceFields } from '../model/types.js';
import { passedOverByEngine, refusedByEngine, tooManyPorts } from './check-engine-values.js';
import { checkGitSource } from './check-git-source.js';
import { accessFound } from './check-host-access.js';
import { contradictions } from './check-release.js';
import { checkRollout } from './check-rollout.js';
import { checkSchedule } from './check-schedule.js';
import { checkService, type Found } from './check-service.js';
import { suggestion } from './nearest.js';
import type { WellFormed } from './well-formed.js';

/** A host, maybe with a port; no scheme and no path. */
const REGISTRY = /^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]{1,5})?$/;

/** Longest name of an App: leaves room for the children's names, which begin with it. */
const APP_NAME_LIMIT = 200;

const HOST_CONFIG = {
  device: ['name', 'config', 'reboot', 'confirm'],
  network: ['hostname', 'proxy', 'confirm'],
} as const;

/** Returns why no document of that kind can have a name that is otherwise well-formed; undefined when one can. Pure. */
export function nameIssue(kind: Kind, name: string): string | undefined {
  if (kind === 'App' && name.length > APP_NAME_LIMIT) {
    return `Too long for an App, whose name begins others: ${name.length} characters, at most ${APP_NAME_LIMIT}`;
  }
  const { names } = descriptorOf(kind);
  if (names.length === 0 || names.includes(name)) return undefined;
  return `A ${kind} is named ${listed(names)}${suggestion(name, names)}`;
}

/** Number of mistakes after which later checks are left out: they cost as much again, and nobody reads on. */
const ENOUGH = 100;

/**
 * Checks what a schema cannot express about a document that matches its kind's schema. `part`: the document is what is
 * left of one that does not. Pure.
 */
export function checkDocument(
  document: AnyDeclared,
  { isTargetState = false, part }: { readonly isTargetState?: boolean; readonly part?: WellFormed } = {},
): readonly Issue[] {
  const found = checksOf(document, isTargetState);
  // A target state is taken as a Supervisor takes it: the App reports the mistake, and rolls nothing out.
  if (!isTargetState && found.length <= ENOUGH) {
    if (document.kind === 'App') found.push(...accessFound(document.spec));
    const services = servicesOf(document);
    const many = tooManyPorts(services.map(([fields]) => fields));
    // A document that does not say is filled in with the meaning of Compose, or is of before and was checked as such.
    const { defaults = 'compose' } = document.spec as Pick<AppSpec, 'defaults'>;
    if (many === undefined) found.push(...services.flatMap(([fields, base]) => engineFound(fields, base, defaults)));
    else found.push([document.kind === 'App' ? ['services'] : ['ports'], many]);
  }
  const whole = part
    ? found.filter(([[field]]) => !part.without.some((one) => one.length === 1 && one[0] === field))
    : found;
  const issues = issuesOf(whole, ([path, message]) => ({
    path: pathText(['spec', ...(part?.placeOf(path) ?? path)]),
    message,
  }));
  // What is malformed is not understood well enough to contradict itself.
  if (document.kind !== 'App' || isTargetState || issues.length > 0) return issues;
  const spec = part ? withoutServices(document.spec, part) : document.spec;
  return contradictions(document.metadata.name, spec);
}

/** Returns the spec without the services of which a part is malformed. Pure. */
function withoutServices(spec: AppSpec, { without }: WellFormed): AppSpec {
  const entries = Object.entries(spec.services ?? {});
  const isWhole = (name: string): boolean =>
    !without.some(([part, service]) => part === 'services' && service === name);
  return { ...spec, services: Object.fromEntries(entries.filter(([name]) => isWhole(name))) };
}

const engineFound = (fields: ServiceFields, base: Path, defaults: Defaults): Found[] => [
  ...refusedByEngine(fields, base, defaults),
  ...passedOverByEngine(fields, base),
];

function servicesOf(document: AnyDeclared): readonly (readonly [ServiceFields, Path])[] {
  if (document.kind === 'Service') return [[document.spec, []]];
  if (document.kind !== 'App') return [];
  return Object.entries(document.spec.services ?? {}).map(([name, fields]) => [fields, ['services', name]]);
}

function checksOf(document: AnyDeclared, isTargetState: boolean): Found[] {
  switch (document.kind) {
    case 'App':
      return checkApp(document, isTargetState);
    case 'Service':
      // Its App decides whether paths of the host may be mounted; the controller checks that.
      return [
        ...checkService(document.spec, [], { mayBind: true, isCompose: document.spec.defaults !== 'supervisor' }),
        ...checkSchedule(document.spec, [], document.spec),
      ];
    case 'HostConfig':
      return checkHostConfig(document);
    case 'Network':
      return document.spec.external ? notMade([], document.spec, ['external', 'app', 'appId', 'networkName']) : [];
    case 'Volume':
      return document.spec.external
        ? notMade([], document.spec, ['external', 'app', 'appId', 'appUuid', 'volumeName', 'reclaim'])
        : tooShort(document.spec.volumeName, document.spec, ['volumeName']);
    case 'GitSource':
      return checkGitSource(document.spec);
    default:
      return [];
  }
}

function checkApp({ metadata, spec }: Declared<'App'>, isTargetState: boolean): Found[] {
  const found: Found[] = [];
  for (const part of ['services', 'volumes', 'networks'] as const) {
    for (const name of Object.keys(spec[part] ?? {})) {
      const room = NAME_LIMIT - metadata.name.length - 1 - (isNamed(part, spec, name) ? LONGER_BY : 0);
      if (!NAME.test(name)) found.push([[part, name], `Not a name: ${NAME_RULE}`]);
      else if (name.length > room) found.push([[part, name], `Too long: ${name.length} characters, at most ${room}`]);
    }
  }
  for (const part of ['volumes', 'networks'] as const) {
    for (const [name, said] of Object.entries(spec[part] ?? {})) {
      if (part === 'volumes') found.push(...tooShort(said?.name, said, ['volumes', name, 'name']));
      if (said?.external) found.push(...notMade([part, name], said, ['external', 'name']));
    }
    found.push(...namedTwice(metadata.name, spec, part));
  }
  for (const [key, said] of Object.entries(spec.networks ?? {})) {
    const name = said?.name ?? (said?.external ? key : undefined);
    if (name !== undefined && RESERVED_NETWORKS.includes(name)) found.push([['networks', key, 'name'], reserved(name)]);
  }
  for (const registry of Object.keys(spec.registries ?? {})) {
    if (!REGISTRY.test(registry))
      found.push([['registries', registry], 'Not a registry: a host such as registry.example.com:5000']);
  }
  found.push(...checkRollout(spec));
  for (const [name, service] of Object.entries(spec.services ?? {})) {
    const isCompose = meansCompose(spec) || (spec.defaults === undefined && !isTargetState);
    found.push(...checkService(service, ['services', name], { mayBind: spec.allowHostBinds === true, isCompose }));
    found.push(...checkSchedule(service, ['services', name], spec));
  }
  return found;
}

const isNamed = (part: 'services' | 'volumes' | 'networks', spec: AppSpec, key: string): boolean => {
  const said = part === 'services' ? undefined : spec[part]?.[key];
  return said?.name !== undefined || said?.external === true;
};

/** Networks that every engine has or takes for such, in which containers have no names; and that of the API. */
const RESERVED_NETWORKS: readonly string[] = ['bridge', 'host', 'none', 'default', API_NETWORK];
const reserved = (name: string): string =>
  name === API_NETWORK
    ? `${name} is the network of the API: leave it out, and give services that need it the label io.balena.features.supervisor-api`
    : `${name} is a word of the engine, and no network that others can share: write another name, or network_mode in the service`;

/** A volume of the engine itself has two letters at least; a network, and a volume of another driver, may have one. */
const tooShort = (name: string | undefined, said: AppVolume | null | undefined, path: Path): Found[] =>
  name?.length === 1 && said?.external !== true && [undefined, 'local'].includes(said?.driver)
    ? [[path, `Too short: the engine makes no volume ${name}; two letters at least`]]
    : [];

/** Returns keys that come to the same name on the engine, on which two documents would work. */
function namedTwice(app: string, spec: AppSpec, part: 'networks' | 'volumes'): Found[] {
  const appId = spec.appId ?? allottedId(app);
  const nameOf = (key: string): string =>
    part === 'networks'
      ? networkNames(app, spec.uuid ?? String(appId), key, spec.networks?.[key]).engine
      : volumeNames(app, appId, key, spec.volumes?.[key]).engine;
  const keys = Object.keys({ ...(part === 'networks' ? { default: null } : {}), ...spec[part] });
  const first = new Map<string, string>();
  return keys.flatMap((key): Found[] => {
    const name = nameOf(key);
    const other = first.get(name);
    if (other === undefined) first.set(name, key);
    return other === undefined ? [] : [[[part, key], `${name} is the name of ${other} already; declare it once`]];
  });
}

/** Returns what is said of a network or volume that somebody else makes, beside `known`. */
const notMade = (base: Path, said: object, known: readonly string[]): Found[] =>
  Object.entries(said).flatMap(([field, value]): Found[] =>
    known.includes(field) || value === undefined || value === null || value === false
      ? []
      : [[[...base, field], 'Cannot stand beside external: true, because somebody else makes it; leave it out']],
  );

function checkHostConfig({ metadata, spec }: Declared<'HostConfig'>): Found[] {
  const { device, network } = HOST_CONFIG;
  const [own, other]: [readonly string[], string] =
    metadata.name === 'device' ? [device, 'network'] : [network, 'device'];
  const found = Object.keys(spec)
    .filter((field) => !own.includes(field))
    .map((field): Found => [[field], `Belongs to the HostConfig ${other}`]);
  const { hostname, proxy, reboot } = spec;
  // Empty is the default name. balenaOS would write any other into config.json, and then go without a name.
  if (hostname && !isHostName(hostname)) found.push([['hostname'], `Not a host name: ${HOST_NAME_RULE}`]);
  for (const { path, message } of proxyIssues(proxy ?? {})) found.push([['proxy', ...path], message]);
  const window = windowCron(reboot);
  const noCron = window === undefined ? undefined : cronIssue(window);
  if (noCron !== undefined) found.push([['reboot'], noCron]);
  return found;
}

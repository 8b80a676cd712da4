import { knownConfig } from '../../../crds/model/device-variables.js';
import { API_VERSION, type Declared } from '../../../crds/model/kinds.js';
import { isMap, stringOf, type Values } from '../../../crds/model/maps.js';
import { DEVICE_DOCUMENT } from '../../../crds/model/names.js';
import type { Parse } from '../documents.js';
import { Lines, shown } from '../lines.js';
import { normalizeComposition, textMap } from './composition.js';
import { normalizeMembers } from './target-members.js';
import { contractProblem, deviceProblems, numericId } from './target-shape.js';

export interface TargetOptions {
  readonly deviceUuid: string;
  readonly parse: Parse;
}

/** A target state as our documents. Undefined parts were left out and stay as they are. */
export type ParsedTarget =
  | {
      readonly ok: true;
      readonly name?: string;
      readonly config?: Readonly<Record<string, string>>;
      /** All apps, named `app-<appId>`. */
      readonly apps?: readonly Declared<'App'>[];
      readonly force: boolean;
      /** What was left out because it is not supported. */
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly message: string };

/** Returns the document's name of an app that came as a target state. */
const targetAppName = (appId: number): string => `app-${appId}`;

/** Returns the HostConfig for a name and configuration variables; none without either. Pure. */
export function deviceDocument(
  name: string | undefined,
  config: Readonly<Record<string, string>> | undefined,
): Declared<'HostConfig'> | undefined {
  if (name === undefined && config === undefined) return undefined;
  const spec = { ...(name === undefined ? {} : { name }), ...(config === undefined ? {} : { config: { ...config } }) };
  return { apiVersion: API_VERSION, kind: 'HostConfig', metadata: { name: DEVICE_DOCUMENT }, spec };
}

/** Tells whether a value is a target state. v2: `{local: {…}}`. v3: keyed by the uuids of devices. Pure. */
export const isTargetState = (value: unknown): boolean =>
  isMap(value) &&
  value.kind === undefined &&
  value.apiVersion === undefined &&
  (isMap(value.local) || Object.entries(value).some(([key, device]) => isDevice(key, device)));

const isDevice = (key: string, device: unknown): boolean =>
  /^[0-9a-f]{32}([0-9a-f]{30})?$/.test(key) &&
  isMap(device) &&
  ['apps', 'config', 'name'].some((part) => part in device);

const invalid = (lines: readonly string[]): ParsedTarget => ({
  ok: false,
  message: ['Invalid target state.', ...lines].join('\n'),
});

/**
 * Reads a Supervisor's target state, v2 or v3 (docs/reference/http-api.md §8.3, §8.4). All of it has to be right;
 * otherwise the message names every mistake. Pure.
 */
export function parseTargetState(body: unknown, { deviceUuid, parse }: TargetOptions): ParsedTarget {
  if (!isMap(body)) return invalid([`Expecting object but instead got: ${shown(body)}`]);
  const force = Boolean(body.force);

  let device: unknown;
  const isV2 = body.local !== undefined && body.local !== null;
  if (isV2) {
    const { local } = body;
    if (!isMap(local)) return invalid([`Expecting object at local but instead got: ${shown(local)}`]);
    const converted = fromV2(local, deviceUuid);
    // What cannot be converted is reported together with the mistakes in what was converted.
    const lines = [...converted.lines.texts, ...deviceProblems(deviceUuid, converted.device)];
    if (lines.length > 0) return invalid(lines);
    device = converted.device;
  } else if (Object.hasOwn(body, deviceUuid)) {
    device = body[deviceUuid];
    const lines = deviceProblems(deviceUuid, device);
    if (lines.length > 0) return invalid(lines);
  } else if (Object.entries(body).some(([key, value]) => isDevice(key, value))) {
    return { ok: false, message: `Expected target state for local device with uuid '${deviceUuid}'.` };
  } else {
    return invalid(['Expecting object at local but instead got: undefined']);
  }
  return fromDevice(isMap(device) ? device : {}, { deviceUuid, parse }, force);
}

/** Converts a v2 document's `local` to v3; returns also what could not be converted. */
function fromV2(local: Values, uuid: string): { device: Values; lines: Lines } {
  const lines = new Lines();
  const { apps } = local;
  if (!isMap(apps)) return { device: local, lines };
  const converted = Object.entries(apps).map(([appId, app]) => {
    const path = `${uuid}.apps.${appId}`;
    if (!isMap(app)) return [appId, app] as const;
    const { commit, releaseId, services, volumes, networks } = app;
    if (commit === undefined || commit === null || commit === '') {
      return [appId, { id: appId, name: app.name }] as const;
    }
    if (typeof commit !== 'string') {
      lines.add(() => `Expecting string at ${path}.0.commit but instead got: ${shown(commit)}`);
      return [appId, { id: appId, name: app.name }] as const;
    }
    const named = servicesByName(services, `${path}.0.releases.${commit}.services`, lines);
    const release = { id: releaseId, services: named, volumes, networks };
    return [appId, { id: appId, name: app.name, releases: { [commit]: release } }] as const;
  });
  return { device: { ...local, apps: Object.fromEntries(converted) }, lines };
}

function servicesByName(services: unknown, path: string, lines: Lines): unknown {
  if (!isMap(services)) return services;
  const named = new Map<string, unknown>();
  for (const [id, service] of Object.entries(services)) {
    if (!isMap(service)) {
      named.set(id, service);
      continue;
    }
    const {
      serviceName,
      imageId,
      image,
      environment,
      labels,
      running,
      contract,
      serviceId: _,
      ...composition
    } = service;
    if (typeof serviceName !== 'string') {
      lines.add(() => `Expecting string at ${path}.${id}.serviceName but instead got: ${shown(serviceName)}`);
      continue;
    }
    if (named.has(serviceName))
      lines.add(() => `Expecting one service at ${path}.${serviceName} but instead got: two of that name`);
    named.set(serviceName, { id, image_id: imageId, image, environment, labels, running, contract, composition });
  }
  return Object.fromEntries(named);
}

/** Number of apps of a device; each becomes documents and files, and is checked against all others. */
const MOST_APPS = 1_000;

/** Reads a device of a v3 document whose shape is right. */
function fromDevice(device: Values, options: TargetOptions, force: boolean): ParsedTarget {
  const { name, config, apps } = device;
  const warnings = new Lines();
  const problems = new Lines();
  const documents: Declared<'App'>[] = [];
  const count = isMap(apps) ? Object.keys(apps).length : 0;
  if (count > MOST_APPS) return invalid([`Expecting at most ${MOST_APPS} apps but instead got: ${count}`]);

  for (const [uuid, app] of Object.entries(isMap(apps) ? apps : {})) {
    if (!isMap(app)) continue;
    if (app.is_host === true) {
      warnings.add(() => `app ${uuid} is for the host and left out`);
      continue;
    }
    const read = readApp(uuid, app, options.parse);
    for (const warning of read.warnings) warnings.add(() => warning);
    for (const problem of read.problems) problems.add(() => problem);
    if (read.document) documents.push(read.document);
  }
  const contract = contractsOf(apps);
  if (contract !== undefined) return { ok: false, message: contract };
  const names = new Set<string>();
  for (const { metadata, spec } of documents) {
    if (names.has(metadata.name)) problems.add(() => `Two apps have the id ${spec.appId}`);
    names.add(metadata.name);
  }
  if (!problems.isEmpty) return invalid(problems.texts);

  const known = isMap(config) ? knownConfig(stringsOf(config)) : undefined;
  if (known?.unknown.length) warnings.add(() => `config: ${known.unknown.join(', ')} is not known and left out`);
  return {
    ok: true,
    ...(typeof name === 'string' && name !== '' ? { name } : {}),
    ...(known ? { config: known.config } : {}),
    ...(apps === undefined || apps === null ? {} : { apps: documents }),
    force,
    warnings: warnings.texts,
  };
}

const stringsOf = (values: Values): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, stringOf(value)]));

/** Returns the first release of an app; others do not count. */
const releaseOf = (app: Values): readonly [string, Values] | undefined => {
  const [first] = Object.entries(isMap(app.releases) ? app.releases : {});
  return first && isMap(first[1]) ? [first[0], first[1]] : undefined;
};

function contractsOf(apps: unknown): string | undefined {
  for (const app of Object.values(isMap(apps) ? apps : {})) {
    const services = isMap(app) ? releaseOf(app)?.[1].services : undefined;
    for (const [name, service] of Object.entries(isMap(services) ? services : {})) {
      const problem = isMap(service) ? contractProblem(service.contract) : undefined;
      if (problem !== undefined) return `The contract for service ${name} failed validation, with error: ${problem}`;
    }
  }
  return undefined;
}

function readApp(
  uuid: string,
  app: Values,
  parse: Parse,
): { document?: Declared<'App'>; problems: readonly string[]; warnings: readonly string[] } {
  const lines = new Lines();
  const appId = numericId(app.id) ?? 0;
  const first = releaseOf(app);
  const services = Object.entries(isMap(first?.[1].services) ? first[1].services : {}).map(([name, service]) => {
    const read = readService(isMap(service) ? service : {});
    for (const warning of read.warnings) lines.add(() => `app ${appId} service ${name}: ${warning}`);
    return [name, read.service] as const;
  });
  const volumes = normalizeMembers('volumes', first?.[1].volumes);
  const networks = normalizeMembers('networks', first?.[1].networks);
  for (const dropped of [...volumes.dropped, ...networks.dropped]) {
    lines.add(() => `app ${appId}: ${dropped} is not supported and left out`);
  }

  const spec = {
    appId,
    ...(uuid === String(appId) ? {} : { uuid }),
    name: app.name,
    release: first ? { commit: first[0], id: numericId(first[1].id) } : null,
    services: Object.fromEntries(services),
    volumes: volumes.members,
    networks: networks.members,
  };
  const warnings = lines.texts;
  const metadata = { name: targetAppName(appId) };
  const parsed = parse({ apiVersion: API_VERSION, kind: 'App', metadata, spec }, { isTargetState: true });
  if (!parsed.ok) {
    return { problems: parsed.issues.map(({ path, message }) => `App ${appId}, ${path}: ${message}`), warnings };
  }
  const { document } = parsed;
  return document.kind === 'App' ? { document, problems: [], warnings } : { problems: [], warnings };
}

function readService(service: Values): { service: Values; warnings: readonly string[] } {
  const composition = isMap(service.composition) ? service.composition : {};
  const { environment: below, labels: labelsBelow, ...rest } = composition;
  const { fields, warnings } = normalizeComposition(rest);
  return {
    service: {
      image: service.image,
      serviceId: numericId(service.id),
      imageId: numericId(service.image_id),
      environment: overlay(below, service.environment),
      labels: overlay(labelsBelow, service.labels),
      ...(service.running === false ? { running: false } : {}),
      ...fields,
    },
    warnings,
  };
}

const overlay = (below: unknown, above: unknown): Values => ({
  ...(isMap(below) ? textMap(below) : {}),
  ...(isMap(above) ? above : {}),
});

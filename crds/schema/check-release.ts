import { type Defaults, meansCompose } from '../model/defaults.js';
import { normalizeReference } from '../model/image-reference.js';
import { type Issue, issuesOf, pathText } from '../model/issue.js';
import { isJob } from '../model/jobs.js';
import type { App, Service } from '../model/kinds.js';
import { type References, referencesOf } from '../model/references.js';
import { type NumberedRelease, releaseOf, usualContainerName } from '../model/release.js';
import { cameAsTargetState } from '../model/target-state.js';
import { publishedPorts, publishes, refusedByEngine, tooManyPorts } from './check-engine-values.js';
import { accessIssues } from './check-host-access.js';
import { waitsForJobs } from './check-schedule.js';
import type { StandaloneNames } from './standalone.js';

/** A release as it is declared, and by whom. */
interface Release {
  readonly metadata: Pick<App['metadata'], 'name' | 'origin' | 'source'>;
  readonly spec: App['spec'];
}

const NOTHING: StandaloneNames = { services: [], networks: [], volumes: [] };

/**
 * Checks a release as a whole: cycles, undeclared names, and values that every engine refuses. What a Supervisor would
 * accept in a target state (a volume that Docker creates by itself, a missing dependency, networks together with a
 * network_mode) is accepted in documents that came as one. Pure.
 */
export function checkRelease(app: Release, standalone: StandaloneNames = NOTHING): readonly Issue[] {
  const release = releaseOf(app.spec.release);
  if (release === null) return [];
  const lenient = cameAsTargetState(app.metadata);
  const { services = {}, networks = {}, volumes = {} } = app.spec;
  const known = {
    services: new Set([...Object.keys(services), ...standalone.services]),
    networks: new Set(['default', ...Object.keys(networks), ...standalone.networks]),
    volumes: new Set([...Object.keys(volumes), ...standalone.volumes]),
  };
  const references = Object.entries(services).map(([name, fields]) => [name, referencesOf(fields)] as const);
  return [
    ...references.flatMap(([name, one]) => undeclared(`spec.services.${name}`, one, known, lenient)),
    ...references.flatMap(([name, one]) => hostPaths(`spec.services.${name}`, one, app)),
    ...(lenient ? [] : accessIssues(app.spec)),
    ...engineIssues(app.spec, lenient),
    ...ownIpc(app.spec),
    ...platforms(services),
    ...sharedContainerNames(app.metadata.name, release, services),
    ...waitsForJobs(references, services),
    ...cycles(new Map(references)),
  ];
}

/**
 * Returns in what a release contradicts itself, whatever is declared beside it: what `checkRelease` would find on every device,
 * so that no entrance takes it. Services with a contract count on some devices only, and are left out. Pure.
 */
export function contradictions(app: string, spec: App['spec']): readonly Issue[] {
  const { release: declared, services = {}, defaults = 'compose' } = spec;
  const release = releaseOf(declared);
  if (release === null) return [];
  const everywhere = Object.fromEntries(Object.entries(services).filter(([, { contract }]) => !contract));
  const references = Object.entries(everywhere).map(([name, fields]) => [name, referencesOf(fields)] as const);
  const all = references.map(([, one]) => one);
  const known = {
    services: new Set(all.flatMap(servicesNamed)),
    networks: new Set(
      all.flatMap(({ networks = [], mode }) => (mode.is === 'network' ? [...networks, mode.network] : networks)),
    ),
    volumes: new Set(all.flatMap(({ volumes }) => volumes)),
  };
  return [
    ...references.flatMap(([name, one]) => undeclared(`spec.services.${name}`, one, known, false)),
    ...sharedPorts(everywhere, defaults),
    ...ownIpc({ ...spec, services: everywhere }),
    ...platforms(everywhere),
    ...sharedContainerNames(app, release, everywhere),
    ...waitsForJobs(references, everywhere),
    ...cycles(new Map(references)),
  ];
}

/** Returns the services that have to start before. Pure. */
const servicesNamed = ({ dependsOn, mode, namespaces }: References): readonly string[] => [
  ...dependsOn.map(({ service }) => service),
  ...(mode.is === 'service' ? [mode.service] : []),
  ...namespaces.map(({ service }) => service),
];

/**
 * Returns networks, and services whose namespaces it shares, that a standalone service names and that its App does not
 * have. Dependencies and volumes are not among them: the Service ignores the former, and the engine creates the latter.
 * Pure.
 */
export function undeclaredReferences(
  spec: Service['spec'],
  { spec: { services, networks } }: Pick<App, 'spec'>,
  standalone: Omit<StandaloneNames, 'volumes'>,
): readonly Issue[] {
  const { networks: joined = [], mode, namespaces } = referencesOf(spec);
  const known = {
    service: new Set([...Object.keys(services ?? {}), ...standalone.services]),
    network: new Set(['default', ...Object.keys(networks ?? {}), ...standalone.networks]),
  };
  const used: readonly (readonly [field: string, what: 'service' | 'network', name: string])[] = [
    ...namespaces.map(({ field, service }) => [field, 'service', service] as const),
    ...joined.map((name) => ['networks', 'network', name] as const),
    ...(mode.is === 'service' ? [['network_mode', 'service', mode.service] as const] : []),
    ...(mode.is === 'network' ? [['network_mode', 'network', mode.network] as const] : []),
  ];
  return used.flatMap(([field, what, name]) =>
    known[what].has(name) ? [] : [{ path: `spec.${field}`, message: `App ${spec.app} has no ${what} ${name}` }],
  );
}

function undeclared(
  path: string,
  { dependsOn, networks, mode, namespaces, volumes }: References,
  known: { readonly [Of in keyof StandaloneNames]: ReadonlySet<string> },
  lenient: boolean,
): readonly Issue[] {
  const issues: Issue[] = [];
  const report = (field: string, message: string): void => void issues.push({ path: `${path}.${field}`, message });
  for (const { service, required } of dependsOn) {
    if (!known.services.has(service) && required && !lenient) report('depends_on', `there is no service ${service}`);
  }
  for (const network of networks ?? []) {
    if (!known.networks.has(network)) report('networks', `${network} is not declared: add it under spec.networks`);
  }
  for (const volume of new Set(volumes)) {
    if (!known.volumes.has(volume) && !lenient)
      report('volumes', `${volume} is not declared: add it under spec.volumes`);
  }
  if (mode.is !== 'default' && networks !== undefined && networks.length > 0 && !lenient) {
    report('network_mode', 'cannot stand beside networks: keep one of the two');
  }
  if (mode.is === 'container') {
    report('network_mode', 'cannot share the network of a container by its name: use service:<name>');
  }
  if (mode.is === 'service' && !known.services.has(mode.service)) {
    report('network_mode', `there is no service ${mode.service}`);
  }
  for (const { field, service } of namespaces) {
    if (!known.services.has(service)) report(field, `there is no service ${service}`);
  }
  if (mode.is === 'network' && !known.networks.has(mode.network)) {
    report('network_mode', `${mode.network} is neither host, bridge, none nor a declared network`);
  }
  return issues;
}

/** Checks paths of the host: a target state never mounts them; other documents need permission. */
function hostPaths(path: string, { hostPaths: [first] }: References, { metadata, spec }: Release): readonly Issue[] {
  if (first === undefined) return [];
  const isTargetState = cameAsTargetState(metadata);
  if (spec.allowHostBinds === true && !isTargetState) return [];
  const message = isTargetState
    ? `${first} of the host is not mounted for a target state: use a volume`
    : `${first} of the host is mounted only with spec.allowHostBinds: true; say so, or use a volume`;
  return [{ path: `${path}.volumes`, message }];
}

/** Returns what every engine refuses: by the time it said so, what runs would be gone. */
function engineIssues({ services = {}, defaults }: App['spec'], lenient: boolean): readonly Issue[] {
  const many = tooManyPorts(Object.values(services));
  if (many !== undefined) return [{ path: 'spec.services', message: many }];
  const found = Object.entries(services).flatMap(([name, fields]) =>
    refusedByEngine(fields, ['spec', 'services', name], defaults),
  );
  const refused = issuesOf(found, ([path, message]) => ({ path: pathText(path), message }));
  return lenient ? refused : [...refused, ...sharedPorts(services, defaults)];
}

/**
 * Returns ports of the host that two services publish, of which the second could never start. Only where both keep
 * running: one that ends or does not run leaves the port to the other, and by its contract it may not be on this device
 * at all.
 */
function sharedPorts(services: NonNullable<App['spec']['services']>, defaults: Defaults | undefined): readonly Issue[] {
  const taken = new Map<string, string>();
  return Object.entries(services).flatMap(([name, fields]): readonly Issue[] => {
    const { running, contract, restart } = fields;
    const stays = running !== false && !contract && !isJob(fields) && !/^(no|on-failure)/.test(restart ?? '');
    if (!stays || !publishes(fields)) return [];
    const mine = publishedPorts(fields, defaults);
    const issues = issuesOf(
      mine.filter(({ at }) => taken.has(at)),
      ({ index, at }) => ({
        path: `spec.services.${name}.ports[${index}]`,
        message: `port ${at} of the host is published by ${taken.get(at)} already: publish another one`,
      }),
    );
    for (const { at } of mine) taken.set(at, taken.get(at) ?? name);
    return issues;
  });
}

/**
 * Returns services whose IPC namespace another one shares and that have it for themselves, as Compose means it where they do not
 * say: no engine would start the other one. Pure.
 */
export function ownIpc(spec: Pick<App['spec'], 'services' | 'defaults'>): readonly Issue[] {
  if (!meansCompose(spec)) return [];
  const { services = {} } = spec;
  const shared = Object.entries(services).flatMap(([guest, fields]) =>
    referencesOf(fields).namespaces.flatMap(({ field, service }) =>
      field === 'ipc' ? [[service, guest] as const] : [],
    ),
  );
  return [...new Map(shared)].flatMap(([name, guest]) =>
    services[name] === undefined || !['', 'private', 'none'].includes(services[name].ipc ?? '')
      ? []
      : [
          {
            path: `spec.services.${name}.ipc`,
            message: `${guest} shares the IPC namespace of ${name}, which has it for itself: write ipc: shareable`,
          },
        ],
  );
}

/** Checks platforms: a reference leads to one image on the engine, so it has one platform. */
function platforms(services: NonNullable<App['spec']['services']>): readonly Issue[] {
  const asked = new Map<string, { readonly by: string; readonly platform: string }>();
  return Object.entries(services).flatMap(([name, { image, platform }]) => {
    if (!platform) return [];
    const reference = normalizeReference(image);
    const first = asked.get(reference);
    if (!first) asked.set(reference, { by: name, platform });
    if (!first || first.platform === platform) return [];
    const message = `${first.by} asks for ${reference} as ${first.platform}: name them by different references`;
    return [{ path: `spec.services.${name}.platform`, message }];
  });
}

/** Returns names of containers that two services have, of which the second could never get it; one may have it by itself. */
function sharedContainerNames(
  app: string,
  release: NumberedRelease,
  services: NonNullable<App['spec']['services']>,
): readonly Issue[] {
  const taken = new Map(
    Object.entries(services).flatMap(([name, fields]) =>
      fields.containerName === undefined ? [[usualContainerName(app, name, fields, release), name] as const] : [],
    ),
  );
  return Object.entries(services).flatMap(([name, { containerName }]) => {
    if (containerName === undefined) return [];
    const first = taken.get(containerName);
    if (first === undefined) taken.set(containerName, name);
    if (first === undefined) return [];
    return [
      { path: `spec.services.${name}.containerName`, message: `${containerName} is the container of ${first} already` },
    ];
  });
}

/** Returns one issue for each cycle of "starts after", named once, from its first service in document order. */
function cycles(references: ReadonlyMap<string, References>): readonly Issue[] {
  const issues: Issue[] = [];
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    const start = trail.indexOf(name);
    if (start >= 0) {
      const path = `spec.services.${name}.depends_on`;
      issues.push({ path, message: `services wait for each other: ${[...trail.slice(start), name].join(' → ')}` });
      return;
    }
    const one = references.get(name);
    if (!one || done.has(name)) return;
    for (const next of new Set(servicesNamed(one))) visit(next, [...trail, name]);
    done.add(name);
  };
  for (const name of references.keys()) visit(name, []);
  return issues;
}

import type { Problem, Source } from '../../../crds/model/kinds.js';

import type { Variables } from './interpolate.js';
import { type ComposeOptions, type FileAnswer, type Loaded, loadProject, readDotenv, withinLength } from './load.js';
import { pathFrom } from './mounts.js';
import { child, type Findings, isNull, type Mapping, type Node, sourceOf } from './node.js';
import { checkProperties } from './policy.js';
import { bool, type Context, fields, labels, mapping, printed, type Read, Reading, text } from './read.js';
import { type ComposeService, type Dependency, readService } from './service.js';

export interface ComposeNetwork {
  readonly name: string;
  readonly external?: true;
  readonly driver?: string;
  readonly driver_opts?: Readonly<Record<string, string>>;
  readonly ipam?: {
    readonly driver?: string;
    readonly config?: readonly Readonly<Record<string, unknown>>[];
    readonly options?: Readonly<Record<string, string>>;
  };
  readonly internal?: boolean;
  readonly attachable?: boolean;
  readonly enable_ipv6?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ComposeVolume {
  readonly name: string;
  readonly external?: true;
  readonly driver?: string;
  readonly driver_opts?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A secret or a config. */
interface ComposeContent {
  readonly name: string;
  readonly external?: true;
  readonly file?: string;
  readonly environment?: string;
  readonly content?: string;
  /** Changes with the contents of the file. */
  readonly digest?: string;
}

/** A project in Compose's canonical form: what all its files say together, with the profiles that are on. */
export interface ComposeModel {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, ComposeNetwork>>;
  readonly volumes: Readonly<Record<string, ComposeVolume>>;
  readonly secrets: Readonly<Record<string, ComposeContent>>;
  readonly configs: Readonly<Record<string, ComposeContent>>;
}

export interface ReadOptions extends ComposeOptions {
  /** Profiles that are on besides those of COMPOSE_PROFILES; `*` is all of them. */
  readonly profiles?: readonly string[];
}

/** What is known of a project whatever it is made into. */
export interface ProjectReport {
  readonly name: string | undefined;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** The Compose files, absolute. */
  readonly composeFiles: readonly string[];
  /** The same, and those that they include or extend, absolute. */
  readonly parsedFiles: readonly string[];
  /** Every file that was read or looked for, absolute: a change of one may change the project. */
  readonly files: readonly string[];
}

export interface ComposeProject extends ProjectReport {
  /** What could be read; it counts only where there are no problems. Undefined: nothing could. */
  readonly model: ComposeModel | undefined;
  /** The files together, before their fields were read; for what is no field of Compose. */
  readonly root: Node | undefined;
  readonly findings: Findings;
  readonly variables: Variables;
  /** Returns where something such as `services.web.ports[0]` is written, and which variables it lacks. */
  readonly locate: (path: string) => Located;
}

/** Reads a project: all problems of all its files at once, each with its place. Reads files only by `readFile`. */
export async function readProject(options: ReadOptions): Promise<ComposeProject> {
  const files = new Set<string>();
  const readFile = (path: string): Promise<FileAnswer> => options.readFile(path);
  const loaded = await loadProject({ ...options, readFile });
  for (const file of loaded.files) files.add(file);
  const reader = new ProjectReader(loaded, options, files);
  const model = await reader.read();
  const { findings, composeFiles, name } = loaded;
  return {
    ...{ model, name },
    ...{ problems: findings.problems, warnings: findings.warnings },
    ...{
      composeFiles,
      parsedFiles: [...loaded.parsedFiles],
      files: [...files],
      root: loaded.root,
      findings,
      variables: loaded.variables,
    },
    locate: (path) => locate(loaded, path),
  };
}

const network: Read<Partial<Named<ComposeNetwork>>> = fields<Named<ComposeNetwork>>({
  ...{ name: text, external: external, driver: text, driver_opts: mapping(printed) },
  ipam: fields<NonNullable<ComposeNetwork['ipam']>>({
    driver: text,
    options: mapping(printed),
    config: (node, at) =>
      node.is === 'list'
        ? node.items.map((item, index) => subnet(item, at.in(index)) ?? {})
        : at.expected(node, 'a list'),
  }),
  ...{ internal: bool, attachable: bool, enable_ipv6: bool, labels },
});
const subnet = fields<{ subnet: string; gateway: string; ip_range: string; aux_addresses: Record<string, string> }>({
  ...{ subnet: text, gateway: text, ip_range: text, aux_addresses: mapping(printed) },
});
const volume = fields<Named<ComposeVolume>>({
  name: text,
  external,
  driver: text,
  driver_opts: mapping(printed),
  labels,
});
const content = fields<Named<ComposeContent>>({ name: text, external, file: text, environment: text, content: text });

/** What a file says about something with a name: `external` may also be the map of old that has it. */
type Named<T> = Omit<T, 'external'> & { readonly external?: boolean | string };

function external(node: Node, at: Reading): boolean | string | undefined {
  if (node.is !== 'map') return bool(node, at);
  at.warn(node, 'A map is the form of old; write name: beside external: true');
  const name = child(node, 'name');
  return name === undefined ? true : (text(name, at.in('name')) ?? true);
}

class ProjectReader {
  readonly #context: Context;

  constructor(
    private readonly loaded: Loaded,
    private readonly options: ReadOptions,
    private readonly files: Set<string>,
  ) {
    this.#context = { findings: loaded.findings, variables: loaded.variables, home: options.home ?? '/root' };
  }

  async read(): Promise<ComposeModel | undefined> {
    const { root, name } = this.loaded;
    if (root === undefined || name === undefined) return undefined;
    const nodes = this.#servicesOf(root);
    checkProperties(root, new Set(nodes.keys()), this.#context.findings);
    const read = new Map<string, ComposeService>();
    for (const [service, node] of nodes) read.set(service, await this.#service(service, node));
    const services = Object.fromEntries(read); // a service may be called __proto__
    const version = child(root, 'version');
    if (version !== undefined) {
      text(version, this.#at('version'));
      this.#at('version').warn(version, 'version is obsolete and ignored; leave it out');
    }
    const model: ComposeModel = {
      name,
      services,
      networks: this.#networks(root, name, services),
      volumes: this.#named(root, 'volumes', volume, name),
      secrets: await this.#contents(root, 'secrets', name, services),
      configs: await this.#contents(root, 'configs', name, services),
    };
    this.#checkReferences(model, nodes);
    return model;
  }

  #at(...path: readonly (string | number)[]): Reading {
    return new Reading(this.#context, path);
  }

  /** Returns the services whose profiles are on. */
  #servicesOf(root: Mapping): ReadonlyMap<string, Mapping> {
    const written = child(root, 'services');
    if (written === undefined || isNull(written)) return new Map();
    if (written.is !== 'map') {
      this.#at('services').expected(written, 'a map of services');
      return new Map();
    }
    const profiles = this.#profiles();
    const isOn = (node: Mapping): boolean => {
      const own = child(node, 'profiles');
      if (own?.is !== 'list' || own.items.length === 0 || profiles.has('*')) return true;
      return own.items.some((item) => item.is === 'scalar' && profiles.has(item.text));
    };
    const services = [...written.entries].flatMap(([name, { at, node }]): [string, Mapping][] => {
      const here = this.#at('services', name);
      if (!/^[A-Za-z0-9._-]+$/.test(name)) {
        this.#context.findings.problem(
          at,
          `Not a name of a service: ${JSON.stringify(name)}; letters, digits, _ . - are allowed`,
        );
        return [];
      }
      if (node.is === 'map') return isOn(node) ? [[name, node]] : [];
      here.expected(node, 'a map with image, …');
      return [];
    });
    return new Map(services);
  }

  #profiles(): ReadonlySet<string> {
    const listed = this.loaded.variables.get('COMPOSE_PROFILES') ?? '';
    const own = child(this.loaded.root, 'x-supercargo');
    const extra = child(own, 'profiles');
    const named = extra?.is === 'list' ? extra.items.flatMap((item) => (item.is === 'scalar' ? [item.text] : [])) : [];
    return new Set([
      ...listed
        .split(',')
        .map((one) => one.trim())
        .filter(Boolean),
      ...(this.options.profiles ?? []),
      ...named,
    ]);
  }

  async #service(name: string, node: Mapping): Promise<ComposeService> {
    const at = this.#at('services', name);
    const service = readService(node, at);
    const image = child(node, 'image');
    if (service.image === '' && image !== undefined) at.in('image').problem(image, 'The image is empty');
    if (service.image === undefined && service.build === undefined && child(node, 'extends') === undefined) {
      const overlay =
        this.loaded.composeFiles.length === 1
          ? '; a file that is laid over another one is named with it in COMPOSE_FILE'
          : '';
      if (isNull(image)) at.problem(node, `The service ${name} has neither image nor build${overlay}`);
    }
    if (
      service.networks !== undefined &&
      Object.keys(service.networks).length > 0 &&
      service.network_mode !== undefined
    ) {
      at.problem(child(node, 'network_mode') ?? node, 'network_mode and networks exclude each other; leave one out');
    }
    const { scale, deploy } = service;
    if (scale !== undefined && deploy?.replicas !== undefined && scale !== deploy.replicas) {
      at.problem(child(node, 'scale') ?? node, 'scale and deploy.replicas differ; leave one out');
    }
    this.#distinct(node, at, 'mem_limit', service.mem_limit, 'limits.memory', deploy?.resources?.limits?.memory);
    this.#distinct(node, at, 'cpus', service.cpus, 'limits.cpus', deploy?.resources?.limits?.cpus);
    this.#distinct(node, at, 'pids_limit', service.pids_limit, 'limits.pids', deploy?.resources?.limits?.pids);
    this.#distinct(
      node,
      at,
      'mem_reservation',
      service.mem_reservation,
      'reservations.memory',
      deploy?.resources?.reservations?.memory,
    );
    const usesDefault = service.network_mode === undefined && Object.keys(service.networks ?? {}).length === 0;
    const environment = await this.#environment(service, node, at);
    return {
      ...service,
      ...(environment === undefined ? {} : { environment }),
      ...(usesDefault ? { networks: { default: null } } : {}),
      ...dependenciesOf(service),
    };
  }

  #distinct(node: Mapping, at: Reading, field: string, own: unknown, limit: string, other: unknown): void {
    if (own === undefined || other === undefined || own === other) return;
    at.in(field).problem(child(node, field) ?? node, `${field} and deploy.resources.${limit} differ; leave one out`);
  }

  /** Returns the environment with the files of variables below it. A name without a value has that of the project. */
  async #environment(
    service: ComposeService,
    node: Mapping,
    at: Reading,
  ): Promise<Record<string, string | null> | undefined> {
    const { variables, findings } = this.#context;
    const found = new Map<string, string | null>();
    const written = child(node, 'env_file');
    for (const { path, required, format } of service.env_file ?? []) {
      this.files.add(path);
      const shown = this.options.shown?.(path) ?? path;
      const { text: answer, ...rest } = withinLength(await this.options.readFile(path), shown);
      if (answer === undefined) {
        const why = 'why' in rest ? rest.why : undefined;
        if (required || why !== undefined)
          at.in('env_file').problem(
            placeOf(written, path, this.#context.home) ?? node,
            why ?? `There is no file ${shown}`,
          );
        continue;
      }
      if (format === 'raw') {
        for (const [, name = '', value = ''] of answer.replaceAll('\r\n', '\n').matchAll(/^([^#=\n][^=\n]*)=(.*)$/gm))
          found.set(name, value);
        continue;
      }
      const known = (name: string): string | undefined => variables.get(name) ?? found.get(name) ?? undefined;
      for (const [name, value] of readDotenv(answer, shown, known, findings)) found.set(name, value);
    }
    if (service.environment === undefined && service.env_file === undefined) return undefined;
    for (const [name, value] of Object.entries(service.environment ?? {}))
      found.set(name, value ?? variables.get(name) ?? null);
    return found.size === 0 && service.environment === undefined ? undefined : Object.fromEntries(found);
  }

  #networks(
    root: Mapping,
    project: string,
    services: Readonly<Record<string, ComposeService>>,
  ): Record<string, ComposeNetwork> {
    const networks = this.#named<ComposeNetwork>(root, 'networks', network, project);
    const isUsed = Object.values(services).some(
      (service) => service.networks && Object.hasOwn(service.networks, 'default'),
    );
    if (!isUsed || Object.hasOwn(networks, 'default')) return networks;
    return { ...networks, default: { name: `${project}_default` } };
  }

  #named<T extends { readonly name: string }>(
    root: Mapping,
    section: string,
    read: Read<Partial<Named<T>>>,
    project: string,
  ): Record<string, T> {
    const written = child(root, section);
    if (written === undefined || isNull(written)) return {};
    if (written.is !== 'map') {
      this.#at(section).expected(written, 'a map');
      return {};
    }
    const entries = [...written.entries].flatMap(([key, { node }]): [string, T][] => {
      const { external: outside, ...fieldsRead } = (read(node, this.#at(section, key)) ?? {}) as Partial<
        Named<{ name: string }>
      >;
      const isExternal = outside !== undefined && outside !== false;
      const old = typeof outside === 'string' ? outside : undefined;
      const name = fieldsRead.name || old || (isExternal ? key : `${project}_${key}`);
      return [[key, { ...fieldsRead, name, ...(isExternal ? { external: true } : {}) } as unknown as T]];
    });
    return Object.fromEntries(entries);
  }

  async #contents(
    root: Mapping,
    section: 'secrets' | 'configs',
    project: string,
    services: Readonly<Record<string, ComposeService>>,
  ): Promise<Record<string, ComposeContent>> {
    const used = new Set(Object.values(services).flatMap((one) => (one[section] ?? []).map(({ source }) => source)));
    const found: [string, ComposeContent][] = [];
    for (const [key, one] of Object.entries(this.#named<ComposeContent>(root, section, content, project))) {
      const written = child(child(child(root, section), key), 'file');
      if (written === undefined || one.file === undefined) {
        found.push([key, one]);
        continue;
      }
      const file = pathFrom(one.file, written.at, this.#context.home);
      const digest = used.has(key) ? await this.#digest(file, written, this.#at(section, key, 'file')) : undefined;
      found.push([key, { ...one, file, ...(digest === undefined ? {} : { digest }) }]);
    }
    return Object.fromEntries(found);
  }

  /** Returns what changes with the contents of a file, where somebody looks after them. A file that is not there is a problem. */
  async #digest(file: string, written: Node, at: Reading): Promise<string | undefined> {
    const { lookAt, shown } = this.options;
    if (lookAt === undefined) return undefined;
    this.files.add(file);
    const answer = await lookAt(file);
    if (answer.isThere) return answer.digest;
    return at.problem(written, answer.why ?? `There is no file ${shown?.(file) ?? file}`);
  }

  #checkReferences(model: ComposeModel, nodes: ReadonlyMap<string, Mapping>): void {
    for (const [name, node] of nodes) {
      const service = model.services[name];
      if (service === undefined) continue;
      const at = this.#at('services', name);
      this.#checkNames(node, at, 'networks', Object.keys(service.networks ?? {}), model.networks, 'network');
      const named = (service.volumes ?? []).flatMap(({ type, source }) =>
        type === 'volume' && source !== undefined ? [source] : [],
      );
      this.#checkNames(node, at, 'volumes', named, model.volumes, 'volume');
      this.#checkNames(
        node,
        at,
        'secrets',
        (service.secrets ?? []).map(({ source }) => source),
        model.secrets,
        'secret',
      );
      this.#checkNames(
        node,
        at,
        'configs',
        (service.configs ?? []).map(({ source }) => source),
        model.configs,
        'config',
      );
      const needed = Object.entries(service.depends_on ?? {}).flatMap(([other, { required }]) =>
        required ? [other] : [],
      );
      this.#checkNames(node, at, 'depends_on', needed, model.services, 'service');
    }
    const cycle = cycleIn(model.services);
    const first = cycle?.[0] === undefined ? undefined : nodes.get(cycle[0]);
    if (cycle !== undefined && first !== undefined) {
      const at = this.#at('services', cycle[0] ?? '', 'depends_on');
      at.problem(child(first, 'depends_on') ?? first, `The services wait for each other: ${cycle.join(' → ')}`);
    }
  }

  #checkNames(node: Mapping, at: Reading, field: string, names: readonly string[], known: object, what: string): void {
    for (const name of names) {
      if (Object.hasOwn(known, name)) continue;
      const written = child(node, field);
      const place = entryOf(written, name) ?? written ?? node;
      const isOff = what === 'service' && child(child(this.loaded.root, 'services'), name) !== undefined;
      const top = what === 'network' ? 'networks' : `${what}s`;
      at.in(field).problem(
        place,
        isOff
          ? `The service ${name} is not among the profiles that are on`
          : `There is no ${what} ${name} under ${top}`,
      );
    }
  }
}

/** Returns the node that names something in a list or a map of a service. */
function entryOf(node: Node | undefined, name: string): Node | undefined {
  if (node?.is === 'map') {
    const entry = node.entries.get(name);
    return entry && { ...entry.node, at: entry.at };
  }
  if (node?.is !== 'list') return undefined;
  return node.items.find((item) => {
    const source = item.is === 'map' ? child(item, 'source') : item;
    return source?.is === 'scalar' && (source.text === name || source.text.startsWith(`${name}:`));
  });
}

/** Returns the node that names a file of variables. */
function placeOf(node: Node | undefined, path: string, home: string): Node | undefined {
  const items = node?.is === 'list' ? node.items : node === undefined ? [] : [node];
  return items
    .map((item) => (item.is === 'map' ? (child(item, 'path') ?? item) : item))
    .find((item) => item.is === 'scalar' && pathFrom(item.text, item.at, home) === path);
}

/** Returns what a service waits for, also because it lives in the network of another or mounts its volumes. Pure. */
function dependenciesOf(service: ComposeService): { readonly depends_on?: Readonly<Record<string, Dependency>> } {
  const implied = new Map<string, Dependency>();
  const started = { condition: 'service_started', required: true };
  for (const mode of [service.network_mode, service.ipc, service.pid]) {
    if (typeof mode === 'string' && mode.startsWith('service:'))
      implied.set(mode.slice('service:'.length), { ...started, restart: true });
  }
  for (const link of service.links ?? []) implied.set(link.split(':', 1)[0] ?? '', { ...started, restart: true });
  for (const from of service.volumes_from ?? []) {
    const other = from.split(':', 1)[0] ?? '';
    if (!from.startsWith('container:') && !implied.has(other)) implied.set(other, started);
  }
  const all = { ...Object.fromEntries(implied), ...service.depends_on };
  return Object.keys(all).length === 0 ? {} : { depends_on: all };
}

/** Returns services that wait for each other in a circle. Pure. */
function cycleIn(services: Readonly<Record<string, ComposeService>>): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): readonly string[] | undefined => {
    const before = trail.indexOf(name);
    if (before >= 0) return [...trail.slice(before), name];
    if (done.has(name)) return undefined;
    for (const next of Object.keys(services[name]?.depends_on ?? {})) {
      const cycle = visit(next, [...trail, name]);
      if (cycle !== undefined) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of Object.keys(services)) {
    const cycle = visit(name, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

export interface Located {
  readonly source: Source;
  readonly unset: readonly string[];
}

/** Returns the place of a path, or of the nearest parent that is written. */
function locate({ root, composeFiles }: Loaded, path: string): Located {
  let node: Node | undefined = root;
  let at = root?.at;
  let rest = path;
  while (node !== undefined && rest !== '') {
    let next: { node: Node; rest: string } | undefined;
    if (node.is === 'map') {
      for (const [name, entry] of node.entries) {
        for (const form of [name, `.${name}`, `[${JSON.stringify(name)}]`]) {
          const left = rest.slice(form.length);
          if (!rest.startsWith(form) || !/^($|[.[])/.test(left)) continue;
          if (next === undefined || left.length < next.rest.length) {
            next = { node: entry.node, rest: left };
            at = entry.node.is === 'scalar' && !isNull(entry.node) ? entry.node.at : entry.at;
          }
        }
      }
    } else if (node.is === 'list') {
      const [matched = '', index] = /^\[(\d+)\]/.exec(rest) ?? [];
      const item = index === undefined ? undefined : node.items[Number(index)];
      if (item !== undefined) {
        next = { node: item, rest: rest.slice(matched.length) };
        at = item.at;
      }
    }
    if (next === undefined) break;
    ({ node, rest } = next);
  }
  const unset = node?.is === 'scalar' ? (node.unset ?? []) : [];
  return { source: at === undefined ? { file: composeFiles[0] ?? '' } : sourceOf(at), unset };
}

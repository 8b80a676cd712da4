import { posix } from 'node:path';
import { COMPOSE, CONTENTS_LABEL } from '../../../crds/model/compose.js';
import { dropsCommand } from '../../../crds/model/defaults.js';
import { canonicalHash } from '../../../crds/model/hash.js';
import { isMap, type Values } from '../../../crds/model/maps.js';
import { allottedId } from '../../../crds/model/names.js';
import { unknownField } from '../../../crds/schema/explain-errors.js';
import { EXTENSION, type Level, WORDS } from './extension.js';
import type { ComposeOptions } from './load.js';
import type { Grant, Mount } from './mounts.js';
import { child, type Findings, isNull, type Node } from './node.js';
import type { ComposeModel, ComposeNetwork, ComposeVolume } from './project.js';
import type { ComposeService, Endpoint, Gpu } from './service.js';

/** Fields that an App's service has as they are in Compose's canonical form. */
const SAME = [
  ...[
    'image',
    'labels',
    'cap_add',
    'cap_drop',
    'cgroup',
    'cgroup_parent',
    'command',
    'cpu_shares',
    'cpu_quota',
    'cpu_period',
  ],
  ...[
    'cpu_rt_period',
    'cpu_rt_runtime',
    'cpus',
    'cpuset',
    'device_cgroup_rules',
    'dns',
    'dns_opt',
    'dns_search',
    'domainname',
  ],
  ...[
    'entrypoint',
    'expose',
    'group_add',
    'hostname',
    'init',
    'ipc',
    'logging',
    'mac_address',
    'mem_limit',
    'mem_reservation',
  ],
  ...[
    'mem_swappiness',
    'memswap_limit',
    'oom_kill_disable',
    'oom_score_adj',
    'pid',
    'pids_limit',
    'platform',
    'privileged',
  ],
  ...[
    'read_only',
    'runtime',
    'security_opt',
    'shm_size',
    'stdin_open',
    'stop_grace_period',
    'stop_signal',
    'storage_opt',
  ],
  ...['sysctls', 'tmpfs', 'ulimits', 'user', 'userns_mode', 'uts', 'working_dir', 'blkio_config', 'network_mode'],
] as const;

/** Translates a project to the spec of an App. What cannot be said there is a problem, what is lost a warning. */
export class Translator {
  /** Names by which services are reached besides their own, by service. */
  readonly #aliases = new Map<string, string[]>();
  /** Services by the names of their containers, once they are asked for. */
  #containers: ReadonlyMap<string, string> | undefined;

  constructor(
    private readonly model: ComposeModel,
    private readonly root: Node,
    private readonly findings: Findings,
    private readonly options: Pick<ComposeOptions, 'folder' | 'place'>,
  ) {}

  /** Returns the annotations that the file asks for. */
  annotations(): Values {
    const { words } = this.#extension(child(this.root, 'x-supercargo'), 'app', ['x-supercargo']);
    return words.composeLabels === false ? { [COMPOSE.labels]: 'off' } : {};
  }

  spec(): Values {
    const { name, services } = this.model;
    for (const { links = [] } of Object.values(services)) {
      for (const link of links) {
        const [target = '', alias] = link.split(':');
        if (alias !== undefined) this.#alias(target, alias);
      }
    }
    const { fields: own } = this.#extension(child(this.root, 'x-supercargo'), 'app', ['x-supercargo']);
    const { uuid = name, appId = allottedId(name), allowHostBinds, ...fields } = own;
    const used = new Set(Object.values(services).flatMap((one) => Object.keys(one.networks ?? {})));
    const mounted = new Set(Object.values(services).flatMap(({ volumes = [] }) => volumes.flatMap(volumeOf)));
    // A network has Compose's name anyway, a volume has not: what docker compose has filled is found again.
    const { default: ownDefault, ...others } = this.#definitions('network', used, `${uuid}_`);
    // An App has a plain one anyway where a service uses it.
    const hasDefault = isMap(ownDefault) && (Object.keys(ownDefault).length > 0 || !used.has('default'));
    const networks = { ...(hasDefault ? { default: ownDefault } : {}), ...others };
    const volumes = this.#definitions('volume', mounted, `${appId}_`);
    const translated = Object.entries(services).map(([service, one]) => [service, this.#service(service, one)]);
    return {
      uuid,
      ...(own.appId === undefined ? {} : { appId }),
      // Only so can an App say that the command of an image stays beside an entrypoint alone.
      ...(this.#keepsCommands ? { defaults: 'supervisor' } : {}),
      ...fields,
      // Whoever may write the file may write this line, and Compose has no such question.
      allowHostBinds: allowHostBinds ?? true,
      services: Object.fromEntries(translated),
      ...(Object.keys(networks).length > 0 ? { networks } : {}),
      ...(Object.keys(volumes).length > 0 ? { volumes } : {}),
    };
  }

  /**
   * Returns the networks or volumes that are used, or kept all the same, each as an App has it: without the name that it
   * has anyway, which begins with `prefix`.
   */
  #definitions(level: 'network' | 'volume', used: ReadonlySet<string>, prefix: string): Values {
    const section = `${level}s` as const;
    const all: Readonly<Record<string, ComposeNetwork | ComposeVolume>> = this.model[section];
    const entries = Object.entries(all).flatMap(([key, one]): [string, Values][] => {
      const node = child(child(child(this.root, section), key), 'x-supercargo');
      const { fields, words } = this.#extension(node, level, [section, key, 'x-supercargo']);
      if (!used.has(key) && words.keep !== true) return [];
      return [[key, { ...definitionOf(one, key, prefix), ...fields }]];
    });
    return Object.fromEntries(entries);
  }

  /** Whether a service keeps the command of its image beside an entrypoint alone, as `x-supercargo` may say. */
  get #keepsCommands(): boolean {
    return Object.keys(this.model.services).some((name) => {
      const keeps = child(this.#node(name, 'x-supercargo'), 'keepCommand');
      return keeps?.is === 'scalar' && keeps.text === 'true';
    });
  }

  #alias(service: string, alias: string): void {
    const known = this.#aliases.get(service) ?? [];
    if (alias !== service && !known.includes(alias)) this.#aliases.set(service, [...known, alias]);
  }

  #node(service: string, field?: string): Node | undefined {
    const node = child(child(this.root, 'services'), service);
    return field === undefined ? node : child(node, field);
  }

  #problem(service: string, field: string, message: string): void {
    const node = this.#node(service, field) ?? this.#node(service) ?? this.root;
    this.findings.problem(node.at, message, `services.${service}.${field}`);
  }

  #warn(service: string, field: string, message: string): void {
    const node = this.#node(service, field) ?? this.#node(service) ?? this.root;
    this.findings.warn(node.at, message, `services.${service}.${field}`);
  }

  #service(name: string, service: ComposeService): Values {
    const same = Object.fromEntries(
      SAME.flatMap((field) => (service[field] === undefined ? [] : [[field, service[field]]])),
    );
    const { entrypoint, command, devices = [], extra_hosts, healthcheck } = service;
    const own = this.#extension(this.#node(name, 'x-supercargo'), 'service', ['services', name, 'x-supercargo']);
    const environment = environmentOf(service, own.words.unset);
    this.#checkImage(name, service);
    if (service.user?.toString().includes('$(')) {
      this.#problem(name, 'user', "$(…) is not run here; write the group's number, or group_add");
    }
    const plain = devices.filter(({ source }) => source.startsWith('/'));
    const bound = this.#bind(name, service);
    return {
      ...same,
      ...(service.image === undefined ? { image: this.#imageOf(name) } : {}),
      ...(Object.keys(environment).length > 0 ? { environment } : {}),
      ...(dropsCommand({
        ...(entrypoint ? { entrypoint: [...entrypoint] } : {}),
        ...(command ? { command: [...command] } : {}),
      }) && own.words.keepCommand !== true
        ? { command: [] }
        : {}),
      ...(service.container_name === undefined ? {} : { containerName: service.container_name }),
      tty: service.tty ?? false,
      restart: this.#restart(service),
      ...this.#ports(service),
      ...this.#volumes({ ...service, volumes: bound.mounts }),
      ...this.#labels(service, bound.digests),
      ...(plain.length > 0 ? { devices: plain } : {}),
      ...(extra_hosts ? { extra_hosts: extra_hosts.map((line) => line.replace('=', ':')) } : {}),
      ...(healthcheck ? { healthcheck } : {}),
      ...this.#networks(name, service),
      ...this.#dependsOn(service),
      ...this.#limits(service),
      ...this.#gpus(service),
      ...this.#scale(name, service),
      ...this.#pullPolicy(name, service),
      ...own.fields,
    };
  }

  #checkImage(name: string, { image, build }: ComposeService): void {
    if (build === undefined) return;
    if (image === undefined) {
      const tag = this.#imageOf(name);
      const command = buildCommand(name, tag, this.options.folder, this.#node(name, 'build'), build);
      const here = `run \`${command}\` in the folder of the project, and write image: ${tag}`;
      const elsewhere = `On another machine also \`docker save -o ${tag}.tar ${tag}\`, and put the file into the folder images of the data folder`;
      this.#problem(
        name,
        'build',
        `The service ${name} has only a build, and images are built elsewhere: ${here}. ${elsewhere}`,
      );
    } else {
      this.#warn(name, 'build', `build is left out: the image ${image} is taken, which is built elsewhere`);
    }
  }

  /** Returns the name that Compose gives an image that it builds. */
  #imageOf(name: string): string {
    return `${this.model.name}-${name.toLowerCase()}`;
  }

  #restart({ restart, deploy }: ComposeService): string {
    if (restart !== undefined && restart !== '') return restart;
    const { condition, max_attempts } = deploy?.restart_policy ?? {};
    if (deploy?.restart_policy === undefined || condition === 'none') return 'no';
    if (condition === 'on-failure') return max_attempts === undefined ? 'on-failure' : `on-failure:${max_attempts}`;
    return 'always';
  }

  #ports({ ports = [], expose = [] }: ComposeService): Values {
    // Where a service keeps the command of its image, an App does not mean what Compose means: then a free port is said.
    const free = this.#keepsCommands ? { published: 0 } : {};
    return {
      ...(ports.length > 0
        ? { ports: ports.map(({ name: _name, app_protocol: _app, mode: _mode, ...port }) => ({ ...free, ...port })) }
        : {}),
      ...(expose.length > 0 ? { expose } : {}),
    };
  }

  #volumes({ volumes = [], secrets = [], configs = [] }: ComposeService): Values {
    const mounts = [
      ...volumes.map(mountOf),
      ...this.#grants('secrets', secrets, ({ source, target = source }) =>
        target.startsWith('/') ? target : `/run/secrets/${target}`,
      ),
      ...this.#grants('configs', configs, ({ source, target = source }) =>
        target.startsWith('/') ? target : `/${target}`,
      ),
    ];
    return mounts.length > 0 ? { volumes: mounts } : {};
  }

  /** Returns the mounts of a service, with the places of what is not on the disk where it is written. */
  #bind(
    name: string,
    { volumes = [] }: ComposeService,
  ): { readonly mounts: Mount[]; readonly digests: readonly string[] } {
    const digests: string[] = [];
    const mounts = volumes.map((mount) => {
      const { type, source, read_only, bind } = mount;
      if (type !== 'bind' || source === undefined) return mount;
      const written = mountNode(this.#node(name, 'volumes'), source);
      const at = written ?? this.root;
      const placed = this.options.place?.(source, {
        project: this.model.name,
        isRelative: isRelative(written),
        isWritable: read_only !== true,
        mustExist: bind?.create_host_path === false,
      });
      if (placed?.isThere === false) this.findings.problem(at.at, placed.why, `services.${name}.volumes`);
      if (!placed?.isThere) return mount;
      const { digest, warning } = placed;
      if (warning !== undefined) this.findings.warn(at.at, warning, `services.${name}.volumes`);
      if (digest === undefined) return { ...mount, source: placed.source };
      digests.push(digest);
      return { ...mount, source: placed.source, bind: { ...bind, create_host_path: false } };
    });
    return { mounts, digests };
  }

  /** Secrets and configs that are files are binds, as in Compose. */
  #grants(
    field: 'secrets' | 'configs',
    grants: readonly Grant[],
    targetOf: (grant: Grant) => string,
  ): readonly Values[] {
    return grants.flatMap((grant) => {
      const { file } = this.model[field][grant.source] ?? {};
      if (file === undefined) return []; // the table of properties refuses the other sources
      const written = child(child(child(this.root, field), grant.source), 'file');
      const placed = this.options.place?.(file, {
        ...{ project: this.model.name, isRelative: isRelative(written), isWritable: false, mustExist: true },
      });
      if (placed?.isThere === false)
        this.findings.problem((written ?? this.root).at, placed.why, `${field}.${grant.source}.file`);
      const source = placed?.isThere ? placed.source : file;
      return [{ type: 'bind', source, target: targetOf(grant), read_only: true, bind: { create_host_path: false } }];
    });
  }

  #labels({ labels, secrets = [], configs = [] }: ComposeService, bound: readonly string[]): Values {
    const mounted = [
      ...secrets.map(({ source }) => this.model.secrets[source]?.digest),
      ...configs.map(({ source }) => this.model.configs[source]?.digest),
      ...bound,
    ];
    if (mounted.every((digest) => digest === undefined)) return {};
    return { labels: { ...labels, [CONTENTS_LABEL]: canonicalHash(mounted).slice(0, 16) } };
  }

  #networks(name: string, { networks = {}, network_mode }: ComposeService): Values {
    const aliases = this.#aliases.get(name) ?? [];
    if (network_mode !== undefined) return this.#networkMode(name, network_mode);
    const mac = Object.values(networks).find((one) => one?.mac_address !== undefined)?.mac_address;
    const entries = Object.entries(networks).map(([network, one]): [string, Values] => [
      network,
      endpointOf(one, aliases),
    ]);
    const isPlain = entries.length === 1 && entries[0]?.[0] === 'default' && Object.keys(entries[0][1]).length === 0;
    return {
      ...(isPlain ? {} : { networks: Object.fromEntries(entries) }),
      ...(mac === undefined ? {} : { mac_address: mac }),
    };
  }

  #networkMode(name: string, mode: string): Values {
    if (!mode.startsWith('container:')) return {};
    const wanted = mode.slice('container:'.length);
    const found = this.#serviceOf(wanted);
    if (found !== undefined) return { network_mode: `service:${found}` };
    this.#problem(
      name,
      'network_mode',
      `There is no service with container_name ${wanted} in this project; put both into one project and write service:NAME`,
    );
    return {};
  }

  /** Returns the first service whose container has that name. */
  #serviceOf(container: string): string | undefined {
    this.#containers ??= new Map(
      Object.entries(this.model.services)
        .flatMap(([name, { container_name: own }]) => (own === undefined ? [] : [[own, name] as const]))
        .reverse(),
    );
    return this.#containers.get(container);
  }

  #dependsOn({ depends_on = {}, network_mode }: ComposeService): Values {
    const container = network_mode?.startsWith('container:') ? network_mode.slice('container:'.length) : undefined;
    const shared = container === undefined ? undefined : this.#serviceOf(container);
    const own = Object.entries(depends_on).filter(([other]) => Object.hasOwn(this.model.services, other));
    const all = Object.fromEntries([
      ...own,
      ...(shared === undefined ? [] : [[shared, { condition: 'service_started' }] as const]),
    ]);
    return Object.keys(all).length > 0 ? { depends_on: all } : {};
  }

  #limits({ deploy, cpus, mem_limit, pids_limit, mem_reservation }: ComposeService): Values {
    const { limits = {}, reservations = {} } = deploy?.resources ?? {};
    return {
      ...(cpus === undefined && limits.cpus !== undefined ? { cpus: limits.cpus } : {}),
      ...(mem_limit === undefined && limits.memory !== undefined ? { mem_limit: limits.memory } : {}),
      ...(pids_limit === undefined && limits.pids !== undefined ? { pids_limit: limits.pids } : {}),
      ...(mem_reservation === undefined && reservations.memory !== undefined
        ? { mem_reservation: reservations.memory }
        : {}),
    };
  }

  #gpus({ gpus = [], deploy, devices = [] }: ComposeService): Values {
    const reserved = deploy?.resources?.reservations?.devices ?? [];
    const byName = devices.filter(({ source }) => !source.startsWith('/'));
    const all: Gpu[] = [...gpus, ...reserved];
    if (byName.length > 0) all.push({ driver: 'cdi', device_ids: byName.map(({ source }) => source) });
    return all.length === 0
      ? {}
      : {
          gpus: all.map(({ count, ...gpu }) => ({
            ...gpu,
            ...(count === undefined ? {} : { count: count === -1 ? 'all' : count }),
          })),
        };
  }

  #scale(name: string, { scale, deploy }: ComposeService): Values {
    const count = scale ?? deploy?.replicas ?? 1;
    if (count === 0) return { running: false };
    if (count > 1)
      this.#problem(
        name,
        scale === undefined ? 'deploy' : 'scale',
        `A service has one container here, and not ${count}; write a service for each`,
      );
    return {};
  }

  #pullPolicy(name: string, { pull_policy, build, image }: ComposeService): Values {
    if (pull_policy === undefined) return {};
    if (pull_policy !== 'build') return { pull_policy };
    if (build !== undefined && image !== undefined)
      this.#warn(name, 'pull_policy', 'build is left out: images are built elsewhere');
    return {};
  }

  /** Returns the fields of `x-supercargo` as an App has them, whose schema checks their values; and the words beside them. */
  #extension(
    node: Node | undefined,
    level: Level,
    path: readonly string[],
  ): { readonly fields: Values; readonly words: Values } {
    const fields = new Map<string, unknown>();
    const words = new Map<string, unknown>();
    const [known, beside]: readonly (readonly string[])[] = [EXTENSION[level], WORDS[level]];
    if (node !== undefined && !isNull(node) && node.is !== 'map') {
      this.findings.problem(node.at, 'Expected a map', path.join('.'));
    }
    for (const [name, { at, node: inner }] of node?.is === 'map' ? node.entries : []) {
      const here = [...path, name].join('.');
      if (known?.includes(name)) fields.set(name, plainOf(inner));
      else if (!beside?.includes(name)) {
        this.findings.problem(at, unknownField(name, [...(known ?? []), ...(beside ?? [])]), here);
      } else if (isWord(name, inner)) words.set(name, plainOf(inner));
      else this.findings.problem(inner.at, `Expected ${isListed(name) ? 'a list of texts' : 'true or false'}`, here);
    }
    return { fields: Object.fromEntries(fields), words: Object.fromEntries(words) };
  }
}

/** Tells whether a word beside the fields of `x-supercargo` takes a list of texts; the others take true or false. */
const isListed = (word: string): boolean => word === 'profiles' || word === 'unset';

const isWord = (word: string, node: Node): boolean =>
  isListed(word)
    ? isNull(node) || (node.is === 'list' && node.items.every((item) => item.is === 'scalar'))
    : node.is === 'scalar' && node.type === 'boolean';

/** Returns the variables that are set, and null for those that are not even to come from the image. Pure. */
function environmentOf({ environment = {} }: ComposeService, unset: unknown): Values {
  const set = Object.entries(environment).filter(([, value]) => value !== null);
  const absent = Array.isArray(unset) ? unset.map((name) => [String(name), null] as const) : [];
  return Object.fromEntries([...set, ...absent]);
}

const volumeOf = ({ type, source }: Mount): readonly string[] =>
  type === 'volume' && source !== undefined ? [source] : [];

/** Properties of a build that are in the command of `buildCommand`. */
const IN_COMMAND: readonly string[] = ['context', 'dockerfile', 'target'];

/**
 * Returns the command that builds the image of a service in the folder of the project. What a build may hold besides, such as
 * arguments, is not shown: Compose builds that. Pure.
 */
function buildCommand(
  service: string,
  tag: string,
  folder: string,
  written: Node | undefined,
  { context, dockerfile = 'Dockerfile', target }: NonNullable<ComposeService['build']>,
): string {
  const isPlain = written?.is !== 'map' || [...written.entries.keys()].every((name) => IN_COMMAND.includes(name));
  if (!isPlain) return `docker compose build ${service}`;
  const below = posix.relative(folder, context);
  const isLocal = context.startsWith('/');
  const path = isLocal ? (below.startsWith('../') ? below : below === '' ? '.' : `./${below}`) : context;
  const file = dockerfile === 'Dockerfile' ? [] : ['-f', isLocal ? posix.join(path, dockerfile) : dockerfile];
  const stage = target === undefined ? [] : ['--target', target];
  return ['docker build -t', tag, ...[...file, ...stage, path].map(quoted)].join(' ');
}

/** Returns a word as a shell takes it. Pure. */
const quoted = (word: string): string => (/^[\w./:@#=+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** Returns where a mount of a path is written. Pure. */
function mountNode(volumes: Node | undefined, path: string): Node | undefined {
  const items = volumes?.is === 'list' ? volumes.items : [];
  return items.flatMap((item) => {
    const written = item.is === 'map' ? child(item, 'source') : item;
    if (written?.is !== 'scalar') return [];
    const source = item.is === 'map' ? written.text : (written.text.split(':', 1)[0] ?? '');
    return posix.resolve(written.at.text.base, source) === path ? [written] : [];
  })[0];
}

const isRelative = (written: Node | undefined): boolean => written?.is === 'scalar' && !/^[/~]/.test(written.text);

/**
 * Returns the definition of a network or volume, without the name that it has anyway. Only a name can stand beside
 * `external`; the rest is for the one that makes it. Pure.
 */
function definitionOf(
  { name, external, ...rest }: ComposeNetwork | ComposeVolume,
  key: string,
  prefix: string,
): Values {
  if (external) return { external, ...(name === key ? {} : { name }) };
  return { ...(name === `${prefix}${key}` ? {} : { name }), ...rest };
}

function endpointOf(endpoint: Endpoint | null, aliases: readonly string[]): Values {
  const { mac_address: _mac, priority: _priority, aliases: own = [], ...rest } = endpoint ?? {};
  const all = [...new Set([...own, ...aliases])];
  return { ...rest, ...(all.length > 0 ? { aliases: all } : {}) };
}

/** Returns a mount as an App has it: SELinux labels and volumes without a name have a short form only. Pure. */
function mountOf(mount: Mount): Values | string {
  const { type, source, target, read_only, bind, volume, tmpfs } = mount;
  const readOnly = read_only ? { read_only } : {};
  if (type === 'bind') {
    const { selinux, ...rest } = bind ?? {};
    if (selinux === undefined) return { type, source, target, ...readOnly, bind: rest };
    return [
      source,
      target,
      [...(read_only ? ['ro'] : []), selinux, ...(rest.propagation ? [rest.propagation] : [])].join(),
    ].join(':');
  }
  if (type === 'tmpfs') {
    const { size, mode } = tmpfs ?? {};
    const options = {
      ...(size === undefined ? {} : { size }),
      ...(mode === undefined ? {} : { mode: mode.toString(8) }),
    };
    return { type, target, ...readOnly, ...(Object.keys(options).length > 0 ? { tmpfs: options } : {}) };
  }
  const modes = [...(read_only ? ['ro'] : []), ...(bind?.selinux ? [bind.selinux] : [])];
  const isNoCopy = volume?.nocopy === true;
  // Only the short form has letters of SELinux.
  if (source !== undefined && bind?.selinux)
    return [source, target, [...modes, ...(isNoCopy ? ['nocopy'] : [])].join()].join(':');
  if (isShort(mount)) return [source, target, ...modes].join(':');
  // `d:/d` is a path of Windows to Compose; in the short form it would be the volume d.
  if (source === undefined && Object.keys(readOnly).length === 0 && target.startsWith('/')) return target;
  return {
    type,
    ...(source === undefined ? {} : { source }),
    target,
    ...readOnly,
    ...(volume?.nocopy ? { volume: { nocopy: true } } : {}),
  };
}

/**
 * Tells whether a volume was written in the short form and can be again: to the engine the two forms are different, and a
 * container is recreated for that. Pure.
 */
const isShort = ({ source, target, volume }: Mount): boolean =>
  source !== undefined &&
  volume !== undefined &&
  volume.nocopy !== true &&
  target.startsWith('/') &&
  !/[:,]/.test(target);

/** Returns a value without its places. Pure. */
function plainOf(node: Node): unknown {
  if (node.is === 'scalar') return node.value;
  if (node.is === 'list') return node.items.map(plainOf);
  return Object.fromEntries([...node.entries].map(([name, { node: inner }]) => [name, plainOf(inner)]));
}

import { listed, type Path, pathText } from '../../../crds/model/issue.js';
import { unknownField } from '../../../crds/schema/explain-errors.js';
import { suggestion } from '../../../crds/schema/nearest.js';
import { type Findings, isNull, type Node, type Place } from './node.js';

/**
 * What becomes of a property: an App has the same (`support`), it becomes something else or is resolved by the reader
 * (`translate`), it is left out (`ignore`, with a warning when `say` tells what is lost), or the file is not taken
 * (`refuse`; `say` tells what to write instead).
 */
type Policy = 'support' | 'translate' | 'ignore' | 'refuse';

export interface Rule {
  readonly policy: Policy;
  /** What it becomes, what is lost, or what to write instead. */
  readonly why?: string;
}

type Row = readonly [names: string, policy: Policy, why?: string];

const WINDOWS = 'it is for Windows';
const SWARM = 'it is for a cluster (Swarm); there is one device here';
const UPDATES = `${SWARM}: how a service is replaced says x-supercargo.updateStrategy`;
const BUILD = 'images are built elsewhere';
const HOOKS = 'no command can be run beside the start or stop of a container; do it in the entrypoint of the image';
const AI = 'models and providers are programs beside Docker; run the server as a service with an image';
const GRANT: readonly Row[] = [
  ['source target', 'translate', 'a bind, read only'],
  ['uid gid mode', 'ignore', 'a file of the host is mounted with the owner and rights that it has'],
];
const COMMAND: readonly Row[] = [['command user privileged working_dir environment', 'refuse', HOOKS]];
const RATE: readonly Row[] = [['path rate', 'support']];
const SECRET_STORE = 'only a file of the project can be mounted; write file:';

/** Every property of the Compose specification, by the path of its map; `*` stands for any name. */
const TABLE: Readonly<Record<string, readonly Row[]>> = {
  '': [
    ['name', 'translate', "the App's name and uuid"],
    ['services networks volumes', 'support'],
    ['include', 'translate', 'read and merged'],
    ['secrets configs', 'translate', 'binds, read only'],
    ['version', 'ignore'],
    ['models', 'refuse', AI],
  ],
  include: [['path env_file project_directory', 'translate', 'read and merged']],
  'services.*': [
    [
      'blkio_config cap_add cap_drop cgroup cgroup_parent cpu_shares cpu_quota cpu_period cpu_rt_period cpu_rt_runtime cpus ' +
        'cpuset depends_on device_cgroup_rules devices dns dns_opt dns_search domainname environment expose extra_hosts ' +
        'group_add healthcheck hostname image init ipc labels logging mac_address mem_limit mem_reservation mem_swappiness ' +
        'memswap_limit networks oom_kill_disable oom_score_adj pid pids_limit platform ports privileged read_only runtime ' +
        'security_opt shm_size sysctls stdin_open stop_grace_period stop_signal storage_opt tmpfs ulimits user uts ' +
        'userns_mode volumes working_dir',
      'support',
    ],
    [
      'command entrypoint',
      'translate',
      'a text is split into words; an entrypoint alone drops the command of the image',
    ],
    ['restart', 'translate', '`no` is written out when it is left out'],
    ['tty', 'translate', '`false` is written out when it is left out'],
    ['network_mode', 'translate', '`container:NAME` becomes `service:`, for a container_name of the file'],
    ['container_name', 'translate', 'containerName'],
    ['env_file', 'translate', 'read into environment'],
    ['extends', 'translate', 'read and merged'],
    ['profiles', 'translate', 'COMPOSE_PROFILES of .env or x-supercargo.profiles turn them on'],
    ['links', 'translate', 'aliases of the other service, and depends_on'],
    ['secrets configs', 'translate', 'binds, read only'],
    ['gpus', 'translate', 'gpus'],
    ['deploy', 'translate', 'its limits become cpus, mem_limit, pids_limit, gpus'],
    ['scale', 'translate', '0 is running: false, 1 is one container'],
    ['pull_policy', 'translate', '`build` is left out'],
    ['build', 'translate', `${BUILD}; with an image that is taken`],
    ['attach develop', 'ignore'],
    ['cpu_count cpu_percent isolation credential_spec', 'ignore', WINDOWS],
    ['annotations', 'refuse', 'annotations of the runtime cannot be given; write labels'],
    ['external_links', 'refuse', 'put both containers on one network; declare it as external'],
    ['volumes_from', 'refuse', 'name the volumes under volumes'],
    ['label_file', 'refuse', 'write them under labels'],
    ['post_start pre_stop pre_start', 'refuse', HOOKS],
    ['models provider', 'refuse', AI],
    ['use_api_socket', 'refuse', 'bind /var/run/docker.sock under volumes'],
  ],
  'services.*.develop': [['watch', 'ignore']],
  'services.*.deploy': [
    ['replicas', 'translate', '0 is running: false, 1 is one container'],
    ['resources', 'translate', 'limits and reservations'],
    ['restart_policy', 'translate', 'restart'],
    ['mode endpoint_mode labels placement', 'ignore', SWARM],
    ['rollback_config update_config', 'ignore', UPDATES],
  ],
  'services.*.deploy.resources': [['limits reservations', 'translate', 'limits and reservations']],
  'services.*.deploy.resources.limits': [['cpus memory pids', 'translate', 'cpus, mem_limit, pids_limit']],
  'services.*.deploy.resources.reservations': [
    ['memory devices', 'translate', 'mem_reservation, gpus'],
    ['cpus generic_resources', 'ignore', SWARM],
  ],
  'services.*.deploy.resources.reservations.devices': [
    ['capabilities count device_ids driver options', 'translate', 'gpus'],
  ],
  'services.*.deploy.restart_policy': [
    ['condition max_attempts', 'translate', 'restart'],
    ['delay window', 'ignore', 'the engine decides how long it waits'],
  ],
  'services.*.build': [
    ['context dockerfile target', 'translate', BUILD],
    [
      'dockerfile_inline entitlements args ssh labels cache_from cache_to no_cache no_cache_filter additional_contexts ' +
        'network provenance sbom pull shm_size extra_hosts isolation privileged secrets tags ulimits platforms',
      'ignore',
    ],
  ],
  'services.*.blkio_config': [
    ['device_read_bps device_read_iops device_write_bps device_write_iops weight weight_device', 'support'],
  ],
  'services.*.blkio_config.device_read_bps': RATE,
  'services.*.blkio_config.device_read_iops': RATE,
  'services.*.blkio_config.device_write_bps': RATE,
  'services.*.blkio_config.device_write_iops': RATE,
  'services.*.blkio_config.weight_device': [['path weight', 'support']],
  'services.*.configs': GRANT,
  'services.*.secrets': GRANT,
  'services.*.depends_on.*': [['restart required condition', 'support']],
  'services.*.devices': [['source target permissions', 'support']],
  'services.*.env_file': [['path format required', 'translate', 'read into environment']],
  'services.*.extends': [['service file', 'translate', 'read and merged']],
  'services.*.gpus': [['capabilities count device_ids driver options', 'translate', 'gpus']],
  'services.*.healthcheck': [['disable interval retries test timeout start_period start_interval', 'support']],
  'services.*.logging': [['driver options', 'support']],
  'services.*.networks.*': [
    ['aliases ipv4_address ipv6_address link_local_ips driver_opts', 'support'],
    ['mac_address', 'translate', 'mac_address of the service'],
    ['priority', 'ignore'],
    ['gw_priority', 'ignore', 'the engine chooses the gateway'],
    ['interface_name', 'refuse', 'the engine names the interfaces; leave it out'],
  ],
  'services.*.ports': [
    ['host_ip target published protocol', 'support'],
    ['name app_protocol mode', 'ignore'],
  ],
  'services.*.pre_start': COMMAND,
  'services.*.post_start': COMMAND,
  'services.*.pre_stop': COMMAND,
  'services.*.ulimits.*': [['hard soft', 'support']],
  'services.*.volumes': [
    ['type source target read_only bind volume tmpfs', 'support'],
    ['consistency', 'ignore'],
    ['image', 'refuse', 'the files of an image cannot be mounted; copy them into a volume'],
  ],
  'services.*.volumes.bind': [
    ['propagation create_host_path selinux', 'support'],
    ['recursive', 'ignore', 'what is mounted below is mounted too'],
  ],
  'services.*.volumes.volume': [
    ['nocopy', 'support'],
    ['labels', 'ignore', 'write them under volumes at the top'],
    ['subpath', 'refuse', 'a volume is mounted whole; give each folder a volume of its own'],
  ],
  'services.*.volumes.tmpfs': [['size mode', 'support']],
  'networks.*': [
    ['name external driver driver_opts ipam internal enable_ipv6 attachable labels', 'support'],
    ['enable_ipv4', 'ignore', 'a network has IPv4'],
  ],
  'networks.*.external': [['name', 'translate', 'name']],
  'networks.*.ipam': [['driver config options', 'support']],
  'networks.*.ipam.config': [['subnet ip_range gateway aux_addresses', 'support']],
  'volumes.*': [['name external driver driver_opts labels', 'support']],
  'volumes.*.external': [['name', 'translate', 'name']],
  'secrets.*': [
    ['file', 'translate', 'a bind, read only'],
    ['name labels', 'ignore'],
    ['environment external driver driver_opts template_driver', 'refuse', SECRET_STORE],
  ],
  'secrets.*.external': [['name', 'refuse', SECRET_STORE]],
  'configs.*': [
    ['file', 'translate', 'a bind, read only'],
    ['name labels', 'ignore'],
    ['content environment external template_driver', 'refuse', SECRET_STORE],
  ],
  'configs.*.external': [['name', 'refuse', SECRET_STORE]],
};

/** Maps whose properties are told by the one that holds them. */
const WHOLE =
  /^services\.\*\.(?:develop\.watch|build\.(?:secrets|ulimits)|deploy\.(?:rollback_config|update_config|placement|resources\.reservations\.generic_resources)|credential_spec|volumes\.image|models|provider)(?:\.|$)|^models\./;

const RULES = new Map<string, ReadonlyMap<string, Rule>>(
  Object.entries(TABLE).map(([path, rows]) => [
    path,
    new Map(
      rows.flatMap(([names, policy, why]) =>
        names.split(' ').map((name): [string, Rule] => [name, { policy, ...(why === undefined ? {} : { why }) }]),
      ),
    ),
  ]),
);

/** Returns what becomes of a property such as `services.*.tty`; undefined: the specification has no such property. Pure. */
export function ruleOf(path: string): Rule | undefined {
  const dot = path.lastIndexOf('.');
  const rule = RULES.get(dot < 0 ? '' : path.slice(0, dot))?.get(path.slice(dot + 1));
  if (rule !== undefined || dot < 0) return rule;
  return WHOLE.test(path) ? ruleOf(path.slice(0, dot)) : undefined;
}

/** Returns every row of the table: path of the map, names, and what becomes of them. Pure. */
export const policyRows = (): readonly {
  readonly path: string;
  readonly names: readonly string[];
  readonly rule: Rule;
}[] =>
  Object.entries(TABLE).flatMap(([path, rows]) =>
    rows.map(([names, policy, why]) => ({
      path,
      names: names.split(' '),
      rule: { policy, ...(why === undefined ? {} : { why }) },
    })),
  );

/** What a Compose file says something with. */
const SECTIONS = ['services', 'networks', 'volumes', 'secrets', 'configs', 'include'];

/**
 * Tells whether a file says nothing that a Compose file says, but something else: it was given by mistake, and what it
 * holds is nobody's business. Pure.
 */
export function isForeign(documents: readonly Node[]): boolean {
  const known = [...(RULES.get('')?.keys() ?? [])];
  const names = documents.flatMap((one) => (one.is === 'map' ? [...one.entries.keys()] : []));
  if (names.some((name) => name === 'models' || SECTIONS.includes(name))) return false;
  return names.some((name) => !name.startsWith('x-') && !known.includes(name) && suggestion(name, known) === '');
}

/** Says what a file is that `isForeign`. */
export const FOREIGN = `This is no Compose file: it has none of ${listed(SECTIONS, 'and')}`;

/** Reports properties that no Compose file has. `services`: those that are on; others are not looked at. Pure but for `findings`. */
export const checkProperties = (root: Node, services: ReadonlySet<string>, findings: Findings): void =>
  walkProperties(root, services, {
    unknown: (at, path, name, pattern, known) => findings.problem(at, unknown(name, pattern, known), pathText(path)),
  });

/** Reports properties that are refused, and warns of those that are left out. Pure but for `findings`. */
export const applyPolicy = (root: Node, services: ReadonlySet<string>, findings: Findings): void =>
  walkProperties(root, services, {
    known: (at, path, name, { policy, why }) => {
      if (policy === 'refuse') findings.problem(at, `${name} is not supported: ${why ?? ''}`, pathText(path));
      if (policy === 'ignore' && why !== undefined) findings.warn(at, `${name} is left out: ${why}`, pathText(path));
    },
  });

interface Visitor {
  known?(at: Place, path: Path, name: string, rule: Rule): void;
  unknown?(at: Place, path: Path, name: string, pattern: string, known: readonly string[]): void;
}

function walkProperties(root: Node, services: ReadonlySet<string>, visitor: Visitor): void {
  walk(root, [], '');

  function walk(node: Node, path: Path, pattern: string): void {
    if (node.is === 'list') {
      for (const [index, item] of node.items.entries()) walk(item, [...path, index], pattern);
    } else if (node.is === 'map') {
      const rules = RULES.get(pattern);
      for (const [name, { at, node: inner }] of node.entries) {
        const here = [...path, name];
        if (pattern === 'services' && !services.has(name)) continue;
        if (rules === undefined) {
          if (RULES.has(`${pattern}.*`)) walk(inner, here, `${pattern}.*`);
        } else if (!name.startsWith('x-')) {
          const rule = rules.get(name);
          if (rule === undefined) visitor.unknown?.(at, here, name, pattern, [...rules.keys()]);
          else if (!isMeaningless(name, inner)) {
            visitor.known?.(at, here, name, rule);
            if (rule.policy !== 'refuse' || visitor.unknown)
              walk(inner, here, pattern === '' ? name : `${pattern}.${name}`);
          }
        }
      }
    }
  }
}

/** Tells whether a value says nothing, as `external: false` does. */
const isMeaningless = (name: string, node: Node): boolean =>
  isNull(node) ||
  (name === 'external' && node.is === 'scalar' && node.text === 'false') ||
  (name === 'mode' && node.is === 'scalar' && node.text === 'replicated');

function unknown(name: string, pattern: string, known: readonly string[]): string {
  if (pattern !== '' || suggestion(name, known) !== '') return unknownField(name, known);
  return `Unknown field ${JSON.stringify(name)}; a Compose file has ${listed([...SECTIONS, 'name'], 'and')}, and services are under services`;
}

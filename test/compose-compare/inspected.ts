import { isMap, type Values } from '../../crds/model/maps.js';

/** What a container of either side is, without ids, addresses, times and the labels of who made it. */
export type Inspected = ReadonlyMap<string, string>;

/** Labels of Docker Compose, of the Supervisor and of ours. */
const THEIRS = /^(?:com\.docker\.compose\.|io\.balena\.|io\.supercargo\.)/;

/** Ids, times, what the engine keeps for itself, and what says the same in another place. */
const LEFT_OUT = new Set([
  'Config.Image', // by tag or by id
  'Config.Hostname', // the id's beginning where none is declared
  'Config.AttachStdin',
  'Config.AttachStdout',
  'Config.AttachStderr',
  'Config.StdinOnce',
  'Config.OnBuild',
  'Config.Volumes', // mount points, which are compared as such
  'HostConfig.Binds',
  'HostConfig.Mounts',
  'HostConfig.VolumesFrom',
  'HostConfig.ContainerIDFile',
  'HostConfig.ConsoleSize',
  'HostConfig.MaskedPaths',
  'HostConfig.ReadonlyPaths',
  'HostConfig.Links', // of one network, where both sides are compared by their aliases
]);

/** Values that mean: nothing is said. */
const isNothing = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === '' ||
  value === 0 ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (isMap(value) && Object.keys(value).length === 0);

const text = (value: unknown): string => JSON.stringify(value, (_, inner) => (isMap(inner) ? sorted(inner) : inner));

const sorted = (map: Values): Values =>
  Object.fromEntries(Object.entries(map).sort(([one], [other]) => (one < other ? -1 : 1)));

const mapOf = (value: unknown): Values => (isMap(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Lists whose order says nothing. */
const UNORDERED = /^HostConfig\.(?:CapAdd|CapDrop|SecurityOpt|GroupAdd|ExtraHosts|Ulimits|Devices)$/;

/**
 * Reads the answer of `GET /containers/<id>/json` as fields by path, `HostConfig.Memory` → `1024`. `hostname`: whether
 * the document declares one. Pure.
 */
export function inspectedFields(answer: Values, hostname: 'declared' | 'of the engine'): Inspected {
  const fields = new Map<string, string>();
  const put = (path: string, value: unknown): void => {
    if (isNothing(value)) return;
    fields.set(path, text(UNORDERED.test(path) ? listOf(value).map(text).sort() : value));
  };
  for (const section of ['Config', 'HostConfig']) {
    for (const [name, value] of Object.entries(mapOf(answer[section]))) {
      const path = `${section}.${name}`;
      if (path === 'Config.Labels') {
        for (const [label, its] of Object.entries(mapOf(value))) if (!THEIRS.test(label)) put(`${path}.${label}`, its);
      } else if (path === 'Config.Env') {
        for (const variable of listOf(value).map(String)) {
          const [variableName = ''] = variable.split('=', 1);
          put(`${path}.${variableName}`, variable.slice(variableName.length));
        }
      } else if (!LEFT_OUT.has(path)) put(path, value);
    }
  }
  const config = mapOf(answer.Config);
  if (hostname === 'declared') put('Config.Hostname', config.Hostname);
  const id = String(answer.Id);
  for (const one of listOf(answer.Mounts).map(mapOf)) {
    const { Type: type, Name: name, Source: source, RW: writable, Propagation: propagation } = one;
    const anonymous = /^[0-9a-f]{64}$/.test(String(name));
    put(`Mounts.${String(one.Destination)}`, {
      type,
      from: type === 'volume' ? (anonymous ? 'a volume of its own' : name) : source,
      ...{ writable, propagation },
    });
  }
  for (const [name, endpoint] of Object.entries(mapOf(mapOf(answer.NetworkSettings).Networks))) {
    const { Aliases: aliases, IPAMConfig: ipam, Links: links } = mapOf(endpoint);
    const names = listOf(aliases).filter((alias) => !id.startsWith(String(alias)));
    put(`Networks.${name}.Aliases`, [...new Set(names)].sort());
    put(`Networks.${name}.IPAMConfig`, ipam);
    put(`Networks.${name}.Links`, links);
    if (names.length === 0) put(`Networks.${name}`, 'joined');
  }
  return fields;
}

/** How a field differs; `theirs` and `ours` as JSON, undefined where that side says nothing. */
export interface Difference {
  readonly field: string;
  readonly theirs: string | undefined;
  readonly ours: string | undefined;
}

/** Pure. */
export function differences(theirs: Inspected, ours: Inspected): readonly Difference[] {
  return [...new Set([...theirs.keys(), ...ours.keys()])]
    .sort()
    .filter((field) => theirs.get(field) !== ours.get(field))
    .map((field) => ({ field, theirs: theirs.get(field), ours: ours.get(field) }));
}

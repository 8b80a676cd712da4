import { isMap, type Values } from '../../../crds/model/maps.js';
import { Lines } from '../lines.js';
import { textMap } from './composition.js';

const texts = (value: unknown): unknown => (isMap(value) ? textMap(value) : value);
const list = (value: unknown): unknown => (Array.isArray(value) ? value.filter(isMap).map(addressPool) : value);
const bool = (value: unknown): unknown => Boolean(value);
const same = (value: unknown): unknown => value;

const VOLUME = { driver: same, driver_opts: texts, labels: texts };
const NETWORK = {
  driver: same,
  driver_opts: texts,
  ipam: (value: unknown) => (isMap(value) ? only(value, IPAM) : value),
  enable_ipv6: bool,
  internal: bool,
  labels: texts,
  config_only: bool,
};
const IPAM = { driver: same, options: texts, config: list };
const POOL = { subnet: same, gateway: same, ip_range: same, aux_addresses: texts };

const addressPool = (pool: Values): Values => only(pool, POOL);

function only(values: Values, table: Readonly<Record<string, (value: unknown) => unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, read] of Object.entries(table)) {
    const value = values[key];
    if (value !== undefined && value !== null) kept[key] = read(value);
  }
  return kept;
}

/** Returns the volumes or networks of a release, with the members that a Supervisor reads; others are named in `dropped`. Pure. */
export function normalizeMembers(
  kind: 'volumes' | 'networks',
  members: unknown,
): { readonly members: Record<string, Record<string, unknown>>; readonly dropped: readonly string[] } {
  const table = kind === 'volumes' ? VOLUME : NETWORK;
  const dropped = new Lines();
  const normal = Object.entries(isMap(members) ? members : {}).map(([name, member]) => {
    const values = isMap(member) ? member : {};
    for (const key of Object.keys(values)) {
      if (!Object.hasOwn(table, key)) dropped.add(() => `${kind}.${name}.${key}`);
    }
    return [name, only(values, table)] as const;
  });
  return { members: Object.fromEntries(normal), dropped: dropped.texts };
}

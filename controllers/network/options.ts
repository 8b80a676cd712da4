import { canonicalHash } from '../../crds/model/hash.js';
import type { NetworkSpec } from '../../crds/model/types.js';
import type { NetworkOptions, SeenNetwork } from '../engine/engine.js';
import { APP_ID, SPEC_HASH, SUPERVISED } from '../engine/labels.js';

/** Label with which the Supervisor marks networks with address pools. */
const HAS_POOLS = 'io.balena.private.ipam.config';

/**
 * Returns Docker's create body for a network, with names, labels and defaults as the Supervisor has them
 * (docs/reference/composition.md §4.2). Pure.
 */
export function networkOptions(spec: NetworkSpec): NetworkOptions {
  const body = createBody(spec);
  return { ...body, Labels: { ...body.Labels, [SPEC_HASH]: canonicalHash(body) } };
}

/** Returns the hash of a definition, independent of how it was written: an absent field equals its default. Pure. */
export const networkHash = (spec: NetworkSpec): string => canonicalHash(createBody(spec));

function createBody(spec: NetworkSpec): NetworkOptions {
  const pools = poolsOf(spec);
  return {
    Driver: spec.driver ?? 'bridge',
    Options: texts(spec.driver_opts),
    IPAM: { Driver: spec.ipam?.driver ?? 'default', Config: pools, Options: texts(spec.ipam?.options) },
    EnableIPv6: spec.enable_ipv6 ?? false,
    Internal: spec.internal ?? false,
    ConfigOnly: spec.config_only ?? false,
    // Sent only when it is set, so that networks which were created without it are not recreated.
    ...(spec.attachable ? { Attachable: true } : {}),
    Labels: {
      [SUPERVISED]: 'true',
      ...(spec.appId === undefined ? {} : { [APP_ID]: String(spec.appId) }),
      ...(pools.length > 0 ? { [HAS_POOLS]: 'true' } : {}),
      ...balenaLabels(spec.labels),
    },
  };
}

const poolsOf = (spec: NetworkSpec) =>
  (spec.ipam?.config ?? []).map(({ subnet, gateway, ip_range, aux_addresses }) => ({
    ...(subnet === undefined ? {} : { Subnet: subnet }),
    ...(gateway === undefined ? {} : { Gateway: gateway }),
    ...(ip_range === undefined ? {} : { IPRange: ip_range }),
    ...(aux_addresses === undefined ? {} : { AuxiliaryAddresses: texts(aux_addresses) }),
  }));

/** Renames `io.resin.…` to `io.balena.…`; a label under the current name wins. Pure. */
function balenaLabels(labels: NetworkSpec['labels']): Record<string, string> {
  const given = Object.entries(texts(labels));
  const rewritten = given
    .filter(([key]) => key.startsWith('io.resin.'))
    .map(([key, value]) => [key.replaceAll('resin', 'balena'), value] as const);
  return {
    ...Object.fromEntries(rewritten),
    ...Object.fromEntries(given.filter(([key]) => !key.startsWith('io.resin.'))),
  };
}

const texts = (map: Readonly<Record<string, unknown>> | null | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(map ?? {}).map(([key, value]) => [key, String(value)]));

/**
 * Returns the first visible difference to a network that a Supervisor created, which has no hash of ours; undefined
 * when it can be taken over. What the engine does not tell counts as equal. Labels do not count: they have no effect,
 * and a rebuild would stop every service. `mayBeAttachable`: docker-compose 1 makes every network so, which says nothing
 * outside a swarm. Pure.
 */
export function differenceOf(
  spec: NetworkSpec,
  seen: SeenNetwork,
  { mayBeAttachable = false } = {},
): string | undefined {
  const { definition } = seen;
  if (!definition) return undefined;
  const want = createBody(spec);
  const pools = spec.ipam?.config ?? [];
  const checks: readonly (readonly [string, boolean])[] = [
    ['config_only', want.ConfigOnly === definition.configOnly],
    ['driver', want.ConfigOnly || want.Driver === definition.driver],
    ['internal', want.Internal === definition.internal],
    ['attachable', mayBeAttachable || (want.Attachable ?? false) === definition.attachable],
    ['enable_ipv6', want.EnableIPv6 === definition.ipv6],
    ['driver_opts', canonicalHash(want.Options) === canonicalHash(definition.options)],
    [
      'ipam',
      pools.length === 0
        ? seen.labels[HAS_POOLS] === undefined
        : pools.length === definition.pools.length &&
          pools.every(({ subnet, gateway, ip_range }, at) => {
            const there = definition.pools[at];
            return (
              (subnet === undefined || subnet === there?.subnet) &&
              (gateway === undefined || gateway === there?.gateway) &&
              (ip_range === undefined || ip_range === there?.ipRange)
            );
          }),
    ],
  ];
  return checks.find(([, same]) => !same)?.[0];
}

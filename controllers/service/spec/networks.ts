import type { UnusualNames } from '../../../crds/model/engine-names.js';
import { isMap } from '../../../crds/model/maps.js';
import type { EndpointSettings } from '../../engine/engine.js';
import { networkNamer } from './engine-names.js';
import type { Findings } from './fields.js';
import { isAbsent, pairs, text, texts } from './fields.js';
import { containerMode } from './namespaces.js';

/** Addresses and aliases on one network, as the document sets them. */
export interface Endpoint {
  readonly aliases: readonly string[];
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly linkLocal?: readonly string[];
  readonly driverOptions?: Readonly<Record<string, string>>;
}

/** How a service is connected. Networks have their names in the document. */
export type NetworkUse =
  /** Created on the network `main`, and connected to the others. */
  | { readonly is: 'joined'; readonly main: string; readonly endpoints: Readonly<Record<string, Endpoint>> }
  | { readonly is: 'engine'; readonly mode: 'host' | 'bridge' | 'none' }
  /** Shares the network of a sibling. */
  | { readonly is: 'service'; readonly service: string };

const PLAIN: Endpoint = { aliases: [] };

/** Reads `network_mode` and `networks`. Pure. (docs/reference/composition.md §1.9.) */
export function readNetworks(modeValue: unknown, networksValue: unknown, findings: Findings): NetworkUse {
  const endpoints = readEndpoints(networksValue, findings);
  const [first] = Object.keys(endpoints);
  if (isAbsent(modeValue)) {
    return first === undefined
      ? { is: 'joined', main: 'default', endpoints: { default: PLAIN } }
      : { is: 'joined', main: first, endpoints };
  }
  const mode = typeof modeValue === 'string' ? modeValue.trim() : findings.issue('network_mode', 'must be a text');
  const use = mode === undefined ? undefined : specialMode(mode, findings);
  if (use && first !== undefined) {
    findings.warn(
      'networks',
      `${Object.keys(endpoints).join(', ')} cannot be joined beside network_mode ${mode}; left out`,
    );
  }
  const main = mode ?? 'default';
  return use ?? { is: 'joined', main, endpoints: { ...endpoints, [main]: endpoints[main] ?? PLAIN } };
}

function specialMode(mode: string, findings: Findings): NetworkUse | undefined {
  if (mode === 'host' || mode === 'bridge' || mode === 'none') return { is: 'engine', mode };
  const [, service] = /^service:\s*(.*)$/.exec(mode) ?? [];
  if (service) return { is: 'service', service };
  if (mode.startsWith('container:')) {
    return findings.issue(
      'network_mode',
      `${mode} names a container that supercargo may not know; use service:<name> of the same app`,
    );
  }
  return mode === '' || service === '' ? findings.issue('network_mode', 'names no network') : undefined;
}

function readEndpoints(value: unknown, findings: Findings): Readonly<Record<string, Endpoint>> {
  if (isAbsent(value)) return {};
  if (Array.isArray(value)) {
    return Object.fromEntries((texts(value, 'networks', findings) ?? []).map((name) => [name, PLAIN]));
  }
  if (!isMap(value)) return findings.issue('networks', 'must be a list or a map') ?? {};
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, readEndpoint(entry, `networks.${name}`, findings)]),
  );
}

function readEndpoint(value: unknown, path: string, findings: Findings): Endpoint {
  if (isAbsent(value)) return PLAIN;
  if (!isMap(value)) return findings.issue(path, 'must be a map') ?? PLAIN;
  const ipv4 = text(value.ipv4_address, `${path}.ipv4_address`, findings);
  const ipv6 = text(value.ipv6_address, `${path}.ipv6_address`, findings);
  const linkLocal = texts(value.link_local_ips, `${path}.link_local_ips`, findings);
  const driverOptions = pairs(value.driver_opts, `${path}.driver_opts`, findings).map(
    ([name, one]) => [name, one ?? ''] as const,
  );
  return {
    aliases: texts(value.aliases, `${path}.aliases`, findings) ?? [],
    ...(ipv4 ? { ipv4 } : {}),
    ...(ipv6 ? { ipv6 } : {}),
    ...(linkLocal?.length ? { linkLocal } : {}),
    ...(driverOptions.length > 0 ? { driverOptions: Object.fromEntries(driverOptions) } : {}),
  };
}

/** Returns Docker's endpoint: addresses, and the aliases with the service's own name. Pure. */
export const endpointSettings = (
  { aliases, ipv4, ipv6, linkLocal, driverOptions }: Endpoint,
  serviceName: string,
): EndpointSettings => ({
  IPAMConfig: {
    ...(ipv4 ? { IPv4Address: ipv4 } : {}),
    ...(ipv6 ? { IPv6Address: ipv6 } : {}),
    ...(linkLocal ? { LinkLocalIPs: linkLocal } : {}),
  },
  Aliases: aliases.includes(serviceName) ? aliases : [...aliases, serviceName],
  ...(driverOptions ? { DriverOpts: driverOptions } : {}),
});

/**
 * Returns Docker's options for the networks: the first at creation, because Docker 20.10 takes no more than one; the
 * others are connected after it. Pure.
 */
export function networkOptions(
  { network: use, names }: { readonly network: NetworkUse; readonly names: UnusualNames },
  identity: { readonly appUuid: string; readonly serviceName: string },
  siblingContainers: ReadonlyMap<string, string>,
): { mode: string; first: Record<string, EndpointSettings>; joins: Record<string, EndpointSettings> } {
  if (use.is === 'engine') return { mode: use.mode, first: {}, joins: {} };
  if (use.is === 'service') {
    return { mode: containerMode(use.service, siblingContainers), first: {}, joins: {} };
  }
  const nameOf = networkNamer({ names }, identity);
  const named = Object.entries(use.endpoints).map(
    ([name, endpoint]) => [nameOf(name), endpointSettings(endpoint, identity.serviceName)] as const,
  );
  const mode = nameOf(use.main);
  return {
    mode,
    first: Object.fromEntries(named.filter(([name]) => name === mode)),
    joins: Object.fromEntries(named.filter(([name]) => name !== mode)),
  };
}

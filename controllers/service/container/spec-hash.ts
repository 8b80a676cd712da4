import { canonical, canonicalHash } from '../../../crds/model/hash.js';
import type { HostOptions } from '../../engine/engine.js';
import type { ApiAccess, CloudAccess } from '../spec/features.js';
import type { Identity } from '../spec/identity.js';
import type { VolumeUse } from '../spec/mounts.js';
import type { NetworkUse } from '../spec/networks.js';
import type { Definition, PlainOptions } from './definition.js';
import { HOST_DEFAULTS, UNSENT_DEFAULTS } from './host-options.js';

/** Everything by which containers differ; values that the host or the engine fill in are not part of it. */
export interface Hashed {
  readonly definition: Definition;
  /** As in `sha256:…`; stands for everything that the image contains. */
  readonly imageId: string;
  readonly identity: Identity;
  /** Only with the supervisor-api feature: a running container cannot be given a new key. */
  readonly api: ApiAccess | undefined;
  /** Only with the balena-api feature. */
  readonly cloud: CloudAccess | undefined;
}

/** Lists whose order has no meaning for Docker. */
const UNORDERED: readonly string[] = [
  'CapAdd',
  'CapDrop',
  'SecurityOpt',
  'GroupAdd',
  'DnsOptions',
  'ExtraHosts',
  'DeviceCgroupRules',
] satisfies (keyof HostOptions)[];

const PLAIN_DEFAULTS: PlainOptions = {
  Hostname: '',
  Domainname: '',
  MacAddress: '',
  User: '',
  WorkingDir: '',
  Tty: true,
  StopTimeout: 10,
  OpenStdin: false,
};

/**
 * Returns the hash by which a container is recognized as made from this document. It is equal for documents that mean
 * the same (order without meaning, short and long forms, defaults spelt out). The release, `depends_on` and `running`
 * do not change it. Pure.
 */
export function specHash({ definition, imageId, identity, api, cloud }: Hashed): string {
  const { appId, appUuid, appName, serviceId, serviceName } = identity;
  const { command, entrypoint, environment, labels, healthcheck, volumes, network, plain, host } = definition;
  const { ports, expose, platform, names } = definition;
  return canonicalHash({
    image: imageId,
    identity: { appId, appUuid, appName, serviceId, serviceName },
    api,
    cloud,
    command,
    entrypoint,
    environment,
    labels,
    healthcheck,
    ports,
    // Undefined when empty, so that documents from before this field keep their hash.
    expose: expose.length > 0 ? expose : undefined,
    platform,
    names: Object.keys(names).length > 0 ? names : undefined,
    volumes: unorderedVolumes(volumes),
    network: unorderedNetworks(network),
    plain: beyondDefaults(plain, PLAIN_DEFAULTS),
    host: beyondDefaults(unorderedLists(host), { ...HOST_DEFAULTS, ...UNSENT_DEFAULTS }),
  });
}

const sorted = <T>(list: readonly T[]): readonly T[] =>
  [...list].sort((a, b) => (canonical(a) < canonical(b) ? -1 : canonical(a) > canonical(b) ? 1 : 0));

const unorderedVolumes = ({ named, mounts, anonymous, binds }: VolumeUse) => ({
  named: sorted(named),
  mounts,
  anonymous: sorted(anonymous),
  ...(binds.length > 0 ? { binds: sorted(binds) } : {}),
});

const unorderedNetworks = (use: NetworkUse): unknown =>
  use.is === 'joined'
    ? {
        ...use,
        endpoints: Object.fromEntries(
          Object.entries(use.endpoints).map(([name, endpoint]) => [
            name,
            { ...endpoint, aliases: sorted([...new Set(endpoint.aliases)]) },
          ]),
        ),
      }
    : use;

const unorderedLists = (host: HostOptions): HostOptions =>
  Object.fromEntries(
    Object.entries(host).map(([key, value]) => [
      key,
      UNORDERED.includes(key) && Array.isArray(value) ? sorted(value) : value,
    ]),
  );

/** Leaves out values that equal a default, so that a field which a later version learns does not replace every container. */
function beyondDefaults(said: object, defaults: object): object {
  const usual = new Map<string, unknown>(Object.entries(defaults));
  return Object.fromEntries(
    Object.entries(said).filter(([key, value]) => !usual.has(key) || canonical(value) !== canonical(usual.get(key))),
  );
}

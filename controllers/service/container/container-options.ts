import type { ServiceSpec } from '../../../crds/model/types.js';
import type { ContainerOptions, EndpointSettings, SeenImage } from '../../engine/engine.js';
import { BOOT, IMAGE, MADE_AFTER, SPEC_HASH } from '../../engine/labels.js';
import type { DeviceFacts } from '../../host/facts/facts.js';
import { volumeNamer } from '../spec/engine-names.js';
import { environmentOptions, imageEnvironment, injectedEnvironment } from '../spec/environment.js';
import { type ApiAccess, addedByFeatures, type CloudAccess } from '../spec/features.js';
import { type Healthcheck, mergeHealthcheck } from '../spec/healthcheck.js';
import type { Identity } from '../spec/identity.js';
import { identityLabels, withImageLabels } from '../spec/labels.js';
import { BOUNDED_LOGS } from '../spec/logging.js';
import { volumeOptions } from '../spec/mounts.js';
import { containerMode, namedService } from '../spec/namespaces.js';
import { networkOptions } from '../spec/networks.js';
import { portOptions } from '../spec/ports.js';
import { type Definition, readDefinition } from './definition.js';
import { HOST_DEFAULTS, onlyDefined } from './host-options.js';

/** Everything besides the document that a container's definition depends on. */
export interface ContainerContext {
  readonly identity: Identity;
  /** Undefined while the image is not local; the options are provisional then. */
  readonly image: SeenImage | undefined;
  readonly facts: DeviceFacts;
  readonly deviceName: string;
  /** Path of the service's lock directory on the host. */
  readonly lockDirectory: string;
  /** Only with the supervisor-api feature. */
  readonly api: ApiAccess | undefined;
  /** Only with the balena-api feature. */
  readonly cloud: CloudAccess | undefined;
  /** Ids of the containers whose namespaces are shared, by name of the sibling service. */
  readonly siblingContainers: ReadonlyMap<string, string>;
  /** Becomes a label when given. */
  readonly specHash?: string;
  /** Becomes a label when given: the container waits for the next boot. */
  readonly boot?: string | undefined;
  /** Ids of requests that creating this container carries out; become a label when there are any. */
  readonly madeAfter?: readonly string[];
  /** Labels of Docker Compose, which other programs read; no part of the hash. Those of the document go before them. */
  readonly compose?: Readonly<Record<string, string>>;
  /** Limits the size of logs for which the document sets no `logging`. */
  readonly boundLogs?: boolean;
}

/** Docker's create body, and the networks that are joined between create and start. */
export interface ContainerSpec {
  readonly options: ContainerOptions;
  /** Networks beyond the first, by name on the engine. */
  readonly joins: Readonly<Record<string, EndpointSettings>>;
  /** All networks, with the first one. */
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
  readonly warnings: readonly string[];
}

/** Converts a service document to Docker's create options. Throws `InvalidSpecError` for values that cannot be understood. Pure. */
export function containerOptions(input: ContainerContext & { readonly spec: ServiceSpec }): ContainerSpec {
  const { definition, warnings } = readDefinition(input.spec);
  return { ...containerSpecOf(definition, input), warnings };
}

/** Converts a definition that was read before to Docker's create options. Pure. (docs/reference/composition.md §1, §2, §3.) */
export function containerSpecOf(
  definition: Definition,
  {
    identity,
    image,
    facts,
    deviceName,
    lockDirectory,
    api,
    cloud,
    siblingContainers,
    specHash,
    boot,
    madeAfter = [],
    compose,
    boundLogs = false,
  }: ContainerContext,
): Omit<ContainerSpec, 'warnings'> {
  const ofImage = image?.config ?? {};
  const labels = withImageLabels(definition.labels, image);
  const hostNetwork = definition.network.is === 'engine' && definition.network.mode === 'host';
  const reachable = api && hostNetwork ? { ...api, host: '127.0.0.1' } : api;
  const added = addedByFeatures(labels, definition.network, facts, { api: reachable, cloud });
  const network = networkOptions(definition, identity, siblingContainers);
  const volumes = volumeOptions(definition.volumes, volumeNamer(definition, identity));
  const { ExposedPorts, PortBindings } = portOptions(definition.ports);
  const environment = {
    ...added.environmentDefaults,
    ...imageEnvironment(ofImage.Env),
    ...injectedEnvironment(identity, facts, deviceName),
    ...definition.environment,
    ...added.environment,
  };
  const options: ContainerOptions = {
    ...(definition.platform === undefined ? {} : { platform: definition.platform }),
    Image: image?.id ?? definition.image,
    Cmd: [...(definition.command ?? ofImage.Cmd ?? [])],
    Entrypoint: [...(definition.entrypoint ?? ofImage.Entrypoint ?? [])],
    Env: environmentOptions(environment),
    Labels: {
      ...labels,
      ...(compose && { ...compose, ...definition.labels }),
      ...identityLabels(identity),
      ...(specHash ? { [SPEC_HASH]: specHash, [IMAGE]: definition.image } : {}),
      ...(boot ? { [BOOT]: boot } : {}),
      ...(madeAfter.length > 0 ? { [MADE_AFTER]: madeAfter.join(' ') } : {}),
    },
    // The engine refuses a host name for a container that shares the host's.
    Hostname: definition.plain.Hostname ?? (hostNetwork && definition.host.UTSMode !== 'host' ? facts.hostname() : ''),
    Domainname: definition.plain.Domainname ?? '',
    MacAddress: definition.plain.MacAddress ?? '',
    User: definition.plain.User ?? ofImage.User ?? '',
    WorkingDir: withoutTrailingSlash(definition.plain.WorkingDir ?? ofImage.WorkingDir ?? ''),
    Tty: definition.plain.Tty ?? true,
    ...(definition.plain.OpenStdin ? { OpenStdin: true } : {}),
    StopSignal: definition.plain.StopSignal ?? (ofImage.StopSignal || 'SIGTERM'),
    StopTimeout: definition.plain.StopTimeout ?? 10,
    Healthcheck: healthOptions(mergeHealthcheck(definition.healthcheck, ofImage.Healthcheck)),
    ExposedPorts: { ...ExposedPorts, ...Object.fromEntries(definition.expose.map((port) => [port, {}])) },
    Volumes: {
      ...Object.fromEntries(Object.keys(ofImage.Volumes ?? {}).map((path) => [path, {}])),
      ...volumes.Volumes,
    },
    NetworkingConfig: { EndpointsConfig: endpointsConfig(network.first) },
    HostConfig: {
      ...HOST_DEFAULTS,
      ...(boundLogs ? { LogConfig: BOUNDED_LOGS } : {}),
      ...definition.host,
      ...sharedModes(definition.host, siblingContainers),
      NetworkMode: network.mode,
      PortBindings,
      // The lock directory is a bind, not a mount: the engine then creates it where a reboot has emptied /tmp.
      Binds: [`${lockDirectory}:/tmp/resin`, `${lockDirectory}:/tmp/balena`, ...volumes.Binds, ...added.binds],
      Mounts: [...volumes.Mounts, ...added.mounts],
      DeviceRequests: [...(definition.host.DeviceRequests ?? []), ...added.deviceRequests],
    },
  };
  const joins = { ...network.joins, ...added.joins };
  return { options, joins, endpoints: { ...network.first, ...joins } };
}

/** Resolves `service:<name>` to the container of that service. Pure. */
function sharedModes(
  { PidMode, IpcMode }: Definition['host'],
  siblingContainers: ReadonlyMap<string, string>,
): Pick<Definition['host'], 'PidMode' | 'IpcMode'> {
  const shared = (mode: string | undefined): string | undefined => {
    const service = namedService(mode);
    return service === undefined ? undefined : containerMode(service, siblingContainers);
  };
  return onlyDefined({ PidMode: shared(PidMode), IpcMode: shared(IpcMode) });
}

/** Returns the create options with every network, for an engine that connects more than one at creation. Pure. */
export const withAllNetworks = ({
  options,
  endpoints,
}: Pick<ContainerSpec, 'options' | 'endpoints'>): ContainerOptions => ({
  ...options,
  NetworkingConfig: { EndpointsConfig: endpointsConfig(endpoints) },
});

/** Returns the spec without the aliases by which others find the service. Pure. */
export const unnamed = <T extends Pick<ContainerSpec, 'endpoints'>>(containerSpec: T): T => ({
  ...containerSpec,
  endpoints: Object.fromEntries(
    Object.entries(containerSpec.endpoints).map(([name, endpoint]) => [name, { ...endpoint, Aliases: [] }]),
  ),
});

const withoutTrailingSlash = (path: string): string => (path.length > 1 ? path.replace(/\/$/, '') : path);

// dockerode's types want mutable lists; ours are readonly
const endpointsConfig = (endpoints: Readonly<Record<string, EndpointSettings>>) =>
  Object.fromEntries(
    Object.entries(endpoints).map(([name, { IPAMConfig, Aliases, DriverOpts }]) => {
      const { LinkLocalIPs, ...addresses } = IPAMConfig;
      const links = LinkLocalIPs ? { LinkLocalIPs: [...LinkLocalIPs] } : {};
      const options = DriverOpts ? { DriverOpts } : {};
      return [name, { IPAMConfig: { ...addresses, ...links }, Aliases: [...Aliases], ...options }];
    }),
  );

const healthOptions = ({ Test, ...rest }: Healthcheck) => ({ ...rest, ...(Test ? { Test: [...Test] } : {}) });

import type { Readable } from 'node:stream';
import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import type { ContainerStats } from '../../crds/model/stats.js';

/** A port of the host that a container has published. */
export interface PublishedPort {
  /** The container's name. */
  readonly container: string;
  /** Address of the host; `0.0.0.0` or `::` for all. */
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
}

/** One of our containers, as inspected. */
export interface SeenContainer {
  readonly id: string;
  readonly name: string;
  /** `io.balena.app-id` and `io.balena.service-name`; undefined when a label is missing or invalid: then it is reported and left alone. */
  readonly appId: number | undefined;
  readonly serviceName: string | undefined;
  /** `io.supercargo.spec-hash` */
  readonly specHash: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';
  readonly health: 'healthy' | 'unhealthy' | 'starting' | undefined;
  readonly exitCode: number;
  /** How often the engine has restarted it by its restart policy since its last manual start; 0 when absent. */
  readonly restartCount?: number;
  /** The engine's last error for it (a failed start), '' if none. */
  readonly error: string;
  /** RFC 3339, milliseconds; undefined before the first start. */
  readonly createdAt: string;
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
  /** Image id, `sha256:…`. */
  readonly image: string;
  readonly networkMode: string;
  /** `container:<id>` when it shares the namespace of another one. */
  readonly pidMode?: string;
  readonly ipcMode?: string;
  /**
   * Attached networks by name, with the id of the network (which changes when it is recreated). The id is '' until the
   * container has been started for the first time: Docker looks the name up only then.
   */
  readonly networks: Readonly<Record<string, SeenEndpoint>>;
  /** Ports of the host that it publishes by number while it runs, `tcp/0.0.0.0:8080`; absent when there are none. */
  readonly ports?: readonly string[];
  /** Ports that it publishes now, also free ones that the engine has picked, as in `8080:80` or `127.0.0.1:49153:53/udp`; absent when there are none. */
  readonly published?: readonly string[];
  /** Names of volumes that it mounts. */
  readonly volumes: readonly string[];
  /** Its whole environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly updatable?: Updatable;
  /** Its grace period, ms; undefined where the engine's own applies. */
  readonly stopGraceMs?: number;
  /** The engine removes it as soon as it has ended. */
  readonly autoRemove?: true;
}

/**
 * Settings that `docker update` changes, in Docker's units and as Docker shows them: what a kernel cannot limit is
 * shown as if it had not been set. 0 and '' mean no limit, also where Docker shows null or -1.
 */
export interface Updatable {
  readonly RestartPolicy: { readonly Name: string; readonly MaximumRetryCount: number };
  readonly Memory: number;
  readonly MemoryReservation: number;
  readonly NanoCpus: number;
  readonly CpuShares: number;
  readonly CpuQuota: number;
  readonly CpusetCpus: string;
  readonly PidsLimit: number;
}
/** Swap is set together with memory, because neither can be raised above the other alone. */
export type UpdateOptions = Partial<Updatable & { readonly MemorySwap: number }>;

interface SeenEndpoint {
  readonly id: string;
  /** Names by which others on the network find it, besides those that Docker adds; undefined when unknown. */
  readonly aliases?: readonly string[];
}

/** A container as lists show it, whoever created it. */
export interface ListedContainer {
  readonly id: string;
  readonly name: string;
  /** `running`, `exited`, …, as the engine says it. */
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Names of volumes that it mounts. */
  readonly volumes: readonly string[];
  readonly mounts: readonly ListedMount[];
}

/** What a container mounts, as lists show it. */
export interface ListedMount {
  /** `volume`, `bind`, `tmpfs`, … */
  readonly type: string;
  /** Name of a volume, path of the host for a bind. */
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
}

export interface SeenNetwork {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `io.supercargo.spec-hash` */
  readonly specHash: string | undefined;
  readonly gateway: string | undefined;
  /** Its definition, where that is known: to compare a network without our hash. */
  readonly definition?: {
    readonly driver: string;
    readonly internal: boolean;
    readonly ipv6: boolean;
    readonly configOnly: boolean;
    readonly attachable: boolean;
    readonly options: Readonly<Record<string, string>>;
    readonly pools: readonly { readonly subnet?: string; readonly gateway?: string; readonly ipRange?: string }[];
  };
}

export interface SeenVolume {
  readonly name: string;
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly specHash: string | undefined;
  readonly mountpoint: string;
}

/** The parts of an image that end up in a container's definition. */
export interface SeenImage {
  /** `sha256:…` */
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  /** Digests of its layers, unpacked, from the lowest. */
  readonly layers?: readonly string[];
  /** Platform that it is made for; '' for what it does not say. */
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant: string };
  readonly config: {
    readonly Cmd?: readonly string[] | null;
    readonly Entrypoint?: readonly string[] | null;
    readonly Env?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly User?: string;
    readonly WorkingDir?: string;
    readonly StopSignal?: string;
    readonly Volumes?: Readonly<Record<string, object>> | null;
    readonly Healthcheck?: {
      readonly Test?: readonly string[];
      readonly Interval?: number;
      readonly Timeout?: number;
      readonly StartPeriod?: number;
      readonly Retries?: number;
    } | null;
  };
}

/** Docker's create body without the name, and `platform` (a parameter of the request): the result of `containerOptions`. */
export type ContainerOptions = Omit<ContainerCreateOptions, 'name' | 'HostConfig'> & {
  // the published type does not know the cgroup namespace
  readonly HostConfig?: HostConfig & { readonly CgroupnsMode?: 'host' | 'private' };
};
/** `HostConfig` of a create body. */
export type HostOptions = NonNullable<ContainerOptions['HostConfig']>;

/** One entry of a create body's `HostConfig.Mounts`. */
export type Mount = NonNullable<HostOptions['Mounts']>[number];

export type EndpointSettings = {
  readonly IPAMConfig: {
    readonly IPv4Address?: string;
    readonly IPv6Address?: string;
    readonly LinkLocalIPs?: readonly string[];
  };
  readonly Aliases: readonly string[];
  readonly DriverOpts?: Readonly<Record<string, string>>;
};
export interface NetworkOptions {
  readonly Driver?: string;
  readonly Options?: Readonly<Record<string, string>>;
  readonly IPAM?: object;
  readonly EnableIPv6?: boolean;
  readonly Internal?: boolean;
  readonly ConfigOnly?: boolean;
  readonly Attachable?: boolean;
  readonly Labels: Readonly<Record<string, string>>;
}
export interface VolumeOptions {
  readonly Driver?: string;
  readonly DriverOpts?: Readonly<Record<string, string>>;
  readonly Labels: Readonly<Record<string, string>>;
}
/** Credentials for a registry: a login, or a token that stands for one. */
export type RegistryAuth = { readonly serveraddress: string } & (
  | { readonly username: string; readonly password: string }
  | { readonly identitytoken: string }
  | { readonly registrytoken: string }
);
export interface PullOptions {
  readonly auth?: RegistryAuth | undefined;
  /** As in `linux/arm/v7`; that of the engine when absent. */
  readonly platform?: string | undefined;
}

/** An event: something happened to one object. */
export interface EngineEvent {
  readonly type: 'container' | 'network' | 'volume' | 'image';
  /** `create`, `start`, `die`, `destroy`, `rename`, `health_status: healthy`, `connect`, `tag`, `untag`, … */
  readonly action: string;
  /** Id of a container, network or image; name of a volume. */
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** ns since the epoch, as text: usable as `since`. */
  readonly timeNano: string;
}

export interface ContainerLogLine {
  readonly message: string;
  readonly isStdErr: boolean;
  /** ms since the epoch */
  readonly timestamp: number;
}

/**
 * The engine: Docker's API as verbs. Every verb may be repeated; an expected result is a value, not an exception. Any
 * other failure throws `EngineError` with Docker's message; an engine that cannot be reached throws
 * `EngineUnreachable`.
 */
export interface Engine {
  /** Returns the engine's traits. `logDriver`: of containers without one. `machine`: as `uname -m` there. */
  info(
    signal: AbortSignal,
  ): Promise<{ version: string; apiVersion: string; rootDir: string; logDriver: string; machine: string }>;

  /**
   * Returns the containers with `io.balena.supervised`, in any state. One request for the list and one for each
   * container, but none for one that `known` returns and the list shows unchanged: that very object is returned.
   */
  listContainers(
    signal: AbortSignal,
    known?: (id: string) => SeenContainer | undefined,
  ): Promise<readonly SeenContainer[]>;
  inspectContainer(id: string, signal: AbortSignal): Promise<SeenContainer | undefined>;
  /** Returns every container with that label, `name` or `name=value`, in any state, whoever created it. One request. */
  listLabelled(label: string, signal: AbortSignal): Promise<readonly ListedContainer[]>;
  /** Returns the containers of those names that exist, in any state, whoever created them. One request. */
  listNamed(names: readonly string[], signal: AbortSignal): Promise<readonly ListedContainer[]>;
  /**
   * Creates a container. `warnings`: what the engine left out, in its words. `no-image`: the image went meanwhile.
   * `exists`: the name is taken. Networks in `NetworkingConfig` beyond the first (the one of `NetworkMode`) are
   * connected before it returns; when that fails the container is removed again.
   */
  createContainer(
    name: string,
    options: ContainerOptions,
    signal: AbortSignal,
  ): Promise<{ is: 'created'; id: string; warnings?: readonly string[] } | { is: 'exists' } | { is: 'no-image' }>;
  /** Starts a container. Throws for everything else that prevents it: a port in use, a network that is gone, a missing command. */
  startContainer(id: string, signal: AbortSignal): Promise<'started' | 'already' | 'absent'>;
  /** Stops a container with its own grace period; resolves when it has stopped. */
  stopContainer(id: string, signal: AbortSignal): Promise<'stopped' | 'already' | 'absent'>;
  /**
   * Stops a container with its own grace period and starts it: both are done even when the caller has gone. Throws when
   * the start fails; then it is stopped.
   */
  restartContainer(id: string, signal: AbortSignal): Promise<'restarted' | 'absent'>;
  /** Returns the ports of the host that running containers publish, whoever created them. One request. */
  publishedPorts(signal: AbortSignal): Promise<readonly PublishedPort[]>;
  /** Removes a container with its anonymous volumes, unless those are kept. A running one is killed. */
  removeContainer(
    id: string,
    signal: AbortSignal,
    options?: { readonly keepVolumes?: boolean },
  ): Promise<'removed' | 'absent'>;
  renameContainer(id: string, name: string, signal: AbortSignal): Promise<'renamed' | 'absent' | 'name-taken'>;
  /**
   * Changes a container, all or nothing, whether it runs or not. A limit of 0 or '' means nothing to Docker: it stays
   * as it is, except that of PIDs.
   */
  updateContainer(id: string, change: UpdateOptions, signal: AbortSignal): Promise<'updated' | 'absent'>;
  /** Unpauses a container. `already`: it was not paused. */
  unpauseContainer(id: string, signal: AbortSignal): Promise<'unpaused' | 'already' | 'absent'>;
  /**
   * Yields one entry a line, until the container stops or the signal fires. `since`: s since the epoch, fractions
   * allowed, by the engine's clock, which also holds back lines that come later with an earlier time; `now`: what is
   * printed from now on, whatever the time.
   */
  followLogs(id: string, since: number | 'now', signal: AbortSignal): AsyncIterable<ContainerLogLine>;
  /**
   * Yields what it has printed until now: since that time (s since the epoch), and of that the last `tail` lines. None
   * without a container.
   */
  pastLogs(
    id: string,
    range: { readonly since?: number; readonly tail?: number },
    signal: AbortSignal,
  ): AsyncIterable<ContainerLogLine>;
  /** Returns the statistics of a container; undefined when it does not run or does not exist. */
  containerStats(id: string, signal: AbortSignal): Promise<ContainerStats | undefined>;

  listNetworks(signal: AbortSignal): Promise<readonly SeenNetwork[]>;
  inspectNetwork(id: string, signal: AbortSignal): Promise<SeenNetwork | undefined>;
  createNetwork(
    name: string,
    options: NetworkOptions,
    signal: AbortSignal,
  ): Promise<{ is: 'created'; id: string } | { is: 'exists' }>;
  removeNetwork(id: string, signal: AbortSignal): Promise<'removed' | 'absent' | 'in-use'>;
  /**
   * Connects a container. `absent`: one of the two does not exist. Docker does not check the network for a container
   * that does not run: its start fails.
   */
  connectNetwork(
    network: string,
    container: string,
    endpoint: EndpointSettings,
    signal: AbortSignal,
  ): Promise<'connected' | 'already' | 'absent'>;
  /** Disconnects a container. `absent`: one of the two does not exist, or they were not connected. */
  disconnectNetwork(network: string, container: string, signal: AbortSignal): Promise<'disconnected' | 'absent'>;
  /** Returns the names of all running containers, whoever created them, that are connected to it; undefined without the network. */
  networkUsers(network: string, signal: AbortSignal): Promise<readonly string[] | undefined>;
  /** Removes an endpoint from a network that the engine has kept of a container that is gone; it has that container's name. */
  releaseEndpoint(network: string, name: string, signal: AbortSignal): Promise<'released' | 'absent'>;

  listVolumes(signal: AbortSignal): Promise<readonly SeenVolume[]>;
  inspectVolume(name: string, signal: AbortSignal): Promise<SeenVolume | undefined>;
  /** Creates a volume. For an existing name Docker returns the existing volume, whatever its options: look first. */
  createVolume(name: string, options: VolumeOptions, signal: AbortSignal): Promise<SeenVolume>;
  removeVolume(name: string, signal: AbortSignal): Promise<'removed' | 'absent' | 'in-use'>;
  /** Returns every container that mounts it, in any state, whoever created it. One request. */
  volumeUsers(
    name: string,
    signal: AbortSignal,
  ): Promise<readonly { readonly name: string; readonly isOurs: boolean }[]>;

  /** Inspects an image by reference or id. */
  inspectImage(reference: string, signal: AbortSignal): Promise<SeenImage | undefined>;
  /** Returns references and ids only: `[{ id, tags, digests }]`. */
  listImages(signal: AbortSignal): Promise<readonly Pick<SeenImage, 'id' | 'tags' | 'digests'>[]>;
  /** Pulls an image; reports progress in whole percent over all layers. Errors inside the stream are thrown, and so is a long silence. */
  pullImage(
    reference: string,
    options: PullOptions,
    onProgress: (percent: number) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Loads an archive as `docker save` writes it. Returns the references in it, or the ids when none has one. Errors
   * inside the answer are thrown.
   */
  loadImages(archive: Readable, signal: AbortSignal): Promise<readonly string[]>;
  /** Gives an image one more name, which is taken from the image that had it. */
  tagImage(image: string, reference: string, signal: AbortSignal): Promise<'tagged' | 'absent'>;
  /** Removes a tag; the data goes with the last one. */
  removeImage(reference: string, signal: AbortSignal): Promise<'removed' | 'absent' | 'in-use'>;

  /**
   * Yields events of containers, networks, volumes and images from `since` (ns text, or now) until the signal fires or
   * the stream breaks (then it throws). `onOpen` is called when the engine has accepted the subscription.
   */
  events(since: string | undefined, onOpen: () => void, signal: AbortSignal): AsyncIterable<EngineEvent>;
}

/** How much of an engine's message is kept, characters: it goes on into logs, conditions and events. */
const LONGEST_WORDS = 2_000;

/** Docker has refused a request. A long message is shortened. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  constructor(
    message: string,
    readonly statusCode: number,
    options?: ErrorOptions,
  ) {
    super(message.length > LONGEST_WORDS ? `${message.slice(0, LONGEST_WORDS - 1)}…` : message, options);
  }
}

/** Nobody answers at the engine's address. */
export class EngineUnreachable extends Error {
  override readonly name = 'EngineUnreachable';
}

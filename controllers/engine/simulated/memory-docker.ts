import { createHash } from 'node:crypto';
import {
  type ContainerOptions,
  EngineError,
  type NetworkOptions,
  type PublishedPort,
  type SeenContainer,
  type SeenNetwork,
  type SeenVolume,
  type UpdateOptions,
  type VolumeOptions,
} from '../engine.js';
import { SPEC_HASH } from '../labels.js';
import { overlaps } from '../local/engine-bridge.js';
import {
  hostPorts,
  isAlive,
  type MemoryContainer,
  memoryContainer,
  portsCollide,
  wantedAliases,
  wantedNetworks,
  wantedVolumes,
  wantsRestart,
} from './memory-containers.js';
import type { MemoryEvents } from './memory-events.js';
import type { MemoryImages } from './memory-images.js';

interface MemoryNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly subnets: readonly string[];
  readonly gateway: string | undefined;
  readonly definition?: SeenNetwork['definition'];
}

/** What an engine has, apart from images. */
export interface Belongings {
  readonly containers: readonly SeenContainer[];
  readonly networks: readonly SeenNetwork[];
  readonly volumes: readonly SeenVolume[];
}

/** More than an engine in memory makes. */
const ADOPTED = 1_000_000_000;
const PREDEFINED = ['bridge', 'host', 'none'];
const NAME = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/**
 * Docker's rules without Docker: what 20.10 was seen to accept, refuse and announce. Methods are the API's verbs, and what
 * somebody does by hand on the device; refusals are `EngineError`s with the API's status and words. Nothing happens by
 * itself: a process ends when `exit` is called, a restart policy starts it again when `restartNow` is.
 */
export class MemoryDocker {
  readonly #containers = new Map<string, MemoryContainer>();
  readonly #networks = new Map<string, MemoryNetwork>();
  readonly #volumes = new Map<string, SeenVolume>();
  /** Tasks that containerd has and this daemon does not know, by id of the container; whether a process runs in them. */
  readonly #tasks = new Map<string, { readonly runs: boolean }>();
  /** Endpoints of containers that are gone, by id of the network: names of those containers. */
  readonly #leaked = new Map<string, Set<string>>();
  /** Ports that are held for no container, and the name that their endpoint bears; undefined where nobody knows that. */
  readonly #heldPorts = new Map<string, string | undefined>();
  /** OCI runtimes that it has. */
  readonly runtimes = new Set(['runc']);
  #made = 0;

  constructor(
    readonly events: MemoryEvents,
    readonly images: MemoryImages,
    readonly now: () => number,
  ) {
    for (const name of PREDEFINED) {
      const id = this.#newId(name);
      const [subnets, gateway] = name === 'bridge' ? [['172.17.0.0/16'], '172.17.0.1'] : [[], undefined];
      this.#networks.set(id, { id, name, driver: name === 'none' ? 'null' : name, labels: {}, subnets, gateway });
    }
  }

  /** Has what another engine has, as that shows it, in the place of what it had itself. Nothing is announced. */
  adopt({ containers, networks, volumes }: Belongings): void {
    for (const all of [this.#containers, this.#networks, this.#volumes]) all.clear();
    this.#made += ADOPTED; // the other engine may be of this kind
    for (const one of containers.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1)))
      this.#containers.set(one.id, memoryContainer(one));
    for (const one of networks) {
      const { id, name, labels, gateway, definition } = one;
      const subnets = (definition?.pools ?? []).flatMap(({ subnet }) => subnet ?? []);
      const driver = definition?.driver ?? 'bridge';
      this.#networks.set(id, {
        ...{ id, name, driver, labels, subnets, gateway },
        ...(definition ? { definition } : {}),
      });
    }
    for (const one of volumes) this.#volumes.set(one.name, one);
  }

  // Containers

  get containers(): readonly MemoryContainer[] {
    return [...this.#containers.values()].reverse(); // newest first, as Docker lists them
  }

  /** By id, name, or the beginning of an id. */
  findContainer(reference: string): MemoryContainer | undefined {
    const name = reference.replace(/^\//, '');
    return (
      this.#containers.get(reference) ??
      this.containers.find((one) => one.name === name) ??
      this.containers.find(({ id }) => reference.length >= 8 && id.startsWith(reference))
    );
  }

  container(reference: string): MemoryContainer {
    const container = this.findContainer(reference);
    if (container === undefined) throw new EngineError(`No such container: ${reference}`, 404);
    return container;
  }

  createContainer(name: string, options: ContainerOptions): string {
    const { Runtime, Mounts } = options.HostConfig ?? {};
    if (Runtime && !this.runtimes.has(Runtime)) throw new EngineError(`Unknown runtime specified ${Runtime}`, 400);
    if (!NAME.test(name)) {
      throw new EngineError(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`, 400);
    }
    const image = this.images.find(options.Image ?? '');
    if (image === undefined) throw new EngineError(`No such image: ${options.Image}`, 404);
    this.#refuseTakenName(name);
    for (const { Source, VolumeOptions } of Mounts ?? []) {
      const driver = VolumeOptions?.DriverConfig?.Name || 'local';
      if (driver === 'local' || this.#volumes.has(Source)) continue;
      const words = `create ${Source}: error looking up volume plugin ${driver}: plugin "${driver}" not found`;
      throw new EngineError(words, 404);
    }
    const networkMode = this.#modeById(options.HostConfig?.NetworkMode || 'default');
    const { named, anonymousAt } = wantedVolumes(options, image.config.Volumes);
    const anonymous = anonymousAt.map(() => this.#newId('volume'));
    for (const volume of [...named, ...anonymous]) {
      if (!this.#volumes.has(volume)) this.createVolume(volume, { Labels: {} });
    }
    const id = this.#newId('container');
    this.#containers.set(id, {
      id,
      name: name.replace(/^\//, ''),
      options: { ...options, Labels: { ...image.config.Labels, ...options.Labels } },
      image: image.id,
      networkMode,
      pidMode: this.#modeById(options.HostConfig?.PidMode ?? ''),
      ipcMode: this.#modeById(options.HostConfig?.IpcMode ?? ''),
      state: 'created',
      health: undefined,
      exitCode: 0,
      restartCount: 0,
      error: '',
      createdAt: this.now(),
      startedAt: undefined,
      finishedAt: undefined,
      networks: new Map(
        wantedNetworks(options, networkMode).map((one) => [
          this.#networksNamed(one)[0]?.name ?? one,
          { id: '', up: false, aliases: wantedAliases(options, one) },
        ]),
      ),
      volumes: [...named, ...anonymous],
      anonymousVolumes: anonymous,
      log: [],
      logWaiters: new Set(),
    });
    this.#announce(this.container(id), 'create');
    return id;
  }

  /** Returns false when it is running already. */
  startContainer(reference: string): boolean {
    const container = this.container(reference);
    if (container.state === 'running' || container.state === 'restarting') return false;
    if (container.state === 'paused') {
      throw new EngineError('cannot start a paused container, try unpause instead', 409);
    }
    if (container.state === 'removing' || container.state === 'dead') {
      throw new EngineError('container is marked for removal and cannot be started', 409);
    }
    container.restartCount = 0;
    this.#run(container);
    return true;
  }

  /** Returns false when it is stopped already. */
  stopContainer(reference: string, exitCode = 143): boolean {
    const container = this.container(reference);
    if (container.state === 'restarting') {
      container.state = 'exited';
      return true;
    }
    if (!isAlive(container)) return false;
    this.#end(container, exitCode);
    container.state = 'exited';
    return true;
  }

  restartContainer(reference: string): void {
    const { id } = this.container(reference);
    this.stopContainer(id);
    try {
      this.startContainer(id);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      throw new EngineError(`Cannot restart container ${id}: ${error.message}`, 500);
    }
  }

  removeContainer(reference: string): void {
    const container = this.container(reference);
    this.stopContainer(container.id, 137);
    this.#containers.delete(container.id);
    for (const volume of container.anonymousVolumes) {
      if (this.#usersOfVolume(volume).length === 0) this.removeVolume(volume);
    }
    this.#announce(container, 'destroy');
    this.#wakeLogs(container);
  }

  renameContainer(reference: string, name: string): void {
    const container = this.container(reference);
    if (!NAME.test(name)) throw new EngineError(`Invalid container name (${name})`, 400);
    if (container.name === name) {
      throw new EngineError('Renaming a container with the same name as its current name', 400);
    }
    this.#refuseTakenName(name);
    const oldName = `/${container.name}`;
    container.name = name;
    this.#announce(container, 'rename', { oldName });
  }

  /** What is 0 or '' stays as it is, but for the limit of PIDs; memory above swap is refused, and nothing changes. */
  updateContainer(reference: string, change: UpdateOptions): void {
    const container = this.container(reference);
    const { HostConfig: before = {} } = container.options;
    const said = Object.entries(change).filter(
      ([name, value]) => name === 'PidsLimit' || (value !== 0 && value !== ''),
    );
    const { Memory = 0, MemorySwap = 2 * (before.Memory ?? 0) } = { ...before, ...change };
    if (change.Memory && MemorySwap !== -1 && Memory > MemorySwap) {
      const words =
        'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time';
      throw new EngineError(`Cannot update container ${container.id}: ${words}`, 409);
    }
    container.options = { ...container.options, HostConfig: { ...before, ...Object.fromEntries(said) } };
    this.#announce(container, 'update');
  }

  pauseContainer(reference: string): void {
    const container = this.container(reference);
    if (container.state !== 'running') throw new EngineError(`Container ${container.id} is not running`, 409);
    container.state = 'paused';
    this.#announce(container, 'pause');
  }

  unpauseContainer(reference: string): void {
    const container = this.container(reference);
    if (container.state !== 'paused') throw new EngineError(`Container ${container.id} is not paused`, 500);
    container.state = 'running';
    this.#announce(container, 'unpause');
  }

  /** Its process ends by itself. With a restart policy that wants it again it is `restarting` until `restartNow`. */
  exit(reference: string, exitCode: number): void {
    const container = this.container(reference);
    if (!isAlive(container)) throw new Error(`${container.name} does not run, it is ${container.state}`);
    this.#end(container, exitCode);
    if (!wantsRestart(container)) return;
    container.restartCount += 1;
    container.state = 'restarting';
  }

  /** The restart policy's next attempt. */
  restartNow(reference: string): void {
    const container = this.container(reference);
    if (container.state !== 'restarting') throw new Error(`${container.name} is ${container.state}`);
    container.state = 'exited';
    this.#run(container);
  }

  /**
   * The engine itself ends and starts again, and no container outlives it: each policy is asked about what ran, with the
   * restarts counted so far; whatever runs then has none.
   */
  restartEngine(): void {
    const alive = this.containers.filter((one) => isAlive(one) || one.state === 'restarting');
    for (const container of alive) {
      if (isAlive(container)) this.#end(container, 137);
      container.state = 'exited';
      if (wantsRestart(container)) this.startContainer(container.id);
    }
  }

  /** The daemon is killed between its orders to containerd: the container cannot be started again, whatever is tried. */
  leaveTask(reference: string, { runs }: { readonly runs: boolean }): void {
    this.#tasks.set(this.container(reference).id, { runs });
  }

  /** Ids of containers whose processes run although this daemon does not know it. */
  get doubles(): readonly string[] {
    return [...this.#tasks].flatMap(([id, { runs }]) => (runs ? [id] : []));
  }

  /** Kills what runs of a container without this daemon; returns how many processes there were. */
  killTask(id: string): number {
    const task = this.#tasks.get(id);
    if (task) this.#tasks.set(id, { runs: false });
    return task?.runs ? 1 : 0;
  }

  /** The outcome of its healthcheck. */
  setHealth(reference: string, health: 'healthy' | 'unhealthy' | 'starting'): void {
    const container = this.container(reference);
    if (container.health === health) return;
    container.health = health;
    this.#announce(container, `health_status: ${health}`);
  }

  /** It writes a line. */
  print(reference: string, message: string, isStdErr = false): void {
    const container = this.container(reference);
    container.log.push({ message, isStdErr, timestamp: this.now() });
    this.#wakeLogs(container);
  }

  // Networks

  get networks(): readonly SeenNetwork[] {
    return [...this.#networks.values()].map(seenMemoryNetwork);
  }

  findNetwork(reference: string): SeenNetwork | undefined {
    const network = this.#network(reference);
    return network === undefined ? undefined : seenMemoryNetwork(network);
  }

  /** `checked`: refuse a name that exists; the API does so only when asked to. */
  createNetwork(name: string, options: NetworkOptions, checked = true): string {
    if (PREDEFINED.includes(name)) {
      throw new EngineError(`operation is not permitted on predefined ${name} network`, 403);
    }
    if (checked && this.#networksNamed(name).length > 0) {
      throw new EngineError(`network with name ${name} already exists`, 409);
    }
    const pools = (options.IPAM as { Config?: { Subnet?: string; Gateway?: string }[] } | undefined)?.Config ?? [];
    const given = pools.flatMap(({ Subnet }) => (Subnet ? [Subnet] : []));
    const used = [...this.#networks.values()].flatMap(({ subnets }) => subnets);
    if (given.some((one) => used.some((other) => overlaps(one, other)))) {
      throw new EngineError('Pool overlaps with other one on this address space', 403);
    }
    const subnets = given.length > 0 || options.ConfigOnly ? given : [this.#freeSubnet(used)];
    const gateway =
      pools.find((pool) => pool.Gateway)?.Gateway ?? subnets[0]?.replace(/^(\d+\.\d+\.\d+)\.\d+\/\d+$/, '$1.1');
    const id = this.#newId('network');
    const driver = options.Driver || 'bridge';
    const definition = {
      driver: options.ConfigOnly ? 'null' : driver,
      internal: options.Internal ?? false,
      ipv6: options.EnableIPv6 ?? false,
      configOnly: options.ConfigOnly ?? false,
      attachable: options.Attachable ?? false,
      options: { ...options.Options },
      pools: subnets.map((subnet, at) => ({ subnet, ...(at === 0 && gateway ? { gateway } : {}) })),
    };
    this.#networks.set(id, { id, name, driver, labels: { ...options.Labels }, subnets, gateway, definition });
    this.events.emit('network', 'create', id, { name, type: driver });
    return id;
  }

  /** In use is only who runs: a stopped container does not keep its network, and cannot start without it. */
  removeNetwork(reference: string): void {
    const network = this.#network(reference);
    if (network === undefined) throw new EngineError(`network ${reference} not found`, 404);
    const { id, name } = network;
    if (PREDEFINED.includes(name)) throw new EngineError(`${name} is a pre-defined network and cannot be removed`, 403);
    if (
      this.containers.some((one) => [...one.networks.values()].some((endpoint) => endpoint.up && endpoint.id === id))
    ) {
      throw new EngineError(`error while removing network: network ${name} id ${id} has active endpoints`, 403);
    }
    if ((this.#leaked.get(id)?.size ?? 0) > 0) {
      throw new EngineError(`error while removing network: network ${name} id ${id} has active endpoints`, 403);
    }
    this.#networks.delete(id);
    this.events.emit('network', 'destroy', id, { name, type: network.driver });
  }

  /** For a container that does not run nothing is looked up: a network that is not there shows at its start. */
  connectNetwork(reference: string, containerReference: string, aliases: readonly string[] = []): void {
    const container = this.container(containerReference);
    const network = this.#network(reference);
    if (/^(host$|container:)/.test(container.networkMode) && (network !== undefined || isAlive(container))) {
      const words = 'container sharing network namespace with another container or host';
      throw new EngineError(`${words} cannot be connected to any other network`, 400);
    }
    if (!isAlive(container)) {
      const name = network?.name ?? reference;
      container.networks.set(name, container.networks.get(name) ?? { id: '', up: false, aliases });
      return;
    }
    if (network === undefined) throw new EngineError(`network ${reference} not found`, 404);
    if (container.networks.has(network.name)) {
      throw new EngineError(`endpoint with name ${container.name} already exists in network ${network.name}`, 403);
    }
    container.networks.set(network.name, { id: network.id, up: true, aliases });
    this.#announceEndpoint('connect', network, container);
  }

  disconnectNetwork(reference: string, containerReference: string): void {
    const container = this.container(containerReference);
    const network = this.#network(reference);
    if (network === undefined && isAlive(container)) throw new EngineError(`network ${reference} not found`, 404);
    const name = network?.name ?? reference;
    if (!container.networks.delete(name)) {
      throw new EngineError(`container ${container.id} is not connected to network ${name}`, 500);
    }
    if (network !== undefined) this.#announceEndpoint('disconnect', network, container);
  }

  /** The daemon forgets to take a container's endpoint away with the container. No list shows it. */
  leakEndpoint(reference: string, container: string): void {
    const { id } = this.#network(reference) ?? {};
    if (id === undefined) throw new Error(`There is no network ${reference}`);
    this.#leaked.set(id, new Set([...(this.#leaked.get(id) ?? []), container]));
  }

  /** The daemon was killed while a container with that port (`tcp/0.0.0.0:80`) was being started: it keeps the port for nobody. */
  leakPort(port: string, container?: string): void {
    this.#heldPorts.set(port, container);
  }

  /** The daemon was started again while its containers ran on. */
  restoreLive(): void {
    this.#leaked.clear();
    this.#heldPorts.clear();
  }

  publishedPorts(): readonly PublishedPort[] {
    return this.containers.filter(isAlive).flatMap((one) =>
      hostPorts(one).flatMap((text) => {
        const [, protocol = '', address = '', port] = /^(\w+)\/(.*):(\d+)$/.exec(text) ?? [];
        return { container: one.name, address, port: Number(port), protocol };
      }),
    );
  }

  /** `docker network disconnect --force` with the name of a container that is gone. */
  releaseEndpoint(reference: string, container: string): boolean {
    const held = [...this.#heldPorts].filter(([, one]) => one === container);
    if (held.length > 0 && this.findContainer(container) === undefined) {
      for (const [port] of held) this.#heldPorts.delete(port);
      return true;
    }
    return this.#leaked.get(this.#network(reference)?.id ?? '')?.delete(container) ?? false;
  }

  networkUsers(reference: string): readonly string[] | undefined {
    const network = this.#network(reference);
    return (
      network &&
      this.containers
        .filter(({ networks }) => [...networks.values()].some(({ up, id }) => up && id === network.id))
        .map(({ name }) => name)
    );
  }

  // Volumes

  get volumes(): readonly SeenVolume[] {
    return [...this.#volumes.values()];
  }

  volume(name: string): SeenVolume | undefined {
    return this.#volumes.get(name);
  }

  /** An existing one stays as it is, and is announced as created all the same. */
  createVolume(name: string, options: VolumeOptions): SeenVolume {
    const driver = options.Driver || 'local';
    const existing = this.#volumes.get(name);
    if (existing !== undefined && existing.driver !== driver) {
      throw new EngineError(`create ${name}: conflict: volume name must be unique`, 409);
    }
    const volume = existing ?? {
      name,
      driver,
      options: { ...options.DriverOpts },
      labels: { ...options.Labels },
      specHash: options.Labels[SPEC_HASH],
      mountpoint: `/var/lib/docker/volumes/${name}/_data`,
    };
    this.#volumes.set(name, volume);
    this.events.emit('volume', 'create', name, { driver });
    return volume;
  }

  removeVolume(name: string): void {
    const volume = this.#volumes.get(name);
    if (volume === undefined) throw new EngineError(`get ${name}: no such volume`, 404);
    const users = this.#usersOfVolume(name);
    if (users.length > 0) throw new EngineError(`remove ${name}: volume is in use - [${users.join(', ')}]`, 409);
    this.#volumes.delete(name);
    this.events.emit('volume', 'destroy', name, { driver: volume.driver });
  }

  // Images

  removeImage(reference: string): void {
    this.images.remove(reference, (id) => this.containers.filter(({ image }) => image === id).map((one) => one.id));
  }

  /** The daemon starts again: processes are gone, restart policies bring back whom they want, nobody remembers events. */
  restart(): void {
    const before = this.containers.filter((one) => isAlive(one) || one.state === 'restarting');
    for (const one of before) this.stopContainer(one.id, 255);
    this.#leaked.clear();
    this.#heldPorts.clear();
    this.events.forget();
    for (const one of before) {
      const policy = one.options.HostConfig?.RestartPolicy?.Name ?? 'no';
      if (policy === 'always' || policy === 'unless-stopped') this.#runAsDaemon(one);
    }
  }

  /** Nobody is told that it could not be started; it stays as it was. */
  #runAsDaemon(container: MemoryContainer): void {
    try {
      this.#run(container);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
    }
  }

  #run(container: MemoryContainer): void {
    try {
      this.#refuseStart(container);
      for (const [name, endpoint] of container.networks) {
        const network = this.#network(endpoint.id === '' ? name : endpoint.id);
        if (network === undefined) throw new EngineError(`network ${endpoint.id || name} not found`, 404);
        endpoint.id = network.id;
        if (this.#leaked.get(network.id)?.has(container.name)) {
          throw new EngineError(`endpoint with name ${container.name} already exists in network ${network.name}`, 403);
        }
      }
      if (this.#tasks.has(container.id)) throw new EngineError(`task ${container.id}: already exists`, 500);
      this.#refuseTakenPorts(container);
      const { startError } = this.images.find(container.image) ?? {};
      if (startError !== undefined) throw new EngineError(startError, 400);
    } catch (error) {
      if (error instanceof EngineError && !error.message.startsWith('No such container')) container.exitCode = 128;
      container.error = error instanceof Error ? error.message : String(error);
      throw error;
    }
    for (const endpoint of container.networks.values()) {
      endpoint.up = true;
      const network = this.#networks.get(endpoint.id);
      if (network !== undefined) this.#announceEndpoint('connect', network, container);
    }
    container.state = 'running';
    container.exitCode = 0;
    container.error = '';
    container.startedAt = this.now();
    container.health = this.#hasHealthcheck(container) ? 'starting' : undefined;
    this.#announce(container, 'start');
  }

  #end(container: MemoryContainer, exitCode: number): void {
    container.state = 'exited';
    container.exitCode = exitCode;
    container.finishedAt = this.now();
    if (container.health !== undefined) container.health = 'unhealthy'; // so Docker leaves it
    this.#announce(container, 'die', { exitCode: String(exitCode) });
    for (const endpoint of container.networks.values()) {
      endpoint.up = false;
      const network = this.#networks.get(endpoint.id);
      if (network !== undefined) this.#announceEndpoint('disconnect', network, container);
    }
    this.#wakeLogs(container);
    // The kernel ends a PID namespace with its first process. Restart policies fail while that is away, and give up.
    for (const guest of this.containers) {
      if (guest.pidMode !== `container:${container.id}` || !isAlive(guest)) continue;
      this.#end(guest, 137);
      guest.error = `container ${container.id} is not running`;
    }
  }

  #refuseStart(container: MemoryContainer): void {
    const { networkMode, pidMode, ipcMode } = container;
    for (const mode of [networkMode, pidMode, ipcMode]) {
      if (!mode.startsWith('container:')) continue;
      const parent = this.container(mode.slice('container:'.length));
      if (isAlive(parent)) continue;
      if (mode === networkMode) {
        throw new EngineError(`cannot join network of a non running container: ${parent.id}`, 409);
      }
      const joining = mode === ipcMode ? `can't join IPC of container ${parent.id}: ` : '';
      throw new EngineError(`${joining}container ${parent.id} is not running`, 500);
    }
  }

  /** `container:<name>` becomes `container:<id>`. */
  #modeById(mode: string): string {
    const parent = mode.startsWith('container:') ? this.findContainer(mode.slice('container:'.length)) : undefined;
    return parent === undefined ? mode : `container:${parent.id}`;
  }

  #refuseTakenPorts(container: MemoryContainer): void {
    for (const port of hostPorts(container)) {
      const taken =
        [...this.#heldPorts.keys()].some((one) => portsCollide(one, port)) ||
        this.containers.some(
          (other) => other !== container && isAlive(other) && hostPorts(other).some((one) => portsCollide(one, port)),
        );
      if (!taken) continue;
      const endpoint = `driver failed programming external connectivity on endpoint ${container.name}`;
      throw new EngineError(`${endpoint}: Bind for ${port.split('/')[1]} failed: port is already allocated`, 500);
    }
  }

  #refuseTakenName(name: string): void {
    const holder = this.containers.find((one) => one.name === name.replace(/^\//, ''));
    if (holder === undefined) return;
    throw new EngineError(
      `Conflict. The container name "/${holder.name}" is already in use by container "${holder.id}". You have to remove (or rename) that container to be able to reuse that name.`,
      409,
    );
  }

  #hasHealthcheck({ options, image }: MemoryContainer): boolean {
    const own = (options as { Healthcheck?: { Test?: readonly string[] } }).Healthcheck?.Test;
    const test = own?.length ? own : this.images.find(image)?.config.Healthcheck?.Test;
    return test !== undefined && test.length > 0 && test[0] !== 'NONE';
  }

  #network(reference: string): MemoryNetwork | undefined {
    const found = this.#networksNamed(reference);
    if (found.length > 1) {
      throw new EngineError(`network ${reference} is ambiguous (${found.length} matches found based on name)`, 400);
    }
    return found[0];
  }

  /** The one of that id, else all of that name, else those whose id begins so. */
  #networksNamed(reference: string): MemoryNetwork[] {
    const byId = this.#networks.get(reference);
    if (byId !== undefined) return [byId];
    const byName = [...this.#networks.values()].filter(({ name }) => name === reference);
    if (byName.length > 0 || !/^[0-9a-f]{8,}$/.test(reference)) return byName;
    return [...this.#networks.values()].filter(({ id }) => id.startsWith(reference));
  }

  #usersOfVolume(name: string): string[] {
    return this.containers.filter(({ volumes }) => volumes.includes(name)).map(({ id }) => id);
  }

  #freeSubnet(used: readonly string[]): string {
    const pools = Array.from({ length: 14 }, (_, index) => `172.${18 + index}.0.0/16`);
    const small = Array.from({ length: 256 }, (_, index) => `192.168.${index}.0/24`);
    const free = [...pools, ...small].find((pool) => !used.some((other) => overlaps(pool, other)));
    if (free === undefined) {
      throw new EngineError('could not find an available, non-overlapping IPv4 address pool among the defaults', 500);
    }
    return free;
  }

  #announce(container: MemoryContainer, action: string, more: Readonly<Record<string, string>> = {}): void {
    const { Image = '', Labels = {} } = container.options;
    this.events.emit('container', action, container.id, { ...Labels, image: Image, name: container.name, ...more });
  }

  #announceEndpoint(action: 'connect' | 'disconnect', network: MemoryNetwork, container: MemoryContainer): void {
    this.events.emit('network', action, network.id, {
      container: container.id,
      name: network.name,
      type: network.driver,
    });
  }

  #wakeLogs(container: MemoryContainer): void {
    for (const wake of container.logWaiters) wake();
  }

  #newId(what: string): string {
    this.#made += 1;
    return createHash('sha256').update(`${what} ${this.#made}`).digest('hex');
  }
}

const seenMemoryNetwork = ({ id, name, labels, gateway, definition }: MemoryNetwork): SeenNetwork => ({
  id,
  name,
  labels,
  specHash: labels[SPEC_HASH],
  gateway,
  ...(definition ? { definition } : {}),
});

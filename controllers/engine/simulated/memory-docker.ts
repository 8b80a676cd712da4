import { createHash } from 'node:crypto';
import type {
  ContainerOptions,
  ListedMount,
  NetworkOptions,
  PublishedPort,
  SeenContainer,
  SeenNetwork,
  SeenVolume,
  UpdateOptions,
  VolumeOptions,
} from '../engine.js';
import type { MemoryContainer } from './memory-container.js';
import { MemoryContainers } from './memory-containers.js';
import type { MemoryEvents } from './memory-events.js';
import type { MemoryImages } from './memory-images.js';
import { MemoryNetworks } from './memory-networks.js';
import { MemoryPorts, publishedPorts } from './memory-ports.js';
import { MemoryVolumes } from './memory-volumes.js';

/** What an engine has, apart from images. */
export interface Belongings {
  readonly containers: readonly SeenContainer[];
  readonly networks: readonly SeenNetwork[];
  readonly volumes: readonly SeenVolume[];
}

/** More than an engine in memory makes. */
const ADOPTED = 1_000_000_000;
/**
 * Docker's rules without Docker: what 20.10 was seen to accept, refuse and announce. Methods are the API's verbs, and what
 * somebody does by hand on the device; refusals are `EngineError`s with the API's status and words. Nothing happens by
 * itself: a process ends when `exit` is called, a restart policy starts it again when `restartNow` is.
 */
export class MemoryDocker {
  readonly #containers: MemoryContainers;
  readonly #networks: MemoryNetworks;
  readonly #ports = new MemoryPorts();
  readonly #volumes: MemoryVolumes;
  #made = 0;

  constructor(
    readonly events: MemoryEvents,
    readonly images: MemoryImages,
    readonly now: () => number,
  ) {
    const newId = (what: string): string => this.#newId(what);
    this.#networks = new MemoryNetworks(events, newId);
    this.#volumes = new MemoryVolumes(events);
    const [networks, ports, volumes] = [this.#networks, this.#ports, this.#volumes];
    this.#containers = new MemoryContainers({ events, images, networks, ports, volumes, newId, now });
  }

  /** Has what another engine has, as that shows it, in the place of what it had itself. Nothing is announced. */
  adopt({ containers, networks, volumes }: Belongings): void {
    this.#made += ADOPTED; // the other engine may be of this kind
    this.#containers.adopt(containers);
    this.#networks.adopt(networks);
    this.#volumes.adopt(volumes);
  }

  /** Has one more container of another engine. Nothing is announced. */
  adoptContainer(seen: SeenContainer, mounts: readonly ListedMount[]): void {
    this.#containers.add(seen, mounts);
  }

  // Containers

  /** OCI runtimes that it has. */
  get runtimes(): Set<string> {
    return this.#containers.runtimes;
  }

  /** The newest first, as Docker lists them. */
  get containers(): readonly MemoryContainer[] {
    return this.#containers.all;
  }

  /** By id, name, or the beginning of an id. */
  findContainer(reference: string): MemoryContainer | undefined {
    return this.#containers.find(reference);
  }

  container(reference: string): MemoryContainer {
    return this.#containers.get(reference);
  }

  createContainer(name: string, options: ContainerOptions): string {
    return this.#containers.create(name, options);
  }

  /** Returns false when it is running already. */
  startContainer(reference: string): boolean {
    return this.#containers.start(reference);
  }

  /** Returns false when it is stopped already. */
  stopContainer(reference: string, exitCode = 143): boolean {
    return this.#containers.stop(reference, exitCode);
  }

  restartContainer(reference: string): void {
    this.#containers.restart(reference);
  }

  removeContainer(reference: string, { keepVolumes = false }: { readonly keepVolumes?: boolean } = {}): void {
    this.#containers.remove(reference, keepVolumes);
  }

  renameContainer(reference: string, name: string): void {
    this.#containers.rename(reference, name);
  }

  /** What is 0 or '' stays as it is, but for the limit of PIDs; memory above swap is refused, and nothing changes. */
  updateContainer(reference: string, change: UpdateOptions): void {
    this.#containers.update(reference, change);
  }

  pauseContainer(reference: string): void {
    this.#containers.pause(reference);
  }

  unpauseContainer(reference: string): void {
    this.#containers.unpause(reference);
  }

  /** Its process ends by itself. With a restart policy that wants it again it is `restarting` until `restartNow`. */
  exit(reference: string, exitCode: number): void {
    this.#containers.exit(reference, exitCode);
  }

  /** The restart policy's next attempt. */
  restartNow(reference: string): void {
    this.#containers.restartNow(reference);
  }

  /**
   * The engine itself ends and starts again, and no container outlives it: each policy is asked about what ran, with the
   * restarts counted so far; whatever runs then has none.
   */
  restartEngine(): void {
    this.#containers.restartEngine();
  }

  /** The daemon is killed between its orders to containerd: the container cannot be started again, whatever is tried. */
  leaveTask(reference: string, { runs }: { readonly runs: boolean }): void {
    this.#containers.leaveTask(reference, { runs });
  }

  /** Ids of containers whose processes run although this daemon does not know it. */
  get doubles(): readonly string[] {
    return this.#containers.doubles;
  }

  /** Kills what runs of a container without this daemon; returns how many processes there were. */
  killTask(id: string): number {
    return this.#containers.killTask(id);
  }

  /** The outcome of its healthcheck. */
  setHealth(reference: string, health: 'healthy' | 'unhealthy' | 'starting'): void {
    this.#containers.setHealth(reference, health);
  }

  /** It writes a line. */
  print(reference: string, message: string, isStdErr = false): void {
    this.#containers.print(reference, message, isStdErr);
  }

  // Networks

  get networks(): readonly SeenNetwork[] {
    return this.#networks.all;
  }

  findNetwork(reference: string): SeenNetwork | undefined {
    return this.#networks.find(reference);
  }

  /** `checked`: refuse a name that exists; the API does so only when asked to. */
  createNetwork(name: string, options: NetworkOptions, checked = true): string {
    return this.#networks.create(name, options, checked);
  }

  /** In use is only who runs: a stopped container does not keep its network, and cannot start without it. */
  removeNetwork(reference: string): void {
    this.#networks.remove(reference, this.containers);
  }

  /** For a container that does not run nothing is looked up: a network that is not there shows at its start. */
  connectNetwork(reference: string, containerReference: string, aliases: readonly string[] = []): void {
    this.#networks.connect(reference, this.container(containerReference), aliases);
  }

  disconnectNetwork(reference: string, containerReference: string): void {
    this.#networks.disconnect(reference, this.container(containerReference));
  }

  /** The daemon forgets to take a container's endpoint away with the container. No list shows it. */
  leakEndpoint(reference: string, container: string): void {
    this.#networks.leak(reference, container);
  }

  /** The daemon was killed while a container with that port (`tcp/0.0.0.0:80`) was being started: it keeps the port for nobody. */
  leakPort(port: string, container?: string): void {
    this.#ports.leak(port, container);
  }

  /** The daemon was started again while its containers ran on. */
  restoreLive(): void {
    this.#networks.forget();
    this.#ports.forget();
  }

  publishedPorts(): readonly PublishedPort[] {
    return publishedPorts(this.containers);
  }

  /** `docker network disconnect --force` with the name of a container that is gone. */
  releaseEndpoint(reference: string, container: string): boolean {
    const isGone = this.findContainer(container) === undefined;
    return (isGone && this.#ports.release(container)) || this.#networks.release(reference, container);
  }

  networkUsers(reference: string): readonly string[] | undefined {
    return this.#networks.users(reference, this.containers);
  }

  // Volumes

  get volumes(): readonly SeenVolume[] {
    return this.#volumes.all;
  }

  volume(name: string): SeenVolume | undefined {
    return this.#volumes.find(name);
  }

  /** An existing one stays as it is, and is announced as created all the same. */
  createVolume(name: string, options: VolumeOptions): SeenVolume {
    return this.#volumes.create(name, options);
  }

  removeVolume(name: string): void {
    this.#volumes.remove(name, this.#containers.usersOfVolume(name));
  }

  // Images

  removeImage(reference: string): void {
    this.images.remove(reference, (id) => this.containers.filter(({ image }) => image === id).map((one) => one.id));
  }

  /** The daemon starts again: processes are gone, restart policies bring back whom they want, nobody remembers events. */
  restart(): void {
    this.#containers.restartDaemon(() => {
      this.restoreLive();
      this.events.forget();
    });
  }

  #newId(what: string): string {
    this.#made += 1;
    return createHash('sha256').update(`${what} ${this.#made}`).digest('hex');
  }
}

import { errorMessage } from '../../../api/platform/errors.js';
import {
  type ContainerOptions,
  EngineError,
  type ListedMount,
  type SeenContainer,
  type UpdateOptions,
} from '../engine.js';
import {
  isAlive,
  type MemoryContainer,
  memoryContainer,
  wantedAliases,
  wantedMounts,
  wantedNetworks,
  wantedVolumes,
  wantsRestart,
} from './memory-container.js';
import type { MemoryEvents } from './memory-events.js';
import type { MemoryImages } from './memory-images.js';
import type { MemoryNetworks } from './memory-networks.js';
import type { MemoryPorts } from './memory-ports.js';
import type { MemoryVolumes } from './memory-volumes.js';

const NAME = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** What containers are made of and live on in an engine in memory. */
export interface ContainerGround {
  readonly events: MemoryEvents;
  readonly images: MemoryImages;
  readonly networks: MemoryNetworks;
  readonly ports: MemoryPorts;
  readonly volumes: MemoryVolumes;
  /** An id that nothing else has, 64 hexadecimal digits. */
  newId(what: string): string;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** The containers of an engine in memory and the life of their processes. */
export class MemoryContainers {
  readonly #containers = new Map<string, MemoryContainer>();
  /** Tasks that containerd has and this daemon does not know, by id of the container; whether a process runs in them. */
  readonly #tasks = new Map<string, { readonly runs: boolean }>();
  /** OCI runtimes that it has. */
  readonly runtimes = new Set(['runc']);
  readonly #ground: ContainerGround;

  constructor(ground: ContainerGround) {
    this.#ground = ground;
  }

  /** Has these in the place of what it had, newest last. Nothing is announced. */
  adopt(containers: readonly SeenContainer[]): void {
    this.#containers.clear();
    for (const one of containers.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1)))
      this.#containers.set(one.id, memoryContainer(one));
  }

  /** Has one more. Nothing is announced. */
  add(seen: SeenContainer, mounts: readonly ListedMount[]): void {
    this.#containers.set(seen.id, memoryContainer(seen, mounts));
  }

  /** The newest first, as Docker lists them. */
  get all(): readonly MemoryContainer[] {
    return [...this.#containers.values()].reverse();
  }

  /** By id, name, or the beginning of an id. */
  find(reference: string): MemoryContainer | undefined {
    const name = reference.replace(/^\//, '');
    return (
      this.#containers.get(reference) ??
      this.all.find((one) => one.name === name) ??
      this.all.find(({ id }) => reference.length >= 8 && id.startsWith(reference))
    );
  }

  get(reference: string): MemoryContainer {
    const container = this.find(reference);
    if (container === undefined) throw new EngineError(`No such container: ${reference}`, 404);
    return container;
  }

  create(name: string, options: ContainerOptions): string {
    const { volumes, networks } = this.#ground;
    const { Runtime, Mounts } = options.HostConfig ?? {};
    if (Runtime && !this.runtimes.has(Runtime)) throw new EngineError(`Unknown runtime specified ${Runtime}`, 400);
    if (!NAME.test(name)) {
      throw new EngineError(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`, 400);
    }
    const image = this.#ground.images.find(options.Image ?? '');
    if (image === undefined) throw new EngineError(`No such image: ${options.Image}`, 404);
    this.#refuseTakenName(name);
    for (const { Source, VolumeOptions } of Mounts ?? []) {
      const driver = VolumeOptions?.DriverConfig?.Name || 'local';
      if (driver === 'local' || volumes.find(Source)) continue;
      const words = `create ${Source}: error looking up volume plugin ${driver}: plugin "${driver}" not found`;
      throw new EngineError(words, 404);
    }
    const networkMode = this.#modeById(options.HostConfig?.NetworkMode || 'default');
    const { named, anonymousAt } = wantedVolumes(options, image.config.Volumes);
    const anonymous = anonymousAt.map(() => this.#ground.newId('volume'));
    for (const volume of [...named, ...anonymous]) {
      if (!volumes.find(volume)) volumes.create(volume, { Labels: {} });
    }
    const id = this.#ground.newId('container');
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
      createdAt: this.#ground.now(),
      startedAt: undefined,
      finishedAt: undefined,
      networks: new Map(
        wantedNetworks(options, networkMode).map((one) => [
          networks.nameOf(one),
          { id: '', up: false, aliases: wantedAliases(options, one) },
        ]),
      ),
      published: [],
      volumes: [...named, ...anonymous],
      anonymousVolumes: anonymous,
      mounts: [
        ...wantedMounts(options),
        ...anonymous.map((source, at) => ({
          ...{ type: 'volume', source, target: anonymousAt[at] ?? '', isReadOnly: false },
        })),
      ],
      log: [],
      logWaiters: new Set(),
    });
    this.#announce(this.get(id), 'create');
    return id;
  }

  /** Returns false when it is running already. */
  start(reference: string): boolean {
    const container = this.get(reference);
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
  stop(reference: string, exitCode = 143): boolean {
    const container = this.get(reference);
    if (container.state === 'restarting') {
      container.state = 'exited';
      return true;
    }
    if (!isAlive(container)) return false;
    this.#end(container, exitCode);
    container.state = 'exited';
    return true;
  }

  restart(reference: string): void {
    const { id } = this.get(reference);
    this.stop(id);
    try {
      this.start(id);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      throw new EngineError(`Cannot restart container ${id}: ${error.message}`, 500);
    }
  }

  remove(reference: string, keepVolumes = false): void {
    const container = this.get(reference);
    this.stop(container.id, 137);
    this.#containers.delete(container.id);
    for (const volume of keepVolumes ? [] : container.anonymousVolumes) {
      if (this.usersOfVolume(volume).length === 0) this.#ground.volumes.remove(volume, []);
    }
    this.#announce(container, 'destroy');
    this.#wakeLogs(container);
  }

  rename(reference: string, name: string): void {
    const container = this.get(reference);
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
  update(reference: string, change: UpdateOptions): void {
    const container = this.get(reference);
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

  pause(reference: string): void {
    const container = this.get(reference);
    if (container.state !== 'running') throw new EngineError(`Container ${container.id} is not running`, 409);
    container.state = 'paused';
    this.#announce(container, 'pause');
  }

  unpause(reference: string): void {
    const container = this.get(reference);
    if (container.state !== 'paused') throw new EngineError(`Container ${container.id} is not paused`, 500);
    container.state = 'running';
    this.#announce(container, 'unpause');
  }

  /** Its process ends by itself. With a restart policy that wants it again it is `restarting` until `restartNow`. */
  exit(reference: string, exitCode: number): void {
    const container = this.get(reference);
    if (!isAlive(container)) throw new Error(`${container.name} does not run, it is ${container.state}`);
    this.#end(container, exitCode);
    if (!wantsRestart(container)) return;
    container.restartCount += 1;
    container.state = 'restarting';
  }

  /** The restart policy's next attempt. */
  restartNow(reference: string): void {
    const container = this.get(reference);
    if (container.state !== 'restarting') throw new Error(`${container.name} is ${container.state}`);
    container.state = 'exited';
    this.#run(container);
  }

  /**
   * The engine itself ends and starts again, and no container outlives it: each policy is asked about what ran, with the
   * restarts counted so far; whatever runs then has none.
   */
  restartEngine(): void {
    const alive = this.all.filter((one) => isAlive(one) || one.state === 'restarting');
    for (const container of alive) {
      if (isAlive(container)) this.#end(container, 137);
      container.state = 'exited';
      if (wantsRestart(container)) this.start(container.id);
    }
  }

  /** The daemon is killed between its orders to containerd: the container cannot be started again, whatever is tried. */
  leaveTask(reference: string, { runs }: { readonly runs: boolean }): void {
    this.#tasks.set(this.get(reference).id, { runs });
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
    const container = this.get(reference);
    if (container.health === health) return;
    container.health = health;
    this.#announce(container, `health_status: ${health}`);
  }

  /** It writes a line. */
  print(reference: string, message: string, isStdErr = false): void {
    const container = this.get(reference);
    container.log.push({ message, isStdErr, timestamp: this.#ground.now() });
    this.#wakeLogs(container);
  }

  /** Ids of those that mount the volume. */
  usersOfVolume(name: string): readonly string[] {
    return this.all.filter(({ volumes }) => volumes.includes(name)).map(({ id }) => id);
  }

  /** The daemon starts again: processes are gone, restart policies bring back whom they want. `then` happens in between. */
  restartDaemon(then: () => void): void {
    const before = this.all.filter((one) => isAlive(one) || one.state === 'restarting');
    for (const one of before) this.stop(one.id, 255);
    then();
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
      this.#ground.networks.lookUp(container);
      if (this.#tasks.has(container.id)) throw new EngineError(`task ${container.id}: already exists`, 500);
      this.#ground.ports.refuseTaken(container, this.all);
      const { startError } = this.#ground.images.find(container.image) ?? {};
      if (startError !== undefined) throw new EngineError(startError, 400);
    } catch (error) {
      if (error instanceof EngineError && !error.message.startsWith('No such container')) container.exitCode = 128;
      container.error = errorMessage(error);
      throw error;
    }
    this.#ground.networks.join(container);
    container.published = this.#ground.ports.publish(container, this.all);
    container.state = 'running';
    container.exitCode = 0;
    container.error = '';
    container.startedAt = this.#ground.now();
    container.health = this.#hasHealthcheck(container) ? 'starting' : undefined;
    this.#announce(container, 'start');
  }

  #end(container: MemoryContainer, exitCode: number): void {
    container.state = 'exited';
    container.published = [];
    container.exitCode = exitCode;
    container.finishedAt = this.#ground.now();
    if (container.health !== undefined) container.health = 'unhealthy'; // so Docker leaves it
    this.#announce(container, 'die', { exitCode: String(exitCode) });
    this.#ground.networks.leave(container);
    this.#wakeLogs(container);
    // The kernel ends a PID namespace with its first process. Restart policies fail while that is away, and give up.
    for (const guest of this.all) {
      if (guest.pidMode !== `container:${container.id}` || !isAlive(guest)) continue;
      this.#end(guest, 137);
      guest.error = `container ${container.id} is not running`;
    }
  }

  #refuseStart(container: MemoryContainer): void {
    const { networkMode, pidMode, ipcMode } = container;
    for (const mode of [networkMode, pidMode, ipcMode]) {
      if (!mode.startsWith('container:')) continue;
      const parent = this.get(mode.slice('container:'.length));
      if (isAlive(parent)) {
        // A namespace of its own is what an engine gives where nobody asks.
        const isOwn = ['', 'private'].includes(parent.options.HostConfig?.IpcMode ?? '');
        if (!isOwn || mode !== ipcMode) continue;
        const hint = 'non-shareable IPC (hint: use IpcMode:shareable for the donor container)';
        throw new EngineError(`can't join IPC of container ${parent.id}: ${hint}`, 500);
      }
      if (mode === networkMode) {
        throw new EngineError(`cannot join network of a non running container: ${parent.id}`, 409);
      }
      const joining = mode === ipcMode ? `can't join IPC of container ${parent.id}: ` : '';
      throw new EngineError(`${joining}container ${parent.id} is not running`, 500);
    }
  }

  /** `container:<name>` becomes `container:<id>`. */
  #modeById(mode: string): string {
    const parent = mode.startsWith('container:') ? this.find(mode.slice('container:'.length)) : undefined;
    return parent === undefined ? mode : `container:${parent.id}`;
  }

  #refuseTakenName(name: string): void {
    const holder = this.all.find((one) => one.name === name.replace(/^\//, ''));
    if (holder === undefined) return;
    throw new EngineError(
      `Conflict. The container name "/${holder.name}" is already in use by container "${holder.id}". You have to remove (or rename) that container to be able to reuse that name.`,
      409,
    );
  }

  #hasHealthcheck({ options, image }: MemoryContainer): boolean {
    const own = (options as { Healthcheck?: { Test?: readonly string[] } }).Healthcheck?.Test;
    const test = own?.length ? own : this.#ground.images.find(image)?.config.Healthcheck?.Test;
    return test !== undefined && test.length > 0 && test[0] !== 'NONE';
  }

  #announce(container: MemoryContainer, action: string, more: Readonly<Record<string, string>> = {}): void {
    const { Image = '', Labels = {} } = container.options;
    this.#ground.events.emit('container', action, container.id, {
      ...Labels,
      image: Image,
      name: container.name,
      ...more,
    });
  }

  #wakeLogs(container: MemoryContainer): void {
    for (const wake of container.logWaiters) wake();
  }
}

import type { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import {
  type ContainerLogLine,
  type Engine,
  EngineError,
  type EngineEvent,
  EngineUnreachable,
  type SeenContainer,
} from '../engine.js';
import { SUPERVISED } from '../labels.js';
import { isAlive, listedMemoryContainer, memoryStats, seenMemoryContainer } from './memory-container.js';
import { MemoryDocker } from './memory-docker.js';
import { MemoryEvents } from './memory-events.js';
import { MemoryImages } from './memory-images.js';

export type Verb = keyof Engine;
export interface EngineCall {
  readonly verb: Verb;
  /** As given, without the signal and callbacks. */
  readonly args: readonly unknown[];
}
/** May throw (the caller sees that instead) or be slow. */
export type EngineHook = (verb: Verb, args: readonly unknown[]) => void | Promise<void>;

export interface MemoryEngineSettings {
  /** ms since the epoch; by default every reading is one ms after the last. */
  readonly now?: () => number;
}

/**
 * An engine in memory that obeys Docker's awkward rules; it passes the same conformance suite as the real one.
 * `docker` is what happens on the device by hand or by itself, `images` the registry and what is local, `calls` what the
 * agent did. `before` throws: nothing has happened. `after` throws: it has happened, but the reply is lost.
 */
export class MemoryEngine implements Engine {
  readonly eventLog: MemoryEvents;
  readonly images: MemoryImages;
  readonly docker: MemoryDocker;
  readonly calls: EngineCall[] = [];
  before: EngineHook | undefined;
  after: EngineHook | undefined;
  readonly #interruptions = new Set<(reason: EngineUnreachable) => void>();
  #away = false;

  constructor({ now = tickingClock() }: MemoryEngineSettings = {}) {
    this.eventLog = new MemoryEvents(now);
    this.images = new MemoryImages(this.eventLog);
    this.docker = new MemoryDocker(this.eventLog, this.images, now);
  }

  /** Verbs called since the last `forgetCalls`. */
  get verbs(): readonly Verb[] {
    return this.calls.map(({ verb }) => verb);
  }

  forgetCalls(): void {
    this.calls.length = 0;
  }

  /** From now on every verb throws `EngineUnreachable`; streams and pulls under way break. */
  goAway(): void {
    this.#away = true;
    for (const interrupt of this.#interruptions) interrupt(unreachable());
    this.eventLog.breakStreams();
    for (const { logWaiters } of this.docker.containers) for (const wake of logWaiters) wake();
  }

  comeBack(): void {
    this.#away = false;
  }

  /** Only the event streams break, as when a proxy in between gives up. */
  breakEvents(): void {
    this.eventLog.breakStreams();
  }

  /** What inspection of a container (id or name) would show now, without a call. */
  seen(reference: string): SeenContainer | undefined {
    const container = this.docker.findContainer(reference);
    return container === undefined ? undefined : seenMemoryContainer(container);
  }

  info(signal: AbortSignal): ReturnType<Engine['info']> {
    return this.#call('info', [], signal, () => ({
      version: '20.10.24',
      apiVersion: '1.41',
      rootDir: '/var/lib/docker',
      logDriver: 'json-file',
      machine: 'x86_64',
    }));
  }

  listContainers(
    signal: AbortSignal,
    known?: (id: string) => SeenContainer | undefined,
  ): Promise<readonly SeenContainer[]> {
    return this.#call('listContainers', [], signal, () =>
      this.docker.containers
        .filter(({ options }) => options.Labels?.[SUPERVISED] !== undefined)
        .map((container) => {
          const seen = seenMemoryContainer(container);
          const before = known?.(container.id);
          return isDeepStrictEqual(before, seen) && before !== undefined ? before : seen;
        }),
    );
  }

  listLabelled(label: string, signal: AbortSignal): ReturnType<Engine['listLabelled']> {
    const [name = '', value] = label.split(/=(.*)/s);
    return this.#call('listLabelled', [label], signal, () =>
      this.docker.containers
        .filter(({ options: { Labels = {} } }) =>
          value === undefined ? Labels[name] !== undefined : Labels[name] === value,
        )
        .map(listedMemoryContainer),
    );
  }

  listNamed(names: readonly string[], signal: AbortSignal): ReturnType<Engine['listNamed']> {
    return this.#call('listNamed', [names], signal, () =>
      this.docker.containers.filter(({ name }) => names.includes(name)).map(listedMemoryContainer),
    );
  }

  inspectContainer(id: string, signal: AbortSignal): Promise<SeenContainer | undefined> {
    return this.#call('inspectContainer', [id], signal, () => this.seen(id));
  }

  createContainer(
    ...[name, options, signal]: Parameters<Engine['createContainer']>
  ): ReturnType<Engine['createContainer']> {
    return this.#call('createContainer', [name, options], signal, () =>
      answering<Awaited<ReturnType<Engine['createContainer']>>>(
        // The driver of a volume is not found, either.
        { ...(this.images.find(options.Image ?? '') ? {} : { 404: { is: 'no-image' } }), 409: { is: 'exists' } },
        () => ({ is: 'created', id: this.docker.createContainer(name, options) }),
      ),
    );
  }

  startContainer(id: string, signal: AbortSignal): ReturnType<Engine['startContainer']> {
    return this.#call('startContainer', [id], signal, () => {
      if (this.docker.findContainer(id) === undefined) return 'absent'; // other 404s are somebody else's absence
      return this.docker.startContainer(id) ? 'started' : 'already';
    });
  }

  stopContainer(id: string, signal: AbortSignal): ReturnType<Engine['stopContainer']> {
    return this.#call('stopContainer', [id], signal, () =>
      answering({ 404: 'absent' as const }, () => (this.docker.stopContainer(id) ? 'stopped' : 'already')),
    );
  }

  restartContainer(id: string, signal: AbortSignal): ReturnType<Engine['restartContainer']> {
    return this.#call('restartContainer', [id], signal, () => {
      if (this.docker.findContainer(id) === undefined) return 'absent'; // a parent that is absent is a failure
      this.docker.restartContainer(id);
      return 'restarted';
    });
  }

  publishedPorts(signal: AbortSignal): ReturnType<Engine['publishedPorts']> {
    return this.#call('publishedPorts', [], signal, () => this.docker.publishedPorts());
  }

  removeContainer(
    ...[id, signal, options]: Parameters<Engine['removeContainer']>
  ): ReturnType<Engine['removeContainer']> {
    return this.#call('removeContainer', options ? [id, options] : [id], signal, () =>
      answering({ 404: 'absent' as const }, () => {
        this.docker.removeContainer(id, options);
        return 'removed';
      }),
    );
  }

  renameContainer(id: string, name: string, signal: AbortSignal): ReturnType<Engine['renameContainer']> {
    return this.#call('renameContainer', [id, name], signal, () =>
      answering({ 404: 'absent' as const, 409: 'name-taken' as const }, () => {
        if (this.docker.container(id).name !== name) this.docker.renameContainer(id, name);
        return 'renamed';
      }),
    );
  }

  updateContainer(
    ...[id, change, signal]: Parameters<Engine['updateContainer']>
  ): ReturnType<Engine['updateContainer']> {
    return this.#call('updateContainer', [id, change], signal, () =>
      answering({ 404: 'absent' as const }, () => {
        this.docker.updateContainer(id, change);
        return 'updated';
      }),
    );
  }

  unpauseContainer(id: string, signal: AbortSignal): ReturnType<Engine['unpauseContainer']> {
    return this.#call('unpauseContainer', [id], signal, () =>
      answering({ 404: 'absent' as const, 500: 'already' as const }, () => {
        this.docker.unpauseContainer(id);
        return 'unpaused';
      }),
    );
  }

  async *followLogs(id: string, since: number | 'now', signal: AbortSignal): AsyncIterable<ContainerLogLine> {
    if (signal.aborted) return;
    const container = await this.#call('followLogs', [id, since], signal, () => this.docker.findContainer(id));
    if (container === undefined) return;
    const woken = waker();
    container.logWaiters.add(woken.wake);
    signal.addEventListener('abort', woken.wake);
    try {
      for (let next = since === 'now' ? container.log.length : 0; !signal.aborted; ) {
        if (this.#away) throw unreachable();
        const line = container.log[next];
        next += 1;
        if (line !== undefined) {
          if (since === 'now' || line.timestamp >= since * 1000) yield line;
          continue;
        }
        next -= 1;
        if (!isAlive(container) && container.state !== 'restarting') return;
        await woken.once();
      }
    } finally {
      container.logWaiters.delete(woken.wake);
      signal.removeEventListener('abort', woken.wake);
    }
  }

  async *pastLogs(
    id: string,
    { since = 0, tail }: { readonly since?: number; readonly tail?: number },
    signal: AbortSignal,
  ): AsyncIterable<ContainerLogLine> {
    const container = await this.#call('pastLogs', [id, since, tail], signal, () => this.docker.findContainer(id));
    const lines = (container?.log ?? []).filter(({ timestamp }) => timestamp >= since * 1000);
    yield* tail === undefined ? lines : lines.slice(Math.max(0, lines.length - tail));
  }

  containerStats(id: string, signal: AbortSignal): ReturnType<Engine['containerStats']> {
    return this.#call('containerStats', [id], signal, () => {
      const container = this.docker.findContainer(id);
      return container !== undefined && isAlive(container) ? memoryStats(container, this.docker.now()) : undefined;
    });
  }

  listNetworks(signal: AbortSignal): ReturnType<Engine['listNetworks']> {
    return this.#call('listNetworks', [], signal, () => this.docker.networks);
  }

  inspectNetwork(id: string, signal: AbortSignal): ReturnType<Engine['inspectNetwork']> {
    return this.#call('inspectNetwork', [id], signal, () => this.docker.findNetwork(id));
  }

  createNetwork(...[name, options, signal]: Parameters<Engine['createNetwork']>): ReturnType<Engine['createNetwork']> {
    return this.#call('createNetwork', [name, options], signal, () =>
      answering<Awaited<ReturnType<Engine['createNetwork']>>>({ 409: { is: 'exists' } }, () => ({
        is: 'created',
        id: this.docker.createNetwork(name, options),
      })),
    );
  }

  removeNetwork(id: string, signal: AbortSignal): ReturnType<Engine['removeNetwork']> {
    return this.#call('removeNetwork', [id], signal, () =>
      answering({ 403: 'in-use' as const, 404: 'absent' as const }, () => {
        this.docker.removeNetwork(id);
        return 'removed';
      }),
    );
  }

  connectNetwork(
    ...[network, container, endpoint, signal]: Parameters<Engine['connectNetwork']>
  ): ReturnType<Engine['connectNetwork']> {
    return this.#call('connectNetwork', [network, container, endpoint], signal, () =>
      answering({ 403: 'already' as const, 404: 'absent' as const }, () => {
        this.docker.connectNetwork(network, container, endpoint.Aliases);
        return 'connected';
      }),
    );
  }

  disconnectNetwork(network: string, container: string, signal: AbortSignal): ReturnType<Engine['disconnectNetwork']> {
    return this.#call('disconnectNetwork', [network, container], signal, () =>
      answering({ 404: 'absent' as const, 500: 'absent' as const }, () => {
        this.docker.disconnectNetwork(network, container);
        return 'disconnected';
      }),
    );
  }

  networkUsers(network: string, signal: AbortSignal): ReturnType<Engine['networkUsers']> {
    return this.#call('networkUsers', [network], signal, () => this.docker.networkUsers(network));
  }

  releaseEndpoint(network: string, name: string, signal: AbortSignal): ReturnType<Engine['releaseEndpoint']> {
    return this.#call('releaseEndpoint', [network, name], signal, () =>
      this.docker.releaseEndpoint(network, name) ? 'released' : 'absent',
    );
  }

  listVolumes(signal: AbortSignal): ReturnType<Engine['listVolumes']> {
    return this.#call('listVolumes', [], signal, () => this.docker.volumes);
  }

  inspectVolume(name: string, signal: AbortSignal): ReturnType<Engine['inspectVolume']> {
    return this.#call('inspectVolume', [name], signal, () => this.docker.volume(name));
  }

  createVolume(...[name, options, signal]: Parameters<Engine['createVolume']>): ReturnType<Engine['createVolume']> {
    return this.#call('createVolume', [name, options], signal, () => this.docker.createVolume(name, options));
  }

  removeVolume(name: string, signal: AbortSignal): ReturnType<Engine['removeVolume']> {
    return this.#call('removeVolume', [name], signal, () =>
      answering({ 404: 'absent' as const, 409: 'in-use' as const }, () => {
        this.docker.removeVolume(name);
        return 'removed';
      }),
    );
  }

  volumeUsers(name: string, signal: AbortSignal): ReturnType<Engine['volumeUsers']> {
    return this.#call('volumeUsers', [name], signal, () =>
      this.docker.containers
        .filter(({ volumes }) => volumes.includes(name))
        .map((one) => ({ name: one.name, isOurs: one.options.Labels?.[SUPERVISED] !== undefined })),
    );
  }

  inspectImage(reference: string, signal: AbortSignal): ReturnType<Engine['inspectImage']> {
    return this.#call('inspectImage', [reference], signal, () => this.images.seen(reference));
  }

  listImages(signal: AbortSignal): ReturnType<Engine['listImages']> {
    return this.#call('listImages', [], signal, () => this.images.list());
  }

  pullImage(...[reference, options, onProgress, signal]: Parameters<Engine['pullImage']>): Promise<void> {
    const step = async (released: Promise<void> = Promise.resolve()): Promise<void> => {
      await this.#unlessInterrupted(released, signal);
      if (this.#away) throw unreachable();
    };
    return this.#call('pullImage', [reference, options], signal, () =>
      this.images.pull(reference, options, onProgress, step),
    );
  }

  tagImage(image: string, reference: string, signal: AbortSignal): ReturnType<Engine['tagImage']> {
    return this.#call('tagImage', [image, reference], signal, () =>
      answering({ 404: 'absent' as const }, () => {
        this.images.tag(image, reference);
        return 'tagged';
      }),
    );
  }

  loadImages(archive: Readable, signal: AbortSignal): ReturnType<Engine['loadImages']> {
    return this.#call('loadImages', [], signal, () => this.images.load(archive));
  }

  removeImage(reference: string, signal: AbortSignal): ReturnType<Engine['removeImage']> {
    return this.#call('removeImage', [reference], signal, () =>
      answering({ 404: 'absent' as const, 409: 'in-use' as const }, () => {
        this.docker.removeImage(reference);
        return 'removed';
      }),
    );
  }

  async *events(since: string | undefined, onOpen: () => void, signal: AbortSignal): AsyncIterable<EngineEvent> {
    if (signal.aborted) return;
    await this.#call('events', [since], signal, () => undefined);
    yield* this.eventLog.follow(since, onOpen, signal);
  }

  async #call<T>(verb: Verb, args: readonly unknown[], signal: AbortSignal, act: () => T | Promise<T>): Promise<T> {
    signal.throwIfAborted();
    this.calls.push({ verb, args });
    await this.before?.(verb, args);
    await Promise.resolve(); // a real engine never answers at once
    signal.throwIfAborted();
    if (this.#away) throw unreachable();
    const result = await act();
    await this.after?.(verb, args);
    return result;
  }

  /** Waits for it, but no longer than until the signal fires or the engine goes away: then it throws. */
  async #unlessInterrupted(awaited: Promise<void>, signal: AbortSignal): Promise<void> {
    let interrupt = (_reason: unknown): void => undefined;
    const interruption = new Promise<never>((_, reject) => {
      interrupt = reject;
    });
    const onAbort = (): void => interrupt(signal.reason);
    this.#interruptions.add(interrupt);
    signal.addEventListener('abort', onAbort);
    try {
      signal.throwIfAborted();
      await Promise.race([awaited, interruption]);
    } finally {
      this.#interruptions.delete(interrupt);
      signal.removeEventListener('abort', onAbort);
    }
  }
}

const unreachable = (): EngineUnreachable =>
  new EngineUnreachable('No Docker engine answers at memory: connect ECONNREFUSED');

/** What `act` returns, or the value that a refusal with one of these statuses stands for. */
function answering<T>(values: Readonly<Record<number, T | undefined>>, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const value = error instanceof EngineError ? values[error.statusCode] : undefined;
    if (value === undefined) throw error;
    return value;
  }
}

/** `once` resolves at the next `wake`, or at once when it came meanwhile. */
function waker(): { wake: () => void; once: () => Promise<void> } {
  let pending = false;
  let resolve: (() => void) | undefined;
  return {
    wake: () => {
      pending = true;
      resolve?.();
    },
    once: async () => {
      if (!pending) {
        await new Promise<void>((done) => {
          resolve = done;
        });
      }
      pending = false;
    },
  };
}

function tickingClock(): () => number {
  let time = Date.parse('2026-01-01T00:00:00Z');
  return () => {
    time += 1;
    return time;
  };
}

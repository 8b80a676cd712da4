import type { Logger } from 'pino';
import type { Clock } from '../../../api/platform/clock.js';
import { Emitter } from '../../../api/platform/emitter.js';
import { errorMessage } from '../../../api/platform/errors.js';
import { withTimeout } from '../../../api/platform/time-limit.js';
import {
  type Engine,
  type EngineEvent,
  EngineUnreachable,
  type SeenContainer,
  type SeenImage,
  type SeenNetwork,
  type SeenVolume,
} from '../engine.js';
import type { EngineCache, EngineChange } from '../engine-cache.js';
import { type RequestWatch, timeText } from '../request-watch.js';
import { ContainerWatch } from './container-watch.js';
import { effectOf } from './event-effects.js';
import type { KnownImage } from './image-cache.js';
import { ImageWatch } from './image-watch.js';
import { NetworkWatch } from './network-watch.js';
import { RefreshQueue } from './refresh-queue.js';
import { RequestTracker } from './request-tracker.js';
import { VolumeWatch } from './volume-watch.js';
import type { Watching } from './watch.js';

/** How long the engine may take to inspect one object, ms: less than until a request counts as overdue. */
const INSPECTION_LIMIT_MS = 25_000;
const INSPECTIONS_AT_ONCE = 8;

export interface CacheDeps {
  readonly engine: Engine;
  readonly log: Logger;
  readonly clock: Clock;
  /**
   * True when the engine's clock is ours (a socket on this machine). An event that an inspection has already answered
   * then costs nothing.
   */
  readonly sameClock: boolean;
  /** Events about one object within this time cause one inspection, ms. */
  readonly coalesceMs: number;
  /** References that documents name: their images are inspected before the cache has synced. */
  readonly wanted?: () => Iterable<string>;
  /** Knows which requests of any caller the engine leaves unanswered. */
  readonly requests?: Pick<RequestWatch, 'sentence' | 'onChange'>;
}

/** What an engine has, as far as that is known. */
export interface EngineSnapshot {
  readonly containers: readonly SeenContainer[];
  readonly networks: readonly SeenNetwork[];
  readonly volumes: readonly SeenVolume[];
  readonly images: readonly KnownImage[];
}

/** The cache behind `EngineCache`: takes in lists, events and answers, and announces what they change. Opens no connection itself. */
export class CachedEngine implements EngineCache {
  readonly #containers: ContainerWatch;
  readonly #networks: NetworkWatch;
  readonly #volumes: VolumeWatch;
  readonly #images: ImageWatch;
  readonly #tracker: RequestTracker;
  readonly #refreshQueue: RefreshQueue;
  readonly #changes = new Emitter<EngineChange>((error, change) =>
    this.deps.log.error({ err: error, change }, 'A listener of the cache failed'),
  );
  readonly #stopping = new AbortController();
  #syncError: string | undefined = 'The Docker engine has not been asked yet';

  constructor(private readonly deps: CacheDeps) {
    const { engine, log, clock } = deps;
    this.#tracker = new RequestTracker(clock, deps.sameClock);
    this.#refreshQueue = new RefreshQueue({
      look: (key) =>
        withTimeout(
          INSPECTION_LIMIT_MS,
          this.#stopping.signal,
          (signal) => this.#look(key, signal),
          'Docker did not answer',
        ),
      failed: (key, error) => {
        // An engine that is gone is logged once, where the connection is kept.
        const level = error instanceof EngineUnreachable ? 'debug' : 'warn';
        log[level]({ err: error, object: key }, 'Could not look at an object, trying again');
      },
      failingChanged: (key) => this.#announceAbout(key),
      delayMs: deps.coalesceMs,
      atOnce: INSPECTIONS_AT_ONCE,
      clock,
    });
    const announce = (change: EngineChange) => this.announce(change);
    const shared: Watching = { engine, log, tracker: this.#tracker, refreshQueue: this.#refreshQueue, announce };
    this.#containers = new ContainerWatch(shared);
    this.#networks = new NetworkWatch(shared);
    this.#volumes = new VolumeWatch(shared);
    this.#images = new ImageWatch(shared);
    deps.requests?.onChange((about) => this.#announceAbout(about));
  }

  get hasSynced(): boolean {
    return this.#syncError === undefined;
  }

  get syncError(): string | undefined {
    return this.#syncError;
  }

  unanswered(about?: readonly string[]): string | undefined {
    const request = this.deps.requests?.sentence(about ? { about } : {});
    if (request !== undefined) return request;
    const [key] = about?.filter((one) => this.#refreshQueue.failing(one)) ?? this.#refreshQueue.allFailing;
    const failing = key === undefined ? undefined : this.#refreshQueue.failing(key);
    if (key === undefined || !failing) return undefined;
    const why = errorMessage(failing.error);
    return `The Docker engine cannot be asked about ${this.#describe(key)} since ${timeText(failing.sinceMs)}: ${why}`;
  }

  containers(): readonly SeenContainer[] {
    return this.#containers.all();
  }

  containersOf(appId: number, serviceName: string): readonly SeenContainer[] {
    return this.#containers.ofService(appId, serviceName);
  }

  attachedTo(networkName: string): readonly SeenContainer[] {
    return this.#containers.all().filter(({ networks }) => Object.hasOwn(networks, networkName));
  }

  network(name: string): SeenNetwork | undefined {
    return this.#networks.named(name)[0];
  }

  networks(name: string): readonly SeenNetwork[] {
    return this.#networks.named(name);
  }

  volume(name: string): SeenVolume | undefined {
    return this.#volumes.get(name);
  }

  volumes(): readonly SeenVolume[] {
    return this.#volumes.all();
  }

  image(reference: string): SeenImage | undefined {
    return this.#images.get(reference);
  }

  images(): readonly KnownImage[] {
    return this.#images.all();
  }

  /** Everything that is known, at this moment. Asks nobody. */
  snapshot(): EngineSnapshot {
    return {
      containers: this.#containers.all(),
      networks: this.#networks.all(),
      volumes: this.#volumes.all(),
      images: this.#images.all(),
    };
  }

  onChange(listener: (change: EngineChange) => void): () => void {
    return this.#changes.listen(listener);
  }

  refreshContainer(id: string, signal: AbortSignal): Promise<SeenContainer | undefined> {
    return this.#containers.refresh(id, signal);
  }

  dropContainer(id: string): void {
    this.#containers.drop(id);
  }

  async refreshNetwork(name: string, signal: AbortSignal): Promise<SeenNetwork | undefined> {
    await this.#networks.refresh(signal);
    return this.network(name);
  }

  refreshVolume(name: string, signal: AbortSignal): Promise<SeenVolume | undefined> {
    return this.#volumes.refresh(name, signal);
  }

  refreshImage(reference: string, signal: AbortSignal): Promise<SeenImage | undefined> {
    return this.#images.refresh(reference, signal);
  }

  suppressEvents<T>(container: string, action: () => Promise<T>): Promise<T> {
    return this.#containers.suppressEvents(container, action);
  }

  /** Lists everything: one request for each type, and an inspection of what looks different. */
  async list(signal: AbortSignal): Promise<void> {
    const { engine } = this.deps;
    // Changes while nobody listened may not show in a list: limits that were edited do not.
    const hadSynced = this.#syncError === undefined;
    const known = hadSynced ? this.#containers.known() : undefined;
    const failing = this.#refreshQueue.allFailing;
    this.#refreshQueue.unmarkAll('');
    this.#images.listing();
    await this.#tracker.ask(
      ['container/*', 'network/*', 'volume/*', 'image/*'],
      () =>
        Promise.all([
          engine.listContainers(signal, known),
          engine.listNetworks(signal),
          engine.listVolumes(signal),
          engine.listImages(signal),
        ]),
      ([containers, networks, volumes, images], stamp) => {
        signal.throwIfAborted();
        this.#containers.takeAll(containers, stamp);
        this.#networks.takeAll(networks, stamp);
        this.#volumes.takeAll(volumes, stamp);
        this.#images.takeAll(images, stamp);
      },
      // Then the connection is dropped, and the next one begins with a list.
      () => undefined,
    );
    for (const key of failing) this.#announceAbout(key);
    if (hadSynced) return;
    await this.#images.learn(this.deps.wanted?.() ?? [], signal);
    this.#syncError = undefined;
    this.announce({ type: 'all' });
  }

  /** Marks the cache as out of sync. `why` is one sentence. */
  lost(why: string): void {
    const hadSynced = this.#syncError === undefined;
    this.#syncError = why;
    if (hadSynced) this.announce({ type: 'all' });
  }

  handleEvent(event: EngineEvent): void {
    const effect = effectOf(event);
    switch (effect.do) {
      case 'ignore':
        break;
      case 'inspect-container':
        this.#containers.invalidate(event, effect.id);
        break;
      case 'inspect-known-container':
        this.#containers.invalidateIfOurs(event, effect.id);
        break;
      case 'patch-container':
        this.#containers.patch(event, effect.id, effect.patch);
        break;
      case 'drop-container':
        this.#containers.drop(effect.id);
        break;
      case 'inspect-network':
        this.#networks.created(event, effect.id);
        break;
      case 'drop-network':
        this.#networks.drop(effect.id);
        break;
      case 'inspect-volume':
        this.#volumes.invalidate(event, effect.name);
        break;
      case 'look-at-images':
        this.#images.invalidate(event, effect.reference);
        break;
    }
  }

  async stop(): Promise<void> {
    this.#refreshQueue.stop();
    this.#stopping.abort();
  }

  /** Refreshes what a key names: `container/<id>`, `network/<id>`, `volume/<name>`, `image/<id>`, or `*` for all. */
  async #look(key: string, signal: AbortSignal): Promise<void> {
    const slash = key.indexOf('/');
    const name = key.slice(slash + 1);
    switch (key.slice(0, slash)) {
      case 'container':
        await this.#containers.look(name, signal);
        break;
      case 'network':
        await this.#networks.look(name, signal);
        break;
      case 'volume':
        await this.#volumes.refresh(name, signal);
        break;
      case 'image':
        await this.#images.look(name, signal);
        break;
    }
  }

  /** Describes a key, as in `container web_1_1`. */
  #describe(key: string): string {
    const slash = key.indexOf('/');
    const [type, id] = [key.slice(0, slash), key.slice(slash + 1)];
    const name = type === 'container' ? this.#containers.all().find((one) => one.id === id)?.name : undefined;
    return id === '*' ? `its ${type}s` : `${type} ${name ?? id}`;
  }

  /** Wakes everybody who depends on that object: what is shown of it has become more or less reliable. */
  #announceAbout(about: string): void {
    const slash = about.indexOf('/');
    const id = about.slice(slash + 1);
    switch (about.slice(0, slash)) {
      case 'container': {
        const container = this.#containers.all().find((one) => one.id === id || one.name === id);
        if (!container) break;
        const { appId, serviceName } = container;
        this.announce({ type: 'container', appId, serviceName, id: container.id });
        break;
      }
      case 'network':
        this.announce({ type: 'network', name: this.#networks.nameOf(id) ?? id });
        break;
      case 'volume':
        this.announce({ type: 'volume', name: id });
        break;
      case 'image':
        this.announce({ type: 'image' });
        break;
    }
  }

  protected announce(change: EngineChange): void {
    this.#changes.emit(change);
  }
}

import type { Logger } from 'pino';
import type { Clock } from '../runtime/delays.js';
import { within } from './deadline.js';
import {
  type Engine,
  type EngineEvent,
  EngineUnreachable,
  type SeenContainer,
  type SeenImage,
  type SeenNetwork,
  type SeenVolume,
} from './engine.js';
import { agrees, type Effect, effectOf } from './event-effects.js';
import { ImageCache } from './image-cache.js';
import { imageKey } from './image-reference.js';
import { Inspections } from './inspections.js';
import { SUPERVISED } from './labels.js';
import { ObjectCache, type Question, type Taken } from './object-cache.js';
import { QuietSpells } from './quiet-spells.js';
import type { World, WorldChange } from './world.js';

/** An event that comes later than this after it happened is looked into, whatever it tells, ms. */
const LATE_AT_MOST_MS = 5_000;
/** How long the engine may take over one object, ms. */
const INSPECTION_LIMIT_MS = 30_000;
const INSPECTIONS_AT_ONCE = 8;

export interface WorldDeps {
  readonly engine: Engine;
  readonly log: Logger;
  readonly clock: Clock;
  /** Whether the engine's clock is ours (a socket on this machine). Then an event that an inspection has already answered costs nothing. */
  readonly sameClock: boolean;
  /** Events about one object within this time cause one inspection, ms. */
  readonly coalesceMs: number;
}

/** The cache behind `World`: takes lists, events and answers, and announces what they change. Opens no connection itself. */
export class CachedWorld implements World {
  readonly #containers = new ObjectCache<SeenContainer>();
  /** By id. */
  readonly #networks = new ObjectCache<SeenNetwork>();
  readonly #volumes = new ObjectCache<SeenVolume>();
  readonly #images = new ImageCache();
  /** References that an event was about, '' for any; answered by the next list of images. */
  readonly #imageDoubts = new Set<string>();
  readonly #inspections: Inspections;
  readonly #quiet = new QuietSpells();
  readonly #listeners = new Set<(change: WorldChange) => void>();
  /** Questions whose answers are still to come, by what they are about. */
  readonly #asking = new Map<string, Question>();
  readonly #stopping = new AbortController();
  #tickets = 0;
  /** `containersOf`, newest first; made when somebody asks. */
  #services: Map<string, SeenContainer[]> | undefined;
  #trouble: string | undefined = 'The Docker engine has not been asked yet';

  constructor(private readonly deps: WorldDeps) {
    this.#inspections = new Inspections({
      look: (key) => within(INSPECTION_LIMIT_MS, this.#stopping.signal, (signal) => this.#look(key, signal)),
      failed: (key, error) => this.#couldNotLook(key, error),
      delayMs: deps.coalesceMs,
      atOnce: INSPECTIONS_AT_ONCE,
      clock: deps.clock,
    });
  }

  get fresh(): boolean {
    return this.#trouble === undefined;
  }

  get trouble(): string | undefined {
    return this.#trouble;
  }

  containers(): readonly SeenContainer[] {
    return this.#containers.values();
  }

  containersOf(appId: number, serviceName: string): readonly SeenContainer[] {
    this.#services ??= byService(this.#containers.values());
    return this.#services.get(`${appId}/${serviceName}`) ?? [];
  }

  attachedTo(networkName: string): readonly SeenContainer[] {
    return this.#containers.values().filter(({ networks }) => Object.hasOwn(networks, networkName));
  }

  network(name: string): SeenNetwork | undefined {
    return this.#networks.values().find((network) => network.name === name);
  }

  networks(name: string): readonly SeenNetwork[] {
    return this.#networks.values().filter((network) => network.name === name);
  }

  volume(name: string): SeenVolume | undefined {
    return this.#volumes.get(name);
  }

  image(reference: string): SeenImage | undefined {
    const image = this.#images.get(reference);
    if (image) return image;
    const id = this.#images.idOf(reference);
    if (id !== undefined) this.#inspections.mark(`image/${id}`);
    return undefined;
  }

  onChange(listener: (change: WorldChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async refreshContainer(id: string, signal: AbortSignal): Promise<SeenContainer | undefined> {
    // Events may change a part while we ask; not for ever.
    for (let attempt = 0; attempt < 3; attempt++) {
      if ((await this.#lookAtContainer(id, signal)) !== 'again') break;
    }
    return this.#containers.get(id);
  }

  /** By a list: only a list shows every network of one name. */
  async refreshNetwork(name: string, signal: AbortSignal): Promise<SeenNetwork | undefined> {
    await this.#lookAtNetworks(signal);
    return this.network(name);
  }

  async refreshVolume(name: string, signal: AbortSignal): Promise<SeenVolume | undefined> {
    this.#inspections.unmark(`volume/${name}`);
    const question = this.#question();
    const volume = await this.#ask(`volume/${name}`, question, () => this.deps.engine.inspectVolume(name, signal));
    if (this.#volumes.take(name, volume, question) === 'changed') this.#announce({ type: 'volume', name });
    return this.#volumes.get(name);
  }

  async refreshImage(reference: string, signal: AbortSignal): Promise<SeenImage | undefined> {
    const id = this.#images.idOf(reference);
    if (id !== undefined) this.#inspections.unmark(`image/${id}`);
    this.#imageDoubts.delete(imageKey(reference));
    const question = this.#question();
    const key = `image/${imageKey(reference)}`;
    const image = await this.#ask(key, question, () => this.deps.engine.inspectImage(reference, signal));
    if (this.#images.take(reference, image, question)) this.#announce({ type: 'image' });
    return this.#images.get(reference);
  }

  quietly<T>(container: string, action: () => Promise<T>): Promise<T> {
    return this.#quiet.during(container, action, (id) => this.#inspections.mark(`container/${id}`));
  }

  /** One list request for each type, and whatever the engine has to inspect because it looks different. */
  async list(signal: AbortSignal): Promise<void> {
    const { engine } = this.deps;
    const doubtful = new Set(
      this.containers().flatMap(({ id }) => (this.#inspections.has(`container/${id}`) ? [id] : [])),
    );
    const known = (id: string) => (doubtful.has(id) ? undefined : this.#containers.get(id));
    this.#inspections.unmarkAll('');
    this.#imageDoubts.clear();
    const question = this.#question();
    const [containers, networks, volumes, images] = await Promise.all([
      this.#ask('container/*', question, () => engine.listContainers(signal, known)),
      this.#ask('network/*', question, () => engine.listNetworks(signal)),
      this.#ask('volume/*', question, () => engine.listVolumes(signal)),
      this.#ask('image/*', question, () => engine.listImages(signal)),
    ]);
    signal.throwIfAborted();
    const becameFresh = this.#trouble !== undefined;
    this.#trouble = undefined;
    this.#containers.takeAll(
      new Map(containers.map((container) => [container.id, container])),
      question,
      (_, before, after) => this.#containerDiffers(before, after),
      (id) => this.#inspections.mark(`container/${id}`),
    );
    this.#takeNetworks(networks, question);
    this.#takeVolumes(volumes, question);
    this.#takeImages(images, question);
    if (becameFresh) this.#announce({ type: 'all' });
  }

  /** The engine cannot be heard: what is shown may be out of date. `why` is one sentence. */
  lost(why: string): void {
    const wasFresh = this.fresh;
    this.#trouble = why;
    if (wasFresh) this.#announce({ type: 'all' });
  }

  async stop(): Promise<void> {
    this.#inspections.stop();
    this.#stopping.abort();
  }

  hear(event: EngineEvent): void {
    const effect = effectOf(event);
    switch (effect.do) {
      case 'ignore':
        return;
      case 'drop-container':
        this.#inspections.unmark(`container/${effect.id}`);
        this.#containerTaken(effect.id, undefined, this.#question());
        return;
      case 'patch-container':
        this.#patch(event, effect);
        return;
      case 'inspect-known-container':
        if (!this.#containers.get(effect.id) && !this.#inspections.has(`container/${effect.id}`)) {
          // Known, perhaps, to somebody who is making it: then it is held back with the rest.
          this.#quiet.hold(effect.id, undefined);
          return;
        }
        this.#doubtContainer(event, effect.id, undefined);
        return;
      case 'inspect-container':
        this.#doubtContainer(event, effect.id, event.attributes.name);
        return;
      case 'inspect-network': {
        const agreed = () => this.#networks.get(effect.id) !== undefined;
        if (!this.#answered(event, `network/${effect.id}`, this.#networks.asked(effect.id), agreed))
          this.#inspections.mark(`network/${effect.id}`);
        return;
      }
      case 'drop-network':
        this.#inspections.unmark(`network/${effect.id}`);
        this.#networkTaken(effect.id, undefined, this.#question());
        return;
      case 'inspect-volume': {
        const agreed = () => (event.action === 'create') === (this.#volumes.get(effect.name) !== undefined);
        if (!this.#answered(event, `volume/${effect.name}`, this.#volumes.asked(effect.name), agreed))
          this.#inspections.mark(`volume/${effect.name}`);
        return;
      }
      case 'look-at-images': {
        const { reference } = effect;
        const agreed = () =>
          event.action === 'tag' && reference !== undefined && this.#images.idOf(reference) === event.id;
        const about = reference === undefined ? '' : imageKey(reference);
        if (this.#answered(event, `image/${about}`, this.#images.asked(reference), agreed)) return;
        this.#imageDoubts.add(about);
        this.#inspections.mark('image/*');
      }
    }
  }

  #patch(event: EngineEvent, { id, patch }: Extract<Effect, { do: 'patch-container' }>): void {
    if (this.#answered(event, `container/${id}`, this.#containers.asked(id), () => false)) return;
    // Whoever asks just now may be told the former state: ask once more, shortly.
    const asking = this.#asking.has(`container/${id}`) || this.#inspections.has(`container/${id}`);
    const changed = this.#containers.patch(id, patch, this.#question().ticket);
    const container = this.#containers.get(id);
    if (changed && container) this.#containerDiffers(container, container);
    if (asking && !this.#quiet.hold(id, event.attributes.name)) this.#inspections.mark(`container/${id}`);
  }

  #doubtContainer(event: EngineEvent, id: string, name: string | undefined): void {
    const agreed = () => {
      const container = this.#containers.get(id);
      return container !== undefined && agrees(event, container);
    };
    if (this.#answered(event, `container/${id}`, this.#containers.asked(id), agreed)) return;
    if (this.#quiet.hold(id, name ?? this.#containers.get(id)?.name)) return;
    this.#inspections.mark(`container/${id}`);
  }

  /**
   * Whether a question put after the event happened covers it: events come late. In the same millisecond the answer
   * has to agree with the event. Never for long after the question, so that a clock set back heals by itself.
   */
  #answered({ timeNano }: EngineEvent, about: string, shown: Question, agreed: () => boolean): boolean {
    if (!this.deps.sameClock) return false;
    const happenedMs = Math.floor(Number(timeNano) / 1e6);
    const now = this.deps.clock.now();
    const recent = ({ atMs }: Question) => now >= atMs && now - atMs < LATE_AT_MOST_MS;
    const all = `${about.slice(0, about.indexOf('/'))}/*`;
    const asked = [shown, this.#asking.get(about), this.#asking.get(all)]
      .filter((it) => it !== undefined)
      .filter(recent);
    if (asked.some(({ atMs }) => happenedMs < Math.floor(atMs))) return true;
    return recent(shown) && happenedMs === Math.floor(shown.atMs) && agreed();
  }

  async #look(key: string, signal: AbortSignal): Promise<void> {
    const slash = key.indexOf('/');
    const name = key.slice(slash + 1);
    switch (key.slice(0, slash)) {
      case 'container':
        await this.#lookAtContainer(name, signal);
        return;
      case 'network': {
        const question = this.#question();
        this.#networkTaken(
          name,
          await this.#ask(key, question, () => this.deps.engine.inspectNetwork(name, signal)),
          question,
        );
        return;
      }
      case 'volume':
        await this.refreshVolume(name, signal);
        return;
      case 'image':
        if (name === '*') await this.#lookAtImages(signal);
        else await this.refreshImage(name, signal);
        return;
    }
  }

  async #lookAtNetworks(signal: AbortSignal): Promise<void> {
    this.#inspections.unmarkAll('network/');
    const question = this.#question();
    const networks = await this.#ask('network/*', question, () => this.deps.engine.listNetworks(signal));
    this.#takeNetworks(networks, question);
  }

  async #lookAtImages(signal: AbortSignal): Promise<void> {
    if (this.#imageDoubts.size === 0) return;
    const doubts = [...this.#imageDoubts];
    this.#imageDoubts.clear();
    const question = this.#question();
    try {
      this.#takeImages(await this.#ask('image/*', question, () => this.deps.engine.listImages(signal)), question);
    } catch (error) {
      for (const doubt of doubts) this.#imageDoubts.add(doubt);
      throw error;
    }
  }

  async #lookAtContainer(id: string, signal: AbortSignal): Promise<Taken> {
    const key = `container/${id}`;
    this.#inspections.unmark(key);
    this.#quiet.answer(id);
    const question = this.#question();
    const seen = await this.#ask(key, question, () => this.deps.engine.inspectContainer(id, signal));
    const taken = this.#containerTaken(id, seen && SUPERVISED in seen.labels ? seen : undefined, question);
    if (taken === 'again') this.#inspections.mark(key);
    return taken;
  }

  #question(): Question {
    return { ticket: ++this.#tickets, atMs: this.deps.clock.now() };
  }

  /** Remembers the question while it is open. Without an answer the object stays marked: something was to be seen there. */
  async #ask<T>(about: string, question: Question, request: () => Promise<T>): Promise<T> {
    this.#asking.set(about, question);
    try {
      return await request();
    } catch (error) {
      this.#inspections.mark(about);
      throw error;
    } finally {
      if (this.#asking.get(about) === question) this.#asking.delete(about);
    }
  }

  #couldNotLook(key: string, error: unknown): void {
    // An engine that is gone says so once, where the connection is kept.
    const level = error instanceof EngineUnreachable ? 'debug' : 'warn';
    this.deps.log[level]({ err: error, object: key }, 'Could not look at an object, trying again');
  }

  #containerTaken(id: string, seen: SeenContainer | undefined, question: Question): Taken {
    const before = this.#containers.get(id);
    const taken = this.#containers.take(id, seen, question);
    if (taken === 'changed') this.#containerDiffers(before, seen);
    return taken;
  }

  #containerDiffers(before: SeenContainer | undefined, after: SeenContainer | undefined): void {
    this.#services = undefined;
    const container = after ?? before;
    if (!container) return;
    const { id, name, appId, serviceName } = container;
    if (!before && (appId === undefined || serviceName === undefined))
      this.deps.log.warn(
        { container: name, id },
        'A container has our label and does not say whose it is; leaving it alone',
      );
    this.#announce({ type: 'container', appId, serviceName, id });
  }

  #takeNetworks(networks: readonly SeenNetwork[], question: Question): void {
    this.#networks.takeAll(
      new Map(networks.map((network) => [network.id, network])),
      question,
      (_, before, after) => this.#networkDiffers(before, after),
      (id) => this.#inspections.mark(`network/${id}`),
    );
  }

  #networkTaken(id: string, seen: SeenNetwork | undefined, question: Question): void {
    const before = this.#networks.get(id);
    if (this.#networks.take(id, seen, question) === 'changed') this.#networkDiffers(before, seen);
  }

  #networkDiffers(before: SeenNetwork | undefined, after: SeenNetwork | undefined): void {
    for (const name of new Set([before?.name, after?.name])) {
      if (name !== undefined) this.#announce({ type: 'network', name });
    }
  }

  #takeVolumes(volumes: readonly SeenVolume[], question: Question): void {
    this.#volumes.takeAll(
      new Map(volumes.map((volume) => [volume.name, volume])),
      question,
      (name) => this.#announce({ type: 'volume', name }),
      (name) => this.#inspections.mark(`volume/${name}`),
    );
  }

  #takeImages(images: Awaited<ReturnType<Engine['listImages']>>, question: Question): void {
    const changed = this.#images.takeAll(images, question, (id) => this.#inspections.mark(`image/${id}`));
    if (changed) this.#announce({ type: 'image' });
  }

  #announce(change: WorldChange): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change);
      } catch (error) {
        this.deps.log.error({ err: error, change }, 'A listener of the world failed');
      }
    }
  }
}

function byService(containers: readonly SeenContainer[]): Map<string, SeenContainer[]> {
  const services = new Map<string, SeenContainer[]>();
  for (const container of containers) {
    if (container.appId === undefined || container.serviceName === undefined) continue;
    const key = `${container.appId}/${container.serviceName}`;
    services.set(key, [...(services.get(key) ?? []), container]);
  }
  const text = ({ createdAt, id }: SeenContainer) => `${createdAt} ${id}`;
  for (const group of services.values()) group.sort((a, b) => (text(a) < text(b) ? 1 : -1));
  return services;
}

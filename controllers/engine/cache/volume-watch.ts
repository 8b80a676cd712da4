import type { EngineEvent, SeenVolume } from '../engine.js';
import { ObjectCache, type RequestStamp } from './object-cache.js';
import type { Watching } from './watch.js';

const keyOf = (name: string): string => `volume/${name}`;

/** Caches every volume of the engine, by name. */
export class VolumeWatch {
  readonly #cache = new ObjectCache<SeenVolume>();

  constructor(private readonly shared: Watching) {}

  get(name: string): SeenVolume | undefined {
    return this.#cache.get(name);
  }

  all(): readonly SeenVolume[] {
    return this.#cache.values();
  }

  async refresh(name: string, signal: AbortSignal): Promise<SeenVolume | undefined> {
    const { engine, tracker, refreshQueue, announce } = this.shared;
    refreshQueue.unmark(keyOf(name));
    await tracker.ask(
      [keyOf(name)],
      () => engine.inspectVolume(name, signal),
      (volume, stamp) => {
        if (this.#cache.take(name, volume, stamp) === 'changed') announce({ type: 'volume', name });
      },
      () => refreshQueue.mark(keyOf(name)),
    );
    return this.#cache.get(name);
  }

  takeAll(volumes: readonly SeenVolume[], stamp: RequestStamp): void {
    this.#cache.takeAll(
      new Map(volumes.map((volume) => [volume.name, volume])),
      stamp,
      (name) => this.shared.announce({ type: 'volume', name }),
      (name) => this.shared.refreshQueue.mark(keyOf(name)),
    );
  }

  /** Handles a creation or removal. Names are reused, so a late removal proves nothing: the volume is inspected. */
  invalidate(event: EngineEvent, name: string): void {
    const agreed = () => (event.action === 'create') === (this.#cache.get(name) !== undefined);
    if (this.shared.tracker.answered(event, keyOf(name), this.#cache.asked(name), agreed)) return;
    this.shared.refreshQueue.mark(keyOf(name));
  }
}

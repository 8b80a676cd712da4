import { imageKey } from '../../../crds/model/image-reference.js';
import type { Engine, EngineEvent, SeenImage } from '../engine.js';
import { ImageCache, type KnownImage } from './image-cache.js';
import type { RequestStamp } from './object-cache.js';
import type { Watching } from './watch.js';

const ALL = 'image/*';
const keyOf = (referenceKey: string): string => `image/${referenceKey}`;
/** Key for any reference. */
const ANY = '';

/** Caches local images: where every reference leads, and those that were asked for in full. */
export class ImageWatch {
  readonly #cache = new ImageCache();
  /** References that events were about; answered by the next list or by inspecting that one. */
  readonly #stale = new Set<string>();

  constructor(private readonly shared: Watching) {}

  all(): readonly KnownImage[] {
    return this.#cache.all();
  }

  /** Undefined when it is not local, and while its configuration is requested. */
  get(reference: string): SeenImage | undefined {
    const image = this.#cache.get(reference);
    if (image) return image;
    const id = this.#cache.idOf(reference);
    if (id !== undefined) this.shared.refreshQueue.mark(keyOf(id));
    return undefined;
  }

  async refresh(reference: string, signal: AbortSignal): Promise<SeenImage | undefined> {
    const { engine, tracker, refreshQueue, announce } = this.shared;
    const key = imageKey(reference);
    const id = this.#cache.idOf(reference);
    if (id !== undefined) refreshQueue.unmark(keyOf(id));
    const wasStale = this.#stale.delete(key);
    await tracker.ask(
      [keyOf(key)],
      () => engine.inspectImage(reference, signal),
      (image, stamp) => {
        if (this.#cache.take(reference, image, stamp)) announce({ type: 'image' });
        // The image may have gone with this name, or have others.
        if (image === undefined && id !== undefined && this.#cache.idOf(id) !== undefined) refreshQueue.mark(keyOf(id));
      },
      () => wasStale && this.#invalidate(key),
    );
    return this.#cache.get(reference);
  }

  /** Inspects local images that are not known yet; one that the engine does not tell now is inspected when somebody asks. */
  async learn(references: Iterable<string>, signal: AbortSignal): Promise<void> {
    const unknown = new Map<string, string>();
    for (const reference of references) {
      const id = this.#cache.get(reference) ? undefined : this.#cache.idOf(reference);
      if (id !== undefined) unknown.set(id, reference);
    }
    const failed = (err: unknown, reference: string) => {
      signal.throwIfAborted();
      this.shared.log.debug({ err, reference }, 'Could not look at an image');
    };
    await Promise.all(
      [...unknown.values()].map((one) => this.refresh(one, signal).catch((error: unknown) => failed(error, one))),
    );
    signal.throwIfAborted();
  }

  /** Refreshes a reference; `*` stands for everything that events were about. */
  async look(reference: string, signal: AbortSignal): Promise<void> {
    if (keyOf(reference) === ALL) await this.#list(signal);
    else await this.refresh(reference, signal);
  }

  /** Notes that a list is requested, which answers the events so far. */
  listing(): void {
    this.#stale.clear();
  }

  takeAll(images: Awaited<ReturnType<Engine['listImages']>>, stamp: RequestStamp): void {
    const changed = this.#cache.takeAll(images, stamp, (id) => this.shared.refreshQueue.mark(keyOf(id)));
    if (changed) this.shared.announce({ type: 'image' });
  }

  /** Handles an event about a reference, or about any when it does not say which. */
  invalidate(event: EngineEvent, reference: string | undefined): void {
    const about = reference === undefined ? ANY : imageKey(reference);
    const agreed = () => event.action === 'tag' && reference !== undefined && this.#cache.idOf(reference) === event.id;
    if (this.shared.tracker.answered(event, keyOf(about), this.#cache.asked(reference), agreed)) return;
    this.#invalidate(about);
  }

  #invalidate(about: string): void {
    this.#stale.add(about);
    this.shared.refreshQueue.mark(ALL);
  }

  async #list(signal: AbortSignal): Promise<void> {
    if (this.#stale.size === 0) return;
    const stale = [...this.#stale];
    this.listing();
    await this.shared.tracker.ask(
      [ALL],
      () => this.shared.engine.listImages(signal),
      (images, stamp) => this.takeAll(images, stamp),
      () => {
        for (const key of stale) this.#invalidate(key);
      },
    );
  }
}

import { imageKey } from '../../../crds/model/image-reference.js';
import type { SeenImage } from '../engine.js';
import type { RequestStamp } from './object-cache.js';

type Listed = Pick<SeenImage, 'id' | 'tags' | 'digests'>;
/** As far as somebody has asked what it is. */
export type KnownImage = Listed & Partial<Pick<SeenImage, 'config' | 'platform'>>;
interface Pointer {
  /** Undefined: it was requested, and is not local. */
  readonly id: string | undefined;
  /** As the engine spells it. */
  readonly text: string;
  /** `alias`: a name that the engine understands and does not list; kept as long as the image is. */
  readonly is: 'id' | 'tag' | 'digest' | 'alias';
  readonly stamp: RequestStamp;
}

/**
 * Knows which image every reference leads to, and the configuration of images that were asked for. The content of an id
 * never changes, so its configuration is requested once; references move and follow the latest answer.
 */
export class ImageCache {
  readonly #pointers = new Map<string, Pointer>();
  readonly #configs = new Map<string, Pick<SeenImage, 'config' | 'platform'>>();
  readonly #images = new Map<string, SeenImage>();
  #listed: RequestStamp = { ticket: 0, atMs: Number.NEGATIVE_INFINITY, aheadMs: 0 };

  /** Returns the id that a reference (or id) leads to; undefined when it is not local. */
  idOf(reference: string): string | undefined {
    return this.#pointers.get(imageKey(reference))?.id;
  }

  /** Undefined when it is not local, or its configuration has not been requested. */
  get(reference: string): SeenImage | undefined {
    const id = this.idOf(reference);
    const config = id === undefined ? undefined : this.#configs.get(id);
    if (id === undefined || config === undefined) return undefined;
    const ready = this.#images.get(id);
    if (ready) return ready;
    const of = (is: Pointer['is']) =>
      [...this.#pointers.values()].filter((it) => it.id === id && it.is === is).map(({ text }) => text);
    const image: SeenImage = { id, tags: of('tag'), digests: of('digest'), ...config };
    this.#images.set(id, image);
    return image;
  }

  /** Every image there is, with its configuration where somebody has asked for that. */
  all(): readonly KnownImage[] {
    const images = new Map<string, { id: string; tags: string[]; digests: string[] }>();
    for (const { id, text, is } of this.#pointers.values()) {
      if (id === undefined) continue;
      const image = images.get(id) ?? { id, tags: [], digests: [] };
      images.set(id, image);
      if (is === 'tag') image.tags.push(text);
      if (is === 'digest' || (is === 'alias' && text.includes('@'))) image.digests.push(text);
    }
    return [...images.values()].map((image) => ({ ...image, ...this.#configs.get(image.id) }));
  }

  /** Returns the stamp of the request that answered for the reference, or for all of them. */
  asked(reference: string | undefined): RequestStamp {
    const own = reference === undefined ? undefined : this.#pointers.get(imageKey(reference))?.stamp;
    return own !== undefined && own.ticket > this.#listed.ticket ? own : this.#listed;
  }

  /**
   * Takes in the whole list; returns true when a reference leads elsewhere now. `moved` gets ids that took over a known
   * image's reference.
   */
  takeAll(images: readonly Listed[], stamp: RequestStamp, moved: (id: string) => void): boolean {
    if (stamp.ticket < this.#listed.ticket) return false;
    this.#listed = stamp;
    const failingChanged = new Map(images.flatMap((image) => pointersOf(image, stamp)));
    let changed = false;
    for (const [key, pointer] of this.#pointers) {
      if (failingChanged.has(key) || pointer.stamp.ticket > stamp.ticket) continue;
      if (pointer.is === 'alias' && pointer.id !== undefined && failingChanged.has(pointer.id)) continue;
      this.#pointers.delete(key);
      changed ||= pointer.id !== undefined;
    }
    for (const [key, pointer] of failingChanged) {
      const before = this.#pointers.get(key)?.id;
      if (!this.#point(key, pointer)) continue;
      changed = true;
      if (before !== undefined && pointer.id !== undefined && this.#configs.has(before)) moved(pointer.id);
    }
    this.#settle(changed);
    return changed;
  }

  /** Takes in the answer about one reference or id; returns true when something has changed. */
  take(reference: string, image: SeenImage | undefined, stamp: RequestStamp): boolean {
    const key = imageKey(reference);
    if (image === undefined) return this.#forget(key, stamp);
    let changed = !this.#configs.has(image.id);
    const { config, platform } = image;
    this.#configs.set(image.id, { config, ...(platform ? { platform } : {}) });
    const failingChanged = new Map(pointersOf(image, stamp));
    if (!failingChanged.has(key)) failingChanged.set(key, { id: image.id, text: reference, is: 'alias', stamp });
    for (const [known, pointer] of this.#pointers) {
      if (
        pointer.is === 'alias' ||
        pointer.id !== image.id ||
        failingChanged.has(known) ||
        pointer.stamp.ticket > stamp.ticket
      )
        continue;
      this.#pointers.delete(known);
      changed = true;
    }
    for (const [name, pointer] of failingChanged) changed = this.#point(name, pointer) || changed;
    this.#settle(changed);
    return changed;
  }

  /** Notes that the key leads nowhere; when it is an id, neither does any name of that image. */
  #forget(key: string, stamp: RequestStamp): boolean {
    const names = [...this.#pointers].filter(([, { id }]) => id === key).map(([name]) => name);
    let changed = false;
    for (const name of new Set([key, ...names])) {
      changed = this.#point(name, { id: undefined, text: name, is: 'tag', stamp }) || changed;
    }
    this.#settle(changed);
    return changed;
  }

  #point(key: string, pointer: Pointer): boolean {
    const before = this.#pointers.get(key);
    const known = Math.max(before?.stamp.ticket ?? 0, this.#listed.ticket);
    if (known > pointer.stamp.ticket) return false;
    this.#pointers.set(key, pointer);
    return before?.id !== pointer.id;
  }

  #settle(changed: boolean): void {
    if (!changed) return;
    this.#images.clear();
    const left = new Set([...this.#pointers.values()].map(({ id }) => id));
    for (const id of this.#configs.keys()) if (!left.has(id)) this.#configs.delete(id);
  }
}

const pointersOf = ({ id, tags, digests }: Listed, stamp: RequestStamp): [string, Pointer][] => [
  [id, { id, text: id, is: 'id', stamp }],
  ...tags.map((text): [string, Pointer] => [imageKey(text), { id, text, is: 'tag', stamp }]),
  ...digests.map((text): [string, Pointer] => [imageKey(text), { id, text, is: 'digest', stamp }]),
];

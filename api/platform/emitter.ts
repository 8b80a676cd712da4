/**
 * Calls listeners, in order and within the call of `emit`. What a listener emits is delivered after the present item,
 * so everybody sees the same order. A listener that throws does not keep the others from being called: its error goes
 * to `onError`; without that, `emit` throws the first one once everybody was called.
 */
export class Emitter<T> {
  readonly #listeners = new Set<(item: T) => void>();
  readonly #queue: { readonly item: T; readonly to: readonly ((item: T) => void)[] }[] = [];
  #telling = false;

  constructor(private readonly onError?: (error: unknown, item: T) => void) {}

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /** Calls the listener for every item from now on. Returns how to stop, which returns whether it was still listening. */
  listen(listener: (item: T) => void): () => boolean {
    const own = (item: T): void => listener(item); // the same function may listen twice
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Emits items that belong together: nothing that a listener emits comes between them. */
  emit(...items: readonly T[]): void {
    if (this.#listeners.size === 0) return;
    const to = [...this.#listeners];
    for (const item of items) this.#queue.push({ item, to });
    if (this.#telling) return;
    this.#telling = true;
    const errors: unknown[] = [];
    const failed = this.onError ?? ((error: unknown) => errors.push(error));
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      for (const listener of next.to) {
        if (!this.#listeners.has(listener)) continue;
        try {
          listener(next.item);
        } catch (error) {
          failed(error, next.item);
        }
      }
    }
    this.#telling = false;
    if (errors.length > 0) throw errors[0];
  }
}

/**
 * Tells listeners, in order and in the caller's turn. What a listener causes is told after what it was told of, so
 * everybody sees the same order. A listener that throws does not keep the others from hearing: its error goes to
 * `onError`; without that, `emit` throws the first one once everybody has heard.
 */
export class Emitter<T> {
  readonly #listeners = new Set<(item: T) => void>();
  readonly #queue: { readonly item: T; readonly to: readonly ((item: T) => void)[] }[] = [];
  #telling = false;

  constructor(private readonly onError?: (error: unknown, item: T) => void) {}

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /** Calls the listener for everything told from now on. Returns how to stop; that says whether it listened still. */
  listen(listener: (item: T) => void): () => boolean {
    const own = (item: T): void => listener(item); // the same function may listen twice
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Several belong together: nothing that a listener causes comes between them. */
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

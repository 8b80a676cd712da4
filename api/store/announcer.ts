/**
 * Tells listeners, in order and in the caller's turn. What a listener causes is told after what it was told of, so
 * everybody sees the same order. A listener that throws is reported and does not keep the others from hearing.
 */
export class Announcer<T> {
  readonly #listeners = new Set<(item: T) => void>();
  readonly #queue: { readonly item: T; readonly to: readonly ((item: T) => void)[] }[] = [];
  #telling = false;

  constructor(private readonly onError: (error: unknown) => void) {}

  /** Calls the listener for everything told from now on. Returns how to stop. */
  listen(listener: (item: T) => void): () => void {
    const own = (item: T): void => listener(item); // the same function may listen twice
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Several belong together: nothing that a listener causes comes between them. */
  tell(...items: readonly T[]): void {
    if (this.#listeners.size === 0) return;
    const to = [...this.#listeners];
    for (const item of items) this.#queue.push({ item, to });
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      for (const listener of next.to) {
        if (!this.#listeners.has(listener)) continue;
        try {
          listener(next.item);
        } catch (error) {
          this.onError(error);
        }
      }
    }
    this.#telling = false;
  }
}

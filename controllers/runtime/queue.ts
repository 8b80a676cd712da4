/** At most one pass per key at a time; anything added during a pass collapses into one more. Insertion order is queue order. */
export class WorkQueue {
  readonly #ready = new Set<string>();
  readonly #running = new Set<string>();
  readonly #again = new Set<string>(); // touched during their pass

  add(key: string): void {
    (this.#running.has(key) ? this.#again : this.#ready).add(key);
  }

  take(): string | undefined {
    const [key] = this.#ready;
    if (key !== undefined) {
      this.#ready.delete(key);
      this.#running.add(key);
    }
    return key;
  }

  /** Ends the pass over a key. Returns true when it was touched meanwhile, so that it is ready again. */
  done(key: string): boolean {
    this.#running.delete(key);
    if (!this.#again.delete(key)) return false;
    this.#ready.add(key);
    return true;
  }

  /** Tells whether the key was touched since its pass began. */
  isDirty(key: string): boolean {
    return this.#again.has(key);
  }

  isRunning(key: string): boolean {
    return this.#running.has(key);
  }

  /** Forgets that it was touched during its pass. */
  clean(key: string): void {
    this.#again.delete(key);
  }

  get size(): number {
    return this.#ready.size;
  }

  get running(): number {
    return this.#running.size;
  }
}

import type { Change } from './store.js';

/** Keeps the latest changes, so that a watcher that was away can catch up. The oldest make room. */
export class RecentChanges {
  #ring: Change[] = [];
  /** Everything after this version is in the ring. */
  #floor: number;

  constructor(
    openedAt: number,
    private readonly limit: number,
  ) {
    this.#floor = openedAt;
  }

  add(change: Change): void {
    this.#ring.push(change);
    // Cut in blocks, because shifting one by one would move the whole array each time.
    if (this.#ring.length >= this.limit * 2) this.#cut();
  }

  /** Returns the changes after that version, oldest first; undefined when it is too old, not of this process, or no version. */
  since(version: string, current: number): readonly Change[] | undefined {
    const after = /^\d{1,16}$/.test(version) ? Number(version) : Number.NaN;
    if (!(after >= this.#floor && after <= current)) return undefined;
    return this.#ring.filter((change) => Number(change.resourceVersion) > after);
  }

  #cut(): void {
    const kept = this.#ring.slice(-this.limit);
    const lastDropped = this.#ring[this.#ring.length - this.limit - 1];
    if (lastDropped) this.#floor = Number(lastDropped.resourceVersion);
    this.#ring = kept;
  }
}

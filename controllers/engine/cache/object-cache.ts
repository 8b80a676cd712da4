import { isDeepStrictEqual } from 'node:util';

/** When a request was sent to the engine: `ticket` orders requests, the rest is the clock's time. */
export interface RequestStamp {
  readonly ticket: number;
  /** ms since the epoch */
  readonly atMs: number;
  /** What the time of day was ahead of the monotonic clock, ms. */
  readonly aheadMs: number;
}

/**
 * The effect of an answer. `older`: a later one is already shown. `again`: an event changed a part of the object during
 * the request, so neither is complete and the request has to be repeated.
 */
export type Taken = 'changed' | 'same' | 'older' | 'again';

const BEFORE_EVERYTHING: RequestStamp = { ticket: 0, atMs: Number.NEGATIVE_INFINITY, aheadMs: 0 };

/** Objects of one type as the engine last reported them. An answer never replaces one to a later request. */
export class ObjectCache<T> {
  readonly #items = new Map<string, T>();
  /** By key: the request whose answer is shown, also for keys that are known to be gone. */
  readonly #asked = new Map<string, RequestStamp>();
  /** Ticket of the last patch. */
  readonly #patched = new Map<string, number>();
  /** The last whole list: it answers for every key that has nothing newer. */
  #listed = BEFORE_EVERYTHING;

  get(key: string): T | undefined {
    return this.#items.get(key);
  }

  values(): readonly T[] {
    return [...this.#items.values()];
  }

  /** Returns the stamp of the request whose answer is shown for the key (an answer may be that it does not exist). */
  asked(key: string): RequestStamp {
    return this.#asked.get(key) ?? this.#listed;
  }

  /** Takes in the answer about one object; undefined: it does not exist. */
  take(key: string, value: T | undefined, stamp: RequestStamp): Taken {
    if (stamp.ticket < this.asked(key).ticket) return 'older';
    const same = isDeepStrictEqual(this.#items.get(key), value);
    if (value !== undefined && stamp.ticket < (this.#patched.get(key) ?? 0)) return same ? 'same' : 'again';
    this.#asked.set(key, stamp);
    this.#patched.delete(key);
    if (same) return 'same';
    if (value === undefined) this.#items.delete(key);
    else this.#items.set(key, value);
    return 'changed';
  }

  /** Takes in a whole list; calls `differs` with the former and present form of each object that the list changed. */
  takeAll(
    values: ReadonlyMap<string, T>,
    stamp: RequestStamp,
    differs: (key: string, before: T | undefined, after: T | undefined) => void,
    again: (key: string) => void,
  ): void {
    for (const key of new Set([...this.#items.keys(), ...values.keys()])) {
      const before = this.#items.get(key);
      const taken = this.take(key, values.get(key), stamp);
      if (taken === 'changed') differs(key, before, values.get(key));
      if (taken === 'again') again(key);
    }
    if (stamp.ticket > this.#listed.ticket) this.#listed = stamp;
    // Keys that are long gone: the list answers for them now.
    for (const [key, { ticket }] of this.#asked) if (ticket <= this.#listed.ticket) this.#asked.delete(key);
  }

  /** Changes a part of an object that is shown; returns false when there was nothing to change. */
  patch(key: string, change: Partial<T>, ticket: number): boolean {
    const before = this.#items.get(key);
    if (before === undefined) return false;
    this.#patched.set(key, ticket);
    const after = { ...before, ...change };
    if (isDeepStrictEqual(before, after)) return false;
    this.#items.set(key, after);
    return true;
  }
}

import type { Key } from '../../crds/model/kinds.js';
import type { Happening, ResourceEvent } from './store.js';

/** Keeps recent events of documents: equal events are counted, each document keeps its latest few, and the total is limited. */
export class RecentEvents {
  /** Both maps are in the order of the last event: the first entry is the one to forget. */
  readonly #byKey = new Map<Key, Map<string, ResourceEvent>>();
  #total = 0;
  #version: number;

  /** Events get versions after `openedAt`. */
  constructor(
    private readonly limits: { readonly perDocument: number; readonly total: number },
    openedAt: number,
  ) {
    this.#version = openedAt;
  }

  /** Records an event; returns it with its present count. */
  record(key: Key, { type, reason, message, times = 1 }: Happening, nowMs: number): ResourceEvent {
    const own = this.#byKey.get(key) ?? new Map<string, ResourceEvent>();
    const identity = JSON.stringify([type, reason, message]);
    const before = own.get(identity);
    const timestamp = new Date(nowMs).toISOString();
    this.#version += 1;
    const event: ResourceEvent = Object.freeze({
      key,
      type,
      reason,
      message,
      count: (before?.count ?? 0) + times,
      firstTimestamp: before?.firstTimestamp ?? timestamp,
      lastTimestamp: timestamp,
      resourceVersion: String(this.#version),
    });
    if (own.delete(identity)) this.#total -= 1;
    own.set(identity, event);
    this.#total += 1;
    this.#byKey.delete(key);
    this.#byKey.set(key, own);
    if (own.size > this.limits.perDocument) this.#forgetOldest(key, own);
    for (const [oldest, events] of this.#byKey) {
      if (this.#total <= this.limits.total) break;
      this.#forgetOldest(oldest, events);
    }
    return event;
  }

  /** Returns the events of one document or of all, the latest last. */
  list(key?: Key): readonly ResourceEvent[] {
    const maps =
      key === undefined ? [...this.#byKey.values()] : [this.#byKey.get(key) ?? new Map<string, ResourceEvent>()];
    return maps
      .flatMap((events) => [...events.values()])
      .sort((a, b) => Number(a.resourceVersion) - Number(b.resourceVersion));
  }

  #forgetOldest(key: Key, events: Map<string, ResourceEvent>): void {
    const [oldest] = events.keys();
    if (oldest !== undefined && events.delete(oldest)) this.#total -= 1;
    if (events.size === 0) this.#byKey.delete(key);
  }
}

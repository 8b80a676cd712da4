import type { EngineEvent, SeenNetwork } from '../engine.js';
import { ObjectCache, type RequestStamp } from './object-cache.js';
import type { Watching } from './watch.js';

const ALL = 'network/*';
const keyOf = (id: string): string => `network/${id}`;

/** Caches every network of the engine, by id: names may be shared. */
export class NetworkWatch {
  readonly #cache = new ObjectCache<SeenNetwork>();

  constructor(private readonly shared: Watching) {}

  all(): readonly SeenNetwork[] {
    return this.#cache.values();
  }

  named(name: string): readonly SeenNetwork[] {
    return this.#cache.values().filter((network) => network.name === name);
  }

  nameOf(id: string): string | undefined {
    return this.#cache.get(id)?.name;
  }

  /** Refreshes by a list: only that shows every network of one name. */
  refresh(signal: AbortSignal): Promise<void> {
    const { engine, tracker, refreshQueue } = this.shared;
    refreshQueue.unmarkAll('network/');
    return tracker.ask(
      [ALL],
      () => engine.listNetworks(signal),
      (networks, stamp) => this.takeAll(networks, stamp),
      () => refreshQueue.mark(ALL),
    );
  }

  /** Refreshes a network; `id` may be `*`. */
  look(id: string, signal: AbortSignal): Promise<void> {
    if (keyOf(id) === ALL) return this.refresh(signal);
    const { engine, tracker, refreshQueue } = this.shared;
    return tracker.ask(
      [keyOf(id)],
      () => engine.inspectNetwork(id, signal),
      (network, stamp) => this.#take(id, network, stamp),
      () => refreshQueue.mark(keyOf(id)),
    );
  }

  takeAll(networks: readonly SeenNetwork[], stamp: RequestStamp): void {
    this.#cache.takeAll(
      new Map(networks.map((network) => [network.id, network])),
      stamp,
      (_, before, after) => this.#differs(before, after),
      (id) => this.shared.refreshQueue.mark(keyOf(id)),
    );
  }

  created(event: EngineEvent, id: string): void {
    const agreed = () => this.#cache.get(id) !== undefined;
    if (this.shared.tracker.answered(event, keyOf(id), this.#cache.asked(id), agreed)) return;
    this.shared.refreshQueue.mark(keyOf(id));
  }

  /** Removes a network. Ids are never reused: what is destroyed stays so. */
  drop(id: string): void {
    this.shared.refreshQueue.unmark(keyOf(id));
    this.#take(id, undefined, this.shared.tracker.now());
  }

  #take(id: string, network: SeenNetwork | undefined, stamp: RequestStamp): void {
    const before = this.#cache.get(id);
    if (this.#cache.take(id, network, stamp) === 'changed') this.#differs(before, network);
  }

  #differs(before: SeenNetwork | undefined, after: SeenNetwork | undefined): void {
    for (const name of new Set([before?.name, after?.name])) {
      if (name !== undefined) this.shared.announce({ type: 'network', name });
    }
  }
}

import type { EngineEvent, SeenNetwork } from '../engine.js';
import { ObjectCache, type Question } from './object-cache.js';
import type { Watching } from './watch.js';

const ALL = 'network/*';
const keyOf = (id: string): string => `network/${id}`;

/** Every network of the engine, by id: names may be shared. */
export class NetworkWatch {
  readonly #cache = new ObjectCache<SeenNetwork>();

  constructor(private readonly shared: Watching) {}

  named(name: string): readonly SeenNetwork[] {
    return this.#cache.values().filter((network) => network.name === name);
  }

  nameOf(id: string): string | undefined {
    return this.#cache.get(id)?.name;
  }

  /** By a list: only that shows every network of one name. */
  refresh(signal: AbortSignal): Promise<void> {
    const { engine, questions, inspections } = this.shared;
    inspections.unmarkAll('network/');
    return questions.ask(
      [ALL],
      () => engine.listNetworks(signal),
      (networks, question) => this.takeAll(networks, question),
      () => inspections.mark(ALL),
    );
  }

  /** `id` may be `*`. */
  look(id: string, signal: AbortSignal): Promise<void> {
    if (keyOf(id) === ALL) return this.refresh(signal);
    const { engine, questions, inspections } = this.shared;
    return questions.ask(
      [keyOf(id)],
      () => engine.inspectNetwork(id, signal),
      (network, question) => this.#take(id, network, question),
      () => inspections.mark(keyOf(id)),
    );
  }

  takeAll(networks: readonly SeenNetwork[], question: Question): void {
    this.#cache.takeAll(
      new Map(networks.map((network) => [network.id, network])),
      question,
      (_, before, after) => this.#differs(before, after),
      (id) => this.shared.inspections.mark(keyOf(id)),
    );
  }

  created(event: EngineEvent, id: string): void {
    const agreed = () => this.#cache.get(id) !== undefined;
    if (this.shared.questions.answered(event, keyOf(id), this.#cache.asked(id), agreed)) return;
    this.shared.inspections.mark(keyOf(id));
  }

  /** Ids are never given twice: what is destroyed stays so. */
  drop(id: string): void {
    this.shared.inspections.unmark(keyOf(id));
    this.#take(id, undefined, this.shared.questions.now());
  }

  #take(id: string, network: SeenNetwork | undefined, question: Question): void {
    const before = this.#cache.get(id);
    if (this.#cache.take(id, network, question) === 'changed') this.#differs(before, network);
  }

  #differs(before: SeenNetwork | undefined, after: SeenNetwork | undefined): void {
    for (const name of new Set([before?.name, after?.name])) {
      if (name !== undefined) this.shared.announce({ type: 'network', name });
    }
  }
}

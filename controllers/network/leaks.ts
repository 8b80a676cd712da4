import type { SeenContainer } from '../engine/engine.js';

/** How many names are remembered of one network: more than a device runs services. */
const MOST_NAMES = 1_000;

/**
 * Remembers networks that the engine keeps because of endpoints that no container has. It also remembers names of
 * containers, because an endpoint has its container's name and no list shows it any more. An engine that starts again
 * clears such endpoints itself, so everything is forgotten then.
 */
export class Leaks {
  readonly #names = new Map<string, Set<string>>();
  readonly #leaked = new Set<string>();
  readonly #refused = new Set<string>();

  /** Notes on which networks a container is. */
  look({ name, networks }: Pick<SeenContainer, 'name' | 'networks'>): void {
    for (const network of Object.keys(networks)) {
      const names = this.#names.get(network) ?? new Set();
      this.#names.set(network, names.add(name));
      const [oldest] = names;
      if (names.size > MOST_NAMES && oldest !== undefined) names.delete(oldest);
    }
  }

  /** Returns the names of containers that have been on it. */
  names(network: string): readonly string[] {
    return [...(this.#names.get(network) ?? [])];
  }

  /**
   * Notes that the engine has kept the network of that id although no container is on it. Returns false the first time:
   * the engine may be about to release the last one.
   */
  refused(id: string): boolean {
    const isKnown = this.#refused.has(id);
    this.#refused.add(id);
    if (isKnown) this.#leaked.add(id);
    return isKnown;
  }

  isLeaked(id: string): boolean {
    return this.#leaked.has(id);
  }

  removed(network: string, id: string): void {
    this.#names.delete(network);
    this.#refused.delete(id);
    this.#leaked.delete(id);
  }

  /** Forgets everything: the engine was away and may have started again. */
  forget(): void {
    this.#refused.clear();
    this.#leaked.clear();
  }
}

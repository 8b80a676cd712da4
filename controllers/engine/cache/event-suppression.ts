/**
 * Suppresses refreshes by events about containers that an action is changing right now. Events that no inspection has
 * answered when the last action on a container ends cause one refresh.
 */
export class EventSuppression {
  /** By id or name: number of actions under way. */
  readonly #actions = new Map<string, number>();
  /** By id: the name by which the container is being acted on. */
  readonly #nameOf = new Map<string, string>();
  /** Ids with an unanswered event. */
  readonly #held = new Set<string>();

  /** Holds an event back; returns false when nobody acts on that container. */
  hold(id: string, name: string | undefined): boolean {
    if (!this.#covers(id, name)) return false;
    if (name !== undefined) this.#nameOf.set(id, name);
    this.#held.add(id);
    return true;
  }

  /** Notes that an inspection begins: it answers everything that was held back. */
  answer(id: string): void {
    this.#held.delete(id);
  }

  /** Runs the action; afterwards calls `unanswered` for each container with an event that no inspection has answered. */
  async during<T>(idOrName: string, action: () => Promise<T>, unanswered: (id: string) => void): Promise<T> {
    this.#actions.set(idOrName, (this.#actions.get(idOrName) ?? 0) + 1);
    try {
      return await action();
    } finally {
      const left = (this.#actions.get(idOrName) ?? 1) - 1;
      if (left > 0) this.#actions.set(idOrName, left);
      else this.#end(idOrName, unanswered);
    }
  }

  #end(idOrName: string, unanswered: (id: string) => void): void {
    this.#actions.delete(idOrName);
    for (const id of [...this.#held]) {
      if (this.#covers(id)) continue;
      this.#held.delete(id);
      unanswered(id);
    }
    for (const [id, name] of this.#nameOf) if (!this.#actions.has(name)) this.#nameOf.delete(id);
  }

  /** Tells whether somebody acts on it. */
  #covers(id: string, name?: string): boolean {
    const known = name ?? this.#nameOf.get(id);
    return this.#actions.has(id) || (known !== undefined && this.#actions.has(known));
  }
}

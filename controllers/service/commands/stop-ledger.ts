/** A stop that this process has begun to carry out. */
export interface Stop {
  /** Of the request. */
  readonly id: string;
  /** When it was asked for; RFC 3339. */
  readonly at: string;
  /** Of the container that was stopped: another configuration ends the stop. */
  readonly specHash: string | undefined;
  /** The container was seen stopped. */
  readonly done: boolean;
}

/**
 * Which services were stopped through the API, by document name. In memory only, on purpose: a stop outlives every pass
 * but ends with the agent, as the documentation of the public API promises. A request that a status calls handled and
 * that is not in here was carried out by an earlier process, and is over; one that is not handled yet is carried out by
 * the next process, so no stop that was accepted is lost.
 */
export class StopLedger {
  readonly #stops = new Map<string, Stop>();

  of(service: string): Stop | undefined {
    return this.#stops.get(service);
  }

  begin(service: string, { id, at }: Pick<Stop, 'id' | 'at'>, specHash: string | undefined): void {
    if (this.#stops.get(service)?.id !== id) this.#stops.set(service, { id, at, specHash, done: false });
  }

  /** Takes in whether its container runs: stopped once, it is over as soon as somebody else has started it. */
  look(service: string, runs: boolean): void {
    const stop = this.#stops.get(service);
    if (!stop || stop.done === !runs) return;
    if (runs) this.#stops.delete(service);
    else this.#stops.set(service, { ...stop, done: true });
  }

  forget(service: string): void {
    this.#stops.delete(service);
  }
}

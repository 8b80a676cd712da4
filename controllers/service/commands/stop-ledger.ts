/** A stop that this process has started to carry out. */
export interface Stop {
  /** Id of the request. */
  readonly id: string;
  /** Time of the request; RFC 3339. */
  readonly at: string;
  /** Spec hash of the stopped container: another configuration ends the stop. */
  readonly specHash: string | undefined;
  /** True once the container was seen stopped. */
  readonly done: boolean;
}

/**
 * Records which services were stopped through the API, by document name. It is in memory only: a stop outlives every
 * pass but ends with the agent, as the documentation of the public API promises. A request that the status calls
 * handled and that is not recorded here was carried out by an earlier process, and is over. One that is not handled yet
 * is carried out by the next process, so no accepted stop is lost.
 */
export class StopLedger {
  readonly #stops: Map<string, Stop>;

  constructor(stops: Iterable<readonly [string, Stop]> = []) {
    this.#stops = new Map(stops);
  }

  /** One that knows the same, and goes its own way. */
  copy(): StopLedger {
    return new StopLedger(this.#stops);
  }

  of(service: string): Stop | undefined {
    return this.#stops.get(service);
  }

  begin(service: string, { id, at }: Pick<Stop, 'id' | 'at'>, specHash: string | undefined): void {
    if (this.#stops.get(service)?.id !== id) this.#stops.set(service, { id, at, specHash, done: false });
  }

  /** Takes in whether the container runs. Once it was seen stopped, the stop ends as soon as somebody else starts it. */
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

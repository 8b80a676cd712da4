/** What was tried: to create a container of that name as a generation of the document says, or to start the service in it. */
export interface Attempt {
  readonly to: 'create' | 'start';
  readonly container: string;
  readonly generation: number;
}

/**
 * How the last attempt of each service failed, so that the log tells of a failure once, however often it is repeated. In
 * memory only: a new agent tells it once more.
 */
export class FailedAttempts {
  readonly #failures = new Map<string, Attempt & { readonly due?: string }>();

  /** Tells whether the last attempt was the same one, and failed: the line of its beginning was logged then. */
  has(service: string, { to, container, generation }: Attempt): boolean {
    const found = this.#failures.get(service);
    return found?.to === to && found.container === container && found.generation === generation;
  }

  /** Notes that an attempt has failed. `due`: why, where that is logged. True: that was logged before. */
  note(service: string, attempt: Attempt, due?: string): boolean {
    const before = this.has(service, attempt) ? this.#failures.get(service)?.due : undefined;
    const logged = due ?? before;
    this.#failures.set(service, { ...attempt, ...(logged === undefined ? {} : { due: logged }) });
    return due !== undefined && before === due;
  }

  /** The attempt has succeeded. */
  end(service: string, attempt: Attempt): void {
    if (this.has(service, attempt)) this.forget(service);
  }

  /** Nothing is tried any more, or the service has gone. */
  forget(service: string): void {
    this.#failures.delete(service);
  }
}

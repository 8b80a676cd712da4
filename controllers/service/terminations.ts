import { Emitter } from '../../api/platform/emitter.js';
import { toError } from '../../api/platform/errors.js';
import { Limiter } from '../../api/platform/turns.js';
import type { Termination } from './service-state.js';

/** Number of stops at a time: an engine that stops fifty containers at once gets slower. */
const AT_ONCE = 8;

/**
 * Runs stops, removals and restarts of containers in the background, because a grace period may last longer than a
 * pass. One pass starts them and a later one sees the result. Knows only what this process does now; a crash loses
 * nothing but the waiting.
 */
export class Terminations {
  readonly #running = new Map<string, { readonly service: string; readonly how: Termination }>();
  readonly #failures = new Map<string, Error>();
  readonly #ended = new Emitter<string>();
  readonly #limiter = new Limiter(AT_ONCE);

  /** Runs the action unless one is running for that container; emits the document's name when it has ended. */
  begin(service: string, container: string, how: Termination, action: () => Promise<void>): void {
    if (this.#running.has(container)) return;
    this.#running.set(container, { service, how });
    this.#limiter
      .run(action)
      .catch((error: unknown) => this.#failures.set(service, toError(error)))
      .finally(() => {
        this.#running.delete(container);
        this.#ended.emit(service);
      });
  }

  /** Ids of the containers under way, and what is done to them. */
  get terminating(): ReadonlyMap<string, Termination> {
    return new Map([...this.#running].map(([id, { how }]) => [id, how]));
  }

  /** Tells whether a container by which that document is known is under way. */
  isTerminating(service: string): boolean {
    return [...this.#running.values()].some((one) => one.service === service && one.how !== 'withdrawn');
  }

  /** Tells whether any container of that document is under way, also one by which it is not known. */
  isAnyUnderWay(service: string): boolean {
    return [...this.#running.values()].some((one) => one.service === service);
  }

  /** Returns the last error of a service until somebody takes it. */
  failureOf(service: string): Error | undefined {
    return this.#failures.get(service);
  }

  /** Returns the last error of a service and forgets it. */
  takeFailure(service: string): Error | undefined {
    const failure = this.#failures.get(service);
    this.#failures.delete(service);
    return failure;
  }

  onEnd(listener: (service: string) => void): () => void {
    return this.#ended.listen(listener);
  }
}

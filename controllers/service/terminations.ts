import { Emitter } from '../../api/platform/emitter.js';
import { toError } from '../../api/platform/errors.js';
import { Limiter } from '../../api/platform/turns.js';
import type { Termination } from './service-state.js';

/** Stops under way at once; an engine that is asked to stop fifty at a time gets slower, not faster. */
const AT_ONCE = 8;

/**
 * Containers that are on their way out: a grace period may last longer than a pass, so stopping is started in one pass
 * and seen again in a later one. Knows only what this process does right now; a crash loses nothing but the waiting.
 */
export class Terminations {
  readonly #running = new Map<string, { readonly service: string; readonly how: Termination }>();
  readonly #failures = new Map<string, Error>();
  readonly #ended = new Emitter<string>();
  readonly #limiter = new Limiter(AT_ONCE);

  /** Runs the action unless one is running for that container; tells the listeners the document's name when it has ended. */
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

  /** Ids of containers that are leaving, and how. */
  get terminating(): ReadonlyMap<string, Termination> {
    return new Map([...this.#running].map(([id, { how }]) => [id, how]));
  }

  /** A container of that document is leaving. */
  isTerminating(service: string): boolean {
    return [...this.#running.values()].some((one) => one.service === service);
  }

  /** How the last one of a service failed, until somebody takes it. */
  failureOf(service: string): Error | undefined {
    return this.#failures.get(service);
  }

  /** The same, and forgets it: told once. */
  takeFailure(service: string): Error | undefined {
    const failure = this.#failures.get(service);
    this.#failures.delete(service);
    return failure;
  }

  onEnd(listener: (service: string) => void): () => void {
    return this.#ended.listen(listener);
  }
}

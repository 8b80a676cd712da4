/** Time after which the next resync asks the engine again, ms: somebody may have installed what it lacked. */
const FOR_MS = 60 * 60_000;

/**
 * Remembers what the engine has refused to create while an old container runs. That container causes further passes,
 * and none of them shall take the update lock only to be refused once more. In memory only: a new agent asks once, and
 * an engine that has come back is asked again.
 */
export class Refusals {
  readonly #refusals = new Map<string, { readonly attempt: string; readonly error: Error; readonly atMs: number }>();

  constructor(private readonly times: { readonly monotonic: () => number }) {}

  /** Remembers a refusal. `attempt` identifies everything that the container was to be created from. */
  note(service: string, attempt: string, error: Error): void {
    this.#refusals.set(service, { attempt, error, atMs: this.times.monotonic() });
  }

  /** Returns the error of the same attempt, or undefined when the engine has to be asked. */
  of(service: string, attempt: string): Error | undefined {
    const found = this.#refusals.get(service);
    if (found?.attempt !== attempt || this.times.monotonic() - found.atMs > FOR_MS) return undefined;
    return found.error;
  }

  forget(service: string): void {
    this.#refusals.delete(service);
  }

  forgetAll(): void {
    this.#refusals.clear();
  }
}

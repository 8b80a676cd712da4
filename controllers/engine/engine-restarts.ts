/** Shortest time between two restarts, ms: one that did not help is not repeated at once. */
const PAUSE_MS = 10 * 60_000;

export interface EngineRestartsDeps {
  /** Tells whether the process of the engine is ours to start. */
  readonly isOurs: () => boolean;
  /** Monotonic clock, ms. */
  readonly elapsedMs: () => number;
}

/**
 * Collects requests for a restart of the engine's process, for errors that only that fixes. The keeper of the engine
 * takes them. A request that comes too early is dropped: who still needs it asks again.
 */
export class EngineRestarts {
  #why: string | undefined;
  #lastMs: number | undefined;

  constructor(private readonly deps: EngineRestartsDeps) {}

  /** Returns false when the engine is not ours: nothing will be done then. */
  ask(why: string): boolean {
    if (!this.deps.isOurs()) return false;
    this.#why = why;
    return true;
  }

  /** Returns why the engine is to be restarted now; undefined when nobody asks for it, or the last time was less than ten minutes ago. */
  take(): string | undefined {
    const why = this.#why;
    this.#why = undefined;
    const nowMs = this.deps.elapsedMs();
    if (why === undefined || (this.#lastMs !== undefined && nowMs - this.#lastMs < PAUSE_MS)) return undefined;
    this.#lastMs = nowMs;
    return why;
  }
}

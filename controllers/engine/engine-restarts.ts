/** Between two restarts, ms: one that did not help is not repeated at once. */
const PAUSE_MS = 10 * 60_000;

export interface EngineRestartsDeps {
  /** Whether the process of the engine is ours to start. */
  readonly isOurs: () => boolean;
  /** Monotonic, ms. */
  readonly elapsedMs: () => number;
}

/**
 * Wishes for another start of the engine's process, from whoever has met what only that puts right. The keeper of the
 * engine takes them. A wish that comes too early is dropped: who still needs it asks again.
 */
export class EngineRestarts {
  #why: string | undefined;
  #lastMs: number | undefined;

  constructor(private readonly deps: EngineRestartsDeps) {}

  /** Returns false when the engine is not ours: then nothing will be done. */
  ask(why: string): boolean {
    if (!this.deps.isOurs()) return false;
    this.#why = why;
    return true;
  }

  /** Why the engine is to be restarted now; undefined when nobody asks for it, or the last time was less than ten minutes ago. */
  take(): string | undefined {
    const why = this.#why;
    this.#why = undefined;
    const nowMs = this.deps.elapsedMs();
    if (why === undefined || (this.#lastMs !== undefined && nowMs - this.#lastMs < PAUSE_MS)) return undefined;
    this.#lastMs = nowMs;
    return why;
  }
}

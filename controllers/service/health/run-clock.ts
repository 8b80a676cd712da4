import type { SeenContainer } from '../../engine/engine.js';

/** Reads a wall clock and a monotonic clock, ms. */
export interface RunTimes {
  /** Time of day; somebody may set it. */
  readonly now: () => number;
  /** Since some moment of this process; never goes back. */
  readonly monotonic: () => number;
}

interface Run {
  readonly startedAt: string;
  /** Monotonic time at which this process first saw the run. */
  readonly seenMs: number;
  /** Age of the run at that time. */
  readonly ageMs: number;
}

/**
 * Measures how long containers have been running without a break. A run that began while this process watched is
 * measured by the monotonic clock, so that setting the time of day changes nothing. For an earlier run the engine's
 * start time is used, unless it lies in the future.
 */
export class RunClock {
  /** By service, then by container id. */
  readonly #runs = new Map<string, Map<string, Run>>();

  constructor(private readonly times: RunTimes) {}

  /** Returns for how long the container has run; 0 while it does not run. */
  ranMs(service: string, { id, startedAt, state }: SeenContainer): number {
    const runs = this.#runs.get(service) ?? new Map<string, Run>();
    if (!startedAt) {
      runs.delete(id);
      return 0;
    }
    const before = runs.get(id);
    const ageMs = before ? 0 : Math.max(0, this.times.now() - Date.parse(startedAt));
    const isSame = before?.startedAt === startedAt;
    const run = isSame ? before : { startedAt, seenMs: this.times.monotonic(), ageMs };
    this.#runs.set(service, runs.set(id, run));
    return state === 'running' || state === 'paused' ? run.ageMs + this.times.monotonic() - run.seenMs : 0;
  }

  /** Forgets all other containers of the service. */
  keep(service: string, ids: readonly string[]): void {
    const runs = this.#runs.get(service);
    for (const id of runs?.keys() ?? []) if (!ids.includes(id)) runs?.delete(id);
  }

  forget(service: string): void {
    this.#runs.delete(service);
  }
}

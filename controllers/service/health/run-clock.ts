import type { SeenContainer } from '../../engine/engine.js';

/** Both times of a clock, ms. */
export interface RunTimes {
  /** The time of day; somebody may set it. */
  readonly now: () => number;
  /** Since some moment of this process; only goes on. */
  readonly monotonic: () => number;
}

interface Run {
  readonly startedAt: string;
  /** When this process saw it first, of the monotonic clock. */
  readonly seenMs: number;
  /** How old it was then. */
  readonly ageMs: number;
}

/**
 * For how long containers have been running without a break. What began while this process watched is measured by the
 * monotonic clock, so that setting the time of day neither ends nor prolongs anything. Of a run that was under way before
 * it, the engine's time of its start is believed, unless that lies in the future.
 */
export class RunClock {
  /** By service, then by id of the container. */
  readonly #runs = new Map<string, Map<string, Run>>();

  constructor(private readonly times: RunTimes) {}

  /** 0 while it does not run. */
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

  /** Forgets the containers of the service that are not among these. */
  keep(service: string, ids: readonly string[]): void {
    const runs = this.#runs.get(service);
    for (const id of runs?.keys() ?? []) if (!ids.includes(id)) runs?.delete(id);
  }

  forget(service: string): void {
    this.#runs.delete(service);
  }
}

import type { SeenContainer } from '../../engine/engine.js';

/** Both times of a clock, ms. */
export interface RunTimes {
  /** The time of day; somebody may set it. */
  readonly now: () => number;
  /** Since some moment of this process; only goes on. */
  readonly monotonic: () => number;
}

interface Run {
  readonly id: string;
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
  readonly #runs = new Map<string, Run>();

  constructor(private readonly times: RunTimes) {}

  /** 0 while it does not run. */
  ranMs(service: string, container: SeenContainer | undefined): number {
    const before = this.#runs.get(service);
    if (!container?.startedAt) {
      this.forget(service);
      return 0;
    }
    const { id, startedAt, state } = container;
    const isSame = before?.id === id && before.startedAt === startedAt;
    const ageMs = before?.id === id ? 0 : Math.max(0, this.times.now() - Date.parse(startedAt));
    const run = isSame ? before : { id, startedAt, seenMs: this.times.monotonic(), ageMs };
    this.#runs.set(service, run);
    return state === 'running' || state === 'paused' ? run.ageMs + this.times.monotonic() - run.seenMs : 0;
  }

  forget(service: string): void {
    this.#runs.delete(service);
  }
}

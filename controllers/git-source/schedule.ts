import type { Clock } from '../../api/platform/clock.js';
import { type Due, dueInMs } from '../../crds/model/due.js';
import type { GitSource } from '../../crds/model/kinds.js';
import { cronInMs, intervalMs } from './plan.js';

/** When one source is looked at next: whichever comes first. */
interface Turn {
  /** By the interval; monotonic clock, ms. */
  readonly dueMs: number;
  /** By the cron expression; time of day. */
  readonly cron?: Due;
}

/**
 * Knows when each source is looked at next. An interval is measured by the monotonic clock, so that setting the clock
 * does not change it; a cron expression follows the time of day. After a start the last look is read from the status,
 * by the clock at that time.
 */
export class Schedule {
  /** By uid. */
  readonly #turns = new Map<string, Turn>();

  constructor(private readonly clock: Pick<Clock, 'now' | 'monotonic'>) {}

  /**
   * Begins a look: the time until the next counts from now. `random`: 0 ≤ x < 1. Throws `InvalidSpecError` for an
   * invalid cron expression.
   */
  begin({ metadata, spec }: GitSource, random: number): void {
    const inMs = intervalMs(spec, random);
    const cron = spec.cron === undefined ? undefined : this.#cron(spec.cron);
    this.#turns.set(metadata.uid, { dueMs: this.clock.monotonic() + inMs, ...(cron ? { cron } : {}) });
  }

  /** Returns the time until the next look, ms: 0 when it is due, infinite when there is none. */
  leftMs(source: GitSource): number {
    const { uid } = source.metadata;
    const turn = this.#current(source, this.#turns.get(uid) ?? this.#fromStatus(source));
    this.#turns.set(uid, turn);
    const byCron = turn.cron ? Math.max(0, turn.cron.notBeforeMs - this.clock.now()) : Number.POSITIVE_INFINITY;
    return Math.min(byCron, Math.max(0, turn.dueMs - this.clock.monotonic()));
  }

  forget(uid: string): void {
    this.#turns.delete(uid);
  }

  /** Looks the cron expression up again when the clock was set back before the time of the last look-up. */
  #current({ spec }: GitSource, turn: Turn): Turn {
    if (!turn.cron || spec.cron === undefined || this.clock.now() >= turn.cron.madeAtMs) return turn;
    return { ...turn, cron: this.#cron(spec.cron) };
  }

  #cron(expression: string): Due {
    const madeAtMs = this.clock.now();
    return { madeAtMs, notBeforeMs: madeAtMs + cronInMs(expression) };
  }

  /** Reads the last look from the status. Without one a look is due. */
  #fromStatus({ status, spec }: GitSource): Turn {
    const { checkedAt, nextSyncAt } = status ?? {};
    const due = { madeAtMs: Date.parse(checkedAt ?? ''), notBeforeMs: Date.parse(nextSyncAt ?? '') };
    const inMs = nextSyncAt === undefined ? 0 : dueInMs(due, this.clock.now());
    return { dueMs: this.clock.monotonic() + inMs, ...(spec.cron !== undefined && inMs > 0 ? { cron: due } : {}) };
  }
}

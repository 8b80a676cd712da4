import type { Clock } from '../../../api/platform/clock.js';
import type { EngineEvent } from '../engine.js';
import type { RequestStamp } from './object-cache.js';

/** An event that comes later than this after it happened always causes a refresh, ms. */
const LATE_AT_MOST_MS = 5_000;
/** Whole ms that are compared with parts of them, and a clock that is slewed for that long, differ by less, ms. */
const SAME_CLOCK_MS = 4;

/**
 * Tracks the reads that are under way. Keys name one object (`container/<id>`) or all of a type (`container/*`). An
 * event that is older than the read of its object tells nothing new.
 */
export class RequestTracker {
  readonly #open = new Map<string, RequestStamp>();
  #tickets = 0;

  constructor(
    private readonly clock: Clock,
    /** True when events have the time of our clock. */
    private readonly sameClock: boolean,
  ) {}

  /** Returns a stamp of now, for a change that an event contains. */
  now(): RequestStamp {
    const atMs = this.clock.now();
    return { ticket: ++this.#tickets, atMs, aheadMs: atMs - this.clock.monotonic() };
  }

  /** Sends a request and has the answer taken in before it counts as closed. Without an answer `unanswered` is called. */
  async ask<T, Result>(
    about: readonly string[],
    request: () => Promise<T>,
    take: (answer: T, stamp: RequestStamp) => Result,
    unanswered: () => void,
  ): Promise<Result> {
    const stamp = this.now();
    for (const key of about) this.#open.set(key, stamp);
    try {
      return take(await request(), stamp);
    } catch (error) {
      unanswered();
      throw error;
    } finally {
      for (const key of about) if (this.#open.get(key) === stamp) this.#open.delete(key);
    }
  }

  isOpen(key: string): boolean {
    return this.#open.has(key);
  }

  /**
   * Tells whether a request after the event covers it: events come late. In the same millisecond what is shown has to
   * agree with the event. Never for long after the request, nor when the clock was set since: then the
   * time of the event is on another scale.
   */
  answered({ timeNano }: EngineEvent, key: string, shown: RequestStamp, agreed: () => boolean): boolean {
    if (!this.sameClock) return false;
    // By its digits: a number would lose the last ones, and be in the wrong millisecond.
    const happenedMs = Number(timeNano.slice(0, -6));
    const now = this.clock.now();
    if (!(now - happenedMs < LATE_AT_MOST_MS)) return false;
    const nowAheadMs = now - this.clock.monotonic();
    const recent = ({ atMs, aheadMs }: RequestStamp) =>
      now >= atMs && now - atMs < LATE_AT_MOST_MS && Math.abs(nowAheadMs - aheadMs) < SAME_CLOCK_MS;
    const all = `${key.slice(0, key.indexOf('/'))}/*`;
    const open = [this.#open.get(key), this.#open.get(all)].filter((it) => it !== undefined);
    if ([shown, ...open].some((it) => recent(it) && happenedMs < Math.floor(it.atMs))) return true;
    // An open request may have been answered before the event: then its answer replaces what is shown.
    return open.length === 0 && recent(shown) && happenedMs === Math.floor(shown.atMs) && agreed();
  }
}

import type { Cancel, Clock } from '../../api/platform/clock.js';

/** When timers fire, against the time that was asked for. A machine that was asleep is late. */
export type Punctuality = 'exact' | '1 ms early' | '1 h late';
export const PUNCTUALITIES: readonly Punctuality[] = ['exact', '1 ms early', '1 h late'];

const OFF_MS: Readonly<Record<Punctuality, number>> = { exact: 0, '1 ms early': -1, '1 h late': 3_600_000 };

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  /** Of the monotonic clock. */
  #ms: number;
  /** What the time of day is ahead of it. */
  #aheadMs: number;
  #planned: { readonly dueMs: number; readonly call: () => void }[] = [];

  constructor(
    startMs = Date.parse('2026-01-02T03:04:05.678Z'),
    private readonly punctuality: Punctuality = 'exact',
    monotonicMs = 0,
  ) {
    this.#ms = monotonicMs;
    this.#aheadMs = startMs - monotonicMs;
  }

  now(): number {
    return this.#aheadMs + this.#ms;
  }

  monotonic(): number {
    return this.#ms;
  }

  /** Sets the time of day, as NTP or a person does: no timer moves. */
  set(byMs: number): void {
    this.#aheadMs += byMs;
  }

  after(ms: number, call: () => void): Cancel {
    const offMs = ms > 1 ? OFF_MS[this.punctuality] : 0; // time has to go on
    const entry = { dueMs: this.#ms + Math.max(0, ms + offMs), call };
    this.#planned.push(entry);
    return () => {
      this.#planned = this.#planned.filter((one) => one !== entry);
    };
  }

  /** Moves on; what becomes due is called in order of its due time. */
  advance(ms: number): void {
    const until = this.#ms + ms;
    for (;;) {
      const next = this.#planned.filter(({ dueMs }) => dueMs <= until).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (!next) break;
      this.#planned = this.#planned.filter((one) => one !== next);
      this.#ms = Math.max(this.#ms, next.dueMs);
      next.call();
    }
    this.#ms = until;
  }

  /** Moves to the next planned call and makes it; false when nothing is planned. */
  step(): boolean {
    const next = [...this.#planned].sort((a, b) => a.dueMs - b.dueMs)[0];
    if (!next) return false;
    this.advance(Math.max(0, next.dueMs - this.#ms));
    return true;
  }

  get planned(): readonly number[] {
    return this.#planned.map(({ dueMs }) => dueMs - this.#ms).sort((a, b) => a - b);
  }
}

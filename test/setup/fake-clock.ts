import type { Cancel, Clock } from '../../controllers/runtime/delays.js';

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #nowMs: number;
  #planned: { readonly dueMs: number; readonly call: () => void }[] = [];

  constructor(startMs = Date.parse('2026-01-02T03:04:05.678Z')) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(ms: number, call: () => void): Cancel {
    const entry = { dueMs: this.#nowMs + ms, call };
    this.#planned.push(entry);
    return () => {
      this.#planned = this.#planned.filter((one) => one !== entry);
    };
  }

  /** Moves on; what becomes due is called in order of its due time. */
  advance(ms: number): void {
    const until = this.#nowMs + ms;
    for (;;) {
      const next = this.#planned.filter(({ dueMs }) => dueMs <= until).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (!next) break;
      this.#planned = this.#planned.filter((one) => one !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.call();
    }
    this.#nowMs = until;
  }

  /** Moves to the next planned call and makes it; false when nothing is planned. */
  step(): boolean {
    const next = [...this.#planned].sort((a, b) => a.dueMs - b.dueMs)[0];
    if (!next) return false;
    this.advance(Math.max(0, next.dueMs - this.#nowMs));
    return true;
  }

  get planned(): readonly number[] {
    return this.#planned.map(({ dueMs }) => dueMs - this.#nowMs).sort((a, b) => a - b);
  }
}

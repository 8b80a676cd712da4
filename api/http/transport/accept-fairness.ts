/** Longest time that requests run in one round of the event loop while connections arrive, ms. */
const RUSH_ROUND_MS = 2;
/** The same once they have arrived for LONG_RUSH_MS: two hundred clients are in by then, and thousands wait. */
const LONG_RUSH_ROUND_MS = 0.25;
const LONG_RUSH_MS = 100;

export interface RoundClock {
  /** Monotonic clock, ms. */
  now(): number;
  /** Calls back after the events of this round of the event loop. */
  afterRound(act: () => void): void;
}

const CLOCK: RoundClock = { now: () => performance.now(), afterRound: (act) => void setImmediate(act) };

/**
 * Bounds how long a new connection waits to be accepted while many requests arrive. While connections arrive, requests
 * run for at most 2 ms of each round of the event loop, and for 0.25 ms once that has gone on for 100 ms; the rest is queued in order. Without it, Node accepts one
 * connection in a round (libuv since 1.45), a round lasts as long as all its requests, and the last of 200 new clients
 * waits for seconds.
 */
export class AcceptFairness {
  readonly #waiting: (() => void)[] = [];
  /** End of the time for requests in this round; undefined while no connections arrive. */
  #untilMs: number | undefined;
  /** Beginning of the rounds in which connections arrive. */
  #sinceMs = 0;
  #hasNewConnection = false;

  constructor(private readonly clock: RoundClock = CLOCK) {}

  /** Notes an accepted connection: more may wait behind it. */
  connected(): void {
    this.#hasNewConnection = true;
    if (this.#untilMs !== undefined) return;
    this.#sinceMs = this.clock.now();
    this.#begin();
  }

  /** Serves a request now or in a later round. Later, its client may be gone. */
  serve(request: () => void): void {
    if (this.#untilMs === undefined || (this.#waiting.length === 0 && this.clock.now() < this.#untilMs)) request();
    else this.#waiting.push(request);
  }

  #begin(): void {
    const nowMs = this.clock.now();
    this.#untilMs = nowMs + (nowMs - this.#sinceMs < LONG_RUSH_MS ? RUSH_ROUND_MS : LONG_RUSH_ROUND_MS);
    this.clock.afterRound(() => this.#next());
  }

  #next(): void {
    if (this.#hasNewConnection) this.#begin();
    else this.#untilMs = undefined;
    this.#hasNewConnection = false;
    const untilMs = this.#untilMs ?? Number.POSITIVE_INFINITY;
    while (this.#waiting.length > 0 && this.clock.now() < untilMs) this.#waiting.shift()?.();
  }
}

/** Longest that requests keep one round of the event loop while connections come in, ms. */
const RUSH_ROUND_MS = 2;

export interface PacerClock {
  /** Monotonic, ms. */
  now(): number;
  /** After what has come in this round of the event loop. */
  afterRound(act: () => void): void;
}

const CLOCK: PacerClock = { now: () => performance.now(), afterRound: (act) => void setImmediate(act) };

/**
 * Lets a rush of connections in. Node accepts one in each round of the event loop (libuv since 1.45), and a round lasts
 * as long as all requests that came in it: behind clients that never pause, the last of two hundred new ones waits for
 * seconds. So while somebody came in each round, requests get a few milliseconds of it, and the rest of them their turn in
 * the next one, in order.
 */
export class Pacer {
  readonly #waiting: (() => void)[] = [];
  /** When requests have had their time of this round; undefined while nobody comes. */
  #untilMs: number | undefined;
  #hasSomebodyCome = false;

  constructor(private readonly clock: PacerClock = CLOCK) {}

  /** A connection has been accepted: more may wait behind it. */
  connected(): void {
    this.#hasSomebodyCome = true;
    if (this.#untilMs === undefined) this.#begin();
  }

  /** Serves a request now or in a later round. What is served late has waited some milliseconds: its client may be gone. */
  serve(request: () => void): void {
    if (this.#untilMs === undefined || (this.#waiting.length === 0 && this.clock.now() < this.#untilMs)) request();
    else this.#waiting.push(request);
  }

  #begin(): void {
    this.#untilMs = this.clock.now() + RUSH_ROUND_MS;
    this.clock.afterRound(() => this.#next());
  }

  #next(): void {
    const untilMs = this.#hasSomebodyCome ? this.clock.now() + RUSH_ROUND_MS : Number.POSITIVE_INFINITY;
    if (this.#hasSomebodyCome) this.#begin();
    else this.#untilMs = undefined;
    this.#hasSomebodyCome = false;
    while (this.#waiting.length > 0 && this.clock.now() < untilMs) this.#waiting.shift()?.();
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises';
/** Runs actions one after another, in the order of their calls. A failure concerns its own caller only. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(action);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when everything that was enqueued until now has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}

/** Runs that many actions at once; the others wait, in the order of their calls. */
export class Limiter {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(private readonly atOnce: number) {}

  /** Starts within the call when there is room. */
  async run<T>(action: () => Promise<T>): Promise<T> {
    if (this.#running < this.atOnce) this.#running += 1;
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      return await action();
    } finally {
      // The next one takes the place over, so that nobody who comes meanwhile is one too many.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}

/** Longest time that the caller works in one go while others wait, ms. */
const LONGEST_GO_MS = 10;

/**
 * Yields the items, and lets everybody else run every few ms, however many items come at once: without that, items that
 * are there already are yielded one promise after the other for as long as there are more.
 */
export async function* inTurns<T>(items: AsyncIterable<T>): AsyncIterable<T> {
  let dueMs = performance.now() + LONGEST_GO_MS;
  for await (const item of items) {
    if (performance.now() > dueMs) {
      await nextTurn();
      dueMs = performance.now() + LONGEST_GO_MS;
    }
    yield item;
  }
}
